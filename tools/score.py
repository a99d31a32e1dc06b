"""Measures an exported encoder on pictures of a seed that training never saw."""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from tools import colours, silhouettes
from tools.bank import CLASSES, NEGATIVES, Bank, load_bank
from tools.captions import PREFIXES, WORDS
from tools.export import FOLDER, embed_texts, load
from tools.image_stage import DEVIATION, MEAN
from tools.paraphrases import FRAMES, PARAPHRASES
from tools.scenes import Recipe, draw_batch

VIEWS = {
    "full": Recipe(full=1, part=0, negative=0, even=True),
    "lit": Recipe(full=1, part=0, negative=0, noise=0.02, dark=0, even=True),
    "part": Recipe(full=0, part=1, negative=0, even=True),
    "whole": Recipe(full=0, part=0, negative=0, even=True),
    "negative": Recipe(full=1, part=0, negative=1),
}
RADII = (0.8, 1.2)  # the mean of training's attacks, about, and the largest of them
ATTACKED = 300
PLAIN = "{} texture"
SEEN_FORMS = ("{}", "{} texture", "swan with {}", "boat made of {}", "dog covered in {}",
              "chair with {} pattern")  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the share of right names, and the goal."""

    what: str
    found: float
    goal: float | None = None

    def text(self) -> str:
        """The line in Markdown."""
        goal = "" if self.goal is None else f"{self.goal:.2f}"
        return f"| {self.what} | {self.found:.3f} | {goal} |"


def embed_images(clip, pictures: torch.Tensor) -> torch.Tensor:  # [V, 3, S, S] -> [V, E]
    """Unit embeddings of pictures in [0, 1] of the model's own size."""
    parts = [clip.encode_image((part - MEAN) / DEVIATION) for part in pictures.split(250)]
    return functional.normalize(torch.cat(parts), dim=-1)


def text_anchors(clip, tokenizer, names: tuple[str, ...], form: str = PLAIN) -> torch.Tensor:
    """One direction [n, E] per class: the average over its plain name behind eight prefixes."""
    texts = [prefix.format(form.format(WORDS[name][0])) for name in names for prefix in PREFIXES]
    rows = embed_texts(clip, tokenizer, texts).view(len(names), len(PREFIXES), -1)
    return functional.normalize(rows.mean(dim=1), dim=-1)


def attacked(clip, pictures, anchors, labels, radius: float, steps: int = 10) -> torch.Tensor:
    """Pictures after an L2 attack of that radius on the naming of their material."""
    change = torch.zeros_like(pictures)
    for _ in range(steps):
        change.requires_grad_()
        scores = 25 * embed_images(clip, (pictures + change).clamp(0, 1)) @ anchors.T
        (slope,) = torch.autograd.grad(functional.cross_entropy(scores, labels), change)
        slope = functional.normalize(slope.flatten(1)).view_as(slope)
        change = change.detach() + 0.3 * radius * slope
        size = change.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp_min(1e-9)
        change = change * (radius / size).clamp(max=1)
    return (pictures + change).clamp(0, 1)


def right(embeddings, anchors, labels, best: int = 1) -> float:
    """Share of pictures whose right anchor is among the `best` nearest."""
    near = (embeddings @ anchors.T).topk(best, dim=1).indices
    return float((near == labels[:, None]).any(dim=1).float().mean())


