"""Steps per second of the stylization, and where they go: a naive eager step against ours.

Both do the same work in the same process on the same device: paint three frames, cut the views,
embed them, compute the paper's losses, go back, move the atlas. The naive one is what the paper's
description gives when it is written down: all networks run over the whole crop of every frame in
every step, each view is resized, warped and cut by its own calls, and open_clip's tower is used
as it comes. Weights are random: they take the same time. Prints a table and writes JSON.

    python -m benchmarks.stylization --model ViT-L-14-quickgelu --views 24 --size 768x432
    python -m benchmarks.stylization --model small --views 6 --size 192x108 --frames 8
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import open_clip
import torch

from benchmarks.stepping.clock import Clock, timed
from benchmarks.stepping.made import Quiet, model_name, moving_ellipse, random_encoder, some_targets
from benchmarks.stepping.naive import FRAMES_PER_STEP, naive
from engine import device as devices
from engine.contract.settings import StylizationSettings, ViewsSettings
from engine.decomposition.layers import Layers
from engine.decomposition.model import AtlasNetwork
from engine.stylization import precision
from engine.stylization.canvas import cut_canvases
from engine.stylization.encoder import Encoder
from engine.stylization.network import NetworkAtlas
from engine.stylization.terms import step_terms, weighted_sum


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
    rows = {}
    if "naive" in options.rows:
        whole_tower = open_clip.create_model(model_name(options.model)).to(device).eval()
        whole_tower.requires_grad_(False)
        rows["naive"] = naive(
            layers, whole_tower, encoder, settings, max(1, options.steps // 5), device
        )
    with devices.fast_matrices(device):
        rows["ours"] = ours(layers, frames, encoder, settings, options.steps, device)
    facts = {
        "device": devices.describe(device).name,
        "torch": torch.__version__,
        "model": options.model,
        "views": options.views,
        "frames": options.frames,
        "size": options.size,
        "rows": rows,
        "portions": compare_chunks(encoder, settings, device),
    }
    if "naive" in rows:
        facts["factor"] = rows["ours"]["steps_per_second"] / rows["naive"]["steps_per_second"]
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
    parser.add_argument(
        "--steps", type=int, default=20, help="measured, after two to warm up; a fifth for naive"
    )
    parser.add_argument("--views-at-once", type=int, default=0)
    parser.add_argument("--device", default="automatic")
    parser.add_argument("--rows", nargs="+", choices=("naive", "ours"), default=["naive", "ours"])
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def settings_for(options: argparse.Namespace) -> StylizationSettings:
    """Return Standard's settings with as many views as are wanted."""
    each = options.views // FRAMES_PER_STEP
    whole = max(1, each // 4)
    views = ViewsSettings(global_views=whole, local_views=each - whole)
    return StylizationSettings(views=views, views_at_once=options.views_at_once)


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
    with clock.on("once: texels"):
        sampler = atlas.sampler(canvases, encoder.size, settings)
    optimiser = atlas.optimiser(settings)

    def step(watch: Clock) -> None:
        with watch.on("forward"):
            terms = step_terms(sampler, canvases, encoder, targets, settings, generator=generator)
            loss = weighted_sum(terms, settings.weights)
        with watch.on("backward"):
            optimiser.zero_grad()
            loss.backward()
        with watch.on("optimiser"):
            optimiser.step()

    found = timed(step, steps, clock, device)
    found["split"]["CLIP alone"] = tower_alone(encoder, settings, device)
    found["precision"] = precision_of(encoder)
    return found


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


def compare_chunks(encoder: Encoder, settings: StylizationSettings, device: torch.device) -> dict:
    """Compare the slopes of a step's views embedded at once and in portions, in one precision.

    All at once may need more than the memory that the steps were allowed.
    """
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(1.0)
    tower = lean_tower(encoder, settings, device)
    count = FRAMES_PER_STEP * (settings.views.global_views + settings.views.local_views)
    shape = (count, 3, encoder.size, encoder.size)
    pictures = torch.rand(shape, generator=devices.generator(0)).to(device)
    gradients = []
    for at_once in (0, max(1, count // 4)):
        images = pictures.clone().requires_grad_()
        embeddings = precision.in_chunks(tower, images, at_once)
        gradients.append(torch.autograd.grad(embeddings.square().sum(), images)[0].double())
    length = gradients[0].norm()
    return {
        "views": count,
        "at_once": max(1, count // 4),
        "chosen_at_once": encoder.views_at_once,
        "difference": float((gradients[0] - gradients[1]).norm() / length),
        "cosine": float((gradients[0] * gradients[1]).sum() / length / gradients[1].norm()),
    }


def lean_tower(
    encoder: Encoder, settings: StylizationSettings, device: torch.device
) -> torch.nn.Module:
    """Return the tower in the precision that is chosen here; the exact one may lie on the CPU."""
    assert encoder.lean_tower is not None, "a tower of another build is open_clip's own"
    return precision.fastest(
        encoder.lean_tower.to(device), settings.precision, encoder.size, Quiet()
    )


def precision_of(encoder: Encoder) -> str:
    """Say in which precision the tower computes."""
    device = encoder.mean.device
    tower = lean_tower(encoder, StylizationSettings(), device)
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
    if "factor" in facts:
        lines += ["", f"Ours is {facts['factor']:.1f} times as fast."]
    found = facts["portions"]
    lines += [
        "",
        f"Slopes of {found['views']} views at once and {found['at_once']} at a time: relative "
        f"difference {found['difference']:.2g}, cosine {found['cosine']:.6f}. "
        f"Chosen: {found['chosen_at_once'] or 'all'} at a time.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
