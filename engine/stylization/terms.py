"""One step's terms: draw frames, paint them, look at them, compare with the targets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import device as devices
from ..contract.settings import StylizationSettings, StylizationWeights, ViewsSettings
from . import losses
from .atlas import AtlasFrame
from .canvas import LARGEST, Canvas, Canvases
from .encoder import Encoder
from .frames import WINDOW_SIGMAS, draw_frames
from .looking import aim
from .painting import Painted, Painter, Spread, paint
from .targets import Target, Targets
from .views import draw_both

NEIGHBOUR = 0.02  # distance of neighbours for the smoothness, in half sides of the object


@dataclass(frozen=True)
class Sight:
    """What the encoder made of a step's views: of the whole object, and close."""

    whole: Tensor  # [F, V, E]
    close: Tensor  # [F, V, E]


def step_terms(
    painter: Painter,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Return all terms of one step; those that need much are left out where they have no weight."""
    numbers = [canvas.frame for canvas in canvases.canvases]
    drawn = draw_frames(
        numbers, settings.frames_per_step, window=temporal_window(settings), generator=generator
    )
    chosen = [resized(canvases, place, encoder.size, settings) for place in drawn]
    spread = Spread.of(chosen)
    views = [draw_both(one.subject, settings.views, generator).scaled(one.scale) for one in chosen]
    gaze = aim(views, spread.shapes, encoder.size, spread.fields.device)
    painted = paint(spread, painter)
    behind = gaze.read(spread.behind)
    images = gaze.over(gaze.read(painted.front), behind)  # [F, V, 3, S, S]
    seen = _sight(encoder, noisy(images, settings.views, generator), settings)
    whole, close = targets.draw(generator)
    terms = _similarities(seen, whole, close, settings)
    terms["temporal"] = losses.temporal(
        seen.whole,
        [numbers[i] for i in drawn],
        sigma=settings.temporal_sigma,
        literal=settings.temporal_literal,
    )
    terms["sparsity"] = losses.sparsity(painted.colours, painted.alpha, norm=settings.sparsity_norm)
    terms["chroma"] = losses.chroma(painted.albedo)
    weights = settings.weights
    if targets.avoid is not None:
        unwanted = targets.avoid[int(torch.randint(len(targets.avoid), (), generator=generator))]
        both = [losses.avoid(kind, unwanted) for kind in (seen.whole, seen.close)]
        terms["avoid"] = torch.stack(both).mean()
    if weights.directional:
        with torch.no_grad():
            sources = gaze.over(gaze.read(spread.shown), behind)
            before = _sight(encoder, sources, settings)
        terms["directional"] = _directional(seen, before, whole, close)
    if weights.structure:
        terms["structure"] = losses.structure(painted.colours, painted.source)
    terms |= flaws(spread, painted, weights)
    if weights.smoothness:
        neighbours = painter.albedo(neighbouring(painted, canvases.atlas_frame, generator))
        terms["smoothness"] = losses.smoothness(painted.albedo, neighbours[:, :3])
    return terms


def temporal_window(settings: StylizationSettings) -> float | None:
    """Return how near in time every second draw's frames are, in frames; None: as they come."""
    return None if settings.temporal_literal else WINDOW_SIGMAS * settings.temporal_sigma


def flaws(spread: Spread, painted: Painted, weights: StylizationWeights) -> dict[str, Tensor]:
    """Return the terms of paint that leaves the object bare or is uneven, those with a weight."""
    terms = {}
    if weights.bareness:
        terms["bareness"] = losses.bareness(painted.front, spread.shown, spread.alpha).mean()
    if weights.unevenness:
        paint_alone = spread.composed(painted.alpha[:, None] * painted.albedo)
        terms["unevenness"] = losses.unevenness(paint_alone, spread.alpha).mean()
    return terms


def weighted(terms: dict[str, Tensor], weights: StylizationWeights) -> Tensor:
    """Return the sum of ``terms``, each times its weight (TDS, eq. 6)."""
    weighed = [(getattr(weights, name), term) for name, term in terms.items()]
    # What has no weight has no slopes: they need not be computed.
    counting = [weight * term for weight, term in weighed if weight]
    return torch.stack(counting or [0 * term for _, term in weighed]).sum()


def resized(canvases: Canvases, number: int, size: int, settings: StylizationSettings) -> Canvas:
    """Return one of ``canvases`` as large as it is painted for views of ``size`` pixels."""
    return canvases.at(number, None if settings.views.native_size else canvas_side(size, settings))


def canvas_side(size: int, settings: StylizationSettings) -> int:
    """Return how large a canvas is painted: a close view of middle size has one pixel for each."""
    views = settings.views
    middle = (views.local_scale_low * views.local_scale_high) ** 0.25  # as part of a side
    if views.scale_of == "side":
        middle **= 2
    return min(LARGEST, math.ceil(size / middle))


def noisy(images: Tensor, views: ViewsSettings, generator: torch.Generator) -> Tensor:
    """Add noise to pictures [F, V, 3, S, S], each with its own deviation up to what is set.

    It is drawn for the views of the whole object in all frames first.
    """
    if views.noise == 0:
        return images
    frames, each = images.shape[:2]
    deviation = views.noise * torch.rand(frames * each, 1, 1, 1, generator=generator)
    grain = deviation * torch.randn(frames * each, *images.shape[2:], generator=generator)
    kinds = grain.split([frames * views.global_views, frames * (each - views.global_views)])
    ordered = torch.cat([kind.unflatten(0, (frames, -1)) for kind in kinds], 1)
    return (images + devices.sent(ordered, images.device)).clamp(0, 1)


def neighbouring(painted: Painted, frame: AtlasFrame, generator: torch.Generator) -> Tensor:
    """Return places [N, 2] on the atlas, each a small step from the painted ones."""
    part = torch.rand(len(painted.uv), generator=generator)
    angle = 2 * torch.pi * devices.sent(part, painted.uv.device)
    across, down = (NEIGHBOUR / scale for scale in frame.scale)
    return painted.uv + torch.stack([across * angle.cos(), down * angle.sin()], 1)


def _sight(encoder: Encoder, images: Tensor, settings: StylizationSettings) -> Sight:
    """Embed ``images`` [F, V, 3, S, S], a frame's views of the whole object before the others."""
    embeddings = encoder.embed_images(images.flatten(0, 1)).unflatten(0, (len(images), -1))
    whole, close = embeddings.tensor_split([settings.views.global_views], 1)
    return Sight(whole, close)


def _similarities(
    seen: Sight, whole: Target, close: Target, settings: StylizationSettings
) -> dict[str, Tensor]:
    how = {"average": settings.view_average, "pooled": settings.pool_frames}
    return {
        "global_similarity": losses.global_similarity(seen.whole, whole.direction, **how),
        "local_similarity": losses.local_similarity(seen.close, close.direction, **how),
    }


def _directional(seen: Sight, before: Sight, whole: Target, close: Target) -> Tensor:
    """Return the mean over both kinds of views of how far they move another way than wanted."""
    kinds = ((seen.whole, before.whole, whole), (seen.close, before.close, close))
    terms = [
        losses.directional(now, then, target.change(then.flatten(0, 1).mean(0)))
        for now, then, target in kinds
    ]
    return torch.stack(terms).mean()
