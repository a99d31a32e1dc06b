"""Independent witnesses: they name the material of a picture and know nothing of the encoder.

Two of them, with other architectures, other tiles and other sampling than the encoder and than each
other; no text. They never guide a job.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from tools.bank import CLASSES
from tools.scenes import Recipe

FOLDER = Path(__file__).parents[1] / "tests/judge"
WIDTH, DEPTH = 128, 5


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


class MixingJudge(nn.Module):
    """Patches of four pixels, mixed five times, averaged and named."""

    def __init__(self, classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, stride=4)
        self.start = nn.BatchNorm2d(WIDTH)
        self.blocks = nn.Sequential(*[Mixer() for _ in range(DEPTH)])
        self.names = nn.Linear(WIDTH, classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:  # [V, 3, S, S] -> [V, classes]
        """Scores of pictures in [0, 1]."""
        patches = self.start(functional.gelu(self.patches(4 * pictures - 2)))
        return self.names(self.blocks(patches).mean(dim=(2, 3)))


class PlainJudge(nn.Module):
    """Plain convolutions and maxima without shortcuts; named by what is there on average and by
    what is there anywhere."""

    def __init__(self, classes: int = len(CLASSES)) -> None:
        super().__init__()
        widths = (32, 64, 64, 104, 104)
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 5, stride=2, padding=2)]
        for place, (before, after) in enumerate(pairwise(widths)):
            pool = [nn.MaxPool2d(2)] if place % 2 == 0 else []
            layers += [nn.GroupNorm(8, before), nn.ReLU(), *pool,
                       nn.Conv2d(before, after, 3, padding=1)]  # fmt: skip
        self.layers = nn.Sequential(*layers, nn.GroupNorm(8, widths[-1]), nn.ReLU())
        self.names = nn.Linear(2 * widths[-1], classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:  # [V, 3, S, S] -> [V, classes]
        """Scores of pictures in [0, 1]."""
        seen = self.layers(4 * pictures - 2)
        return self.names(torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1))


@dataclass(frozen=True)
class Witness:
    """One judge: its architecture, the side of the pictures that it sees, the seed of its bank and
    draws, what it was shown and its learning rate."""

    kind: type[nn.Module]
    side: int
    seed: int
    recipe: Recipe
    rate: float

    @property
    def file(self) -> Path:
        """Its weights, in half precision."""
        return FOLDER / f"{self.kind.__name__}.safetensors"


WITNESSES = {
    "mixing": Witness(
        MixingJudge,
        side=48,
        seed=7,
        recipe=Recipe(full=0.55, part=0.27, negative=0.12, recolour=0.15, noise=0.12),
        rate=6e-3,
    ),
    "plain": Witness(
        PlainJudge,
        side=64,
        seed=23,
        recipe=Recipe(full=0.7, part=0.22, negative=0.2, recolour=0.5, noise=0.03, dark=0.15,
                      even=True),
        rate=2e-3,
    ),
}  # fmt: skip


@cache
def load(name: str) -> nn.Module:
    """The trained judge of that name, ready to name.

    It knows the first of CLASSES, as many as there were when it was trained: new ones come last.
    """
    state = {key: value.float() for key, value in load_file(WITNESSES[name].file).items()}
    judge = WITNESSES[name].kind(len(state["names.bias"]))
    judge.load_state_dict(state, strict=False)
    return judge.eval().requires_grad_(False)


@torch.no_grad()
def name_material(images: torch.Tensor, judge: str = "mixing") -> list[tuple[str, float]]:
    """All names with their probability, best first, averaged over views [V, 3, H, W] in [0, 1].

    The views are of one surface and should be local: mostly covered by it, of any size. `judge` is
    a name in WITNESSES.
    """
    assert images.ndim == 4 and images.shape[1] == 3, (
        f"views [V, 3, H, W], not {tuple(images.shape)}"
    )
    side = WITNESSES[judge].side
    small = functional.interpolate(images.float(), (side, side), mode="bilinear", antialias=True)
    shares = load(judge)(small).softmax(dim=1).mean(dim=0)
    order = shares.argsort(descending=True)
    return [(CLASSES[int(i)], float(shares[i])) for i in order]
