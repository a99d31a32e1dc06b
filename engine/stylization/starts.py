"""Which first look the palette atlas learns from: the best few are tried for some steps each.

What the encoder likes at once is not always where the optimiser gets furthest: a wrong pattern
stays for good, so a few are given a chance.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from ..contract.settings import StylizationSettings
from .atlas import PaletteAtlas
from .canvas import Canvases
from .encoder import Encoder
from .palette import Look, first_looks
from .previews import Previews
from .progress import Progress, look_part, looks_ahead, trial_steps
from .schedule import make_optimiser
from .targets import Targets
from .terms import canvas_side, resized, step_terms, weighted
from .texels import Texels

COUNTED = 5  # last steps of a trial whose mean loss decides


def starts(
    atlas: PaletteAtlas,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    generator: torch.Generator,
    progress: Progress,
    previews: Previews,
) -> list[dict[str, Tensor]]:
    """Return states of ``atlas`` to learn from, the one that learnt fastest first.

    What is tried is shown by ``previews``. Raises Stopped where the host asks for it.
    """
    middle = canvases.canvases[len(canvases.canvases) // 2]
    tell = progress.counting(look_part(settings))
    looks = first_looks(atlas, middle, encoder, targets, settings, generator, tell)
    count = progress.counting(1, start=looks_ahead(settings))
    untouched, seed = copy.deepcopy(atlas.state_dict()), generator.get_state()
    found: list[tuple[float, dict[str, Tensor]]] = []
    for look in looks[: settings.palette_trials]:
        atlas.load_state_dict(untouched)
        generator.set_state(seed)  # all of them are shown the same views
        loss = _trial(atlas, look, canvases, encoder, targets, settings, generator, count, previews)
        found.append((loss, copy.deepcopy(atlas.state_dict())))
    return [state for _, state in sorted(found, key=lambda each: each[0])]


def _trial(
    atlas: PaletteAtlas,
    look: Look,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    generator: torch.Generator,
    count: Callable[[int], None],
    previews: Previews,
) -> float:
    """Let ``atlas`` learn from ``look`` for a while; returns the loss at the end.

    ``count`` hears of every step.
    """
    look.give(atlas)
    side = canvas_side(encoder.size, settings)
    enlarged = (resized(canvas, encoder.size, settings) for canvas in canvases.canvases)
    texels = Texels(atlas, enlarged, density=side / 2)
    optimiser = make_optimiser(atlas, settings)
    losses = []
    for _ in range(trial_steps(settings)):
        terms = step_terms(texels, canvases, encoder, targets, settings, generator)
        loss = weighted(terms, settings.weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
        count(1)
        if previews.due():
            previews.show(atlas)
    return float(torch.stack(losses[-COUNTED:]).mean())
