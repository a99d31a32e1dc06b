"""Paints a grey object with each of twenty materials as a Draft job would, and asks both judges.

The engine's own stylization does the work: one picture stands for a video of one frame. Writes one
contact sheet; look at it, for the judges share the painters with the encoder.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.checkpoint import Checkpoint
from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationSettings, preset
from engine.decomposition.layers import Layers
from engine.stylization.encoder import Encoder
from engine.stylization.shading import shading as measured_light
from engine.stylization.train import stylize
from tools import silhouettes
from tools.bank import SIDE as TILE
from tools.bank import background, shading
from tools.export import FOLDER, load
from tools.judge import WITNESSES, name_material
from tools.materials import MATERIALS
from tools.materials import paint as paint_tile

TWENTY = {
    "zebra": "zebra fur", "tiger": "tiger fur", "leopard": "leopard fur",
    "crocodile": "crocodile skin", "brick": "bricks", "gold": "shiny gold",
    "rust": "rusty metal", "iron": "shiny medieval iron armor", "wood": "oak wood",
    "walnut": "dark walnut wood", "cactus": "cactus skin", "moss": "moss", "flowers": "flowers",
    "ice": "blue ice", "water": "water", "lava": "lava", "fire": "fire", "galaxy": "galaxy",
    "knit": "knitted wool", "stained glass": "stained glass",
}  # fmt: skip
SIDE = 208
JUDGED_VIEWS = 48
JUDGED_SIZES = (0.15, 0.4)  # of the picture's side
COVERED = 0.8


class Quiet:
    """A report that says nothing and stops nothing."""

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        """Ignore it."""

    def preview(self, name: str, image: Any) -> None:
        """Ignore it."""

    def warning(self, message: str, hint: str = "") -> None:
        """Print it."""
        print(message, hint)

    def stopping(self) -> bool:
        """Never."""
        return False


def grey_object(thing: str, seed: int) -> tuple[Layers, Tensor]:
    """A grey, shaded object before a landscape: its layers and its one frame [1, S, S, 3]."""
    rng = np.random.default_rng(seed)
    grounds = ("clouds", "leaves", "concrete", "bark", "grass", "brick", "moss", "sand", "water",
               "cobblestone", "snow", "wood", "denim")  # fmt: skip
    tiles = {material.name: paint_tile(material, seed, TILE)[None]
             for material in MATERIALS if material.name in grounds}  # fmt: skip
    mask = cv2.resize(silhouettes.draw(thing, rng), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    light = cv2.resize(shading(rng).astype(np.float32), (SIDE, SIDE)).clip(0.45, 1.6)
    behind = cv2.resize(background(rng, tiles), (SIDE, SIDE)).astype(np.float32) / 255
    alpha = torch.from_numpy(mask.astype(np.float32) / 255)[None]
    grey = torch.from_numpy(0.5 * light)[None, ..., None].expand(1, SIDE, SIDE, 3).clamp(0, 1)
    scene = torch.from_numpy(behind)[None]
    line = (torch.arange(SIDE) + 0.5) / SIDE
    v, u = torch.meshgrid(line, line, indexing="ij")
    uv = torch.stack([u, v], 2)[None]
    layers = Layers(uv, alpha, grey, scene, grey[0].contiguous(), alpha[0], scene[0], uv)
    return layers, layers.reconstruction()


def settings_of(steps: int) -> StylizationSettings:
    """The Draft preset's; its views of three frames are all of the one frame here."""
    draft = preset("draft").stylization
    views = replace(
        draft.views,
        global_views=draft.frames_per_step * draft.views.global_views,
        local_views=draft.frames_per_step * draft.views.local_views,
    )
    return replace(draft, views=views, steps=steps)


@dataclass(frozen=True)
class Painting:
    """One result: the picture [S, S, 3] in [0, 1] and, judge by judge, all names, best first."""

    material: str
    picture: np.ndarray
    verdicts: dict[str, list[tuple[str, float]]]

    def named_by(self, judge: str) -> bool:
        """Whether that judge's first name is the material."""
        return self.verdicts[judge][0][0] == self.material


