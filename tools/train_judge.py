"""Trains a judge: `python -m tools.train_judge mixing` or `... plain`.

It shares no weight, tile or draw with the encoder or the other judge; what they share is the
painters of the materials. Stopped, it goes on where it was.
"""

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from tools.bank import Bank, load_bank
from tools.judge import WITNESSES, Witness
from tools.scenes import draw_batch

BUILD = Path("build/encoder")
KEEP_EVERY = 50
log = logging.getLogger(__name__)


def train(witness: Witness, bank: Bank, steps: int, checkpoint: Path) -> nn.Module:
    """Plain sorting; each batch is seen twice, the second time mirrored and noisier."""
    torch.manual_seed(witness.seed)
    rng = np.random.default_rng(witness.seed)
    judge = witness.kind().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, witness.rate, 2 * steps, pct_start=0.1
    )
    parts = {"judge": judge, "optimiser": optimiser, "schedule": schedule}
    first = resume(checkpoint, parts, rng) if checkpoint.exists() else 0
    right = 0.0
    for step in range(first, steps):
        pictures, labels = draw_batch(rng, bank, witness.recipe, 64, witness.side)
        pictures, labels = torch.from_numpy(pictures), torch.from_numpy(labels[:, 0])
        for seen in (pictures, (pictures.flip(3) + 0.03 * torch.randn_like(pictures)).clamp(0, 1)):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = judge(seen.to(memory_format=torch.channels_last))
            loss = functional.cross_entropy(scores.float(), labels, label_smoothing=0.05)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(judge.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            right += float((scores.argmax(1) == labels).float().mean()) / 2
        if step % KEEP_EVERY == KEEP_EVERY - 1:
            log.info("step %d of %d  right %.3f", step + 1, steps, right / KEEP_EVERY)
            right = 0.0
            keep(checkpoint, parts, rng, step + 1)
    return judge.eval()


def keep(file: Path, parts: dict, rng: np.random.Generator, step: int) -> None:
    """Write everything that the next step depends on."""
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"step": step, "numpy": rng.bit_generator.state, "torch": torch.get_rng_state()}
    torch.save(state, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)


def resume(file: Path, parts: dict, rng: np.random.Generator) -> int:
    """Continue from `keep`; returns the number of steps done."""
    state = torch.load(file, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    rng.bit_generator.state = state["numpy"]
    torch.set_rng_state(state["torch"])
    return state["step"]


def write(judge: nn.Module, file: Path) -> None:
    """Keep the judge in half precision."""
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in judge.state_dict().items()
             if value.dtype.is_floating_point}  # fmt: skip
    part = file.with_suffix(".part")
    save_file(state, part)
    part.chmod(0o644)
    part.replace(file)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judge", choices=WITNESSES)
    parser.add_argument("--steps", type=int, default=1500)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    witness = WITNESSES[arguments.judge]
    bank = load_bank(witness.seed, 40, BUILD)
    judge = train(witness, bank, arguments.steps, BUILD / f"judge-{arguments.judge}.pt")
    write(judge, witness.file)


if __name__ == "__main__":
    main()
