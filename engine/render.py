"""Finished frames from the footage, alpha and the stylized atlas, at the footage's own size.

Pixels where alpha is 0 are the footage's, bit for bit; with the composite "atlas" they are what
the background's atlas says (TDS, sec. 3.2). Knows nothing of jobs and folders.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .ahead import ahead
from .contract.settings import RenderSettings
from .decomposition.layers import Layers
from .device import at_once
from .editing.atlas_edit import AtlasEdit
from .editing.whole_layer import Fill, Grade, LayerBlur, grow_alpha, measure_gain
from .stylization.atlas import StylizedAtlas
from .stylization.boxes import slices_around
from .stylization.shading import detail, luminance, reach, shading
from .stylization.sharpness import blur_to_footage, blur_with_residual, footage_blur

ALPHA_FLOOR = 0.02
STEEPNESS = 2.0
PIXELS = 1 << 23  # of all frames that are computed at a time, about 200 bytes each
MARGIN = 4  # px around an object, so that its edges are seen whole


@dataclass(frozen=True)
class Part:
    """One object, or what is behind all objects, and what it becomes; None stays as it is.

    ``edits`` are laid over that. ``flow_residual`` [T, H, W] px is that of
    `decomposition.flow_residual`, where `needs_flow_residual`. With ``fill`` the object is not
    there; with ``is_matte`` the frames show where it is, and nothing else.
    """

    layers: Layers
    atlas: StylizedAtlas | None
    is_background: bool = False
    flow_residual: Tensor | None = None
    edits: tuple[AtlasEdit | Grade | LayerBlur, ...] = ()
    fill: Fill | None = None
    is_matte: bool = False

    @property
    def is_changed(self) -> bool:
        """Is it anything else than in the footage?"""
        return self.atlas is not None or bool(self.edits or self.fill or self.is_matte)

    def needs_flow_residual(self, settings: RenderSettings) -> bool:
        """Is this a texture on the moving object that is blurred by its flow residual?"""
        stylized = self.atlas is not None and not self.atlas.holds_light
        return stylized and settings.match_sharpness and not self.is_background


def stylized_frames(
    source: Iterable[np.ndarray],
    parts: Sequence[Part],
    settings: RenderSettings,
    *,
    device: torch.device,
    start: int = 0,
) -> Iterator[np.ndarray]:
    """Yield one frame for each frame of ``source``, with alpha for the object alone.

    Frames are uint8 or uint16 as the source's are, [H, W, 3], or [H, W, 4] with straight alpha
    where the source has alpha: that of the footage stays, and cuts the object. The size is the
    source's; layers are at the working size and are brought up to it. ``parts`` are all objects,
    from front to back, and perhaps the background as the last. The first frame of ``source`` is
    the job's frame ``start``.

    Several frames are computed at a time, on one thread each: ``source`` is read ahead.
    """
    parts = [
        part if part.atlas is None else replace(part, atlas=part.atlas.to(device).eval())
        for part in parts
    ]
    frames = iter(source)
    first = next(frames, None)
    if first is None:
        return
    own = threading.get_ident()

    def work(numbered: tuple[int, np.ndarray]) -> np.ndarray:
        if threading.get_ident() != own and torch.get_num_threads() > 1:
            torch.set_num_threads(1)  # for this worker, and for threads that begin after it
        return _frame(numbered[1], numbered[0], parts, settings, device)

    most = max(1, at_once(PIXELS) // (first.shape[0] * first.shape[1]))
    try:
        yield from ahead(work, enumerate(chain([first], frames), start), most=most)
    finally:
        torch.set_num_threads(torch.get_num_threads())  # for threads that begin later


@torch.no_grad()
def _frame(
    frame: np.ndarray,  # [H, W, 3] or [H, W, 4]
    index: int,
    parts: Sequence[Part],
    settings: RenderSettings,
    device: torch.device,
) -> np.ndarray:
    most = np.iinfo(frame.dtype).max
    pixels = torch.from_numpy(frame.astype(np.float32)).to(device) / most
    source = pixels[..., :3]  # [H, W, 3]
    if any(part.is_matte for part in parts):
        return _matte(parts, index, source, frame)
    from_atlases = settings.composite == "atlas" and not settings.foreground_only
    behind = _at_frame(parts[0].layers.background[index], source) if from_atlases else source
    change = torch.zeros_like(source)  # weighted by alpha
    restyled = torch.zeros(source.shape[:2], device=device)
    for part, alpha in shared_alphas(parts, index, source):
        seen = alpha > 0
        if not seen.any() or not (part.is_changed or from_atlases):
            continue
        colour, _ = part_colours(source, part, index, alpha=alpha, settings=settings)
        if part.is_changed:
            restyled += alpha
        box = slices_around(seen, 0)
        where, inside = seen[box], change[box]
        inside[where] += alpha[box][where][:, None] * (colour - behind[box][where])
    seen = torch.ones_like(restyled, dtype=torch.bool) if from_atlases else restyled > 0
    if settings.foreground_only:
        colour = source[seen] + change[seen] / restyled[seen][:, None]
        opacity = restyled * pixels[..., 3] if frame.shape[2] == 4 else restyled
        return _cut_out(colour, opacity, seen, frame.dtype)
    result = frame.copy()
    box = slices_around(seen, 0)
    where = seen[box]
    colour = behind[box][where] + change[box][where]
    result[box][where.cpu().numpy(), :3] = _whole_numbers(colour, frame.dtype)
    return result


def _matte(parts: Sequence[Part], index: int, source: Tensor, frame: np.ndarray) -> np.ndarray:
    """Return where the parts are that are to be mattes: white, and opaque where there is alpha."""
    shared = shared_alphas(parts, index, source)
    shown = torch.stack([alpha for part, alpha in shared if part.is_matte]).sum(0).clamp(0, 1)
    result = np.full_like(frame, np.iinfo(frame.dtype).max)
    result[..., :3] = _whole_numbers(shown, frame.dtype)[..., None]
    return result


def shared_alphas(
    parts: Sequence[Part], index: int, source: Tensor
) -> Iterator[tuple[Part, Tensor]]:
    """Yield each part with its alpha [H, W] in the frame ``source``; their sum is at most 1.

    What is in front takes its alpha first; that of a background is what is left.
    """
    covered = torch.zeros(source.shape[:2], device=source.device)
    for part in parts:
        if part.is_background:
            alpha = 1 - covered
        else:
            own = part.layers.alpha[index].to(source.device)
            alpha = full_alpha(grow_alpha(own) if part.fill else own, source.shape[:2])
            alpha = torch.minimum(alpha, 1 - covered)
            covered = covered + alpha
        yield part, alpha


def part_colours(
    source: Tensor,  # [H, W, 3]
    part: Part,
    index: int,
    *,
    alpha: Tensor,  # [H, W]
    settings: RenderSettings,
) -> tuple[Tensor, Tensor | None]:
    """Return what a part shows where ``alpha`` is above 0, [N, 3], and the light on its atlas.

    The light [N, 3] is what a stylized atlas's colours are multiplied by; that of the footage's own
    atlas is `part_gain`, and None here.
    """
    seen, layers = alpha > 0, part.layers
    light = None
    if part.fill is not None:
        return _at_frame(part.fill.colours(index), source)[seen], None
    if part.atlas is not None:
        colour, light = _stylized_colours(
            source, part, part.atlas, index, alpha=alpha, settings=settings
        )
    elif settings.composite == "atlas" and not settings.foreground_only:
        colour = _at_frame(layers.foreground[index], source)[seen]
    else:
        colour = source[seen]
    if part.edits:
        uv = resize(layers.uv[index].to(source), source.shape[:2])
        gained = part_gain(source, part, index)[seen]
        for edit in part.edits:
            is_stylized = isinstance(edit, AtlasEdit) and edit.stylized
            own = light if is_stylized and light is not None else gained
            colour = edit.apply(colour, uv, seen, own)
        colour = colour.clamp(0, 1)
    return colour, light


def part_gain(source: Tensor, part: Part, index: int) -> Tensor:
    """Return the `gain` of a part's layers at the size of the frame ``source``, [H, W, 3]."""
    return _at_frame(measure_gain(part.layers, index), source)


