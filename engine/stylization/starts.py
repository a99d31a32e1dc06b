"""Which first look the palette atlas learns from: the best few are tried for some steps each.

What the encoder likes at once is not always where the optimiser gets furthest: a wrong pattern
stays for good, so many are given a chance, and the better of them a longer one. They are compared
by an exam on views that none of them learnt from: a loss at the end of a trial is one of a few
random views, and says little about the part of the object that they missed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..contract.settings import StylizationSettings
from .atlas import PaletteAtlas
from .canvas import Canvases
from .encoder import Encoder
from .exam import Exam
from .palette import first_looks
from .previews import Previews
from .progress import Progress, better_of, look_part, looks_ahead, trial_rounds
from .schedule import make_optimiser
from .targets import Targets
from .terms import canvas_side, resized, step_terms, weighted
from .texels import PaletteTexels

COARSER = 0.7  # texels along a line, against those of the training: trials are only compared


@dataclass
class Trial:
    """One look on its way."""

    atlas: dict[str, Tensor]
    optimiser: dict[str, Any] | None = None
    score: float = float("-inf")


@dataclass(frozen=True)
class Contest:
    """What all trials share; ``atlas`` is lent to one after the other."""

    atlas: PaletteAtlas
    texels: PaletteTexels
    canvases: Canvases
    encoder: Encoder
    targets: Targets
    settings: StylizationSettings
    exam: Exam
    count: Callable[[int], None]  # hears of every step
    previews: Previews


def starts(
    atlas: PaletteAtlas,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    generator: torch.Generator,
    exam: Exam,
    progress: Progress,
    previews: Previews,
) -> list[dict[str, Tensor]]:
    """Return states of ``atlas`` to learn from, the one that did best first.

    Without trials it is the one that the encoder likes best untaught. What is tried, or goes on, is
    shown by ``previews``. Raises Stopped where the host asks for it.
    """
    middle = canvases.canvases[len(canvases.canvases) // 2]
    ahead = looks_ahead(settings)
    tell = progress.counting(look_part(settings), most=ahead)
    looks = first_looks(atlas, middle, encoder, targets, settings, generator, tell)
    progress.prepared(ahead)
    tried = settings.palette_trials > 1
    trials = []
    for look in looks[: settings.palette_trials if tried else settings.candidates]:
        look.give(atlas)
        trials.append(Trial(copy.deepcopy(atlas.state_dict())))
    if not tried:
        looks[0].give(atlas)
        previews.show(atlas)
        return [trial.atlas for trial in trials]
    side = canvas_side(encoder.size, settings)
    every = range(len(canvases.canvases))
    enlarged = (resized(canvases, place, encoder.size, settings) for place in every)
    texels = PaletteTexels(atlas, enlarged, density=COARSER * side / 2)
    contest = Contest(
        atlas, texels, canvases, encoder, targets, settings, exam,
        progress.counting(1, start=ahead), previews,
    )  # fmt: skip
    first, more = trial_rounds(settings)
    trials = _round(trials, first, contest, generator)
    better = better_of(len(trials))
    if more:
        trials = _round(trials[:better], more, contest, generator) + trials[better:]
    return [trial.atlas for trial in trials]


def _round(
    trials: list[Trial], steps: int, contest: Contest, generator: torch.Generator
) -> list[Trial]:
    """Let each of ``trials`` learn for ``steps`` more steps; returns them, the best first."""
    seed = generator.get_state()
    for trial in trials:
        generator.set_state(seed)  # all of them are shown the same views
        _go_on(trial, steps, contest, generator)
    return sorted(trials, key=lambda each: -each.score)


def _go_on(trial: Trial, steps: int, contest: Contest, generator: torch.Generator) -> None:
    """Let one trial learn for ``steps`` more steps, and examine it."""
    atlas, settings = contest.atlas, contest.settings
    atlas.load_state_dict(trial.atlas)
    contest.texels.follow_pattern()
    optimiser = make_optimiser(atlas, settings)
    if trial.optimiser is not None:
        optimiser.load_state_dict(trial.optimiser)
    for _ in range(steps):
        terms = step_terms(
            contest.texels, contest.canvases, contest.encoder, contest.targets, settings, generator
        )
        loss = weighted(terms, settings.weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        contest.count(1)
        if contest.previews.due():
            contest.previews.show(atlas)
    trial.atlas = copy.deepcopy(atlas.state_dict())
    trial.optimiser = copy.deepcopy(optimiser.state_dict())
    trial.score = contest.exam.score(contest.texels)
