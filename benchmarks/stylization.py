"""Steps per second of the stylization, and where they go: a naive eager step against ours.

Both do the same work in the same process on the same device: paint three frames, cut the views,
embed them, compute the paper's losses, go back, move the atlas. The naive one is what the paper's
description gives when it is written down: all networks run over the whole crop of every frame in
every step, each view is resized, warped and cut by its own calls, and open_clip's tower is used
as it comes. Weights are random: they take the same time. Prints a table and writes JSON.

    python benchmarks/stylization.py --model ViT-L-14-quickgelu --views 24 --size 768x432
    python benchmarks/stylization.py --model small --views 6 --size 192x108 --frames 8
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import open_clip
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine import device as devices
from engine.contract.settings import StylizationSettings, ViewsSettings
from engine.decomposition.layers import Layers
from engine.decomposition.model import AtlasNetwork
from engine.stylization import losses, precision
from engine.stylization.atlas import NetworkAtlas
from engine.stylization.canvas import Canvases, cut_canvases
from engine.stylization.encoder import Encoder
from engine.stylization.frames import draw_frames
from engine.stylization.schedule import make_optimiser
from engine.stylization.targets import Targets
from engine.stylization.terms import step_terms, weighted
from engine.stylization.texts import unit
from engine.stylization.views import draw_views

SMALL = {
    "embed_dim": 64,
    "quick_gelu": True,
    "vision_cfg": {
        "image_size": 64, "layers": 6, "width": 192, "head_width": 64, "patch_size": 8
    },
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}  # fmt: skip
FRAMES_PER_STEP = 3


class Clock:
    """Seconds by name; on a GPU the device is waited for at every change."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, name: str):
        """Count what happens inside for ``name``."""
        self.wait()
        started = time.perf_counter()
        yield
        self.wait()
        self.seconds[name] += time.perf_counter() - started

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


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