class Measurement:
    """An encoder, held-out views with labels, and what is found on them."""

    def __init__(self, clip, tokenizer, names: tuple[str, ...], bank: Bank, count: int) -> None:
        self.clip, self.tokenizer, self.names = clip, tokenizer, names
        self.anchors = text_anchors(clip, tokenizer, names)
        self.views = {view: self.draw(bank, recipe, count) for view, recipe in VIEWS.items()}

    @torch.no_grad()
    def draw(self, bank: Bank, recipe: Recipe, count: int):
        """Pictures of classes that the encoder was taught, their labels [V, 3] and embeddings."""
        side = self.clip.visual.image_size
        side = side if isinstance(side, int) else side[0]
        pictures, labels = draw_batch(np.random.default_rng(5), bank, recipe, count, side)
        places = {CLASSES.index(name): place for place, name in enumerate(self.names)}
        kept = np.array([label in places for label in labels[:, 0]])
        labels = labels[kept]
        labels[:, 0] = [places[label] for label in labels[:, 0]]
        pictures = torch.from_numpy(pictures[kept])
        return pictures, torch.from_numpy(labels), embed_images(self.clip, pictures)

    def named(self, view: str, anchors: torch.Tensor, best: int = 1) -> float:
        """Share of a view's pictures whose material is among the best."""
        _, labels, embeddings = self.views[view]
        return right(embeddings, anchors, labels[:, 0], best)

    def texts(self, texts: list[str]) -> torch.Tensor:  # [n, E]
        """Unit embeddings of sentences."""
        return embed_texts(self.clip, self.tokenizer, texts)

    def materials(self) -> list[Row]:
        """The names of materials in all views."""
        swans = text_anchors(self.clip, self.tokenizer, self.names, "swan with {}")
        return [
            Row("full, top-1", self.named("full", self.anchors), 0.9),
            Row("full, top-5", self.named("full", self.anchors, 5), 0.98),
            Row("full and well lit, top-1", self.named("lit", self.anchors), 0.9),
            Row("full and well lit, top-5", self.named("lit", self.anchors, 5), 0.98),
            Row("full, texts 'swan with ...'", self.named("full", swans)),
            Row("part of an object", self.named("part", self.anchors)),
            Row("whole object in a scene, top-1", self.named("whole", self.anchors), 0.8),
            Row("whole object in a scene, top-5", self.named("whole", self.anchors, 5)),
            Row("negatives by their names", self.named("negative", self.anchors)),
        ]

    def colours_and_things(self) -> list[Row]:
        """The names of colours on full views, of objects on whole ones."""
        _, labels, embeddings = self.views["full"]
        known = labels[:, 1] >= 0
        tones = self.texts([f"a {tone} surface" for tone in colours.NAMES])
        _, whole_labels, whole = self.views["whole"]
        words = [silhouettes.WORDS[thing][0] for thing in silhouettes.OBJECTS]
        things = self.texts([f"a photo of a {word}" for word in words])
        return [
            Row("colour (12)", right(embeddings[known], tones, labels[known, 1]), 0.95),
            Row("object (20)", right(whole, things, whole_labels[:, 2]), 0.75),
        ]

    def paraphrases(self) -> list[Row]:
        """Names by sentences that training says, and by sentences that it never says."""
        rest = {name: WORDS[name][0] for name in self.names}
        unseen = rest | {name: text for name, text in PARAPHRASES.items() if name in rest}
        means = []
        for forms, texts in ((SEEN_FORMS, rest), (FRAMES, unseen)):
            shares = [
                self.named("full", self.texts([form.format(texts[name]) for name in self.names]))
                for form in forms
            ]
            means.append(float(np.mean(shares)))  # fmt: skip
        seen, other = means
        return [Row("full, single sentences of training", seen),
                Row("full, paraphrases never trained on", other, seen - 0.05)]  # fmt: skip

    def robustness(self) -> list[Row]:
        """Names of attacked full views."""
        pictures, labels, _ = (part[:ATTACKED] for part in self.views["full"])
        rows = []
        for radius, goal in zip(RADII, (0.6, 0.6), strict=True):
            hard = attacked(self.clip, pictures, self.anchors, labels[:, 0], radius)
            with torch.no_grad():
                found = right(embed_images(self.clip, hard), self.anchors, labels[:, 0])
            rows.append(Row(f"full, L2 attack of {radius}, ten steps", found, goal))
        return rows

    def by_class(self, view: str) -> dict[str, float]:
        """Share rightly named, class by class, the worst first."""
        _, labels, embeddings = self.views[view]
        shares = {}
        for place, name in enumerate(self.names):
            here = labels[:, 0] == place
            if here.any():
                shares[name] = round(right(embeddings[here], self.anchors, labels[here, 0]), 2)
        return dict(sorted(shares.items(), key=lambda item: item[1]))

    def rows(self) -> list[Row]:
        """The whole table."""
        return self.materials() + self.colours_and_things() + self.paraphrases() + self.robustness()


def milliseconds_per_view(clip, side: int = 64, views: int = 16, rounds: int = 10) -> float:
    """Processor time of one thread, forward and backward, divided by the views."""
    pictures = torch.rand(views, 3, side, side, requires_grad=True)
    for turn in range(rounds + 2):
        if turn == 2:
            began = time.process_time()
        clip.encode_image(pictures).sum().backward()
    return 1000 * (time.process_time() - began) / rounds / views


def taught(folder: Path) -> tuple[str, ...]:
    """The classes of the encoder in that folder, as far as they are painted here."""
    knows: dict[str, Any] = json.loads((folder / "knows.json").read_text())
    known = {*knows["materials"], *knows["negatives"]}
    return tuple(name for name in CLASSES if name in known or name in NEGATIVES)


def main() -> None:
    """Command line: `python -m tools.score`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--json", type=Path, help="also write everything into this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    bank = load_bank(arguments.seed, 12, Path("build/encoder"))
    names = taught(arguments.folder)
    clip, tokenizer = load(arguments.folder)
    measured = Measurement(clip, tokenizer, names, bank, arguments.count)
    rows, speed = measured.rows(), milliseconds_per_view(clip)
    print(f"{len(names)} classes, {speed:.1f} ms per view forward and backward\n")
    print("| views | rightly named | goal |\n| --- | --- | --- |")
    print("\n".join(row.text() for row in rows))
    worst = {view: dict(list(measured.by_class(view).items())[:12])
             for view in ("full", "whole", "negative")}  # fmt: skip
    print("\n".join(f"weakest, {view}: {shares}" for view, shares in worst.items()))
    if arguments.json:
        found = {"rows": {row.what: [row.found, row.goal] for row in rows},
                 "milliseconds": speed, "weakest": worst}  # fmt: skip
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
