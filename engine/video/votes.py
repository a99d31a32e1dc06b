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
        smooth = _blurred(histogram.astype(np.float32))
        ratios.append(smooth / max(float(smooth.sum()), 1e-6) + 1e-5)
    table = np.log(ratios[0] / ratios[1])
    return table[tuple(np.moveaxis(asked, -1, 0))]


def local_vote(
    bins: np.ndarray, probability: np.ndarray, index: int, among: tuple[int, ...] = ()
) -> np.ndarray:
    """Return P(object | colour, place) in frame ``index``, float32 [H, W].

    The frames ``among`` vote; without them the frame itself and its neighbours in time.
    """
    voters = among or range(max(0, index - REACH), min(len(bins), index + REACH + 1))
    height, width = bins.shape[1:3]
    colours = (LOCAL_BINS,) * 3
    shape = ((height - 1) // CELL + 1, (width - 1) // CELL + 1, *colours)
    rows, columns = np.mgrid[0:height, 0:width] // CELL
    yes, total = np.zeros(np.prod(shape)), np.zeros(np.prod(shape))
    place = {
        frame: np.ravel_multi_index((rows, columns, *np.moveaxis(bins[frame], -1, 0)), shape)
        for frame in {*voters, index}
    }
    for frame in voters:
        importance = 1.0 if frame == index else 0.5
        votes = importance * probability[frame].ravel()
        yes += np.bincount(place[frame].ravel(), votes, yes.size)
        total += importance * np.bincount(place[frame].ravel(), minlength=yes.size)
    yes, total = (_blurred(votes.reshape(shape).astype(np.float32)) for votes in (yes, total))
    mean = float(probability[index].mean())
    vote = (yes + PRIOR_VOTES * mean) / (total + PRIOR_VOTES)
    return vote.ravel()[place[index]]


def _blurred(votes: np.ndarray) -> np.ndarray:
    """Blur along every axis with (1, 2, 1) / 4."""
    for axis in range(votes.ndim):
        moved = np.moveaxis(votes, axis, 0)
        smooth = 0.5 * moved
        smooth[1:] += 0.25 * moved[:-1]
        smooth[:-1] += 0.25 * moved[1:]
        votes = np.moveaxis(smooth, 0, axis)
    return np.ascontiguousarray(votes)