def main() -> None:
    """Measure and print."""
    options = arguments()
    torch.manual_seed(0)
    device = devices.choose(options.device)
    width, height = (int(number) for number in options.size.split("x"))
    layers = moving_ellipse(options.frames, height, width, device)
    frames = layers.reconstruction()
    settings = settings_for(options)
    encoder = random_encoder(options.model, device)
    whole_tower = open_clip.create_model(model_name(options.model)).to(device).eval()
    whole_tower.requires_grad_(False)
    rows = {
        "naive": naive(layers, whole_tower, encoder, settings, options.steps, device),
        "ours": ours(layers, frames, encoder, settings, options.steps, device),
    }
    facts = {
        "device": devices.describe(device).name,
        "torch": torch.__version__,
        "model": options.model,
        "views": options.views,
        "frames": options.frames,
        "size": options.size,
        "rows": rows,
        "factor": rows["ours"]["steps_per_second"] / rows["naive"]["steps_per_second"],
    }
    print(table(facts))
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="small", help="an open_clip model, or small")
    parser.add_argument("--views", type=int, default=24, help="of all three frames together")
    parser.add_argument("--frames", type=int, default=70)
    parser.add_argument("--size", default="768x432")
    parser.add_argument("--steps", type=int, default=20, help="measured, after two to warm up")
    parser.add_argument("--views-at-once", type=int, default=0)
    parser.add_argument("--device", default="automatic")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def settings_for(options: argparse.Namespace) -> StylizationSettings:
    """Return Standard's settings with as many views as are wanted."""
    each = options.views // FRAMES_PER_STEP
    whole = max(1, each // 4)
    views = ViewsSettings(global_views=whole, local_views=each - whole)
    return StylizationSettings(views=views, views_at_once=options.views_at_once)


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
    return Targets(rows, rows, rows, rows, None, 0.0, None)


def ours(
    layers: Layers,
    frames: torch.Tensor,
    encoder: Encoder,
    settings: StylizationSettings,
    steps: int,
    device: torch.device,
) -> dict:
    """Measure the engine's own step."""
    clock = Clock(device)
    generator = devices.generator(0)
    with clock.on("once: canvases"):
        canvases = cut_canvases(layers, frames, settings.views)
    with clock.on("once: tower"):
        encoder.tune(settings, Quiet())
    targets = some_targets(encoder, device)
    assert layers.atlas_network is not None
    network = AtlasNetwork.from_state(layers.atlas_network).to(device)
    atlas = NetworkAtlas(network, canvases.statistics)
    optimiser = make_optimiser(atlas, settings)

    def step(watch: Clock) -> None:
        with watch.on("forward"):
            terms = step_terms(atlas, canvases, encoder, targets, settings, generator)
            loss = weighted(terms, settings.weights)
        with watch.on("backward"):
            optimiser.zero_grad()
            loss.backward()
        with watch.on("optimiser"):
            optimiser.step()

    found = timed(step, steps, clock, device)
    found["split"]["CLIP alone"] = tower_alone(encoder, settings, device)
    found["precision"] = precision_of(encoder)
    return found


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
    text = torch.randn(some_targets(encoder, device).global_neutral.shape[1], device=device)

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


def timed(step, steps: int, clock: Clock, device: torch.device) -> dict:
    """Take two steps to warm up, then measure them whole, then a quarter of them in parts."""
    unused = Clock(device)
    for _ in range(2):
        step(unused)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    free = NoClock(device)
    with clock.on("all"):
        for _ in range(steps):
            step(free)
    total = clock.seconds.pop("all")
    parts = Clock(device)
    some = max(1, steps // 4)
    for _ in range(some):
        step(parts)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    split = {name: round(1000 * value / some, 2) for name, value in parts.seconds.items()}
    split |= {name: round(1000 * value, 2) for name, value in clock.seconds.items()}
    return {
        "steps_per_second": steps / total,
        "seconds_for_2000": 2000 * total / steps,
        "peak_gigabytes": round(peak / 1e9, 2),
        "split": split,
    }


class NoClock(Clock):
    """Counts nothing and does not wait."""

    @contextmanager
    def on(self, name: str):
        """Do nothing beside."""
        yield


def tower_alone(encoder: Encoder, settings: StylizationSettings, device: torch.device) -> float:
    """Return the milliseconds that CLIP alone takes for a step's views, there and back."""
    count = FRAMES_PER_STEP * (settings.views.global_views + settings.views.local_views)
    clock = Clock(device)
    for name in ("warm", "tower", "tower", "tower"):
        images = torch.rand(count, 3, encoder.size, encoder.size, device=device)
        images.requires_grad_()
        with clock.on(name):
            encoder.embed_images(images).square().sum().backward()
    return round(1000 * clock.seconds["tower"] / 3, 2)


def precision_of(encoder: Encoder) -> str:
    """Say in which precision the tower computes."""
    device = encoder.mean.device
    if encoder.eye is None:
        return "open_clip's own tower"
    tower = precision.fastest(encoder.eye, "automatic", encoder.size, Quiet())
    return str(next(tower.buffers()).dtype).removeprefix("torch.") + f" on {device.type}"


def table(facts: dict) -> str:
    """Return the table."""
    names = list(dict.fromkeys(n for row in facts["rows"].values() for n in row["split"]))
    lines = [
        f"{facts['model']}, {facts['views']} views, {facts['frames']} frames {facts['size']}, "
        f"{facts['device']}",
        "",
        f"| | steps/s | 2000 steps | peak GB | {' | '.join(f'{name} (ms)' for name in names)} |",
        "| --- " * (4 + len(names)) + "|",
    ]
    for name, row in facts["rows"].items():
        cells = [str(row["split"].get(each, "")) for each in names]
        lines.append(
            f"| {name} | {row['steps_per_second']:.3g} | {row['seconds_for_2000']:.0f} s | "
            f"{row['peak_gigabytes']} | {' | '.join(cells)} |"
        )
    return "\n".join([*lines, "", f"Ours is {facts['factor']:.1f} times as fast."])


if __name__ == "__main__":
    main()
