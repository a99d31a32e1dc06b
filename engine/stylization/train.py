"""The stylization: move the atlas until CLIP agrees with the texts (TDS, sec. 3.3 and 6)."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import Checkpoint
from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import TargetTexts
from ..contract.settings import StylizationSettings
from ..decomposition.layers import Layers
from .atlas import NetworkAtlas, PaletteAtlas, StylizedAtlas, save_atlas
from .canvas import Canvases, Painter, cut_canvases
from .distillation import atlas_network
from .encoder import Encoder
from .previews import Previews
from .schedule import make_optimiser, set_learning_rate
from .starts import start
from .terms import canvas_side, step_terms, weighted
from .texels import Texels
from .texts import embed_targets


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
    from ``checkpoint`` where it holds a state, exactly as if it had never stopped. Leaves
    snapshots beside the checkpoint. Raises Stopped where the host asks for it, EngineError where
    texts or object are missing or the optimisation diverges.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = on_device(layers, device)
    canvases = cut_canvases(layers, frames.to(device), margin=settings.views.margin)
    targets = embed_targets(
        texts,
        encoder,
        global_prefixes=settings.global_prefixes,
        local_prefixes=settings.local_prefixes,
    )
    atlas = first_atlas(layers, canvases, settings, generator, device)
    optimiser = make_optimiser(atlas, settings)
    saved = checkpoint.load()
    if saved is None and isinstance(atlas, PaletteAtlas):
        start(atlas, canvases, encoder, targets, settings, generator, report)
    first = restore(saved, atlas, optimiser, generator)
    painter = painter_of(atlas, canvases, canvas_side(encoder.size, settings))
    numbers = [canvas.frame for canvas in canvases.canvases]
    previews = Previews(layers, frames, numbers, report)
    for step in range(first, settings.steps):
        if report.stopping():
            checkpoint.save(state_of(step, atlas, optimiser, generator))
            raise Stopped
        set_learning_rate(optimiser, step, settings)
        terms = step_terms(painter, canvases, encoder, targets, settings, generator)
        loss = weighted(terms, settings.weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        report.progress(step + 1, settings.steps, checked(loss, terms, step))
        if (step + 1) % settings.snapshot_every == 0:
            save_atlas(atlas, checkpoint.path.parent / "snapshots" / f"{step + 1:06d}")
        if checkpoint.due():
            checkpoint.save(state_of(step + 1, atlas, optimiser, generator))
        if previews.due():
            previews.show(atlas)
    previews.show(atlas)
    return atlas.cpu().requires_grad_(False)


def checked(loss: Tensor, terms: dict[str, Tensor], step: int) -> dict[str, float]:
    """Return the terms as numbers; raises EngineError (DIVERGED) where the loss is none."""
    numbers = torch.stack([loss, *terms.values()]).detach().tolist()
    if not math.isfinite(numbers[0]):
        message = f"The stylization diverged in step {step + 1}: the loss is {numbers[0]}."
        hint = "Lower the learning rate, or set the weights back to their defaults."
        raise EngineError(Fault.DIVERGED, message, hint)
    return dict(zip(terms, numbers[1:], strict=True))


def first_atlas(
    layers: Layers,
    canvases: Canvases,
    settings: StylizationSettings,
    generator: torch.Generator,
    device: torch.device | str,
) -> StylizedAtlas:
    """Return the atlas before the first step, in the form that the settings name."""
    if settings.atlas == NetworkAtlas.form:
        network = atlas_network(layers, steps=settings.distillation_steps, generator=generator)
        return NetworkAtlas(network, canvases.statistics)
    return PaletteAtlas(
        canvases.atlas_frame,
        canvases.statistics,
        colours=settings.palette_colours,
        generator=generator,
    ).to(device)


def painter_of(atlas: StylizedAtlas, canvases: Canvases, side: int) -> Painter:
    """Return what paints while ``atlas`` learns, for canvases of ``side`` pixels."""
    if not isinstance(atlas, PaletteAtlas):
        return atlas
    enlarged = (canvas.enlarged(side) for canvas in canvases.canvases)
    return Texels(atlas, enlarged, density=side / 2)


def on_device(layers: Layers, device: torch.device | str) -> Layers:
    """Return ``layers`` with all tensors on ``device``."""
    tensors = {
        item.name: getattr(layers, item.name).to(device)
        for item in fields(layers)
        if item.name != "atlas_network"
    }
    return replace(layers, **tensors)


def state_of(
    step: int,
    atlas: StylizedAtlas,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> dict[str, Any]:
    """Return all that the steps from ``step`` on depend on."""
    return {
        "step": step,
        "atlas": atlas.state_dict(),
        "optimiser": optimiser.state_dict(),
        "generator": generator.get_state(),
    }


def restore(
    saved: dict[str, Any] | None,
    atlas: StylizedAtlas,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> int:
    """Put a saved state back where there is one; returns the step to go on with."""
    if saved is None:
        return 0
    atlas.load_state_dict(saved["atlas"])
    optimiser.load_state_dict(saved["optimiser"])
    generator.set_state(saved["generator"])
    return int(saved["step"])
