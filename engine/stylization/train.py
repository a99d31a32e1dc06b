"""The stylization: optimize the atlas by CLIP losses against the targets (TDS, sec. 3.3, 6)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import Checkpoint
from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import TargetTexts
from ..contract.settings import StylizationSettings
from ..contract.words.concepts import Colour
from ..decomposition.layers import Layers
from .atlas import StylizedAtlas
from .atlas_files import FORMS, load_atlas, save_atlas
from .candidates import RankingEntry, best_first, folder_of, snapshot_of, write_ranking
from .canvas import Canvases, cut_canvases
from .encoder import Encoder
from .previews import Previews
from .processes import PROCESSES
from .progress import Progress, progress_of
from .targets import Targets, embed_targets
from .terms import step_terms, text_loss, weighted_sum
from .validation import Validation

READ_EVERY = {True: 1, False: 10}  # steps between two readings of the loss, on the processor or not


@dataclass(frozen=True)
class TrainingInputs:
    """What is trained on which device; ``frames`` as in `stylize`, all tensors on the CPU."""

    layers: Layers
    frames: Tensor
    texts: TargetTexts
    settings: StylizationSettings
    seed: int
    device: str


@dataclass(frozen=True)
class Setup:
    """Where a training begins, on its device, before the atlas is prepared."""

    layers: Layers
    canvases: Canvases
    targets: Targets
    atlas: StylizedAtlas


@dataclass(frozen=True)
class TrainingContext:
    """What the training of all candidates shares."""

    canvases: Canvases
    encoder: Encoder
    targets: Targets
    settings: StylizationSettings
    validation: Validation
    previews: Previews
    report: Report
    progress: Progress
    checkpoint: Checkpoint
    prepared: dict[str, Any]  # state of atlas and generator before the first step

    @property
    def folder(self) -> Path:
        """Where candidates and snapshots are saved."""
        return self.checkpoint.path.parent


@dataclass
class TrainState:
    """The state of one candidate's training: all that its next step depends on."""

    candidate: int  # from 1
    seed: int
    atlas: StylizedAtlas
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs; see `Checkpoint` for what may be in it."""
        return {
            "candidate": self.candidate,
            "step": self.step,
            "atlas": self.atlas.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set this to the ``state`` that `state_dict` returned."""
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
    apart: Sequence[RankingEntry] = (),
    only: int | None = None,
) -> StylizedAtlas:
    """Return the foreground's atlas, restyled from ``texts``; mapping and alpha stay as they are.

    ``frames`` [T, H, W, 3] is the video at the working size, bytes or floats in [0, 1]. Goes on
    from ``checkpoint`` where it holds a state, exactly as if it had never stopped. Leaves all
    candidates with their snapshots and ranking beside the checkpoint; the best is returned.
    Those of ``apart`` are there already; with ``only`` there is no other than that one.
    Raises Stopped where the host asks for it, EngineError where texts or object are missing or
    the optimisation diverges.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = TrainingInputs(layers, frames, texts, settings, seed, torch.device(device).type)
    PROCESSES.begin(inputs)
    ready = set_up(inputs, encoder, generator=generator, report=report)
    layers, canvases, targets, atlas = ready.layers, ready.canvases, ready.targets, ready.atlas
    numbers = range(1, settings.candidates + 1) if only is None else [only]
    progress = progress_of(replace(settings, candidates=len(numbers)), report)
    prepared = _prepare(
        atlas, layers, settings, colour=targets.colour,
        loss=lambda: text_loss(atlas, canvases, encoder, targets, settings, seed=seed),
        generator=generator, progress=progress, checkpoint=checkpoint,
    )  # fmt: skip
    validation = Validation(canvases, encoder, targets, settings)
    shown = [canvas.frame for canvas in canvases.canvases]
    previews = Previews(layers, frames, shown, report)
    context = TrainingContext(
        canvases, encoder, targets, settings, validation, previews, report, progress, checkpoint,
        prepared,
    )  # fmt: skip
    saved = checkpoint.load() or {}
    ranked = [*apart, *(RankingEntry(**each) for each in saved.get("standings", []))]
    entries = {each.candidate: each for each in ranked}
    for candidate in [number for number in numbers if number not in entries]:
        if candidate > 1:
            generator = torch.Generator().manual_seed(seed + candidate - 1)
            atlas.restart(prepared["atlas"], generator)
        state = TrainState(
            candidate, seed + candidate - 1, atlas, atlas.optimiser(settings), generator
        )
        if saved.get("course", {}).get("candidate") == candidate:
            state.load_state_dict(saved["course"])
        entries[candidate] = _train_candidate(state, context, [*entries.values()])
    return choose_best([*entries.values()], context.folder)


def set_up(
    inputs: TrainingInputs, encoder: Encoder, *, generator: torch.Generator, report: Report
) -> Setup:
    """Return canvases, targets and atlas of a training, which are the same on every process."""
    settings, device = inputs.settings, inputs.device
    layers = on_device(inputs.layers, device)
    everywhere = settings.sparsity_everywhere
    frames = inputs.frames.to(device)
    canvases = cut_canvases(layers, frames, settings.views, everywhere=everywhere)
    encoder.tune(PROCESSES.share.of(settings), report)
    targets = embed_targets(inputs.texts, encoder, settings)
    form = FORMS[settings.atlas]
    atlas = form.initial(layers, canvases, settings, size=encoder.size, generator=generator)
    return Setup(layers, canvases, targets, atlas.to(device))


def choose_best(entries: Sequence[RankingEntry], folder: Path) -> StylizedAtlas:
    """Write the ranking of all candidates in ``folder``; return the best of them."""
    entries = sorted(entries, key=lambda each: each.candidate)
    write_ranking(entries, folder)
    best = best_first(entries)[0].candidate
    return load_atlas(folder_of(folder, best)).requires_grad_(False)


def _prepare(
    atlas: StylizedAtlas,
    layers: Layers,
    settings: StylizationSettings,
    *,
    colour: Colour | None,
    loss: Callable[[], Tensor],
    generator: torch.Generator,
    progress: Progress,
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    """Bring ``atlas`` and ``generator`` to where the first step begins; returns their state.

    It begins as ``colour`` if there is one, else as the colour with the least ``loss``.
    """
    saved = checkpoint.load() or {}
    if "atlas" in saved:
        atlas.load_state_dict(saved["atlas"])
        generator.set_state(saved["generator"])
        return {name: saved[name] for name in ("atlas", "generator")}
    atlas.prepare(
        layers, settings, generator=generator, counting=progress.counter_of, checkpoint=checkpoint
    )
    if colour is None:
        atlas.choose_initial_colour(loss, checkpoint.partial)
    else:
        atlas.begin_with(colour)
    prepared = {"atlas": copy.deepcopy(atlas.state_dict()), "generator": generator.get_state()}
    checkpoint.save(prepared)
    return prepared


def _train_candidate(
    state: TrainState, context: TrainingContext, before: list[RankingEntry]
) -> RankingEntry:
    """Take all steps of one candidate, save its atlas and return its entry in the ranking."""
    settings, report, checkpoint = context.settings, context.report, context.checkpoint
    atlas, optimiser = state.atlas, state.optimiser
    sampler = atlas.sampler(context.canvases, context.encoder.size, settings)
    done = len(before) * settings.steps

    def save() -> None:
        ranks = [vars(each) for each in before]
        checkpoint.save({**context.prepared, "course": state.state_dict(), "standings": ranks})

    def ends(step: int) -> bool:
        return step == settings.steps or step % settings.snapshot_every == 0

    numbers: dict[str, float] = {}
    while state.step < settings.steps:
        if report.stopping():
            save()
            raise Stopped
        set_learning_rate(optimiser, atlas.rate_factor(state.step, settings))
        with PROCESSES.step(atlas, state.generator):
            terms = step_terms(
                sampler, context.canvases, context.encoder, context.targets, settings,
                generator=state.generator, share=PROCESSES.share,
            )  # fmt: skip
            loss = weighted_sum(terms, settings.weights)
            optimiser.zero_grad()
            loss.backward()
        optimiser.step()
        state.step += 1
        # Reading numbers waits for the device, which then waits for what comes next.
        if state.step % READ_EVERY[loss.is_cpu] == 0 or checkpoint.due() or ends(state.step):
            numbers = finite_terms(loss, terms, state.step)
        if state.step % settings.snapshot_every == 0:
            save_atlas(atlas, snapshot_of(context.folder, state.candidate, state.step))
        context.progress.count_steps(done + state.step, numbers)
        if checkpoint.due():
            save()
        if context.previews.due():
            context.previews.show(atlas)
    save_atlas(atlas, folder_of(context.folder, state.candidate))
    context.previews.show(atlas)
    return RankingEntry(state.candidate, state.seed, context.validation.score(sampler), state.step)


def finite_terms(loss: Tensor, terms: dict[str, Tensor], step: int) -> dict[str, float]:
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
