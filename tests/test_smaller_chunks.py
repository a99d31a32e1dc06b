"""Where the memory of a GPU runs out, the work goes on in smaller chunks and gives the same."""

import weakref
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from engine import device as devices
from engine.checkpoint import Checkpoint
from engine.contract.job import TargetTexts
from engine.contract.settings import (
    DecompositionSettings,
    GridSettings,
    RenderSettings,
    StylizationSettings,
    ViewsSettings,
)
from engine.decomposition.grid import chunks, mapping, textures
from engine.decomposition.train import decompose
from engine.render import Part, stylized_frames
from engine.stylization import atlas as atlases
from engine.stylization import precision
from engine.stylization.encoder import load_encoder
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import TextureAtlas
from engine.stylization.train import stylize

from .pretended import DEVICE, pretending
from .stylization.conftest import moving_disc
from .synthetic import moving_sprite

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB"


class Listener:
    """A report that keeps warnings."""

    def __init__(self):
        self.warnings = []

    def progress(self, step, total, terms=None):
        pass

    def preview(self, name, image):
        pass

    def warning(self, message, hint=""):
        if message not in self.warnings:
            self.warnings.append(message)

    def stopping(self):
        return False


@pytest.fixture(autouse=True)
def usual_chunks(monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(devices.at_once, "part", 1.0)


def refused(monkeypatch, owner, name, is_too_much):
    """Let a function say what an allocator says where ``is_too_much(*arguments)``; counts that."""
    function, refusals = getattr(owner, name), []

    def limited(*arguments, **words):
        if is_too_much(*arguments):
            refusals.append(None)
            raise torch.OutOfMemoryError(FULL)
        return function(*arguments, **words)

    monkeypatch.setattr(owner, name, limited)
    return refusals


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError(FULL), RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
     RuntimeError("MPS backend out of memory (MPS allocated: 7.9 GB)")],
)  # fmt: skip
def test_chunks_become_smaller_until_they_fit(monkeypatch, error):
    report, held, gone = Listener(), [], []
    monkeypatch.setattr(devices, "release_memory", lambda: gone.append(held[-1]() is None))

    def compute():
        large = torch.ones(8)
        held.append(weakref.ref(large))
        if devices.at_once(64) > 16:
            raise type(error)(str(error))
        return devices.at_once(64)

    assert devices.within_memory(compute, report) == 16
    assert gone == [True, True]  # what the failed operation held is not held when it is tried again
    assert len(report.warnings) == 1 and "smaller chunks" in report.warnings[0]


def test_what_fits_in_no_chunk_and_what_is_no_lack_of_memory_is_raised():
    tries = []

    def compute():
        tries.append(devices.at_once(1 << 20))
        raise torch.OutOfMemoryError(FULL)

    with pytest.raises(torch.OutOfMemoryError):
        devices.within_memory(compute, Listener())
    assert tries == [1 << 20 >> halved for halved in range(5)]
    for error in (RuntimeError("shape mismatch"), ValueError("out of memory")):
        with pytest.raises(type(error)):
            devices.within_memory(lambda error=error: (_ for _ in ()).throw(error), Listener())


def decomposed(footage, path, device, report):
    settings = DecompositionSettings(grid=GridSettings(steps=2, atlas_size=32))
    return devices.within_memory(
        lambda: decompose(
            footage.frames, footage.flow, footage.given_masks(), settings, device=device, seed=0,
            report=report, checkpoint=Checkpoint(path),
        ),
        report,
    )  # fmt: skip


def test_a_decomposition_is_the_same_in_smaller_chunks(tmp_path, monkeypatch):
    footage, report = moving_sprite(frames=5, width=72, height=48), Listener()
    for module in (chunks, textures):
        monkeypatch.setattr(module, "PIXELS", 5 * 72 * 48)
    with pretending():
        whole = decomposed(footage, tmp_path / "whole.pt", DEVICE, report)
        assert not report.warnings
        refusals = refused(
            monkeypatch, mapping.Background, "uv", lambda _, frames, *__: len(frames) > 2
        )
        smaller = decomposed(footage, tmp_path / "smaller.pt", DEVICE, report)
    assert refusals and devices.at_once.part < 1 and len(report.warnings) == 1
    for name in ("uv", "alpha", "foreground", "background", "atlas", "uv_background"):
        ours, theirs = (getattr(each, name).float() for each in (whole, smaller))
        assert torch.allclose(ours, theirs, atol=5e-3), name


def stylized(encoder, path, report):
    settings = StylizationSettings(
        encoder="embedded", steps=3, atlas="texture", learning_rate=0.05, snapshot_every=3,
        views=ViewsSettings(global_views=1, local_views=2),
    )  # fmt: skip
    path.parent.mkdir()
    layers = moving_disc()
    frames = (layers.reconstruction() * 255).round().byte()
    return devices.within_memory(
        lambda: stylize(
            layers, frames, TargetTexts("zebra", "zebra"), settings, encoder=encoder, device="cpu",
            seed=0, report=report, checkpoint=Checkpoint(path),
        ),
        report,
    )  # fmt: skip


def test_a_stylization_is_the_same_with_fewer_views_at_a_time(tmp_path, monkeypatch):
    report = Listener()
    encoder = load_encoder("embedded", "cpu")
    whole = stylized(encoder, tmp_path / "whole" / "c.pt", report)
    assert encoder.views_at_once == 0 and not report.warnings
    chunked = precision.in_chunks

    def limited(tower, images, at_once):
        def small(part):
            if len(part) > 3:
                raise torch.OutOfMemoryError(FULL)
            return tower(part)

        return chunked(small, images, at_once)

    monkeypatch.setattr(precision, "in_chunks", limited)
    smaller = stylized(encoder, tmp_path / "smaller" / "c.pt", report)
    assert encoder.views_at_once == 2 and len(report.warnings) == 1  # of 9
    pictures = [each.albedo_picture() for each in (whole, smaller)]
    assert torch.allclose(*pictures, atol=1e-3)


def test_frames_are_the_same_in_smaller_chunks(monkeypatch):
    steps = (torch.arange(96) + 0.5) / 96
    uv = torch.stack([steps.expand(64, 96), steps[:64, None].expand(64, 96)], 2)
    layers: Any = SimpleNamespace(alpha=torch.ones(2, 64, 96), uv=uv.expand(2, -1, -1, -1))
    picture = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    statistics = ShadingStatistics(0.5, 0.3)
    part = Part(layers, ChunkedAtlas(statistics, picture, torch.zeros(2), torch.ones(2)))
    source = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3)).astype(np.uint8)
    settings = replace(RenderSettings(), match_sharpness=False)

    def rendered():
        return list(stylized_frames(source, [part], settings, device=torch.device("cpu")))

    whole, report = rendered(), Listener()
    refusals = refused(monkeypatch, ChunkedAtlas, "albedo", lambda _, uv: len(uv) > 1000)
    monkeypatch.setattr(atlases, "AT_ONCE", 4000)
    again = devices.within_memory(rendered, report)
    assert len(refusals) >= 2 and devices.at_once.part == 0.25
    assert np.array_equal(whole, again) and len(report.warnings) == 1


class ChunkedAtlas(TextureAtlas):
    """A texture that is read as the paper's network is, some pixels at a time."""

    def at_pixels(self, uv, where):
        return atlases.StylizedAtlas.at_pixels(self, uv, where)
