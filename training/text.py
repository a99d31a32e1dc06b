"""Stage two: a small text tower that says where the concepts lie.

It learns from captions whose directions are known; the image tower does not move.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.captions import Captions

log = logging.getLogger(__name__)
SHARPNESS = 30.0  # of the softmax over all looks


@dataclass(frozen=True)
class TextSettings:
    """Everything that decides the text tower, beside the directions."""

    steps: int = 1500
    batch: int = 128
    rate: float = 1.5e-3
    warm_up: int = 100
    merges: int = 3400
    width: int = 480
    context: int = 24
    seed: int = 1


def train_text(
    model: Any, tokenizer: Any, captions: Captions, axes: Tensor, settings: TextSettings
) -> None:
    """Train the text tower of the open_clip ``model``, in place.

    ``axes`` [E, F] lead from features to embeddings.
    """
    torch.manual_seed(settings.seed)
    model.train().requires_grad_(True)
    model.visual.eval().requires_grad_(False)
    moving = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(moving, lr=settings.rate, weight_decay=0.01, betas=(0.9, 0.98))
    looks = functional.normalize(captions.directions.looks @ axes.T, dim=1)  # [n, E]
    began, agreement, named = time.monotonic(), 0.0, 0.0
    for step in range(settings.steps):
        drawn = [captions.draw() for _ in range(settings.batch)]
        tokens = tokenizer([each.text for each in drawn])
        wanted = functional.normalize(
            torch.stack([each.direction for each in drawn]) @ axes.T, dim=1
        )
        numbers = torch.tensor([each.look for each in drawn])
        left = 1 - step / settings.steps
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * min(1.0, (step + 1) / settings.warm_up, 1.5 * left)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = model.encode_text(tokens)
        found = functional.normalize(found.float(), dim=1)
        cosine = (found * wanted).sum(1)
        known = numbers >= 0
        scores = SHARPNESS * found[known] @ looks.T
        loss = (1 - cosine).mean() + 0.1 * functional.cross_entropy(scores, numbers[known])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(moving, 1.0)
        optimiser.step()
        agreement += float(cosine.detach().mean()) / 100
        named += float((scores.argmax(1) == numbers[known]).float().mean()) / 100
        if step % 100 == 99:
            log.info("text step %d of %d  cosine %.3f  named %.3f  %.2f s a step",
                     step + 1, settings.steps, agreement, named,
                     (time.monotonic() - began) / (step + 1))  # fmt: skip
            agreement = named = 0.0
    model.eval().requires_grad_(False)