def _stylized_colours(
    source: Tensor,  # [H, W, 3]
    part: Part,
    atlas: StylizedAtlas,
    index: int,
    *,
    alpha: Tensor,  # [H, W]
    settings: RenderSettings,
) -> tuple[Tensor, Tensor]:
    """Return the restyled colours where ``alpha`` is above 0, [N, 3], and their light [N, 3]."""
    layers, size, seen = part.layers, source.shape[:2], alpha > 0
    uv = resize(layers.uv[index].to(source.device), size)  # [H, W, 2]
    length = max(size)
    box = slices_around(seen, MARGIN)
    wide = slices_around(seen, reach(atlas.statistics, length))
    light = shading(source[wide], alpha[wide], atlas.statistics, length)[seen[wide]]  # [N]
    albedo = atlas.at_pixels(uv[box], seen[box])
    if settings.match_sharpness and not atlas.holds_light:  # a network learned the blur as well
        blur = footage_blur(luminance(source[box]), seen[box])
        if part.flow_residual is not None:
            residual = part.flow_residual[index]
            scale = length / max(residual.shape)
            residual = resize(residual.to(source)[..., None], size)[box][..., 0]
            blur = blur_with_residual(blur, residual * scale)
        albedo = blur_to_footage(albedo, seen[box], blur)
    stylized = atlas.lit(albedo, light)  # [N, 3]
    plain = source[seen]  # what strength goes back to
    if settings.composite == "atlas":
        plain = _at_frame(layers.foreground[index], source)[seen]
    elif settings.composite == "residual" and atlas.holds_light:
        stylized = plain + stylized - _at_frame(layers.foreground[index], source)[seen]
    light = torch.ones_like(light) if atlas.holds_light else light
    if settings.keep_detail:
        kept = kept_detail(source, part, alpha=alpha).pow(settings.keep_detail)
        stylized, light = stylized * kept[:, None], light * kept
    colour = torch.lerp(plain, stylized.clamp(0, 1), settings.strength)
    return colour, light[:, None].expand(-1, 3)


