"""Video to layers: two atlases, their mappings, and alpha (Layered Neural Atlases)."""
