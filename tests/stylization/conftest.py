"""A tiny CLIP with random weights, saved as real weights are, and a small hand-made video."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from engine.checkpoint import Checkpoint
from engine.contract.settings import StylizationSettings, ViewsSettings
from engine.decomposition.layers import Layers
from engine.stylization.encoder import Encoder, load_encoder

TINY = "tiny-for-tests"
SIZE = 32


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Random weights of a tiny model that open_clip knows, also by a -quickgelu name."""
    folder = tmp_path_factory.mktemp("encoder")
    config = {
        "embed_dim": 24,
        "vision_cfg": {
            "image_size": SIZE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8
        },
        "text_cfg": {
            "context_length": 20, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1
        },
    }  # fmt: skip
    for name, quick in ((TINY, False), (f"{TINY}-quickgelu", True)):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(config | {"quick_gelu": quick}))
        open_clip.add_model_config(path)
    torch.manual_seed(0)
    state = open_clip.create_model(TINY).state_dict()
    save_file({name: t.contiguous() for name, t in state.items()}, folder / "tiny.safetensors")
    torch.save(state, folder / "tiny.pt")
    return folder / "tiny.safetensors"


@pytest.fixture(scope="session")
def encoder_name(weights: Path) -> str:
    return f"{TINY}:{weights}"


@pytest.fixture(scope="session")
def encoder(encoder_name: str) -> Encoder:
    return load_encoder(encoder_name, "cpu")


@pytest.fixture
def layers() -> Layers:
    return moving_disc()


@pytest.fixture
def settings(encoder_name: str) -> StylizationSettings:
    return StylizationSettings(
        encoder=encoder_name,
        steps=6,
        atlas="texture",
        learning_rate=0.05,
        snapshot_every=3,
        distillation_steps=2,
        views=ViewsSettings(global_views=1, local_views=2, noise=0.02),
    )


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "stylization.pt", seconds=1e9)


def moving_disc(frames: int = 4, height: int = 40, width: int = 56) -> Layers:
    """A soft disc that moves two pixels a frame over a ramp; its atlas is twice as high as wide."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centres = 20.0 + 2 * torch.arange(frames)
    dx = columns[None] + 0.5 - centres[:, None, None]
    dy = (rows + 0.5 - 20.0)[None].expand_as(dx)
    alpha = (12.5 - (dx**2 + dy**2).sqrt()).clamp(0, 1)
    uv = torch.stack([0.5 + dx / 80, 0.5 + dy / 40], 3)
    foreground = torch.stack([uv[..., 0], uv[..., 1], torch.full_like(dx, 0.3)], 3).clamp(0, 1)
    background = (columns / width)[None, ..., None].expand(frames, height, width, 3).float()
    side = 32
    steps = (torch.arange(side) + 0.5) / side
    atlas = torch.stack(
        [
            steps.expand(side, side),
            steps[:, None].expand(side, side),
            torch.full((side, side), 0.3),
        ],
        2,
    )
    return Layers(
        uv, alpha, foreground, background.contiguous(), atlas, torch.ones(side, side), atlas, uv
    )


class Listener:
    """A report that remembers, and asks for a stop after ``stop_after`` steps.

    ``ahead`` holds what was said before the first step; ``steps`` are counted from there.
    """

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.ahead: list[tuple[int, int]] = []
        self.steps: list[int] = []
        self.terms: list[dict[str, float]] = []
        self.pictures: dict = {}
        self.warnings: list[str] = []

    def progress(self, step, total, terms=None):
        if terms is None:
            self.ahead.append((step, total))
            return
        self.steps.append(step - (self.ahead[-1][0] if self.ahead else 0))
        self.terms.append(dict(terms))

    def preview(self, name, image):
        self.pictures[name] = image

    def warning(self, message, hint=""):
        self.warnings.append(f"{message} {hint}")

    def stopping(self):
        return self.stop_after is not None and len(self.steps) >= self.stop_after


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def make_listener():
    return Listener


@pytest.fixture
def make_disc():
    return moving_disc
