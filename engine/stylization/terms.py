"""One step's loss terms: draw frames, render them, embed crops, compare with the targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .. import device as devices
from ..contract.settings import StylizationSettings, StylizationWeights, ViewsSettings
from . import losses
from .canvas import Canvases, resize
from .crops import crop_grid
from .encoder import Encoder
from .processes import ALONE, Share
from .rendering import AtlasSampler, CanvasBatch, Rendered, render
from .targets import Targets
from .texture import TextureAtlas
from .view_rendering import render_views
from .views import draw_both

WINDOW_CHANCE = 0.5
WINDOW_SIGMAS = 3.0  # how far a window reaches, in widths of the temporal weight

BY_TEXT = ("global_similarity", "local_similarity", "avoid")  # the terms of the targets


@dataclass(frozen=True)
class CropEmbeddings:
    """The encoder's embeddings of a step's crops: of the whole object, and close ones."""

    whole: Tensor  # [F, V, E]
    close: Tensor  # [F, V, E]


def step_terms(
    sampler: AtlasSampler,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    *,
    generator: torch.Generator,
    share: Share = ALONE,
) -> dict[str, Tensor]:
    """Return the terms of one step; `unevenness` and `avoid` only where they count.

    Of the views those of ``share`` have gradients, which sum up over all processes.
    """
    numbers = [canvas.frame for canvas in canvases.canvases]
    drawn = draw_frames(
        numbers, settings.frames_per_step, window=temporal_window(settings), generator=generator
    )
    chosen = [resize(canvases, place, encoder.size, settings) for place in drawn]
    drawn_views = [draw_both(one.subject, settings.views, generator) for one in chosen]
    views = [
        each.scale(one.scale).take(share.views)
        for each, one in zip(drawn_views, chosen, strict=True)
    ]
    if isinstance(sampler, TextureAtlas):
        pyramid = sampler.pyramid()
        images = render_views(chosen, views, pyramid, encoder.size)
        # What counts of whole canvases is the mean of many texels.
        batch = CanvasBatch.of([canvases.canvases[place] for place in drawn])
        rendered = render(batch, pyramid[-1])
    else:
        batch = CanvasBatch.of(chosen)
        grid = crop_grid(views, batch.shapes, encoder.size, batch.fields.device)
        rendered = render(batch, sampler)
        images = grid.crops(rendered.front, batch.behind)  # [F, V, 3, S, S]
    images = with_noise(images, settings.views, generator, share.views)
    embeddings = _embed_crops(encoder, images, settings, share)
    whole, close = targets.draw(generator)
    terms = _similarities(embeddings, whole, close, settings)
    terms["temporal"] = losses.temporal(
        embeddings.whole,
        [numbers[i] for i in drawn],
        sigma=settings.temporal_sigma,
        literal=settings.temporal_literal,
    )
    norm = settings.sparsity_norm
    terms["sparsity"] = share.once(losses.sparsity(rendered.colours, rendered.alpha, norm=norm))
    if targets.avoid is not None:
        unwanted = targets.avoid[int(torch.randint(len(targets.avoid), (), generator=generator))]
        both = [losses.avoid(kind, unwanted) for kind in (embeddings.whole, embeddings.close)]
        terms["avoid"] = torch.stack(both).mean()
    even = unevenness(batch, rendered, settings.weights)
    return terms | {name: share.once(term) for name, term in even.items()}


def temporal_window(settings: StylizationSettings) -> float | None:
    """Return how near in time every second draw's frames are, in frames; None: as they come."""
    return None if settings.temporal_literal else WINDOW_SIGMAS * settings.temporal_sigma


def unevenness(
    batch: CanvasBatch, rendered: Rendered, weights: StylizationWeights
) -> dict[str, Tensor]:
    """Return the term of uneven albedo by its name, where it has a weight."""
    if not weights.unevenness:
        return {}
    albedo_alone = batch.compose(rendered.alpha[:, None] * rendered.albedo)
    return {"unevenness": losses.unevenness(albedo_alone, batch.alpha).mean()}


