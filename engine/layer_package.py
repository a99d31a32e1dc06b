"""Writes the layer package of a job: its layers as files for artists and their programs.

What is in it describes `contract.layers`; `layer_reader` rebuilds the frames from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import manifest, previews
from .ahead import ahead
from .contract.events import Report, Stopped
from .contract.job import BACKGROUND, LayerFiles
from .contract.layers import LIVE_PICTURES, LayerPackage, PackageLayer, write_manifest
from .contract.settings import RenderSettings
from .decomposition.layers import sample_atlas
from .editing.inverse import TexelGrid, places_of_texels
from .render import Part, kept_detail, part_colours, part_gain, resize, shared_alphas
from .stylization.previews import evenly_lit
from .video.exr import encode_planes
from .video.images import write_png

FRAME_FILE = "frames/{:05d}.exr"
PLATE_FILE = "plates/{:05d}.png"
MATTES, ST_MAPS, INVERSE_ST_MAPS, LIVE = "mattes", "st_maps", "inverse_st_maps", "live"
DEEP = 65535
LEAST_SEEN = 1e-3  # of what nearer layers leave of a pixel; of less no alpha can be told
AT_ONCE = 3  # frames that are written, some 100 MB each at 1080p
PICTURE = "picture"  # the only plane of a PNG
Planes = dict[str, np.ndarray]  # channels of one picture, [H, W] each


@dataclass(frozen=True)
class _Layer:
    """A part under its name, and the picture that stands in its file, [S, S, 4] in [0, 1]."""

    facts: PackageLayer
    part: Part
    picture: Tensor


def write_package(
    folder: Path,
    source: Iterable[np.ndarray],
    parts: Sequence[Part],
    settings: RenderSettings,
    *,
    frames_per_second: float,
    extras: LayerFiles,
    report: Report,
) -> LayerPackage:
    """Write the package of ``parts`` into ``folder`` and return what its manifest says.

    ``parts`` are all objects, from front to back, and the background as the last. ``source`` are
    the footage's frames at its own size, as `stylized_frames` takes them. Raises OSError, Stopped.
    """
    settings = replace(settings, foreground_only=False)
    names = _names(parts)
    layers = [
        _written_atlases(part, name, folder, settings)
        for part, name in zip(parts, names, strict=True)
    ]
    if extras.live:
        layers = _with_live(layers)
    total, size = len(parts[0].layers.alpha), (0, 0)

    def frames() -> Iterator[tuple[int, np.ndarray, dict[Path, Planes]]]:
        for index, frame in enumerate(source):
            files = _frame_files(folder, frame, index, layers, settings=settings, extras=extras)
            yield index, frame, files

    def write(made: tuple[int, np.ndarray, dict[Path, Planes]]) -> tuple[int, tuple[int, int]]:
        index, frame, found = made
        for path, planes in found.items():
            _write_planes(path, planes)
        return index, (frame.shape[1], frame.shape[0])

    for index, written in ahead(write, frames(), most=AT_ONCE):
        if report.stopping():
            raise Stopped
        report.progress(index + 1, total)
        size = written
    package = LayerPackage(
        engine=manifest.version(),
        width=size[0],
        height=size[1],
        frames_per_second=frames_per_second,
        layers=tuple(each.facts for each in layers),
        frame_files=_frame_names(FRAME_FILE, total if extras.frames else 0),
        plates=_frame_names(PLATE_FILE, total if extras.plates else 0),
        mattes=MATTES if extras.mattes else "",
        st_maps=ST_MAPS if extras.st_maps else "",
        inverse_st_maps=INVERSE_ST_MAPS if extras.st_maps else "",
        live=LIVE if extras.live else "",
    )
    write_manifest(package, folder)
    return package


def _frame_names(name: str, count: int) -> tuple[str, ...]:
    return tuple(name.format(index) for index in range(count))


def _names(parts: Sequence[Part]) -> list[str]:
    """Name the layers: foreground, foreground_2, ..., background."""
    return [
        "background" if part.is_background else previews.name_of_object("foreground", index)
        for index, part in enumerate(parts)
    ]


def _with_live(layers: Sequence[_Layer]) -> list[_Layer]:
    """Let the layers be live that were changed; where none was, all of them."""
    changed = [each.part.is_changed for each in layers]
    return [
        replace(each, facts=replace(each.facts, live=is_changed or not any(changed)))
        for each, is_changed in zip(layers, changed, strict=True)
    ]


def _written_atlases(part: Part, name: str, folder: Path, settings: RenderSettings) -> _Layer:
    """Write the footage's own atlas and, where the layer was restyled, the one it has become."""
    layers, number = part.layers, _number(name)
    source = f"{name}.png"
    own = _deep(layers.atlas, layers.coverage)
    write_png(folder / source, own)
    facts = PackageLayer(name, number, source, source, layers.atlas.shape[0])
    if part.is_changed:
        shown = _deep(_changed_atlas(part), layers.coverage)
        facts = replace(facts, atlas=f"{name}_changed.png", stylized=part.atlas is not None)
        write_png(folder / facts.atlas, shown)
        own = shown
    if part.atlas is not None:
        facts = replace(facts, keep_detail=settings.keep_detail)
    return _Layer(facts, part, torch.from_numpy(own.astype(np.float32)) / DEEP)


