"""Stage one: a robust image tower that sorts pictures by material, colour and object.

Adversarial training after "free" replays: every backward pass moves the weights and the attack.
"""

import copy
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.modified_resnet import ModifiedResNet
from torch import nn
from torch.nn import functional

from tools import colours
from tools.bank import CLASSES, Bank
from tools.scenes import Recipe, draw_batch
from tools.silhouettes import OBJECTS

log = logging.getLogger(__name__)
MEAN = torch.tensor(OPENAI_DATASET_MEAN).view(1, 3, 1, 1)
DEVIATION = torch.tensor(OPENAI_DATASET_STD).view(1, 3, 1, 1)
ANCHORING = 150  # batches whose means are the first anchors of a tower that has learned before
SHARP = 3.0  # about where a training ends


@dataclass(frozen=True)
class ImageSettings:
    """Everything that decides the weights of the image tower, beside the bank.

    Until the last `cooling` part of the steps nothing depends on how many steps there will be, so
    a training may be made longer or shorter until then and still be the one of the new length.
    """

    steps: int = 33000
    batch: int = 64
    replays: int = 3
    radius: float = 1.2
    rate: float = 2e-3
    decay: float = 0.05
    warm_up: int = 300
    clean: int = 2000
    ramp: int = 3000
    cooling: float = 0.4
    average: float = 0.998
    side: int = 64
    width: int = 24
    layers: tuple[int, ...] = (1, 2, 2, 1)
    embedding: int = 128
    seed: int = 1


def lessons_again() -> ImageSettings:
    """What suits a tower that has learned before: a lower rate, and the full attack at once."""
    return ImageSettings(steps=5000, rate=8e-4, warm_up=150, clean=0, ramp=1, cooling=0.9)


class Sorter(nn.Module):
    """An image tower and its anchors, one direction per material, colour and object."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        heads = settings.width * 32 // 64
        self.tower = ModifiedResNet(list(settings.layers), settings.embedding, heads=heads,
                                    image_size=settings.side, width=settings.width)  # fmt: skip
        for name, weight in self.tower.named_parameters():
            if name.endswith("bn3.weight"):
                nn.init.constant_(weight, 0.5)
        counts = (len(CLASSES), len(colours.NAMES), len(OBJECTS))
        self.anchors = nn.ParameterList(
            [nn.Parameter(torch.randn(count, settings.embedding)) for count in counts]
        )
        self.sharpness = nn.Parameter(torch.tensor(2.5))

    def embed(self, pictures: torch.Tensor) -> torch.Tensor:  # [V, 3, S, S] -> [V, E]
        """Unit embeddings of pictures in [0, 1]."""
        mean, deviation = MEAN.to(pictures.device), DEVIATION.to(pictures.device)
        inputs = ((pictures - mean) / deviation).to(memory_format=torch.channels_last)
        return functional.normalize(self.tower(inputs).float(), dim=-1)

    def scores(self, embeddings: torch.Tensor) -> list[torch.Tensor]:
        """Scores against the materials, colours and objects: three of [V, n]."""
        scale = self.sharpness.exp().clamp(max=30)
        return [scale * embeddings @ functional.normalize(a, dim=-1).T for a in self.anchors]


def sorting_loss(scores: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy over what is labelled; labels [V, 3], negative where unknown."""
    total = scores[0].new_zeros(())
    for score, label, weight, smooth in zip(
        scores, labels.T, (1, 0.6, 0.9), (0.05, 0, 0), strict=True
    ):
        known = label >= 0
        if known.any():
            share = known.float().mean()
            total = total + weight * share * functional.cross_entropy(
                score[known], label[known], label_smoothing=smooth
            )
    return total


def learning_rate(settings: ImageSettings, step: int) -> float:
    """Linear warm-up, one rate, then straight down to one hundredth."""
    left = (settings.steps - step) / (settings.cooling * settings.steps)
    return settings.rate * min(1.0, (step + 1) / settings.warm_up, max(0.01, left))


def attack_radius(settings: ImageSettings, step: int) -> float:
    """No attack at first, then a ramp, then the full radius."""
    return settings.radius * min(1.0, max(0.0, (step - settings.clean) / settings.ramp))


def moved(attack: torch.Tensor, slope: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """The attack after one step along the slope, back inside its ball; all [V, 3, S, S]."""
    length = slope.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    attack = attack + radius * slope / length
    size = attack.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return attack * (radius / size).clamp(max=1)


@torch.no_grad()
def follow(average: Sorter, model: Sorter, share: float) -> None:
    """Move the running average of all weights and statistics towards the model."""
    for kept, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - share)
        else:
            kept.copy_(new)


def lasting(settings: ImageSettings) -> dict:
    """The settings that may not change between two parts of one training."""
    kept = asdict(settings)
    del kept["steps"]
    return kept


