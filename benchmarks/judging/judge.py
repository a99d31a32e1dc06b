"""What real networks make of finished frames: is it the wanted look, is it still the object?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import networks
from .kin import look_classes, object_classes
from .views import cut, fitted, from_boxes, windows

FIRST_WITH = 0.3  # probability that a look must have to count as seen
STILL = 20  # place among 1000 up to which an object is still itself

Judging = Callable[[str, np.ndarray], np.ndarray]  # variant, views -> [V, classes]


def judge_frames(
    frames: Sequence[np.ndarray],
    where: np.ndarray,
    wanted: str | Sequence[int],
    own: str | Sequence[int] = (),
    judging: Judging = networks.probabilities,
) -> dict[str, Any]:
    """Score ``frames``, a sequence of uint8 [H, W, 3], for one look of one object.

    ``where`` says in which pixels the object is: masks or alpha [T, h, w] of 0 to 1 and any size,
    or boxes [T, 4] (left, top, width, height in pixels). ``wanted`` and ``own`` are names in
    `kin.LOOKS` and `kin.OBJECTS`, or classes of ImageNet. Returns for the ``whole`` and the
    ``close`` views what `scores` does, and

    * ``seen``: the look is first with at least `FIRST_WITH` in both,
    * ``own_place``: the best place of one of the object's classes in the whole view, and ``still``:
      it is no worse than `STILL`; both None where ImageNet does not know the object.

    Raises ValueError where no frame shows the object, or where frames and places differ in number.
    """
    looks = look_classes(wanted) if isinstance(wanted, str) else tuple(wanted)
    selves = object_classes(own) if isinstance(own, str) else tuple(own)
    whole, close = mean_probabilities(frames, where, judging)
    return {**look_scores(whole, close, looks), **own_scores(whole, selves)}


def look_scores(whole: np.ndarray, close: np.ndarray, wanted: Sequence[int]) -> dict[str, Any]:
    """Return ``whole``, ``close`` and ``seen`` of `judge_frames` from mean probabilities."""
    found: dict[str, Any] = {"whole": scores(whole, wanted), "close": scores(close, wanted)}
    return {**found, "seen": is_seen(found["whole"]) and is_seen(found["close"])}


def own_scores(whole: np.ndarray, own: Sequence[int]) -> dict[str, Any]:
    """Return ``own_place`` and ``still`` of `judge_frames` from mean probabilities."""
    place = best_place(whole, own)
    return {"own_place": place, "still": None if place is None else place <= STILL}


def mean_probabilities(
    frames: Sequence[np.ndarray], where: np.ndarray, judging: Judging = networks.probabilities
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities [classes] of the whole and of the close views.

    Each is the mean over views and over both networks.
    """
    where = np.asarray(where)
    if len(frames) != len(where):
        raise ValueError(f"There are {len(frames)} frames, but {len(where)} masks or boxes.")
    height, width = frames[0].shape[:2]
    masks = from_boxes(where, height, width) if where.ndim == 2 else fitted(where, height, width)
    found = windows(masks)
    squares = [(each.frame, each.whole) for each in found]
    parts = [(each.frame, square) for each in found for square in each.close]

    def mean(chosen: Sequence[tuple[int, tuple[int, int, int]]]) -> np.ndarray:
        seen = []
        for variant, side in networks.SIDES.items():
            views = np.stack([cut(frames[at], square, side) for at, square in chosen])
            seen.append(judging(variant, views).mean(axis=0))
        return np.mean(seen, axis=0)

    return mean(squares), mean(parts)


def scores(probabilities: np.ndarray, wanted: Sequence[int]) -> dict[str, float | int]:
    """Return ``probability`` and ``place`` of the classes ``wanted`` as if they were one.

    The place is 1 more than the number of other classes that have a higher probability.
    """
    chosen = np.isin(np.arange(len(probabilities)), list(wanted))
    pooled = float(probabilities[chosen].sum())
    place = 1 + int((probabilities[~chosen] > pooled).sum())
    return {"probability": round(pooled, 4), "place": place}


def best_place(probabilities: np.ndarray, classes: Sequence[int]) -> int | None:
    """Return the best place of one of ``classes`` among all; None where there are none."""
    if not len(classes):
        return None
    return 1 + int((probabilities > probabilities[list(classes)].max()).sum())


def is_seen(view: dict[str, float | int]) -> bool:
    """Is the look first, with a probability that counts?"""
    return view["place"] == 1 and view["probability"] >= FIRST_WITH
