"""A self-test of an encoder in a few seconds: it classifies pictures with clear right answers.

Weights may load and still be useless: of another training, damaged, or in a network that computes
something else. Then the embeddings of texts and pictures are unrelated, and no error is raised.
Here they are compared, as in a job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..contract.events import EngineError
from .encoder import Encoder, load_encoder
from .texts import PREFIXES, embed_text, unit

COLOURS = {
    "red": (0.85, 0.08, 0.08), "green": (0.10, 0.60, 0.15), "blue": (0.08, 0.15, 0.80),
    "yellow": (0.95, 0.85, 0.10), "orange": (0.95, 0.50, 0.05), "purple": (0.50, 0.10, 0.65),
    "pink": (0.98, 0.60, 0.75), "white": (0.97, 0.97, 0.97), "black": (0.04, 0.04, 0.04),
}  # fmt: skip
# Of twelve pictures random embeddings name one by chance, and seven or more once in 60,000 times.
# A trained encoder names all but a few: the room is for words that it knows less well.
ENOUGH = 7
STEPS = 4
STRIDE = 0.005  # the length of a step, as the mean change of a pixel's channel
LEAST_GRADIENT = 1e-12  # a mean below this is no gradient but what rounding leaves


@dataclass(frozen=True)
class SelfTest:
    """How many of how many pictures were named right, and whether gradient ascent works."""

    named: int
    pictures: int
    gradient_ascends: bool

    @property
    def passed(self) -> bool:
        """Is the encoder fit to guide a stylization?"""
        return self.named >= ENOUGH and self.gradient_ascends

    @property
    def sentence(self) -> str:
        """What a user should know."""
        share = f"{self.named} of {self.pictures} simple pictures"
        if self.passed:
            return f"sees: it names {share}, and following its gradient brings a picture nearer"
        if self.named < ENOUGH:
            return (
                f"does not see: it names {share}, where at least {ENOUGH} are needed; these "
                "weights are damaged or belong to another model: download them again"
            )
        return (
            f"does not guide: it names {share}, but following its gradient brings a picture no "
            "nearer to a text; choose another device or other weights"
        )


def run_self_tests(
    weights: Mapping[str, str], device: torch.device
) -> tuple[dict[str, str], dict[str, str]]:
    """Load and test each encoder that is said to be ready; nothing is deleted or changed.

    Returns ``weights`` with what is wrong with those that do not load, and a sentence on the
    self-test of those that do, both by name.
    """
    found, sentences = dict(weights), {}
    for name in [name for name, state in weights.items() if state == "ready"]:
        try:
            sentences[name] = run_self_test(load_encoder(name, device)).sentence
        except EngineError as error:
            found[name] = error.message
        except RuntimeError as error:  # most often: the graphics memory is full
            reason = (str(error).splitlines() or ["no reason given"])[0]
            sentences[name] = f"could not be tested on this device: {reason}"
    return found, sentences


def run_self_test(encoder: Encoder) -> SelfTest:
    """Classify the pictures and change one by gradient ascent, on the encoder's device."""
    device = encoder.mean.device
    pictures = torch.stack([draw(encoder.size) for draw in PICTURES.values()]).to(device)
    texts = torch.cat(
        [_mean(embed_text(text, encoder, prefixes=len(PREFIXES))) for text in PICTURES]
    )
    with torch.no_grad():
        cosines = unit(encoder.embed_images(pictures)) @ texts.T
    right = cosines.argmax(1) == torch.arange(len(PICTURES), device=device)
    named = int((right & cosines.isfinite().all(1)).sum())
    return SelfTest(named, len(PICTURES), _gradient_ascends(encoder, texts[:1]))


def _gradient_ascends(encoder: Encoder, text: Tensor) -> bool:
    """Do steps along the gradient raise the cosine of a grey, noisy picture with ``text`` [1, E]?

    Noisy, because where all is flat a ReLU's gradient may hold in one direction only.
    """
    noise = torch.randn(
        1, 3, encoder.size, encoder.size, generator=torch.Generator().manual_seed(0)
    )
    picture = (0.5 + 0.1 * noise).clamp(0, 1).to(encoder.mean.device)
    scores = []
    for step in range(STEPS + 1):
        picture.requires_grad_(step < STEPS)
        score = (unit(encoder.embed_images(picture)) * text).sum()
        scores.append(score.item())
        if step < STEPS:
            gradient = torch.autograd.grad(score, picture)[0]
            length = gradient.abs().mean()
            if not length.isfinite() or length < LEAST_GRADIENT:
                return False
            picture = (picture.detach() + STRIDE * gradient / length).clamp(0, 1)
    return scores[-1] > scores[0]


def _mean(embeddings: Tensor) -> Tensor:
    return unit(embeddings.mean(0, keepdim=True))


def _places(size: int) -> tuple[Tensor, Tensor]:
    """Return the height and the width at which pixels are, [S, S], 0 to 1."""
    steps = (torch.arange(size) + 0.5) / size
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return rows, columns


def _mix(part: Tensor, colour: str, other: str) -> Tensor:
    """Return a picture [3, S, S] that has ``colour`` where ``part`` [S, S] is 1."""
    first, second = (torch.tensor(COLOURS[name])[:, None, None] for name in (colour, other))
    return second + (first - second) * part


def _plain(colour: str) -> Callable[[int], Tensor]:
    """One colour, a little darker towards the lower edge as under a lamp."""

    def draw(size: int) -> Tensor:
        light = 1.1 - 0.25 * _places(size)[0]
        return (_mix(torch.ones(size, size), colour, colour) * light).clamp(0, 1)

    return draw


def _checkerboard(size: int) -> Tensor:
    rows, columns = _places(size)
    return _mix(((6 * rows).floor() + (6 * columns).floor()) % 2, "black", "white")


def _stripes(size: int) -> Tensor:
    return _mix(((6 * _places(size)[1]) % 1 < 0.5).float(), "black", "white")


def _dots(size: int) -> Tensor:
    rows, columns = ((5 * places) % 1 - 0.5 for places in _places(size))
    inside = 0.28 - (rows**2 + columns**2).sqrt()
    return _mix((inside * size / 10 + 0.5).clamp(0, 1), "red", "white")


# The texts, and how the right picture of the side S is drawn, [3, S, S]. Colours and patterns,
# because every encoder knows them: also one that was trained on materials only.
PICTURES: dict[str, Callable[[int], Tensor]] = {
    **{colour: _plain(colour) for colour in COLOURS},
    "checkerboard": _checkerboard,
    "stripes": _stripes,
    "polka dots": _dots,
}
