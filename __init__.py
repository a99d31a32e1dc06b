"""Strip Stylizer: restyles an object in a video strip from a text.

Blender calls `register` and `unregister`; nothing is imported before that, so that the package
can be looked at without Blender.
"""


def register() -> None:
    """Add the operators and the panels; leaves nothing behind where that fails."""
    from . import operators, panels

    operators.register()
    try:
        panels.register()
    except Exception:
        operators.unregister()
        raise


def unregister() -> None:
    """Remove all that `register` added."""
    from . import operators, panels

    panels.unregister()
    operators.unregister()