def paint_object(
    encoder: Encoder, thing: str, material: str, words: str, *, steps: int, seed: int
) -> Painting:
    """Let the engine paint the object, and the judges look at local views of it."""
    layers, frames = grey_object(thing, seed)
    settings = settings_of(steps)
    texts = TargetTexts(f"{thing} with {words}", f"{words} texture")
    with tempfile.TemporaryDirectory() as folder:
        state = Checkpoint(Path(folder) / "state.pt", seconds=1e9)
        atlas = stylize(layers, frames, texts, settings, encoder=encoder, device="cpu", seed=seed,
                        report=Quiet(), checkpoint=state)  # fmt: skip
    with torch.no_grad():
        light = measured_light(frames[0], layers.alpha[0], atlas.statistics)
        colours = atlas.paint(layers.uv[0].flatten(0, 1), light.flatten()).view(frames[0].shape)
    alpha = layers.alpha[0, ..., None]
    picture = (alpha * colours + (1 - alpha) * layers.background[0]).clamp(0, 1)
    seen = local_views(picture, layers.alpha[0], seed + 1)
    verdicts = {judge: name_material(seen, judge) for judge in WITNESSES}
    return Painting(material, picture.numpy(), verdicts)


def local_views(picture: Tensor, alpha: Tensor, seed: int) -> Tensor:
    """Square views [V, 3, s, s] of a picture [S, S, 3] that the object [S, S] mostly fills."""
    rng = np.random.default_rng(seed)
    views = []
    for _ in range(JUDGED_VIEWS):
        x, y, size = covered_square(alpha, rng)
        view = picture[y : y + size, x : x + size].permute(2, 0, 1)[None]
        views.append(functional.interpolate(view, (64, 64), mode="bilinear", antialias=True))
    return torch.cat(views)


def covered_square(alpha: Tensor, rng: np.random.Generator) -> tuple[int, int, int]:
    """A random square (left, top, side) that the object mostly fills, as far as it is not thin."""
    best, most = (0, 0, SIDE), -1.0
    for _ in range(100):
        size = int(rng.uniform(*JUDGED_SIZES) * SIDE)
        x, y = (int(place) for place in rng.integers(0, SIDE - size, 2))
        covered = float(alpha[y : y + size, x : x + size].mean())
        if covered > most:
            best, most = (x, y, size), covered
        if covered >= COVERED:
            break
    return best


def labelled(painting: Painting, side: int = 160) -> np.ndarray:
    """The picture over what it should be and what each judge says; [side + 30, side, 3] bytes."""
    picture = cv2.resize(painting.picture, (side, side), interpolation=cv2.INTER_AREA)
    strip = np.full((30, side, 3), 255, np.uint8)
    said = ", ".join(f"{names[0][0]} {names[0][1]:.2f}" for names in painting.verdicts.values())
    everybody = all(painting.named_by(judge) for judge in painting.verdicts)
    for line, text, tone in ((12, painting.material, (0, 0, 0)),
                             (26, said, (0, 110, 0) if everybody else (190, 0, 0))):  # fmt: skip
        cv2.putText(strip, text, (2, line), cv2.FONT_HERSHEY_SIMPLEX, 0.32, tone, 1, cv2.LINE_AA)
    return np.concatenate([(picture * 255).astype(np.uint8), strip])


def write_sheet(paintings: list[Painting], file: Path, columns: int = 5) -> None:
    """All pictures in rows of `columns`."""
    blocks = [labelled(painting) for painting in paintings]
    blocks += [np.full_like(blocks[0], 255)] * (-len(blocks) % columns)
    rows = [np.concatenate(blocks[i : i + columns], axis=1) for i in range(0, len(blocks), columns)]
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))


def main() -> None:
    """Command line: `python -m tools.optimise_pictures`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the encoder's files")
    parser.add_argument("--sheet", type=Path, default=Path("build/optimised.png"))
    parser.add_argument("--materials", nargs="*", choices=TWENTY, default=list(TWENTY))
    parser.add_argument("--object", default="swan", choices=silhouettes.OBJECTS)
    parser.add_argument("--steps", type=int, default=preset("draft").stylization.steps)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = Encoder(*load(arguments.folder))
    paintings = []
    for material in arguments.materials:
        painting = paint_object(encoder, arguments.object, material, TWENTY[material],
                                steps=arguments.steps, seed=arguments.seed)  # fmt: skip
        best = {judge: names[:2] for judge, names in painting.verdicts.items()}
        print(material, json.dumps(best), flush=True)
        paintings.append(painting)
        write_sheet(paintings, arguments.sheet)
    for judge in WITNESSES:
        right = sum(painting.named_by(judge) for painting in paintings)
        print(f"{judge}: {right} of {len(paintings)} named right")


if __name__ == "__main__":
    main()
