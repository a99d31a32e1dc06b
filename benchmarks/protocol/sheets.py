"""Contact sheets of looks, for the eye. They show clips: they stay out of the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.evaluation.sheet import cell
from engine.video.images import write_png

from ..judging.views import Windows, cut, fitted, windows

SHOWN = 3  # frames of each look, spread over those that are judged
SIDE = 400  # px, of a picture
COLUMNS = 4


def write_look(path: Path, caption: str, frames: Sequence[np.ndarray], where: np.ndarray) -> None:
    """Write three frames of one look around the object, and a close view of the middle one."""
    found = _spread(windows(fitted(where, *frames[0].shape[:2])))
    pictures = [cut(frames[each.frame], each.whole, SIDE) for each in found]
    middle = found[len(found) // 2]
    pictures.append(cut(frames[middle.frame], middle.close[0], SIDE))
    names = [f"{caption}, frame {each.frame + 1}" for each in found] + ["a close view"]
    cells = [cell(*each, (SIDE, SIDE)) for each in zip(pictures, names, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.hstack(cells))


def middle_view(frames: Sequence[np.ndarray], where: np.ndarray) -> np.ndarray:
    """Return the object in its surroundings in a frame in the middle, uint8 [SIDE, SIDE, 3]."""
    found = _spread(windows(fitted(where, *frames[0].shape[:2])))
    middle = found[len(found) // 2]
    return cut(frames[middle.frame], middle.whole, SIDE)


def write_clip(path: Path, pictures: Mapping[str, np.ndarray]) -> None:
    """Write one sheet of a clip: its source and its looks, each with its caption."""
    cells = [cell(picture, name, (SIDE, SIDE)) for name, picture in pictures.items()]
    cells += [np.full_like(cells[0], 0)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.vstack(rows))


def caption(text: str, numbers: Mapping[str, Any]) -> str:
    """Return a text with what the judges said of it."""
    if "whole" not in numbers:
        return text
    views = (numbers[view] for view in ("whole", "close"))
    return f"{text}: " + ", ".join(f"{view['place']}. {view['probability']:.2f}" for view in views)


def _spread(found: Sequence[Windows]) -> list[Windows]:
    places = np.linspace(0, len(found) - 1, min(SHOWN, len(found))).round().astype(int)
    return [found[at] for at in places]