def weighted_sum(terms: dict[str, Tensor], weights: StylizationWeights) -> Tensor:
    """Return the sum of ``terms``, each times its weight (TDS, eq. 6)."""
    weighed = [(getattr(weights, name), term) for name, term in terms.items()]
    # A term without a weight has no gradient, which need not be computed.
    counting = [weight * term for weight, term in weighed if weight]
    return torch.stack(counting or [0 * term for _, term in weighed]).sum()


def text_loss(
    sampler: AtlasSampler,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    *,
    seed: int,
) -> Tensor:
    """Return the weighted loss of the views that ``seed`` draws against the targets alone.

    These are the texts and what to avoid.
    """
    generator = torch.Generator().manual_seed(seed)
    terms = step_terms(sampler, canvases, encoder, targets, settings, generator=generator)
    led = {name: term for name, term in terms.items() if name in BY_TEXT}
    return weighted_sum(led, settings.weights)


def with_noise(
    images: Tensor, views: ViewsSettings, generator: torch.Generator, own: slice = slice(None)
) -> Tensor:
    """Return ``images`` [F, V, 3, S, S] with Gaussian noise, clamped to [0, 1].

    They are the ``own`` ones of all views, for which noise is drawn.

    Each has a deviation of its own, uniform up to the setting. The noise of the views of the whole
    object in all frames is drawn first.
    """
    if views.noise == 0:
        return images
    frames, each = len(images), views.global_views + views.local_views
    deviation = views.noise * torch.rand(frames * each, 1, 1, 1, generator=generator)
    grain = deviation * torch.randn(frames * each, *images.shape[2:], generator=generator)
    kinds = grain.split([frames * views.global_views, frames * (each - views.global_views)])
    ordered = torch.cat([kind.unflatten(0, (frames, -1)) for kind in kinds], 1)
    return (images + devices.send(ordered[:, own], images.device)).clamp(0, 1)


def _embed_crops(
    encoder: Encoder, images: Tensor, settings: StylizationSettings, share: Share
) -> CropEmbeddings:
    """Embed ``images`` [F, V, 3, S, S], a frame's views of the whole object before the others."""
    views = settings.views
    own = encoder.embed_images(images.flatten(0, 1)).unflatten(0, (len(images), -1))
    embeddings = share.gather(own, views.global_views + views.local_views)
    whole, close = embeddings.tensor_split([views.global_views], 1)
    return CropEmbeddings(whole, close)


def _similarities(
    embeddings: CropEmbeddings, whole: Tensor, close: Tensor, settings: StylizationSettings
) -> dict[str, Tensor]:
    average = settings.view_average
    return {
        "global_similarity": losses.global_similarity(embeddings.whole, whole, average=average),
        "local_similarity": losses.local_similarity(embeddings.close, close, average=average),
    }


def draw_frames(
    frames: list[int], count: int, *, window: float | None, generator: torch.Generator
) -> list[int]:
    """Return ``count`` distinct places in the sorted list ``frames``, in ascending order.

    With a ``window`` every second draw stays within so many frames, so that the temporal term has
    a say; without one all frames are equally likely (TDS, sec. 3.3). All places where there are
    not more than ``count``.
    """
    places = list(range(len(frames)))
    if window is not None and _chance(WINDOW_CHANCE, generator):
        start = int(torch.randint(len(frames), (), generator=generator))
        low = min(frames[start], max(frames[0], int(frames[-1] - window)))
        near = [place for place in places if low <= frames[place] <= low + window]
        places = near if len(near) >= count else places
    order = torch.randperm(len(places), generator=generator)[:count]
    return sorted(places[i] for i in order.tolist())


def _chance(probability: float, generator: torch.Generator) -> bool:
    return bool(torch.rand((), generator=generator) < probability)
