"""What the embedded encoder sees where in pictures: dense features, and class activation.

Class activation (Zhou et al. 2016) says where a thing is. The tower's last features are averaged
over the picture before they are compared with a text; here each place's own features are. Scores
are not normalised: ground has small features, so it says little, whatever its direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch

from ..contract.events import Report, Stopped
from .encoder import EMBEDDED, Encoder, load_encoder
from .texts import unit

LONGER_SIDES = (384, 512, 640)  # px at which pictures are looked at: one alone misses more
FEATURE_SIDE = 512  # px of the longer side, for dense features
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
    places = encoder.embed_places(_scale(frame, longer_side))
    scores = torch.einsum("ne,vehw->vnhw", directions, places).amax(1)[0]
    return cv2.resize(scores.numpy(), (width, height), interpolation=cv2.INTER_CUBIC)


def _scale(frame: np.ndarray, longer_side: int) -> torch.Tensor:
    """Return ``frame`` with sides that the tower takes, float32 [1, 3, h, w] in [0, 1]."""
    scale = longer_side / max(frame.shape[:2])
    size = [max(STRIDE, STRIDE * round(side * scale / STRIDE)) for side in frame.shape[1::-1]]
    picture = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


@torch.inference_mode()
def dense_features(frames: np.ndarray, tick: Callable[[], None]) -> list[np.ndarray]:
    """Return features of two layers at each place of ``frames``, float16 [T, C, h, w], finer first.

    ``frames`` uint8 RGB [T, H, W, 3]; ``tick`` is called after each frame. Raises EngineError
    WEIGHTS_UNAVAILABLE.
    """
    encoder = load_encoder(EMBEDDED, "cpu")
    seen = []
    for frame in frames:
        layers = encoder.embed_layers(_scale(frame, FEATURE_SIDE))
        seen.append([layer[0].numpy().astype(np.float16) for layer in layers])
        tick()
    return [np.stack(layer) for layer in zip(*seen, strict=True)]
