"""An independent witness: names the material of a picture and knows nothing of the encoder.

Another architecture, other tiles and other sampling; no text. It never guides a job.
"""

from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from tools.bank import CLASSES

FILE = Path(__file__).parents[1] / "tests/judge/judge.safetensors"
SIDE = 64
WIDTH, DEPTH = 128, 6


class Mixer(nn.Module):
    """One block: a depthwise look around, then a mix of the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.around = nn.Conv2d(WIDTH, WIDTH, 5, groups=WIDTH, padding=2)
        self.first = nn.BatchNorm2d(WIDTH)
        self.across = nn.Conv2d(WIDTH, WIDTH, 1)
        self.second = nn.BatchNorm2d(WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [V, C, h, w] -> [V, C, h, w]
        """The block with its shortcut."""
        x = x + self.first(functional.gelu(self.around(x)))
        return self.second(functional.gelu(self.across(x)))


class Judge(nn.Module):
    """Patches of four pixels, mixed six times, averaged and named."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, stride=4)
        self.start = nn.BatchNorm2d(WIDTH)
        self.blocks = nn.Sequential(*[Mixer() for _ in range(DEPTH)])
        self.names = nn.Linear(WIDTH, len(CLASSES))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:  # [V, 3, 64, 64] -> [V, classes]
        """Scores of pictures in [0, 1]."""
        patches = self.start(functional.gelu(self.patches(4 * pictures - 2)))
        return self.names(self.blocks(patches).mean(dim=(2, 3)))


@cache
def load(file: Path = FILE) -> Judge:
    """The trained judge, ready to name."""
    judge = Judge()
    judge.load_state_dict(
        {name: value.float() for name, value in load_file(file).items()}, strict=False
    )
    return judge.eval().requires_grad_(False)


@torch.no_grad()
def name_material(images: torch.Tensor) -> list[tuple[str, float]]:
    """All names with their probability, best first, averaged over views [V, 3, H, W] in [0, 1].

    The views are of one surface and should be local: mostly covered by it, of any size.
    """
    assert images.ndim == 4 and images.shape[1] == 3, (
        f"views [V, 3, H, W], not {tuple(images.shape)}"
    )
    small = functional.interpolate(images.float(), (SIDE, SIDE), mode="bilinear", antialias=True)
    shares = load()(small).softmax(dim=1).mean(dim=0)
    order = shares.argsort(descending=True)
    return [(CLASSES[int(i)], float(shares[i])) for i in order]
