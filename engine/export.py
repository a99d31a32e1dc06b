"""The parts of a finished job as files for other programs: atlases, uv, alpha, and a checkerboard.

Everything is read from the cache; nothing is computed anew but pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import manifest, previews
from .contract.events import EngineError, Fault
from .contract.files import read_json, write_text
from .contract.folder import JobFolder
from .contract.job import JobSpec, Stage
from .decomposition.layers import Layers, load_layers, of_background
from .evaluation.checkerboard import Board, checkered, sheet
from .stylization import candidates
from .stylization.atlas import StylizedAtlas
from .stylization.atlas_files import load_atlas
from .stylization.previews import evenly_lit
from .video.exr import encode_planes
from .video.frames import source_frames
from .video.images import write_png
from .video.movie_writer import write_movie
from .workspace import Cache, explained

LAYER_FILE = "layers/{:05d}.exr"
SHEET_FRAMES = 12


@dataclass(frozen=True)
class _Layer:
    """One object or the background, and what it became."""

    name: str
    layers: Layers
    stylized: StylizedAtlas | None


def export_job(job: JobFolder, out: Path, cache: Cache) -> list[Path]:
    """Write the parts of the finished ``job`` into ``out``; returns what to look at first.

    Atlases are PNG with alpha, uv and alpha one EXR for each frame, ``export.json`` says what is
    what. Raises EngineError where the job is not finished or the cache does not hold it.
    """
    spec, keys = job.read_spec(), _keys(job)
    layers = _layers(spec, keys, cache)
    with explained(out):
        (out / "layers").mkdir(parents=True, exist_ok=True)
        for each in layers:
            _write_atlases(each, out)
        _write_frames(layers, out)
        _write_checkerboard(spec, layers, out)
        write_text(out / "export.json", json.dumps(_facts(layers), indent=1))
    return [out / "export.json", out / "checkerboard.mp4", out / "checkerboard.png"]


def _keys(job: JobFolder) -> dict[str, list[str]]:
    try:
        return read_json(job.report)["keys"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EngineError(
            Fault.BAD_JOB, f"{job.path} has no finished result.", "Run the job first."
        ) from error


def _layers(spec: JobSpec, keys: dict[str, list[str]], cache: Cache) -> list[_Layer]:
    """Return all objects, from front to back, and the background."""
    found = [load_layers(folder) for folder in _folders(Stage.DECOMPOSITION, keys, cache)]
    behind = of_background(found, is_bare=not spec.objects)
    names = [previews.numbered("foreground", index) for index in range(len(spec.objects))]
    texts = [*(item.texts for item in spec.objects), spec.background]
    atlases = iter(_stylized(spec, keys, cache))
    return [
        _Layer(name, layers, None if each.empty else next(atlases))
        for name, layers, each in zip(
            [*names, "background"], [*found[: len(names)], behind], texts, strict=True
        )
    ]


def _folders(stage: Stage, keys: dict[str, list[str]], cache: Cache) -> list[Path]:
    return [_there(cache.folder(stage, key), stage, cache) for key in keys[stage.value]]


def _there(folder: Path, stage: Stage, cache: Cache) -> Path:
    if folder.is_dir():
        return folder
    raise EngineError(
        Fault.BAD_JOB,
        f"The job's {stage.value} is not in the cache {cache.path}: {folder.name}.",
        "Give the job's own --cache, or run the job again: it then is there.",
    )


def _stylized(spec: JobSpec, keys: dict[str, list[str]], cache: Cache) -> Iterator[StylizedAtlas]:
    """Yield the atlases that the frames show, also where the training was ended early."""
    stage, shown = Stage.STYLIZATION, spec.settings.render
    for key in keys[stage.value]:
        early = candidates.saved_early(cache.part(stage, key), snapshot=shown.snapshot)
        if early is not None and not cache.has(stage, key):
            yield load_atlas(early)
            continue
        folder = _there(cache.folder(stage, key), stage, cache)
        yield load_atlas(
            candidates.choose(folder, candidate=shown.candidate, snapshot=shown.snapshot)
        )


def _write_atlases(layer: _Layer, out: Path) -> None:
    coverage = layer.layers.coverage
    write_png(out / f"{layer.name}.png", _with_alpha(layer.layers.atlas, coverage))
    if layer.stylized is not None:
        side = layer.layers.atlas.shape[0]
        picture = evenly_lit(layer.stylized, side, torch.device("cpu"))
        write_png(out / f"{layer.name}_stylized.png", _with_alpha(picture, coverage))


def _with_alpha(colours: Tensor, alpha: Tensor) -> np.ndarray:
    joined = torch.cat([colours, alpha[..., None]], 2).clamp(0, 1)
    return (joined * 255).round().byte().numpy()


def _write_frames(layers: Sequence[_Layer], out: Path) -> None:
    tags = {"software": f"Strip Stylizer {manifest.version()}"}
    for frame in range(len(layers[0].layers.alpha)):
        planes: dict[str, np.ndarray] = {}
        for each in layers:
            uv, alpha = each.layers.uv[frame].numpy(), each.layers.alpha[frame].numpy()
            planes |= {
                f"{each.name}.UV.U": uv[..., 0].astype(np.float32),
                f"{each.name}.UV.V": 1 - uv[..., 1].astype(np.float32),
                f"{each.name}.UV.A": alpha.astype(np.float16),
            }
        path = out / LAYER_FILE.format(frame)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(encode_planes(planes, tags))
        part.replace(path)


def _write_checkerboard(spec: JobSpec, layers: Sequence[_Layer], out: Path) -> None:
    """Write the movie and the sheet; of the background only where there is no object."""
    shown = [each.layers for each in layers[:-1]] or [layers[-1].layers]
    boards = [Board.over(each) for each in shown]
    chosen = np.linspace(0, len(shown[0].alpha) - 1, SHEET_FRAMES).round().astype(int)
    kept: list[np.ndarray] = []

    def frames() -> Iterator[np.ndarray]:
        for index, source in enumerate(source_frames(spec.footage)):
            picture = checkered(source, index, shown, boards)
            kept.extend(picture for number in chosen if number == index)
            yield picture

    write_movie(out / "checkerboard.mp4", frames(), spec.footage.frames_per_second)
    write_png(out / "checkerboard.png", sheet(kept))


def _facts(layers: Sequence[_Layer]) -> dict[str, Any]:
    frames, height, width = layers[0].layers.alpha.shape
    return {
        "engine": manifest.version(),
        "frames": frames,
        "size": [width, height],
        "uv": "U to the right, V up, 0 to 1 over the atlas; centres of texels at (n + 0.5) / side",
        "alpha": "UV.A is the layer's opacity in the frame, straight",
        "layers": [
            {
                "name": each.name,
                "atlas": f"{each.name}.png",
                "stylized": f"{each.name}_stylized.png" if each.stylized is not None else None,
                "side": each.layers.atlas.shape[0],
            }
            for each in layers
        ],
        "frames_files": [LAYER_FILE.format(frame) for frame in range(frames)],
    }
