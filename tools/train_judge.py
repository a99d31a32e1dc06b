"""Trains the judge: `python -m tools.train_judge`. It shares no weight, tile or draw with the
encoder; what it shares is the painters of the materials."""

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from tools.bank import Bank, load_bank
from tools.judge import FILE, SIDE, Judge
from tools.scenes import Recipe, draw_batch

log = logging.getLogger(__name__)
RECIPE = Recipe(full=0.55, part=0.27, negative=0.12, recolour=0.15, noise=0.12)


def train(judge: Judge, bank: Bank, steps: int, seed: int) -> None:
    """Plain sorting; each batch is seen twice, the second time mirrored and noisier."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, 2 * steps, pct_start=0.1)
    right = 0.0
    for step in range(steps):
        pictures, labels = draw_batch(rng, bank, RECIPE, 64, SIDE)
        pictures, labels = torch.from_numpy(pictures), torch.from_numpy(labels[:, 0])
        for seen in (pictures, (pictures.flip(3) + 0.03 * torch.randn_like(pictures)).clamp(0, 1)):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = judge(seen.to(memory_format=torch.channels_last))
            loss = functional.cross_entropy(scores.float(), labels, label_smoothing=0.05)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
        right += float((scores.argmax(1) == labels).float().mean())
        if step % 100 == 99:
            log.info("step %d of %d  right %.3f", step + 1, steps, right / 100)
            right = 0.0
            write(judge)


def write(judge: Judge) -> None:
    """Keep the judge in half precision."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in judge.state_dict().items()
             if value.dtype.is_floating_point}  # fmt: skip
    part = FILE.with_suffix(".part")
    save_file(state, part)
    part.chmod(0o644)
    part.replace(FILE)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    judge = Judge().to(memory_format=torch.channels_last)
    train(
        judge, load_bank(arguments.seed, 45, Path("build/encoder")), arguments.steps, arguments.seed
    )
    write(judge.eval())


if __name__ == "__main__":
    main()