class ImageTraining:
    """The state of stage one; `save` and `resume` make it outlive the process."""

    def __init__(self, settings: ImageSettings, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.model = Sorter(settings).to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), weight_decay=settings.decay)
        self.rng = np.random.default_rng(settings.seed)
        shape = (settings.batch, 3, settings.side, settings.side)
        self.attack = torch.zeros(shape, device=device)
        self.step = 0

    def begin(self, model: Sorter) -> None:
        """Begin with the weights of `model`."""
        self.model.load_state_dict(model.state_dict())
        self.average.load_state_dict(model.state_dict())

    def save(self, file: Path) -> None:
        """Write everything that the next step depends on."""
        state = {
            "settings": lasting(self.settings), "step": self.step, "model": self.model.state_dict(),
                "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "attack": self.attack,
            "torch": torch.get_rng_state(), "numpy": self.rng.bit_generator.state,
        }  # fmt: skip
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    def resume(self, file: Path) -> None:
        """Continue from `save`; raises ValueError if it was written under other settings."""
        state = torch.load(file, weights_only=True, map_location=self.device)
        if state.get("settings") != lasting(self.settings):
            raise ValueError(
                f"{file} belongs to a training with other settings: move it away to begin anew, "
                "or give the settings that it was begun with."
            )
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.attack, self.step = state["attack"], state["step"]
        torch.set_rng_state(state["torch"].cpu())
        self.rng.bit_generator.state = state["numpy"]

    def learn(self, pictures: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
        """One weight step on attacked pictures; returns the loss and the share sorted rightly."""
        settings = self.settings
        sizes = torch.empty(len(pictures), 1, 1, 1).uniform_(0.2, 1).to(self.device)
        radius = attack_radius(settings, self.step) * sizes
        self.attack = moved(self.attack, torch.zeros_like(pictures), radius)
        seen = (pictures + self.attack).clamp(0, 1).requires_grad_()
        with torch.autocast(self.device, dtype=torch.bfloat16):
            embeddings = self.model.embed(seen)
        scores = self.model.scores(embeddings)
        loss = sorting_loss(scores, labels)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.step)
        self.optimiser.step()
        follow(self.average, self.model, min(settings.average, (self.step + 1) / (self.step + 10)))
        assert seen.grad is not None
        self.attack = moved(self.attack, seen.grad, radius).detach()
        self.step += 1
        right = (scores[0].argmax(1) == labels[:, 0]).float().mean()
        return float(loss.detach()), float(right)


@torch.no_grad()
def anchored(tower: nn.Module, bank: Bank, recipe: Recipe, settings: ImageSettings) -> Sorter:
    """A sorter with this tower, and with the mean of what it makes of each class as its anchor."""
    sorter = Sorter(settings)
    sorter.tower.load_state_dict(tower.state_dict())
    sorter.eval()
    rng = np.random.default_rng(settings.seed)
    sums = [torch.zeros_like(anchors) for anchors in sorter.anchors]
    for _ in range(ANCHORING):
        pictures, labels = draw_batch(rng, bank, recipe, settings.batch, settings.side)
        embeddings = sorter.embed(torch.from_numpy(pictures))
        for total, label in zip(sums, torch.from_numpy(labels).T, strict=True):
            total.index_add_(0, label[label >= 0], embeddings[label >= 0])
    for anchors, total in zip(sorter.anchors, sums, strict=True):
        anchors.copy_(functional.normalize(total, dim=-1))
    sorter.sharpness.fill_(SHARP)
    return sorter.train()


def train_images(training: ImageTraining, bank: Bank, recipe: Recipe, file: Path) -> Sorter:
    """Run stage one to its end, keeping a checkpoint; returns the averaged model."""
    settings, began, first = training.settings, time.monotonic(), training.step
    loss_sum = right_sum = 0.0
    while training.step < settings.steps:
        pictures, labels = draw_batch(training.rng, bank, recipe, settings.batch, settings.side)
        pictures = torch.from_numpy(pictures).to(training.device)
        labels = torch.from_numpy(labels).to(training.device)
        for _ in range(settings.replays):
            loss, right = training.learn(pictures, labels)
            loss_sum, right_sum = loss_sum + loss, right_sum + right
        if training.step % 150 < settings.replays:
            pace = (time.monotonic() - began) / (training.step - first)
            log.info("step %d of %d  loss %.3f  right %.3f  radius %.2f  %.3f s per step",
                     training.step, settings.steps, loss_sum / 150, right_sum / 150,
                     attack_radius(settings, training.step), pace)  # fmt: skip
            loss_sum = right_sum = 0.0
        if training.step % 600 < settings.replays:
            training.save(file)
    training.save(file)
    return training.average.cpu().eval()
