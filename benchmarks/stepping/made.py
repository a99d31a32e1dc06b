"""A made decomposition and random weights: they take the same time as real ones."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import open_clip
import torch

from engine.decomposition.layers import Layers
from engine.decomposition.model import AtlasNetwork
from engine.stylization.encoder import Encoder
from engine.stylization.targets import Targets
from engine.stylization.texts import unit

SMALL = {
    "embed_dim": 64,
    "quick_gelu": True,
    "vision_cfg": {
        "image_size": 64, "layers": 6, "width": 192, "head_width": 64, "patch_size": 8
    },
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}  # fmt: skip


class Quiet:
    """A report that says nothing."""

    def progress(self, step, total, terms=None):
        """Ignore it."""

    def preview(self, name, image):
        """Ignore it."""

    def warning(self, message, hint=""):
        """Say it, for it means that a fast path was not taken."""
        print("warning:", message)

    def stopping(self):
        """Never."""
        return False


def model_name(model: str) -> str:
    """Return the name by which open_clip knows ``model``."""
    if model != "small":
        return model
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stylization-benchmark.json"
        path.write_text(json.dumps(SMALL), encoding="utf-8")
        open_clip.add_model_config(path)
    return "stylization-benchmark"


def random_encoder(model: str, device: torch.device) -> Encoder:
    """Return an encoder with random weights."""
    name = model_name(model)
    network = open_clip.create_model(name)
    return Encoder(network, open_clip.get_tokenizer(name)).to(device)


def moving_ellipse(frames: int, height: int, width: int, device: torch.device) -> Layers:
    """Return a decomposition of an object that fills about a tenth of the picture."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    middle = width / 3 + torch.arange(frames, device=device) * width / 4 / frames
    dx = columns[None] - middle[:, None, None]
    dy = (rows[None] - height / 2).expand_as(dx)
    inside = 1 - ((dx / (0.2 * width)) ** 2 + (dy / (0.28 * height)) ** 2).sqrt()
    alpha = (inside * 0.1 * width).clamp(0, 1)
    uv = torch.stack([0.5 + dx / width, 0.5 + dy / width], 3)
    colours = torch.stack([uv[..., 0], uv[..., 1], 0.5 + 0 * dx], 3).clamp(0, 1)
    behind = torch.rand(height, width, 3, device=device).expand(frames, -1, -1, -1)
    picture = torch.rand(64, 64, 3, device=device)
    network = {name: t.to(device) for name, t in AtlasNetwork().state_dict().items()}
    return Layers(
        uv, alpha, colours, behind.contiguous(), picture, torch.ones(64, 64, device=device),
        picture, uv, network,
    )  # fmt: skip


def some_targets(encoder: Encoder, device: torch.device) -> Targets:
    """Return random texts: they take the same time."""
    images = torch.rand(1, 3, encoder.size, encoder.size, device=device)
    length = encoder.embed_images(images).shape[1]
    rows = unit(torch.randn(8, length, device=device))
    return Targets(rows, rows, None, 0.0, None)
