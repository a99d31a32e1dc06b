"""Optical flow by torchvision's RAFT (Teed and Deng 2020), from weights at hand."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from .weights import load_network

MODELS = ("raft_large", "raft_small")
MULTIPLE = 8  # sides that RAFT takes
LEAST_SIDE = 128  # px; its coarsest correlations need some
UPDATES = 20  # refinements of a flow, as in NLA


class Raft:
    """RAFT on one device."""

    def __init__(self, name: str, device: torch.device | str = "cpu") -> None:
        """Load the network ``name``, "MODEL:TAG or FILE". Raises EngineError."""
        self.network = load_network(name, MODELS, device)
        self.device = device

    @torch.inference_mode()
    def between(self, frame: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return the flow from ``frame`` to ``other``, uint8 RGB [H, W, 3]; float32 [H, W, 2]."""
        height, width = frame.shape[:2]
        pair = [self._prepare(one) for one in (frame, other)]
        flow = self.network(*pair, num_flow_updates=UPDATES)[-1][0]  # [2, H', W']
        return np.ascontiguousarray(flow[:, :height, :width].permute(1, 2, 0).float().cpu().numpy())

    def _prepare(self, frame: np.ndarray) -> torch.Tensor:
        """Return the picture in [-1, 1], [1, 3, H', W'], its last row and column repeated."""
        height, width = frame.shape[:2]
        down, across = (_missing(side) for side in (height, width))
        picture = torch.from_numpy(np.ascontiguousarray(frame)).to(self.device)
        picture = picture.permute(2, 0, 1)[None].float() / 127.5 - 1.0
        return functional.pad(picture, (0, across, 0, down), mode="replicate")


def _missing(side: int) -> int:
    return max(LEAST_SIDE, -(-side // MULTIPLE) * MULTIPLE) - side
