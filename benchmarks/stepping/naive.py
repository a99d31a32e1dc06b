"""The step as it is written down in the paper: nothing is kept, nothing is shared."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine import device as devices
from engine.contract.settings import StylizationSettings
from engine.decomposition.layers import Layers
from engine.decomposition.model import AtlasNetwork
from engine.stylization import losses
from engine.stylization.canvas import Canvases, cut_canvases
from engine.stylization.encoder import Encoder
from engine.stylization.terms import draw_frames
from engine.stylization.views import draw_views

from .clock import Clock, timed
from .made import some_targets

FRAMES_PER_STEP = 3


def naive(
    layers: Layers,
    model: torch.nn.Module,
    encoder: Encoder,
    settings: StylizationSettings,
    steps: int,
    device: torch.device,
) -> dict:
    """Measure the step as it is written down: nothing is kept, nothing is shared."""
    clock = Clock(device)
    generator = devices.generator(0)
    canvases = cut_canvases(layers, layers.reconstruction(), settings.views, everywhere=True)
    assert layers.atlas_network is not None
    network = AtlasNetwork.from_state(layers.atlas_network).to(device)
    behind = AtlasNetwork.from_state(layers.atlas_network).to(device).requires_grad_(False)
    optimiser = torch.optim.Adam(network.parameters(), settings.learning_rate)
    directions, _ = some_targets(encoder, device).average()
    text = torch.randn(len(directions), device=device)

    def step(watch: Clock) -> None:
        with watch.on("forward"):
            loss = naive_loss(canvases, network, behind, model, encoder, settings, text, generator)
        with watch.on("backward"):
            optimiser.zero_grad()
            loss.backward()
        with watch.on("optimiser"):
            optimiser.step()

    return timed(step, steps, clock, device)


def naive_loss(
    canvases: Canvases,
    network: torch.nn.Module,
    behind: torch.nn.Module,
    model: torch.nn.Module,
    encoder: Encoder,
    settings: StylizationSettings,
    text: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Paint every pixel of three crops, cut one view after the other, embed and compare."""
    numbers = [canvas.frame for canvas in canvases.canvases]
    whole, close, sparse = [], [], []
    for place in draw_frames(numbers, FRAMES_PER_STEP, window=None, generator=generator):
        canvas = canvases.canvases[place]
        height, width = canvas.fields.shape[1:]
        uv, alpha = canvas.fields[:2].flatten(1).T, canvas.fields[2]
        colours = network(uv)
        back = behind(uv - 1).T.reshape(3, height, width)
        front = colours.T.reshape(3, height, width)
        picture = alpha * front + (1 - alpha) * back
        sparse.append(losses.sparsity(colours, alpha.flatten()))
        for kind, into in zip(
            draw_views(canvas.subject, settings.views, generator), (whole, close), strict=True
        ):
            for number in range(len(kind.crops)):
                view = one_view(picture, alpha, kind, number, encoder.size)
                seen = (view - encoder.mean) / encoder.deviation
                into.append(model.encode_image(seen[None]))  # type: ignore[operator]
    seen = torch.cat(whole).unflatten(0, (FRAMES_PER_STEP, -1))
    near = torch.cat(close).unflatten(0, (FRAMES_PER_STEP, -1))
    return (
        losses.global_similarity(seen, text)
        + losses.local_similarity(near, text)
        + losses.temporal(seen, [0, 1, 2], sigma=5.0, literal=True)
        + torch.stack(sparse).mean()
    )


def one_view(picture, alpha, views, number, size):
    """Cut, resize, warp and mask one view, each by its own call."""
    left, top, width, height = (round(float(value)) for value in views.crops[number])
    rows = slice(max(0, top), max(1, top + height))
    columns = slice(max(0, left), max(1, left + width))
    both = torch.cat([picture, alpha[None]])[:, rows, columns]
    both = functional.interpolate(both[None], (size, size), mode="bilinear", antialias=True)
    warp = views.warps[number].float().to(both)
    steps = torch.linspace(-1, 1, size, device=both.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    plane = torch.stack([x, y, torch.ones_like(x)], 2) @ warp.T
    seen = functional.grid_sample(
        both, (plane[..., :2] / plane[..., 2:])[None], align_corners=False
    )[0]
    return seen[:3] * seen[3:] if bool(views.black[number]) else seen[:3]
