"""One step's terms: draw frames, paint them, look at them, compare with the texts."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..contract.settings import StylizationSettings, StylizationWeights
from . import losses
from .atlas import AtlasFrame
from .canvas import LARGEST, Canvases, Painted, Painter, paint
from .encoder import Encoder
from .frames import WINDOW_SIGMAS, draw_frames
from .texts import TextEmbeddings
from .views import draw_views, look

NEIGHBOUR = 0.02  # distance of neighbours for the smoothness, in half sides of the object


def step_terms(
    painter: Painter,
    canvases: Canvases,
    encoder: Encoder,
    targets: TextEmbeddings,
    settings: StylizationSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Return all terms of one step; those with weight 0 are left out."""
    everything = canvases.canvases
    numbers = [canvas.frame for canvas in everything]
    window = None if settings.temporal_literal else WINDOW_SIGMAS * settings.temporal_sigma
    drawn = draw_frames(numbers, settings.frames_per_step, window=window, generator=generator)
    side = canvas_side(encoder.size, settings)
    chosen = [everything[i].enlarged(side) for i in drawn]
    painted = paint(chosen, painter)
    whole, close = [], []
    for canvas, picture in zip(chosen, painted.pictures, strict=True):
        views = draw_views(canvas.subject, settings.views, generator)
        for kind, into in zip(views, (whole, close), strict=True):
            into.append(look(picture, kind.scaled(canvas.scale), encoder.size))
    images = noisy(torch.cat(whole + close), settings.views.noise, generator)
    embeddings = encoder.embed_images(images)
    count = len(drawn)
    split = count * settings.views.global_views
    whole_views = embeddings[:split].unflatten(0, (count, -1))  # [F, V, E]
    close_views = embeddings[split:].unflatten(0, (count, -1))
    global_text, local_text = targets.draw(generator)
    terms = {
        "global_similarity": losses.global_similarity(whole_views, global_text),
        "local_similarity": losses.local_similarity(close_views, local_text),
        "temporal": losses.temporal(
            whole_views,
            [numbers[i] for i in drawn],
            sigma=settings.temporal_sigma,
            literal=settings.temporal_literal,
        ),
        "sparsity": losses.sparsity(painted.colours, painted.alpha),
        "chroma": losses.chroma(painted.albedo),
    }
    if settings.weights.smoothness:
        neighbours = painter.albedo(neighbouring(painted, canvases.atlas_frame, generator))
        terms["smoothness"] = losses.smoothness(painted.albedo, neighbours)
    return terms


def weighted(terms: dict[str, Tensor], weights: StylizationWeights) -> Tensor:
    """Return the sum of ``terms``, each times its weight (TDS, eq. 6)."""
    return torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()


def canvas_side(size: int, settings: StylizationSettings) -> int:
    """Return how large a canvas is painted: a close view of middle size has one pixel for each."""
    views = settings.views
    middle = (views.local_scale_low * views.local_scale_high) ** 0.25  # as part of a side
    return min(LARGEST, math.ceil(size / middle))


def noisy(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Add noise to pictures [V, 3, S, S], each with its own deviation up to ``strength``."""
    if strength == 0:
        return images
    deviation = strength * torch.rand(len(images), 1, 1, 1, generator=generator)
    grain = deviation * torch.randn(images.shape, generator=generator)
    return (images + grain.to(images)).clamp(0, 1)


def neighbouring(painted: Painted, frame: AtlasFrame, generator: torch.Generator) -> Tensor:
    """Return places [N, 2] on the atlas, each a small step from the painted ones."""
    angle = 2 * torch.pi * torch.rand(len(painted.uv), generator=generator)
    step = NEIGHBOUR * torch.stack([angle.cos(), angle.sin()], 1) / torch.tensor(frame.scale)
    return painted.uv + step.to(painted.uv)
