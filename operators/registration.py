"""Registering classes all or nothing, for operators and panels alike."""

from collections.abc import Callable, Iterable

import bpy


def register_all(kinds: Iterable[type], attach: Callable[[], None]) -> None:
    """Register ``kinds``, then call ``attach``; where anything fails, nothing stays registered."""
    done = []
    try:
        for kind in kinds:
            bpy.utils.register_class(kind)
            done.append(kind)
        attach()
    except Exception:
        unregister_all(done)
        raise


def unregister_all(kinds: Iterable[type]) -> None:
    """Unregister ``kinds``, the last one first."""
    for kind in reversed(tuple(kinds)):
        bpy.utils.unregister_class(kind)
