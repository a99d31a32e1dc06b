"""Which pixels look like the object: probabilities voted by pixels of like colour and place.

A grid over colour, row and column collects the votes (a bilateral grid). With one cell for all
places it is a colour histogram of the whole video; with small cells it knows that a colour which
means object here may mean background there.
"""

from __future__ import annotations

import cv2
import numpy as np

COLOUR_BINS = 20
LOCAL_BINS = 12
CELL = 16  # px of a local cell's side
REACH = 2  # frames on each side that vote in the local grid
PRIOR_VOTES = 0.05  # votes of a pixel without neighbours, so that empty bins say "unknown"


def colour_bins(frames: np.ndarray, bins: int) -> np.ndarray:
    """Return the Lab bin of each pixel of ``frames`` [T, H, W, 3], int64 [T, H, W, 3].

    Bins divide the range that the video uses, since muted footage uses little of Lab.
    """
    lab = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2LAB) for frame in frames]).astype(np.float32)
    low, high = np.percentile(lab[:, ::4, ::4].reshape(-1, 3), [0.5, 99.5], axis=0)
    extent = np.maximum(high - low, 40.0)
    return np.clip((lab - low) / extent * bins, 0, bins - 1).astype(np.int64)


def colour_odds(bins: np.ndarray, probability: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return log P(colour | object) / P(colour | background) of the pixels ``asked``.

    Learnt from ``bins`` [N, H, W, 3] with their object ``probability`` [N, H, W].
    """
    shape = (COLOUR_BINS,) * 3
    flat = np.ravel_multi_index(tuple(np.moveaxis(bins, -1, 0)), shape).ravel()
    ratios = []
    for votes in (probability.ravel(), 1.0 - probability.ravel()):
        histogram = np.bincount(flat, votes, COLOUR_BINS**3).reshape(shape)
        smooth = _blur(histogram.astype(np.float32))
        ratios.append(smooth / max(float(smooth.sum()), 1e-6) + 1e-5)
    table = np.log(ratios[0] / ratios[1])
    return table[tuple(np.moveaxis(asked, -1, 0))]


class LocalVotes:
    """Asks for P(object | colour, place): what like colours in the same cells were called.

    Counts that no answer changes are taken once, for the whole video.
    """

    def __init__(self, bins: np.ndarray) -> None:
        """Prepare for the colour ``bins`` [T, H, W, 3] of `colour_bins`, of `LOCAL_BINS`."""
        count, height, width = bins.shape[:3]
        self.shape = ((height - 1) // CELL + 1, (width - 1) // CELL + 1, *(LOCAL_BINS,) * 3)
        rows, columns = np.mgrid[0:height, 0:width] // CELL
        self.places = np.empty((count, height, width), np.int32)
        for place, bin_ in zip(self.places, bins, strict=True):
            place[:] = np.ravel_multi_index((rows, columns, *np.moveaxis(bin_, -1, 0)), self.shape)
        self.totals = self._around(np.ones(bins.shape[:3], np.float32))

    def everywhere(self, probability: np.ndarray) -> np.ndarray:
        """Return the vote [T, H, W]: each frame and its neighbours in time judge it."""
        yes = self._around(probability)
        mean = PRIOR_VOTES * probability.mean(axis=(1, 2), keepdims=True)
        return (yes + mean) / (self.totals + PRIOR_VOTES)

    def among(self, votes: dict[int, np.ndarray], index: int) -> np.ndarray:
        """Return the vote [H, W] on the frame ``index`` of it and other frames, by frame."""
        weights = {frame: 1.0 if frame == index else 0.5 for frame in votes}
        ones = np.ones(self.places.shape[1:], np.float32)
        yes = sum(weights[frame] * self._count(votes[frame], frame) for frame in votes)
        total = sum(weights[frame] * self._count(ones, frame) for frame in votes)
        mean = PRIOR_VOTES * float(votes[index].mean())
        return (self._looked_up(np.asarray(yes), index) + mean) / (
            self._looked_up(np.asarray(total), index) + PRIOR_VOTES
        )

    def _around(self, votes: np.ndarray) -> np.ndarray:
        """Sum up the blurred ``votes`` of each frame and its neighbours, seen at its pixels."""
        count = len(votes)
        answer = np.empty(votes.shape, np.float32)
        recent: dict[int, np.ndarray] = {}
        for index in range(count):
            for voter in range(index - REACH, index + REACH + 1):
                if 0 <= voter < count and voter not in recent:
                    recent[voter] = self._count(votes[voter], voter)
            recent.pop(index - REACH - 1, None)
            together = 0.5 * (np.sum(list(recent.values()), axis=0) + recent[index])
            answer[index] = self._looked_up(together, index)
        return answer

    def _count(self, votes: np.ndarray, index: int) -> np.ndarray:
        size = int(np.prod(self.shape))
        counted = np.bincount(self.places[index].ravel(), votes.ravel(), size)
        return counted.astype(np.float32)

    def _looked_up(self, counted: np.ndarray, index: int) -> np.ndarray:
        return _blur(counted.reshape(self.shape)).ravel()[self.places[index]]


def _blur(votes: np.ndarray) -> np.ndarray:
    """Blur along every axis with (1, 2, 1) / 4."""
    for axis in range(votes.ndim):
        moved = np.moveaxis(votes, axis, 0)
        smooth = 0.5 * moved
        smooth[1:] += 0.25 * moved[:-1]
        smooth[:-1] += 0.25 * moved[1:]
        votes = np.moveaxis(smooth, 0, axis)
    return np.ascontiguousarray(votes)
