"""Pictures with captions, in rows: what contact sheets are made of."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

CELL = (360, 240)  # width, height
CAPTION = 30
GAP = 6
PAPER, INK = 24, (232, 232, 232)


def picture_sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]]) -> np.ndarray:
    """Return one row of pictures, uint8 [H, W, 3], for each name; rows may differ in length."""
    most = max(len(pictures) for _, pictures in rows)
    empty = np.full((8, 8, 3), PAPER, np.uint8)
    return np.vstack(
        [
            np.hstack([cell(each, name) for each in [*pictures, *[empty] * (most - len(pictures))]])
            for name, pictures in rows
        ]
    )


def cell(picture: np.ndarray, caption: str, size: tuple[int, int] = CELL) -> np.ndarray:
    """Fit a picture into one cell of the sheet (width, height), with its caption below."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    across, down = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, (across, down), interpolation=method)
    field = np.full((height + CAPTION + GAP, width + GAP, 3), PAPER, np.uint8)
    top, left = (height - down) // 2, (width - across) // 2
    field[top : top + down, left : left + across] = small
    return _written(field, caption, height + 20)


def _written(picture: np.ndarray, caption: str, baseline: int) -> np.ndarray:
    plain = caption.encode("ascii", "replace").decode()
    while cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0] > picture.shape[1] - 10:
        plain = plain[:-4] + "..." if plain.endswith("...") else plain[:-1] + "..."
    cv2.putText(
        picture, plain, (4, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA
    )  # fmt: skip
    return picture
