"""Outlines of objects as filled masks; knows nothing of materials."""

import cv2
import numpy as np

SIDE = 128
Drawing = tuple[tuple, ...]

# In units of a hundredth: ("oval", x, y, half width, half height, turn), ("line", width, x, y, ...)
# and ("shape", x, y, ...).
DRAWINGS: dict[str, Drawing] = {
    "swan": (("oval", 55, 68, 33, 17, -6), ("line", 9, 27, 64, 19, 47, 25, 32, 20, 20),
             ("oval", 17, 19, 8, 6, 15), ("shape", 2, 22, 12, 16, 12, 24),
             ("shape", 74, 66, 97, 44, 86, 76), ("shape", 50, 60, 80, 44, 88, 62)),
    "boat": (("shape", 3, 56, 97, 50, 84, 80, 14, 80), ("shape", 38, 56, 40, 36, 62, 36, 66, 56),
             ("line", 2, 50, 36, 50, 10), ("line", 2, 28, 56, 28, 20)),
    "car": (("shape", 4, 70, 5, 52, 24, 47, 36, 30, 68, 30, 80, 47, 96, 52, 97, 70),
            ("oval", 24, 71, 10, 10, 0), ("oval", 77, 71, 10, 10, 0)),
    "dog": (("oval", 52, 50, 28, 14, 0), ("oval", 20, 32, 12, 9, 15), ("shape", 4, 34, 16, 28, 16,
        41),
            ("shape", 24, 26, 34, 20, 31, 45), ("line", 9, 33, 56, 30, 88), ("line", 8, 40, 56,
                42, 88),
            ("line", 9, 70, 54, 74, 88), ("line", 8, 64, 54, 62, 88), ("line", 5, 78, 44, 94, 26)),
    "person": (("oval", 50, 13, 9, 10, 0), ("shape", 36, 26, 64, 26, 60, 58, 40, 58),
               ("line", 11, 44, 56, 40, 96), ("line", 11, 56, 56, 61, 96), ("line", 8, 37, 29, 26,
                   58),
               ("line", 8, 63, 29, 74, 56)),
    "woman": (("oval", 50, 13, 8, 10, 0), ("shape", 41, 24, 59, 24, 56, 42, 72, 78, 28, 78, 44, 42),
              ("line", 6, 44, 76, 43, 97), ("line", 6, 56, 76, 58, 97), ("line", 6, 41, 27, 28, 52),
              ("line", 6, 59, 27, 73, 48)),
    "suit": (("shape", 36, 8, 64, 8, 84, 18, 92, 78, 78, 80, 74, 44, 74, 96, 26, 96, 26, 44, 22, 80,
              8, 78, 16, 18),),
    "horse": (("oval", 54, 46, 27, 14, 0), ("line", 15, 34, 42, 20, 20), ("oval", 13, 22, 12, 6,
        -40),
              ("line", 7, 37, 54, 34, 95), ("line", 7, 44, 54, 47, 95), ("line", 7, 72, 52, 76, 95),
              ("line", 7, 66, 52, 62, 95), ("line", 5, 79, 40, 91, 68)),
    "cat": (("oval", 52, 68, 22, 25, 0), ("oval", 46, 33, 17, 15, 0), ("shape", 31, 30, 31, 8, 44,
        20),
            ("shape", 49, 20, 62, 8, 62, 30), ("line", 6, 70, 86, 92, 80, 90, 56)),
    "bear": (("oval", 50, 62, 27, 28, 0), ("oval", 50, 27, 18, 16, 0), ("oval", 35, 14, 7, 7, 0),
             ("oval", 65, 14, 7, 7, 0), ("oval", 24, 54, 9, 15, 30), ("oval", 76, 54, 9, 15, -30),
             ("oval", 34, 88, 12, 10, 0), ("oval", 66, 88, 12, 10, 0)),
    "fish": (("oval", 45, 50, 34, 20, 0), ("shape", 72, 50, 97, 28, 92, 50, 97, 72),
             ("shape", 36, 34, 56, 16, 62, 36)),
    "bird": (("oval", 48, 55, 26, 17, 20), ("oval", 24, 36, 11, 11, 0), ("shape", 4, 40, 16, 33,
        16, 42),
             ("shape", 64, 58, 97, 82, 60, 74), ("line", 3, 46, 70, 44, 92), ("line", 3, 54, 70,
                 56, 92)),
    "house": (("shape", 14, 44, 50, 8, 86, 44, 80, 44, 80, 94, 20, 94, 20, 44),),
    "vase": (("shape", 38, 6, 62, 6, 57, 26, 78, 52, 66, 94, 34, 94, 22, 52, 43, 26),),
    "shoe": (("shape", 12, 26, 40, 26, 50, 48, 86, 58, 95, 74, 92, 82, 10, 82),),
    "cup": (("shape", 18, 18, 70, 18, 64, 88, 26, 88), ("line", 6, 68, 34, 90, 36, 86, 62, 66, 66)),
    "bus": (("shape", 4, 24, 92, 24, 97, 50, 97, 76, 4, 76), ("oval", 24, 77, 9, 9, 0),
            ("oval", 76, 77, 9, 9, 0)),
    "ball": (("oval", 50, 50, 42, 42, 0),),
    "chair": (("shape", 24, 6, 36, 6, 38, 52, 76, 52, 76, 62, 26, 62), ("line", 6, 29, 60, 26, 96),
              ("line", 6, 73, 60, 76, 96), ("line", 6, 42, 60, 42, 90)),
    "guitar": (("oval", 34, 70, 24, 20, -40), ("oval", 48, 54, 15, 14, -40), ("line", 6, 52, 50,
        88, 10),
               ("shape", 84, 4, 96, 14, 90, 20, 80, 10)),
}  # fmt: skip
OBJECTS = tuple(DRAWINGS)


def draw(name: str, rng: np.random.Generator) -> np.ndarray:
    """The object's mask [SIDE, SIDE] of bytes, each point of its outline a little moved."""
    scale = 2 * SIDE / 100
    mask = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    stout = rng.uniform(0.85, 1.5)
    for kind, *numbers in DRAWINGS[name]:
        numbers = np.array(numbers) + rng.normal(0, 1.4, len(numbers))
        if kind == "line":
            numbers[0] *= stout
        if kind == "oval":
            x, y, half_width, half_height = np.maximum(numbers[:4] * scale, 1).astype(int)
            cv2.ellipse(mask, (x, y), (half_width, half_height), numbers[4], 0, 360, 255, -1)
        elif kind == "line":
            points = (numbers[1:].reshape(-1, 2) * scale).astype(np.int32)
            cv2.polylines(mask, [points], False, 255, max(2, int(numbers[0] * scale)))
        else:
            cv2.fillPoly(mask, [(numbers.reshape(-1, 2) * scale).astype(np.int32)], 255)
    if rng.random() < 0.4:  # soft corners, as of a body
        soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(2, 6))
        mask = np.where(soft > 110, 255, 0).astype(np.uint8)
    width, height = np.exp(rng.normal(0, 0.1, 2))
    turn = cv2.getRotationMatrix2D((SIDE, SIDE), rng.normal(0, 6), 0.95)
    turn = np.diag([width, height]) @ turn
    turn[:, 2] += SIDE * (1 - np.array([width, height]))
    mask = cv2.warpAffine(mask, turn, (2 * SIDE, 2 * SIDE))
    mask = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return mask[:, ::-1].copy() if rng.random() < 0.5 else mask
