"""The stylization: move the atlas until CLIP agrees with the targets (TDS, sec. 3.3 and 6)."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import Checkpoint
from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import TargetTexts
from ..contract.settings import StylizationSettings
from ..decomposition.layers import Layers
from .atlas import StylizedAtlas
from .atlas_files import FORMS, load_atlas, save_atlas
from .candidates import Standing, folder_of, ranked, snapshot_of, write_ranking
from .canvas import Canvases, cut_canvases
from .encoder import Encoder
from .exam import Exam
from .initial_colour import set_initial_colour
from .previews import Previews
from .progress import Progress, progress_of
from .targets import Targets, embed_targets
from .terms import step_terms, weighted
from .texture import LearnedTexture

READ_EVERY = {True: 1, False: 10}  # steps between two looks at the loss, on the processor or not


@dataclass(frozen=True)
class Lesson:
    """What all candidates share."""

    canvases: Canvases
    encoder: Encoder
    targets: Targets
    settings: StylizationSettings
    exam: Exam
    previews: Previews
    report: Report
    progress: Progress
    checkpoint: Checkpoint

    @property
    def folder(self) -> Path:
        """Where candidates and snapshots are left."""
        return self.checkpoint.path.parent


@dataclass
class Course:
    """How far one candidate is, and all that its next step depends on."""

    candidate: int  # from 1
    seed: int
    atlas: StylizedAtlas
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs; see `Checkpoint` for what may be in it."""
        return {
            "candidate": self.candidate,
            "step": self.step,
            "atlas": self.atlas.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.step = int(state["step"])
        self.atlas.load_state_dict(state["atlas"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])


def stylize(
    layers: Layers,
    frames: Tensor,
    texts: TargetTexts,
    settings: StylizationSettings,
    *,
    encoder: Encoder,
    device: torch.device | str,
    seed: int,
    report: Report,
    checkpoint: Checkpoint,
) -> StylizedAtlas:
    """Return the foreground's atlas, restyled from ``texts``; mapping and alpha stay as they are.

    ``frames`` [T, H, W, 3] is the video at the working size, bytes or floats in [0, 1]. Goes on
    from ``checkpoint`` where it holds a state, exactly as if it had never stopped. Leaves all
    candidates with their snapshots and ranking beside the checkpoint; the best is returned.
    Raises Stopped where the host asks for it, EngineError where texts or object are missing or
    the optimisation diverges.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = on_device(layers, device)
    everywhere = settings.sparsity_everywhere
    canvases = cut_canvases(layers, frames.to(device), settings.views, everywhere=everywhere)
    encoder.tune(settings, report)
    targets = embed_targets(texts, encoder, settings)
    progress = progress_of(settings, report)
    atlas = FORMS[settings.atlas].first(
        layers, canvases, settings,
        size=encoder.size, generator=generator, counting=progress.counting,
    ).to(device)  # fmt: skip
    if isinstance(atlas, LearnedTexture):
        set_initial_colour(atlas, canvases, encoder, targets, settings, seed=seed)
    exam = Exam(canvases, encoder, targets, settings)
    numbers = [canvas.frame for canvas in canvases.canvases]
    previews = Previews(layers, frames, numbers, report)
    lesson = Lesson(
        canvases, encoder, targets, settings, exam, previews, report, progress, checkpoint
    )
    saved = checkpoint.load() or {}
    first = copy.deepcopy(atlas.state_dict())
    standings = [Standing(**each) for each in saved.get("standings", [])]
    for candidate in range(len(standings) + 1, settings.candidates + 1):
        if candidate > 1:
            generator = torch.Generator().manual_seed(seed + candidate - 1)
            atlas.restart(first, generator)
        course = Course(
            candidate, seed + candidate - 1, atlas, atlas.optimiser(settings), generator
        )
        if saved.get("course", {}).get("candidate") == candidate:
            course.restore(saved["course"])
        standings.append(_learn(course, lesson, standings))
    write_ranking(standings, lesson.folder)
    best = ranked(standings)[0].candidate
    return load_atlas(folder_of(lesson.folder, best)).requires_grad_(False)


def _learn(course: Course, lesson: Lesson, before: list[Standing]) -> Standing:
    """Take all steps of one candidate, leave its atlas in its folder and say how good it is."""
    settings, report, checkpoint = lesson.settings, lesson.report, lesson.checkpoint
    atlas, optimiser = course.atlas, course.optimiser
    painter = atlas.painter(lesson.canvases, lesson.encoder.size, settings)
    done = len(before) * settings.steps

    def save() -> None:
        ranks = [vars(each) for each in before]
        checkpoint.save({"course": course.state(), "standings": ranks})

    def ends(step: int) -> bool:
        return step == settings.steps or step % settings.snapshot_every == 0

    numbers: dict[str, float] = {}
    while course.step < settings.steps:
        if report.stopping():
            save()
            raise Stopped
        set_learning_rate(optimiser, atlas.rate_factor(course.step, settings))
        terms = step_terms(
            painter, lesson.canvases, lesson.encoder, lesson.targets, settings, course.generator
        )
        loss = weighted(terms, settings.weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        course.step += 1
        # Reading numbers waits for the device, which then waits for what comes next.
        if course.step % READ_EVERY[loss.is_cpu] == 0 or checkpoint.due() or ends(course.step):
            numbers = checked(loss, terms, course.step)
        if course.step % settings.snapshot_every == 0:
            save_atlas(atlas, snapshot_of(lesson.folder, course.candidate, course.step))
        lesson.progress.stepped(done + course.step, numbers)
        if checkpoint.due():
            save()
        if lesson.previews.due():
            lesson.previews.show(atlas)
    save_atlas(atlas, folder_of(lesson.folder, course.candidate))
    lesson.previews.show(atlas)
    return Standing(course.candidate, course.seed, lesson.exam.score(painter), course.step)


def checked(loss: Tensor, terms: dict[str, Tensor], step: int) -> dict[str, float]:
    """Return the terms after ``step`` steps as numbers.

    Raises EngineError (DIVERGED) where the loss is none.
    """
    numbers = torch.stack([loss, *terms.values()]).detach().tolist()
    if not math.isfinite(numbers[0]):
        message = f"The stylization diverged in step {step}: the loss is {numbers[0]}."
        hint = "Lower the learning rate, or set the weights back to their defaults."
        raise EngineError(Fault.DIVERGED, message, hint)
    return dict(zip(terms, numbers[1:], strict=True))


def set_learning_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set every group to its own rate times ``factor``."""
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * factor


def on_device(layers: Layers, device: torch.device | str) -> Layers:
    """Return ``layers`` with all tensors on ``device``."""
    return replace(layers, **{name: tensor.to(device) for name, tensor in layers.tensors().items()})
