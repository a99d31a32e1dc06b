"""Everything that only draws: the sequencer's sidebar, the menus and the preferences."""

from ..operators.registration import register_all, unregister_all
from . import jobs, layers, menus, preferences, settings, sidebar, sweep, take

CLASSES = (
    *preferences.CLASSES,
    *sidebar.CLASSES,
    *settings.CLASSES,
    *take.CLASSES,
    *sweep.CLASSES,
    *layers.CLASSES,
    *jobs.CLASSES,
    *menus.CLASSES,
)


def attach() -> None:
    """Add what is no class: entries in Blender's menus."""
    menus.attach()


def register() -> None:
    """Register everything, or nothing."""
    register_all(CLASSES, attach)


def unregister() -> None:
    """Take back all that `register` did."""
    menus.detach()
    unregister_all(CLASSES)
