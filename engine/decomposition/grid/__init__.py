"""The fast decomposition: registration by least squares, then textures, alpha and gain by Adam."""
