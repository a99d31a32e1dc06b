"""Everything that only draws: the sequencer's sidebar, the menus and the preferences."""

from ..operators.registration import register_all, unregister_all
from . import menus, preferences, settings, sidebar

CLASSES = (*preferences.CLASSES, *sidebar.CLASSES, *settings.CLASSES, *menus.CLASSES)


def register() -> None:
    """Register everything, or nothing."""
    register_all(CLASSES, menus.attach)


def unregister() -> None:
    """Take back all that `register` did."""
    menus.detach()
    unregister_all(CLASSES)
