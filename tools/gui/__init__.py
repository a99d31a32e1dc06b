"""Blender in a real window without a screen: for tests that press buttons, and for screenshots."""