def kept_detail(source: Tensor, part: Part, *, alpha: Tensor) -> Tensor:
    """Return what the light of a stylized part is multiplied by where all detail is kept, [N].

    ``source`` [H, W, 3] is the footage's frame; the pixels are those where ``alpha`` is above 0.
    """
    atlas, seen, length = part.atlas, alpha > 0, max(source.shape[:2])
    assert atlas is not None, "only a texture that replaces the footage's lacks its detail"
    wide = slices_around(seen, reach(atlas.statistics, length))
    return detail(
        source[wide], alpha[wide], atlas.statistics, length, shaded=not atlas.holds_light
    )[seen[wide]]


def _at_frame(picture: Tensor, frame: Tensor) -> Tensor:
    """Bring a layer's colours [h, w, 3] to size, kind and device of ``frame`` [H, W, 3]."""
    return resize(picture.to(frame), frame.shape[:2])


def _cut_out(colour: Tensor, alpha: Tensor, seen: Tensor, dtype: np.dtype) -> np.ndarray:
    result = np.zeros((*alpha.shape, 4), dtype)
    where = seen.cpu().numpy()
    result[where, :3] = _whole_numbers(colour, dtype)
    result[where, 3] = _whole_numbers(alpha[seen], dtype)
    return result


def _whole_numbers(values: Tensor, dtype: np.dtype) -> np.ndarray:
    most = np.iinfo(dtype).max
    return (values.clamp(0, 1) * most).round().cpu().numpy().astype(dtype)


def resize(picture: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Bring a picture [h, w, C] to ``size`` (H, W), bilinear."""
    scaled = functional.interpolate(
        picture.permute(2, 0, 1)[None], tuple(size), mode="bilinear", align_corners=False
    )
    return scaled[0].permute(1, 2, 0)


def full_alpha(alpha: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Bring ``alpha`` [h, w] to ``size`` (H, W); what is below the floor becomes 0.

    What is enlarged is made steeper about one half, by as much as reducing and enlarging have
    made it flatter. That came nearer to true masks than a guided filter with the footage's edges
    (``docs/decisions/0005-alpha-upsampling.md``).
    """
    if alpha.shape != size:
        alpha = resize(alpha[..., None], size)[..., 0]
        alpha = ((alpha - 0.5) * STEEPNESS + 0.5).clamp(0, 1)
    rescaled = (alpha - ALPHA_FLOOR) / (1 - 2 * ALPHA_FLOOR)
    return rescaled.clamp(0, 1)
