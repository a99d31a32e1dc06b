"""The optimiser of the polish: step sizes, their fall, and its state for the checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .model import Model

TEXTURE_RATE, PAGE_RATE, ALPHA_RATE, GAIN_RATE = 0.01, 0.01, 0.05, 0.01
LAST_RATE = 0.05
# Texels with smaller gradients, seldom or hardly seen, move more slowly than the others.
TEXTURE_CAUTION = 0.1


def adam(learned: Model) -> torch.optim.Adam:
    """Return Adam over all that is learned."""
    textures, gains = [learned.atlas, learned.panorama], learned.gains + learned.gains_background
    groups = [
        {"params": textures, "rate": TEXTURE_RATE, "eps": TEXTURE_CAUTION},
        {"params": learned.pages, "rate": PAGE_RATE, "eps": TEXTURE_CAUTION},
        {"params": learned.logits, "rate": ALPHA_RATE},
        {"params": gains, "rate": GAIN_RATE},
    ]
    fused = learned.atlas.device.type in ("cpu", "cuda")
    return torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.95), fused=fused)


def schedule(optimizer: torch.optim.Adam, done: float) -> None:
    """Let the rates fall along a cosine to `LAST_RATE` of where they began."""
    factor = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + np.cos(np.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = group["rate"] * float(factor)


def state_before(step: int, learned: Model, optimizer: torch.optim.Adam) -> dict[str, Any]:
    """Return the state before ``step``."""
    tensors = [parameter.detach() for parameter in learned.parameters()]
    return {"step": step, "learned": tensors, "optimizer": optimizer.state_dict()}


@torch.no_grad()
def restore(state: dict[str, Any], learned: Model, optimizer: torch.optim.Adam) -> int:
    """Put a saved state back, if there is one, and return the step to go on with."""
    if "step" not in state:
        return 0
    for parameter, tensor in zip(learned.parameters(), state["learned"], strict=True):
        parameter.copy_(tensor)
    optimizer.load_state_dict(state["optimizer"])
    return state["step"]
