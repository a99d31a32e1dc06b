"""Measures an exported encoder on pictures of a seed that training never saw."""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from tools import colours, silhouettes
from tools.bank import CLASSES, Bank, load_bank
from tools.captions import prompts
from tools.export import FOLDER, embed_texts, load
from tools.image_stage import DEVIATION, MEAN
from tools.materials import MATERIALS
from tools.scenes import Recipe, draw_batch

VIEWS = {
    "full": Recipe(full=1, part=0, negative=0),
    "part": Recipe(full=0, part=1, negative=0),
    "whole": Recipe(full=0, part=0, negative=0),
    "negative": Recipe(full=1, part=0, negative=1),
}


def embed_images(clip, pictures: torch.Tensor) -> torch.Tensor:  # [V, 3, S, S] -> [V, E]
    """Unit embeddings of pictures in [0, 1] of the model's own size."""
    return functional.normalize(clip.encode_image((pictures - MEAN) / DEVIATION), dim=-1)


def text_anchors(clip, tokenizer, names: tuple[str, ...], form: str) -> torch.Tensor:  # [n, E]
    """One direction per name: the average over the eight prefixes."""
    rows = [embed_texts(clip, tokenizer, prompts(name, form)).mean(dim=0) for name in names]
    return functional.normalize(torch.stack(rows), dim=-1)


def attacked(clip, pictures, anchors, labels, radius: float, steps: int = 5) -> torch.Tensor:
    """Pictures after an L2 attack of that radius on the naming of their material."""
    change = torch.zeros_like(pictures)
    for _ in range(steps):
        change.requires_grad_()
        scores = 25 * embed_images(clip, (pictures + change).clamp(0, 1)) @ anchors.T
        (slope,) = torch.autograd.grad(functional.cross_entropy(scores, labels), change)
        change = change.detach() + radius * 0.5 * functional.normalize(slope.flatten(1)).view_as(
            slope
        )
        size = change.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp_min(1e-9)
        change = change * (radius / size).clamp(max=1)
    return (pictures + change).clamp(0, 1)


def right(embeddings, anchors, labels) -> float:
    """Share of pictures whose nearest anchor is the right one."""
    return float((embeddings @ anchors.T).argmax(1).eq(labels).float().mean())


def measure(clip, tokenizer, bank: Bank, count: int, radius: float) -> dict[str, float]:
    """Shares of rightly named pictures, view by view."""
    side = (
        clip.visual.image_size
        if isinstance(clip.visual.image_size, int)
        else clip.visual.image_size[0]
    )
    anchors = text_anchors(clip, tokenizer, CLASSES, "{} texture")
    swans = text_anchors(clip, tokenizer, CLASSES, "swan with {}")
    found: dict[str, Any] = {}
    for name, recipe in VIEWS.items():
        pictures, labels = draw_batch(np.random.default_rng(5), bank, recipe, count, side)
        pictures, labels = torch.from_numpy(pictures), torch.from_numpy(labels)
        with torch.no_grad():
            embeddings = embed_images(clip, pictures)
        found[name] = right(embeddings, anchors, labels[:, 0])
        if name == "full":
            found["full, 'swan with'"] = right(embeddings, swans, labels[:, 0])
            hard = attacked(clip, pictures[:200], anchors, labels[:200, 0], radius)
            found[f"full, attacked {radius}"] = right(
                embed_images(clip, hard), anchors, labels[:200, 0]
            )
            tones = embed_texts(clip, tokenizer, [f"a {tone} surface" for tone in colours.NAMES])
            known = labels[:, 1] >= 0
            found["colour"] = right(embeddings[known], tones, labels[known, 1])
            found["by material"] = {
                material.name: round(right(embeddings[labels[:, 0] == i], anchors, i), 2)
                for i, material in enumerate(MATERIALS)
            }
        if name == "whole":
            things = [
                f"a photo of a {silhouettes.WORDS[thing][0]}" for thing in silhouettes.OBJECTS
            ]
            found["object"] = right(embeddings, embed_texts(clip, tokenizer, things), labels[:, 2])
    return found


def main() -> None:
    """Command line: `python -m tools.score`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    bank = load_bank(arguments.seed, 12, Path("build/encoder"))
    found = measure(*load(arguments.folder), bank, arguments.count, 0.8)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
