"""Media files to arrays and back: frames, flow, masks. Knows nothing of atlases or texts."""
