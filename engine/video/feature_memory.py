"""What the object looks like to a network: learnt in the whole clip, known again in each frame.

The network was never taught this object. A linear classifier of its features, fitted to what was
found in all frames, tells the object from what only moved along or has its colours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

FeatureMaps = Sequence[np.ndarray]  # of some layers, float16 [T, C, h, w], the finest first
EmbedFrames = Callable[[Callable[[], None]], FeatureMaps]  # its argument is called for each frame
RIDGE = 1e-3  # of a standardised feature's variance
SURE = 0.8  # part of a cell that is the object, or is not, in cells that are learnt from


def object_scores(maps: FeatureMaps, probability: np.ndarray) -> np.ndarray:
    """Return how much each place looks like the object, [T, H, W]; 0 where that cannot be learnt.

    Ridge regression from the features in ``maps`` to the object's ``probability`` [T, H, W], in
    which the object and the ground weigh the same.
    """
    cells = _Cells.standardise(maps)
    shares = [
        cv2.resize(one, cells.size, interpolation=cv2.INTER_AREA).ravel() for one in probability
    ]
    weights = _fit(cells, np.stack(shares))
    scores = np.zeros(probability.shape, np.float32)
    for index, one in enumerate(scores):
        places = (cells.features(index) @ weights).reshape(cells.size[::-1])
        one[:] = cv2.resize(places, one.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return scores


@dataclass(frozen=True)
class _Cells:
    """The places of the finest of ``maps``, with the features of all: mean 0, deviation 1."""

    maps: FeatureMaps
    centre: np.ndarray  # [C]
    scale: np.ndarray  # [C]

    @classmethod
    def standardise(cls, maps: FeatureMaps) -> _Cells:
        values = [np.moveaxis(each, 1, 0).reshape(each.shape[1], -1) for each in maps]
        mean, deviation = (
            np.concatenate([compute(each, axis=1, dtype=np.float32) for each in values])
            for compute in (np.mean, np.std)
        )
        return cls(maps, mean, 1.0 / (deviation + 1e-6))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the finest map."""
        return self.maps[0].shape[3], self.maps[0].shape[2]

    def features(self, index: int) -> np.ndarray:
        """Return the features of the places of a frame, and a 1 beside them, [h * w, C + 1]."""
        layers = [
            cv2.resize(np.moveaxis(each[index], 0, 2).astype(np.float32), self.size)
            for each in self.maps
        ]
        values = (np.dstack(layers).reshape(-1, len(self.centre)) - self.centre) * self.scale
        return np.hstack([values, np.ones((len(values), 1), np.float32)])


def _fit(cells: _Cells, shares: np.ndarray) -> np.ndarray:
    """Return the weights [C + 1] that tell places of the object from others.

    ``shares`` [T, h * w] say which part of a place is the object. Zeros, where no place is sure.
    """
    count = len(cells.centre)
    gram, right = np.diag([RIDGE] * count + [0.0]), np.zeros(count + 1)
    for sure, target in ((shares > SURE, 1.0), (shares < 1.0 - SURE, -1.0)):
        weight = 0.5 / max(1, sure.sum())
        for index in np.flatnonzero(sure.any(axis=1)).tolist():
            chosen = cells.features(index)[sure[index]]
            gram += weight * (chosen.T @ chosen)
            right += weight * target * chosen.sum(axis=0)
        if not sure.any():
            return np.zeros(count + 1, np.float32)
    return np.linalg.solve(gram, right).astype(np.float32)
