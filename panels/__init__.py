"""Everything that only draws: the sequencer's sidebar, the menus and the preferences."""

import bpy

from . import menus, preferences, settings, sidebar

CLASSES = (*preferences.CLASSES, *sidebar.CLASSES, *settings.CLASSES, *menus.CLASSES)


def register() -> None:
    """Register everything, or nothing."""
    done = []
    try:
        for kind in CLASSES:
            bpy.utils.register_class(kind)
            done.append(kind)
        menus.attach()
    except Exception:
        for kind in reversed(done):
            bpy.utils.unregister_class(kind)
        raise


def unregister() -> None:
    """Take back all that `register` did."""
    menus.detach()
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
