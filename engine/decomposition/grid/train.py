"""The fast decomposition: register both layers, then polish textures, alpha and gain by Adam.

The mapping is final after the registration; the polish leaves it alone, because colours would
pull it off the object's points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor

from ...checkpoint import Checkpoint
from ...contract.events import Report, Stopped
from ...contract.settings import GridSettings
from ...device import generator
from ...partial_results import PartialResults
from ..layers import Layers
from . import losses, model, result
from .background import register_background
from .chunks import of_frames
from .completion import complete
from .foreground import register_foreground, still
from .model import Model
from .optimizer import adam, restore, schedule, state_before
from .packing import pack, unpack
from .scene import Scene, build

if TYPE_CHECKING:
    from ...video.flow import Flow
    from ...video.masks import Masks

PAIRS_PER_STEP = 2
REPORT_EVERY = 10
PREVIEW_EVERY = 50
# Longer footage takes more steps in proportion, so that every frame comes up as often.
USUAL_FRAMES = 70
# What each term counts beside the others. How the numbers were found is not written down; they are
# those of every measurement in docs/decisions.
WEIGHTS = {
    "reconstruction": 1.0,
    "gradient": 0.5,
    "bootstrap": 0.1,
    "alpha_flow": 0.1,
    "alpha_smoothness": 0.01,
    "gain": 0.002,
}
# The registrations count as this many steps in the progress.
REGISTRATION_STEPS = 100


def decompose_grid(
    frames: Array,
    flow: Flow,
    masks: Masks,
    settings: GridSettings,
    *,
    others: Array | None = None,
    greys: Array | None = None,
    device: torch.device,
    seed: int,
    report: Report,
    checkpoint: Checkpoint,
) -> Layers:
    """Split ``frames`` uint8 [T, H, W, 3] into two layers.

    ``others`` and ``greys`` are those of `engine.decomposition.train.decompose`. Raises Stopped
    after saving a checkpoint, and EngineError where no mask shows an object, but one may be there.
    """
    state = checkpoint.load() or {}
    known = complete(masks, flow)
    hidden = elsewhere(others, known)
    if "mappings" not in state:
        greys = greys_of(frames) if greys is None else greys
        state = _register(
            frames, flow, greys=greys, masks=known, others=hidden, steps=settings.steps,
            device=device, seed=seed, report=report, partial=checkpoint.partial,
        )  # fmt: skip
        checkpoint.save(state)
    front, behind = unpack(state["mappings"])
    scene = build(
        frames, known, hidden, flow, foreground=front, background=behind, device=device,
        partial=checkpoint.partial,
    )  # fmt: skip
    learned = _optimize(
        scene, settings, state=state, seed=seed, report=report, checkpoint=checkpoint
    )
    return result.layers(learned, scene)


def elsewhere(others: Array | None, masks: Array) -> Array:
    """Return where other objects are seen, [T, H, W] in [0, 1].

    What lies behind the object, where ``masks`` [T, H, W] show it, is not seen.
    """
    if others is None:
        return np.zeros_like(masks)
    return np.minimum(others.astype(np.float32) / 255, 1 - masks)


def greys_of(frames: Array) -> Array:
    """Return ``frames`` uint8 [T, H, W, 3] in grey, [T, H, W]."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])


def _register(
    frames: Array,
    flow: Flow,
    *,
    greys: Array,
    masks: Array,
    others: Array,
    steps: int,
    device: torch.device,
    seed: int,
    report: Report,
    partial: PartialResults,
) -> dict[str, Any]:
    """Return the mappings of both layers, packed, and their energies. Raises Stopped."""
    total = REGISTRATION_STEPS + steps_of(steps, len(frames))

    def tick(done: float) -> None:
        if report.stopping():
            partial.save()
            raise Stopped
        report.progress(int(done * REGISTRATION_STEPS), total)

    if masks.max() > 0.5:
        foreground, energies = register_foreground(
            greys, masks, others, flow, device=device, seed=seed,
            tick=lambda done: tick(0.7 * done), partial=partial,
        )  # fmt: skip
    else:
        foreground, energies = still(*masks.shape), {"flow": 0.0, "rigidity": 0.0}
    occupied = np.maximum(masks, others)
    background = register_background(
        frames, occupied, flow, device=device, seed=seed,
        tick=lambda done: tick(0.7 + 0.3 * done), partial=partial,
    )  # fmt: skip
    return {"mappings": pack(foreground, background), "energies": energies}


