"""Media of every kind: what Blender shows of them, and what the engine reads."""
