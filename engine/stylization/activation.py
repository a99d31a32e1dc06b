"""Where in pictures the embedded encoder sees a thing: class activation (Zhou et al. 2016).

The tower's last features are averaged over the picture before they are compared with a text; here
each place's own features are. Scores are not normalised: ground has small features, so it says
little, whatever its direction.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from ..contract.events import Report, Stopped
from .encoder import EMBEDDED, Encoder, load_encoder
from .texts import unit

LONGER_SIDES = (384, 512, 640)  # px at which pictures are looked at: one alone misses more
STRIDE = 32  # px between the places of the tower's last features


def class_activation(frames: np.ndarray, words: Sequence[str], report: Report) -> np.ndarray:
    """Return how much each place of ``frames`` looks like what one of ``words`` means.

    ``frames`` uint8 RGB [T, H, W, 3]; float32 [T, H, W], the mean over the sizes at which a frame
    is looked at. Raises EngineError WEIGHTS_UNAVAILABLE, and Stopped.
    """
    encoder = load_encoder(EMBEDDED, "cpu")
    directions = unit(encoder.embed_texts(list(words)))
    found = np.empty(frames.shape[:3], np.float32)
    for index, frame in enumerate(frames):
        if report.stopping():
            raise Stopped
        found[index] = np.mean(
            [_scores_at(encoder, directions, frame, side) for side in LONGER_SIDES], axis=0
        )
        report.progress(index + 1, len(frames))
    return found


@torch.inference_mode()
def _scores_at(
    encoder: Encoder, directions: torch.Tensor, frame: np.ndarray, longer_side: int
) -> np.ndarray:
    height, width = frame.shape[:2]
    scale = longer_side / max(height, width)
    size = [max(STRIDE, STRIDE * round(side * scale / STRIDE)) for side in (width, height)]
    picture = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0
    scores = torch.einsum("ne,vehw->vnhw", directions, encoder.embed_places(pixels)).amax(1)[0]
    return cv2.resize(scores.numpy(), (width, height), interpolation=cv2.INTER_CUBIC)