def _optimize(
    scene: Scene,
    settings: GridSettings,
    *,
    state: dict[str, Any],
    seed: int,
    report: Report,
    checkpoint: Checkpoint,
) -> Model:
    """Go on from ``state`` to the last step."""
    learned = model.start(scene, settings.atlas_size)
    optimizer = adam(learned)
    first = restore(state, learned, optimizer)
    kept = {name: state[name] for name in ("mappings", "energies")}
    steps = steps_of(settings.steps, len(scene.frames))
    total = REGISTRATION_STEPS + steps
    pixels = 2 * PAIRS_PER_STEP * scene.frames[0].numel()
    # Summed over pixels, so that a texel's gradient does not depend on the picture's size.
    weights = pixels * torch.tensor(list(WEIGHTS.values()))
    weights = weights.to(learned.atlas)
    seen = result.coverage(learned, scene)  # alpha moves too little for a preview to show it
    for step in range(first, steps):
        if report.stopping() or checkpoint.due():
            checkpoint.save({**kept, **state_before(step, learned, optimizer)})
        if report.stopping():
            raise Stopped
        schedule(optimizer, step / steps)
        terms = _terms(learned, scene, _draw_pairs(step, len(scene.frames), seed))
        optimizer.zero_grad()
        (terms * weights).sum().backward()
        optimizer.step()
        if step % REPORT_EVERY == 0:
            shown = dict(zip(WEIGHTS, terms.tolist(), strict=True)) | state["energies"]
            report.progress(REGISTRATION_STEPS + step, total, shown)
        if step % PREVIEW_EVERY == 0:
            report.preview("reconstruction", result.reconstruction_picture(learned, scene))
            report.preview("atlas", result.atlas_picture(learned, seen))
    return learned


def steps_of(steps: int, frames: int) -> int:
    """Return how many steps so many ``frames`` take, where usual footage takes ``steps``."""
    return round(steps * max(1.0, frames / USUAL_FRAMES))


def _terms(learned: Model, scene: Scene, firsts: list[int]) -> Tensor:
    """Render the frames ``firsts`` and their successors, and compare; in the order of `WEIGHTS`."""
    frames = firsts + [frame + 1 for frame in firsts]
    logits = of_frames(learned.logits, frames)
    alphas = model.alpha(scene, logits, frames)
    front = model.foreground(learned, scene, frames)
    behind = model.background(learned, scene, frames)
    rendered = model.blend(scene, front, behind, alphas, frames)
    error = rendered - of_frames(scene.planes, frames, 1).float().div_(255)
    error = error.masked_fill(~of_frames(scene.loss_mask, frames), 0)
    count = len(firsts)
    support = of_frames(scene.support, frames)
    ahead = model.next_alpha(scene, alphas[count:], firsts)
    valid = of_frames(scene.ahead_valid, firsts) * support[:count]
    gains = [
        losses.gain(of_frames(side, frames)) for side in (learned.gains, learned.gains_background)
    ]
    found = {
        "reconstruction": losses.reconstruction(error),
        "gradient": losses.gradient(error),
        "bootstrap": losses.bootstrap(logits, of_frames(scene.masks, frames), support),
        "alpha_flow": losses.alpha_flow(alphas[:count], ahead, valid),
        "alpha_smoothness": losses.alpha_smoothness(alphas),
        "gain": gains[0] + gains[1],
    }
    return torch.stack([found[name] for name in WEIGHTS])


def _draw_pairs(step: int, frames: int, seed: int) -> list[int]:
    """Return the first frames of this step's pairs; each pair comes once in every pass.

    It depends on nothing but the step, so that a resumed training draws the same.
    """
    pairs = frames - 1
    numbers = range(step * PAIRS_PER_STEP, (step + 1) * PAIRS_PER_STEP)
    drawn = []
    for number in numbers:
        order = torch.randperm(pairs, generator=generator(seed + number // pairs))
        drawn.append(int(order[number % pairs]))
    return drawn
