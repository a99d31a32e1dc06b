"""The registrations as plain tensors and numbers, for the checkpoint."""

from __future__ import annotations

from typing import Any

import torch

from .crop import Crop
from .mapping import Background, Foreground
from .matches import Matches
from .relaxation import Relaxation
from .splines import Lattice


def pack(foreground: Foreground, background: Background) -> dict[str, Any]:
    """Return what `unpack` needs."""
    crop = foreground.crop
    return {
        "centre": torch.from_numpy(crop.centre),
        "scale": torch.from_numpy(crop.scale),
        "window": [crop.width, crop.height],
        "spacing": foreground.lattice.spacing,
        "knots": foreground.knots,
        "relaxation": _pack_relaxation(foreground.relaxation),
        "tracks": [torch.from_numpy(each) for each in foreground.tracks.arrays()],
        "homographies": background.homographies,
        "size": [background.lattice.width, background.lattice.height],
        "background_spacing": background.lattice.spacing,
        "background_knots": background.knots,
        "shrunk": background.shrunk,
    }


def unpack(state: dict[str, Any]) -> tuple[Foreground, Background]:
    """Return the mappings, without the atlases' places."""
    width, height = state["window"]
    across, down = state["size"]
    crop = Crop(state["centre"].numpy(), state["scale"].numpy(), width, height)
    foreground = Foreground(
        crop,
        Lattice(width, height, state["spacing"]),
        state["knots"],
        torch.zeros(2),
        float(width),
        _unpack_relaxation(state["relaxation"]),
        Matches(*(each.numpy() for each in state["tracks"])),
    )
    background = Background(
        state["homographies"],
        Lattice(across, down, state["background_spacing"]),
        state["background_knots"],
        state["shrunk"],
        torch.zeros(2),
        torch.ones(2),
    )
    return foreground, background


def _pack_relaxation(relaxation: Relaxation | None) -> dict[str, Any] | None:
    if relaxation is None:
        return None
    lattice = relaxation.lattice
    return {
        "corner": relaxation.corner,
        "lattice": [lattice.width, lattice.height, lattice.spacing],
        "knots": relaxation.knots,
    }


def _unpack_relaxation(state: dict[str, Any] | None) -> Relaxation | None:
    if state is None:
        return None
    return Relaxation(state["corner"], Lattice(*state["lattice"]), state["knots"])
