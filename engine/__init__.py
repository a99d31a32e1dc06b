"""The engine: everything that happens outside Blender, and the wall between the two.

Importing this package does no work and imports neither torch nor bpy.
"""