def _number(name: str) -> int:
    if name == "background":
        return BACKGROUND
    return int(name.partition("_")[2] or 1) - 1


@torch.no_grad()
def _changed_atlas(part: Part) -> Tensor:
    """Return the atlas that the frames show, under even light, with all edits, [S, S, 3]."""
    side = part.layers.atlas.shape[0]
    colours = part.layers.atlas
    if part.atlas is not None:
        colours = evenly_lit(part.atlas.cpu(), side, torch.device("cpu"))
    uv = TexelGrid((0.0, 0.0), (1.0, 1.0), side, side).uv()
    everywhere = torch.ones(side, side, dtype=torch.bool)
    changed = colours.reshape(-1, 3)
    for edit in part.edits:
        changed = edit.apply(changed, uv, everywhere, torch.ones_like(changed))
    return changed.reshape(side, side, 3)


def _deep(colours: Tensor, alpha: Tensor) -> np.ndarray:
    joined = torch.cat([colours, alpha[..., None]], 2).clamp(0, 1)
    return (joined * DEEP).round().cpu().numpy().astype(np.uint16)


@torch.no_grad()
def _frame_files(
    folder: Path,
    frame: np.ndarray,
    index: int,
    layers: Sequence[_Layer],
    *,
    settings: RenderSettings,
    extras: LayerFiles,
) -> dict[Path, Planes]:
    """Return all files of one frame and what is in them."""
    pixels = torch.from_numpy(frame[..., :3].astype(np.float32)) / np.iinfo(frame.dtype).max
    files: dict[Path, Planes] = {}
    whole: Planes = {}
    plate = np.zeros(pixels.shape, np.float32)
    shared = shared_alphas([each.part for each in layers], index, pixels)
    hidden = np.zeros(pixels.shape[:2], np.float32)  # by nearer live layers
    for layer, (_, alpha) in zip(layers, shared, strict=True):
        name = layer.facts.name
        found, colours = _planes(layer, pixels, index, alpha=alpha, settings=settings)
        plate += (alpha[..., None] * colours).numpy()
        whole |= {f"{name}.{plane}": values for plane, values in found.items()}
        if layer.facts.live:
            kept = _kept_detail(layer, pixels, alpha)
            for kind, planes in _live_pictures(found, kept, hidden).items():
                files[folder / LIVE / name / kind / f"{index:05d}.exr"] = planes
            hidden += found["UV.A"]
        if extras.mattes:
            matte = (alpha * DEEP).round().numpy().astype(np.uint16)
            files[folder / MATTES / name / f"{index:05d}.png"] = {PICTURE: matte}
        if extras.st_maps:
            u, v = found["UV.U"], found["UV.V"]
            st_map = {"R": u, "G": v, "B": np.zeros_like(u)}
            files[folder / ST_MAPS / name / f"{index:05d}.exr"] = st_map
            inverse = _inverse_st_map(layer, index)
            files[folder / INVERSE_ST_MAPS / name / f"{index:05d}.exr"] = inverse
    if extras.frames:
        files[folder / FRAME_FILE.format(index)] = whole
    if extras.plates:
        shown = (plate.clip(0, 1) * DEEP).round().astype(np.uint16)
        files[folder / PLATE_FILE.format(index)] = {PICTURE: shown}
    return files


