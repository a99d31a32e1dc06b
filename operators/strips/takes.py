"""The stylized strips of one source: its takes, in order, of which one is shown."""

import json
import uuid
from typing import Any

from .. import properties
from .sequencer import all_strips, every_strip, make_active

RECIPE_KEY = "stylized_from"


def mark(scene: Any, strip: Any) -> str:
    """Give the strip an id of its own and return it; a copied strip gets a new one."""
    facts = properties.of(strip)
    bearers = [s for s in all_strips(scene) if properties.of(s).strip_id == facts.strip_id]
    if not facts.strip_id or len(bearers) > 1:
        facts.strip_id = uuid.uuid4().hex[:12]
    return facts.strip_id


def find_result(job_id: str) -> Any | None:
    """Return the strip that shows a job's result."""
    return next((s for s in every_strip() if properties.of(s).result_of == job_id), None)


def source_of(result: Any) -> Any | None:
    """Return the source strip of a result strip."""
    source_id = properties.of(result).source_id
    if not source_id:
        return None
    return next((s for s in every_strip() if properties.of(s).strip_id == source_id), None)


def recipe_of(strip: Any) -> dict:
    """Return what a stylized strip was made from, {} for other strips."""
    try:
        recipe = json.loads(strip.get(RECIPE_KEY, "{}"))
    except (TypeError, ValueError, RecursionError):
        return {}
    return recipe if isinstance(recipe, dict) else {}


def results_of(strip: Any) -> list[Any]:
    """Return the takes of a source strip, or all takes beside a stylized strip, in order."""
    facts = properties.of(strip)
    source_id = facts.source_id or facts.strip_id
    others = all_strips(strip.id_data)
    found = [s for s in others if source_id and properties.of(s).source_id == source_id]
    return sorted(found, key=lambda take: (number_of(take), take.channel))


def number_of(take: Any) -> int:
    """Return which take of its source a stylized strip is, counted from 1; 0 for other strips."""
    recipe = recipe_of(take)
    number = recipe.get("take", 1) if recipe else 0
    return number if isinstance(number, int) else 1


def next_number(source_id: str) -> int:
    """Return the number of the next take of a source; the numbers of deleted ones may return."""
    takes = (s for s in every_strip() if source_id and properties.of(s).source_id == source_id)
    return max((number_of(take) for take in takes), default=0) + 1


def shown_take(strip: Any) -> Any | None:
    """Return the take that covers the others, None where the source is seen."""
    seen = [take for take in results_of(strip) if not take.mute]
    return max(seen, key=lambda take: take.channel, default=None)


def show_take(take: Any) -> None:
    """Unmute one take and mute the others of its source."""
    for other in results_of(take):
        other.mute = other != take


def activate_instead(take: Any, before: Any) -> None:
    """Let a take be the active strip in the place of another one."""
    before.select = False
    make_active(take)
    take.select = True


def step_take(strip: Any, step: int) -> Any | None:
    """Show the take ``step`` places further on, round in a circle, and return it.

    ``strip`` is a source or any of its takes. Where the source is seen, its last take is shown.
    None where there is no take.
    """
    takes = results_of(strip)
    if not takes:
        return None
    shown = shown_take(strip)
    take = takes[(takes.index(shown) + step) % len(takes)] if shown else takes[-1]
    show_take(take)
    return take


def compare(strip: Any) -> Any | None:
    """Show the source where a take is seen, else the take that was seen last; return what is seen.

    ``strip`` is a source or any of its takes. None where there is no take.
    """
    takes = results_of(strip)
    if not takes:
        return None
    shown = shown_take(strip)
    if shown is None:
        last = [take for take in takes if properties.of(take).seen_last]
        take = strip if strip in takes else (last or takes)[-1]
        show_take(take)
        return take
    for take in takes:
        properties.of(take).seen_last = take == shown
        take.mute = True
    return source_of(shown)
