"""The photographs of `shared/photos`, and which of them are for training.

Every second material picture of a label is kept aside for measuring, and so is its copy among the
unlabelled ones. `one-of-each-class` is never trained on.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

# What the folders of `materials` are called here; None leaves them unlabelled.
LABELS = {
    "bamboo": "bamboo", "bark": "bark", "brick": "brick", "carpet": "carpet",
    "chainmail": "chainmail", "concrete": "concrete", "fabric": "fabric",
    "forest_floor": "forest floor", "granite": "granite", "grass": "grass",
    "gravel_pebbles": "pebbles", "ice": "ice", "ice_frost": "ice", "lava": "lava",
    "leaves": "leaves", "marble": "marble", "metal": "metal", "metal_plate": "metal",
    "moss": "moss", "mud": "mud", "object_cardboard": "cardboard", "object_glass": "glass",
    "object_metal": "metal", "object_paper": "paper", "object_plastic": "plastic",
    "onyx": "onyx", "paving_stone": "paving stone", "rock": "rock", "roof_tiles": "roof tiles",
    "rust": "rust", "sand": "sand", "snow": "snow", "soil": "soil", "soil_ploughed": "soil",
    "terrazzo": "terrazzo", "tiles_ceramic": "tiles", "travertine": "travertine", "wood": "wood",
}  # fmt: skip
NOT_FREE = "Unsplash licence (not CC)"  # such material pictures are measured, not trained on
LONGEST = 384  # pixels kept of a photograph's longer side


@dataclass(frozen=True)
class Photographs:
    """Pictures of bytes [H, W, 3]: unlabelled ones, and those of each material."""

    plain: list[np.ndarray]
    materials: dict[str, list[np.ndarray]]


def read_picture(file: Path, longest: int = LONGEST) -> np.ndarray:
    """Return a picture [H, W, 3] of bytes, RGB, with its longer side at most ``longest``."""
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if picture is None:
        raise OSError(f"{file} is no picture.")
    factor = longest / max(picture.shape[:2])
    if factor < 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def material_rows(root: Path, *, held_out: bool) -> list[dict[str, str]]:
    """Return the rows of `labels.csv` of one half of each folder."""
    with (root / "materials" / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    seen: dict[str, int] = {}
    chosen = []
    for row in rows:
        seen[row["label"]] = seen.get(row["label"], -1) + 1
        aside = seen[row["label"]] % 2 == 1 or row["licence"] == NOT_FREE
        if aside == held_out:
            chosen.append(row)
    return chosen


def load_photographs(root: Path) -> Photographs:
    """Read all that is for training from ``root``, the folder `photos`."""
    aside = {row["same_image_in_pack"] for row in material_rows(root, held_out=True)}
    files = [file for file in sorted((root / "pack").glob("*.jpg")) if file.name not in aside]
    plain = [read_picture(file) for file in files]
    materials: dict[str, list[np.ndarray]] = {}
    for row in material_rows(root, held_out=False):
        picture = read_picture(root / "materials" / row["file"])
        plain.append(picture)
        if row["label"] in LABELS:
            materials.setdefault(LABELS[row["label"]], []).append(picture)
    return Photographs(plain, materials)
