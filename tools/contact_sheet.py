"""Draws every material into one picture, so that a person can judge them at a glance."""

import argparse
from pathlib import Path

import cv2
import numpy as np

from tools.materials import MATERIALS, paint
from tools.materials.material import Material


def labelled(material: Material, seeds: range, side: int) -> np.ndarray:
    """Samples of one material side by side, its name below; [side + 14, n * side, 3]."""
    pictures = np.concatenate([paint(material, seed, side) for seed in seeds], axis=1)
    strip = np.full((14, pictures.shape[1], 3), 255, np.uint8)
    cv2.putText(
        strip, material.name, (3, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA
    )
    return np.concatenate([pictures, strip])


def sheet(seeds: range, side: int, columns: int) -> np.ndarray:
    """All materials in rows of `columns`; [H, W, 3] RGB."""
    blocks = [labelled(material, seeds, side) for material in MATERIALS]
    while len(blocks) % columns:
        blocks.append(np.full_like(blocks[0], 255))
    rows = [np.concatenate(blocks[i : i + columns], axis=1) for i in range(0, len(blocks), columns)]
    return np.concatenate(rows)


def main() -> None:
    """Command line: `python -m tools.contact_sheet`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("build/materials.png"))
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--side", type=int, default=112)
    arguments = parser.parse_args()
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    picture = sheet(range(arguments.seed, arguments.seed + 2), arguments.side, 7)
    cv2.imwrite(str(arguments.file), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
