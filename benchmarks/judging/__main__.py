"""Judge finished frames, whoever made them.

    python -m benchmarks.judging FRAMES MASKS LOOK [OBJECT]

FRAMES and MASKS are folders of images, one mask for each frame, white on black. LOOK and OBJECT
are names in `kin.py`, such as zebra and dog. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from engine.video.images import image_names, read_image, read_rgb

from .judge import judge_frames
from .kin import LOOKS, OBJECTS


def read_frames(folder: Path) -> list[np.ndarray]:
    """Return the images of ``folder`` in the order of their names, uint8 [H, W, 3]."""
    return [read_rgb(folder / name) for name in image_names(folder)]


def read_masks(folder: Path) -> np.ndarray:
    """Return the masks of ``folder``, bool [T, H, W]: where its images are bright."""
    return np.stack([read_image(folder / name)[..., 0] > 127 for name in image_names(folder)])


def main() -> None:
    """Judge one folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("frames", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("look", choices=LOOKS)
    parser.add_argument("object", nargs="?", choices=OBJECTS, default="")
    options = parser.parse_args()
    frames, masks = read_frames(options.frames), read_masks(options.masks)
    count = min(len(frames), len(masks))  # of a part of a clip there may be all masks
    print(json.dumps(judge_frames(frames[:count], masks[:count], options.look, options.object)))


if __name__ == "__main__":
    main()