def _planes(
    layer: _Layer, pixels: Tensor, index: int, *, alpha: Tensor, settings: RenderSettings
) -> tuple[Planes, Tensor]:
    """Return the planes of a layer, [H, W] each, at the size of ``pixels``, and its colours.

    ``pixels`` [H, W, 3] are the footage's.
    """
    part, seen = layer.part, alpha > 0
    uv = resize(part.layers.uv[index], pixels.shape[:2])
    u, v = uv.unbind(2)
    light, rest, colours = torch.zeros(3, *pixels.shape)
    if seen.any():
        colour, own = part_colours(pixels, part, index, alpha=alpha, settings=settings)
        own = part_gain(pixels, part, index)[seen] if own is None else own
        own = own.half().float()  # what is rounded in the file is made up for by the rest
        light[seen] = own
        colours[seen] = colour
        rest[seen] = colour - sample_atlas(layer.picture[..., :3], uv[seen]) * own
    found: Planes = {"UV.U": u.float().numpy(), "UV.V": (1 - v).float().numpy()}
    found["UV.A"] = alpha.numpy().astype(np.float16)
    for name, values in (("Light", light), ("Rest", rest)):
        for channel, plane in zip("RGB", values.unbind(2), strict=True):
            found[f"{name}.{channel}"] = plane.numpy().astype(np.float16)
    return found, colours


def _kept_detail(layer: _Layer, pixels: Tensor, alpha: Tensor) -> np.ndarray:
    """Return what the light is multiplied by where all detail is kept, [H, W]."""
    kept, seen = torch.ones_like(alpha), alpha > 0
    if layer.facts.keep_detail is not None and seen.any():
        kept[seen] = kept_detail(pixels, layer.part, alpha=alpha)
    return kept.numpy()


def _live_pictures(found: Planes, kept: np.ndarray, hidden: np.ndarray) -> dict[str, Planes]:
    """Return the three pictures of a live layer, see `contract.layers.LIVE_PICTURES`.

    ``hidden`` [H, W] is the alpha of all live layers in front of it. Laid over each other from back
    to front they give the sum of the equation.
    """
    own = found["UV.A"].astype(np.float32)
    alpha = np.where(hidden < 1 - LEAST_SEEN, own / np.maximum(1 - hidden, LEAST_SEEN), 0)
    alpha = alpha.clip(0, 1)
    light = {channel: found[f"Light.{channel}"] for channel in "RGB"}
    rest = {
        channel: (found[f"Rest.{channel}"].astype(np.float32) * alpha).astype(np.float16)
        for channel in "RGB"
    }
    uv = {"R": found["UV.U"], "G": found["UV.V"], "B": kept.astype(np.float16)}
    pictures = uv, light, {**rest, "A": alpha.astype(np.float16)}
    return dict(zip(LIVE_PICTURES, pictures, strict=True))


def _inverse_st_map(layer: _Layer, index: int) -> Planes:
    """Return for each texel where in the frame it lies (R right, G up, 0 to 1), and A: whether.

    It is as large as the atlas picture.
    """
    layers, side = layer.part.layers, layer.facts.side
    alpha = layers.alpha[index]
    texels = TexelGrid((0.0, 0.0), (1.0, 1.0), side, side)
    places, found = places_of_texels(layers.uv[index], alpha, texels)
    height, width = alpha.shape
    x, y = ((places + 0.5) / places.new_tensor([width, height])).unbind(2)
    planes = {"R": x, "G": 1 - y, "B": torch.zeros_like(x), "A": torch.ones_like(x)}
    return {name: torch.where(found, plane, 0.0).numpy() for name, plane in planes.items()}


def _write_planes(path: Path, planes: Planes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        write_png(path, planes[PICTURE])
    else:
        tags = {"software": f"Strip Stylizer {manifest.version()}"}
        path.write_bytes(encode_planes(planes, tags))
