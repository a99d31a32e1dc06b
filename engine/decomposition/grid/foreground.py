"""The registration of the object: window, flow and tracks in it, one solve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor

from ...ahead import ahead
from ...checkpoint import tensor_once
from ...partial_results import UNSAVED, PartialResults
from . import crop as windows
from . import equations, registration
from . import matches as matching
from .folds import unfold_knots
from .mapping import Foreground
from .path import trace
from .relaxation import compute_relaxation
from .splines import Lattice, stiffness
from .tracks import track_matches

if TYPE_CHECKING:
    from ...video.flow import Flow

KNOT_SPACING = 8.0  # px of the window; docs/decisions/0011
FIRST_DIFFERENCES = 0.01
SECOND_DIFFERENCES = 32.0  # times the spacing's inverse square: bending does not depend on it
SIZE = 2e-4
# Short gaps are solved with knots so much farther apart: what they find is a beginning.
COARSER = 2.0
COARSE_ROUNDS, FINE_ROUNDS = (2, 2, 8), (registration.ALL, registration.ALL)


def register_foreground(
    greys: Array,
    masks: Array,
    others: Array,
    flow: Flow,
    *,
    device: torch.device,
    seed: int,
    tick: Callable[[float], None],
    partial: PartialResults = UNSAVED,
) -> tuple[Foreground, dict[str, float]]:
    """Return the object's mapping, without an atlas's place yet, and its energies.

    ``greys`` uint8 [T, H', W'] at any size, ``masks`` and ``others`` [T, H, W] in [0, 1] say where
    the object is and where other objects are. Equations are solved on ``device``. ``tick`` is
    called with the share of the work that is done; what is in ``partial`` is not computed again.
    """
    crop = windows.follow(masks, trace(masks, others, flow.forward, flow.backward))
    reference = reference_frame(masks, crop.scale)
    found = _flow_matches(greys, masks, crop, reference, seed=seed, tick=tick, partial=partial)
    tick(0.4)
    tracks = matching.Matches(
        *partial.once("tracks", lambda: track_matches(greys, masks, crop).arrays())
    )
    lattice = Lattice(crop.width, crop.height, KNOT_SPACING)
    knots, misfit = _solve_knots(
        matching.join([*found, tracks]), lattice, frames=len(masks), reference=reference,
        device=device, tick=tick, partial=partial,
    )  # fmt: skip
    inside = np.stack([windows.cut(mask, crop, frame) for frame, mask in enumerate(masks)])
    knots = tensor_once(
        partial, "unfolded knots", knots.device,
        unfold_knots, lattice, knots, torch.from_numpy(inside > 0.3),
    )  # fmt: skip
    relaxation = compute_relaxation(lattice, knots, inside > 0.5, seed=seed)
    flat = knots.flatten(1, 2)  # [T, K, 2]
    bending = float((flat * (_energy(lattice) @ flat)).sum() / flat[..., 0].numel())
    extent = float(crop.width)
    mapping = Foreground(crop, lattice, knots, torch.zeros(2), extent, relaxation, tracks)
    return mapping, {"flow": misfit, "rigidity": bending}


def still(frames: int, height: int, width: int) -> Foreground:
    """Return the mapping of an object that is nowhere: frames and atlas are the same."""
    centre = np.tile([(width - 1) / 2, (height - 1) / 2], (frames, 1))
    crop = windows.Crop(centre, np.ones(frames), width, height)
    side = float(max(width, height))
    lattice = Lattice(width, height, side)
    knots = torch.zeros(frames, lattice.rows, lattice.columns, 2)
    return Foreground(crop, lattice, knots, torch.zeros(2), side)


def reference_frame(masks: Array, scale: Array) -> int:
    """Return the frame nearest the middle that shows the object about as whole as any other."""
    area = (masks > 0.5).sum((1, 2)) / scale**2
    candidates = np.flatnonzero(area >= 0.8 * np.quantile(area, 0.9))
    return int(candidates[np.abs(candidates - len(masks) // 2).argmin()])


def _flow_matches(
    greys: Array,
    masks: Array,
    crop: windows.Crop,
    reference: int,
    *,
    seed: int,
    tick: Callable[[float], None],
    partial: PartialResults,
) -> list[matching.Matches]:
    pictures, inside = windows.matching_pictures(greys, masks, crop)
    random = np.random.default_rng(seed)
    pairs = matching.pairs(len(greys), reference)

    def match_from(first: int) -> Iterator[tuple[Array, ...]]:
        rest = pairs[first:]
        flows = ahead(lambda pair: matching.both_flows(*(pictures[each] for each in pair)), rest)
        for pair, both in zip(rest, flows, strict=True):
            yield matching.flow_matches(both, inside, pair, random).arrays()

    parts = []
    for number, found in enumerate(partial.each("matches", match_from, random)):
        tick(0.4 * number / len(pairs))
        parts.append(matching.Matches(*found))
    return parts


def _solve_knots(
    found: matching.Matches,
    lattice: Lattice,
    *,
    frames: int,
    reference: int,
    device: torch.device,
    tick: Callable[[float], None],
    partial: PartialResults,
) -> tuple[Tensor, float]:
    coarse = replace(lattice, spacing=COARSER * lattice.spacing)
    knots, misfit = torch.zeros(frames, coarse.rows, coarse.columns, 2), 0.0
    if len(found.weight) == 0:
        return lattice.refine(knots, coarse), misfit
    problem = equations.problem(found, found.end - found.start)
    done = iter((0.6, 0.65, 0.7, 0.75, 0.9))
    stages = ("coarse", coarse, COARSE_ROUNDS), ("fine", lattice, FINE_ROUNDS)
    for name, chosen, rounds in stages:
        knots, misfit = registration.solve(
            problem,
            chosen,
            _energy(chosen),
            start=knots if chosen is coarse else lattice.refine(knots, coarse),
            reference=reference,
            rounds=rounds,
            device=device,
            before_round=lambda: tick(next(done)),
            partial=partial,
            name=name,
        )
    return knots, misfit


def _energy(lattice: Lattice) -> Tensor:
    """Return the stiffness of one frame's knots, [K, K]."""
    bending = SECOND_DIFFERENCES / lattice.spacing**2
    return stiffness(lattice, first=FIRST_DIFFERENCES, second=bending, size=SIZE)
