"""Stage one: the base network becomes robust, and learns materials and colours beside its own.

Unsupervised adversarial fine-tuning as in FARE (Schlarmann et al. 2024): for attacked photographs
the student gives the features that the frozen teacher gives for the same clean pictures, and the
classes that it gives for larger ones, in which it names more.
Attacked scenes of materials and colours are told apart by learned directions in the same space.
The attack is "free" (Shafahi et al. 2019): every backward pass moves the weights and the attack.
"""

import copy
import itertools
import logging
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.stylization.vision import fold_normalisations
from training import colours
from training.base import DEVIATION, MEAN, pretrained, quicken
from training.photographs import Photographs
from training.scenes import SIDE, Batch, draw_batch
from training.surfaces import NAMES, Surfaces

log = logging.getLogger(__name__)
SHARPNESS = 20.0  # of the softmax over cosines with materials and colours
AHEAD = 6  # batches drawn ahead of the training


@dataclass(frozen=True)
class RobustSettings:
    """Everything that decides the weights, beside the pictures.

    Until the last ``cooling`` part of the steps nothing depends on how many there will be: a
    training may be made longer or shorter until then.
    """

    steps: int = 12_000  # updates of the weights
    photographs: int = 16  # in a batch
    materials: int = 8
    replays: int = 3  # updates for each batch
    radius: float = 1.5  # L2 norm of the attack on a picture of 128 x 128 x 3 in [0, 1]
    rate: float = 4e-5
    direction_rate: float = 1e-3  # of the directions of materials and colours
    warm_up: int = 100
    clean: int = 200  # steps without an attack, in which it learns to see small pictures
    ramp: int = 2000  # steps until the attack is whole
    cooling: float = 0.6
    average: float = 0.998
    class_weight: float = 0.1  # of the teacher's classes, beside its features
    material_weight: float = 0.35
    colour_weight: float = 0.1
    share: float = 0.6  # of the way from the base network to what was learned, see `blended`
    refits: int = 200  # batches that the directions are then fitted to
    seed: int = 1


class Student(nn.Module):
    """The network, and a direction for each material and colour among its pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.network = pretrained("lite0")
        fold_normalisations(self.network)
        width = self.network.num_features
        self.materials = nn.Parameter(torch.zeros(len(NAMES), width))
        self.colours = nn.Parameter(torch.zeros(len(colours.NAMES), width))
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(width))

    def features(self, pictures: Tensor) -> Tensor:  # [B, 3, S, S] -> [B, F]
        """Return the pooled features of pictures in [0, 1]."""
        inputs = ((pictures - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)
        return self.network.forward_features(inputs).mean((2, 3))

    def classes(self, features: Tensor) -> Tensor:  # [B, F] -> [B, 1000]
        """Return the scores of ImageNet's classes, by the base network's own last layer."""
        return self.network.classifier(features)

    def cosines(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cosines [B, n] of centred features with all materials and all colours."""
        plain = functional.normalize(features - self.centre, dim=1)
        found = (functional.normalize(each, dim=1) for each in (self.materials, self.colours))
        first, second = (plain @ each.T for each in found)
        return first, second


def rate_factor(settings: RobustSettings, step: int) -> float:
    """Return the part of the rate that counts: a warm-up, all of it, then down to one hundredth."""
    left = (settings.steps - step) / (settings.cooling * settings.steps)
    return min(1.0, (step + 1) / settings.warm_up, max(0.01, left))


def attack_radius(settings: RobustSettings, step: int) -> float:
    """Return the attack's radius: none at first, then a ramp, then the whole."""
    return settings.radius * min(1.0, max(0.0, (step - settings.clean) / settings.ramp))


def projected(attack: Tensor, radius: Tensor) -> Tensor:
    """Return ``attack`` [B, 3, S, S] no longer than ``radius`` [B, 1, 1, 1]."""
    return attack * (radius / lengths(attack)).clamp(max=1)


def lengths(pictures: Tensor) -> Tensor:
    """Return the L2 norms of ``pictures`` [B, 3, S, S] as [B, 1, 1, 1]."""
    return pictures.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


class RobustTraining:
    """The state of stage one; `save` and `resume` make it outlive the process."""

    def __init__(self, settings: RobustSettings, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.student = Student().to(device).to(memory_format=torch.channels_last)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.average = copy.deepcopy(self.student).requires_grad_(False)
        self.student.network.classifier.requires_grad_(False)
        if device == "cpu":
            quicken(self.student)
            quicken(self.teacher)
        directions = [self.student.materials, self.student.colours]
        network = [each for each in self.student.network.parameters() if each.requires_grad]
        groups = [
            {"params": network, "base": settings.rate},
            {"params": directions, "base": settings.direction_rate},
        ]
        self.optimiser = torch.optim.Adam(groups)
        count = settings.photographs + settings.materials
        self.attack = torch.zeros(count, 3, SIDE, SIDE, device=device)
        self.step = 0

    @torch.no_grad()
    def begin(self, photographs: Photographs, surfaces: Surfaces, batches: int = 40) -> None:
        """Let the directions begin as the means of the teacher's features of each kind."""
        teacher, student = self.teacher, self.student
        kinds = (student.materials, student.colours)
        sums = [torch.zeros_like(each) for each in kinds]
        counts = [each.new_zeros(len(each), 1) for each in kinds]
        plain: list[Tensor] = []
        rng = np.random.default_rng(self.settings.seed)
        for _ in range(batches):
            batch = draw_batch(rng, photographs, surfaces, (16, 48))
            found = teacher.features(torch.from_numpy(batch.pictures).to(self.device))
            plain.append(found[:16])
            labels = (torch.from_numpy(each) for each in (batch.materials, batch.colours))
            for label, total, count in zip(labels, sums, counts, strict=True):
                known = (label >= 0).to(self.device)
                total.index_add_(0, label.to(self.device)[known], found[known])
                count.index_add_(
                    0, label.to(self.device)[known], count.new_ones(int(known.sum()), 1)
                )
        centre = torch.cat(plain).mean(0)
        for model in (self.student, self.average):
            model.centre.copy_(centre)
            for own, total, count in zip(
                (model.materials, model.colours), sums, counts, strict=True
            ):
                mean = total / count.clamp_min(1)
                own.copy_(functional.normalize(mean - centre, dim=1))

    def save(self, file: Path) -> None:
        """Write everything that the next step depends on."""
        state = {
            "settings": lasting(self.settings), "step": self.step,
            "student": self.student.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "attack": self.attack,
            "torch": torch.get_rng_state(),
        }  # fmt: skip
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)

    def resume(self, file: Path) -> None:
        """Go on from `save`; raises ValueError where it was written under other settings."""
        state = torch.load(file, weights_only=True, map_location=self.device)
        if state["settings"] != lasting(self.settings):
            raise ValueError(
                f"{file} belongs to a training with other settings: move it away to begin anew, "
                "or give the settings that it was begun with."
            )
        self.student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.attack, self.step = state["attack"], state["step"]
        torch.set_rng_state(state["torch"].cpu())

    def learn(self, batch: Batch) -> dict[str, float]:
        """Take one batch's updates; returns the means of the terms of the loss."""
        pictures = torch.from_numpy(batch.pictures).to(self.device)
        labels = [
            torch.from_numpy(each).to(self.device) for each in (batch.materials, batch.colours)
        ]
        with torch.no_grad():
            sharp = torch.from_numpy(batch.sharp).to(self.device)
            wanted = self.teacher.features(pictures[: len(sharp)])
            kinds = self.teacher.classes(self.teacher.features(sharp)).softmax(1)
        radius = attack_radius(self.settings, self.step)
        radii = radius * torch.empty(len(pictures), 1, 1, 1).uniform_(0.3, 1.0).to(self.device)
        sums: dict[str, float] = {}
        for _ in range(self.settings.replays):
            for name, value in self._update(pictures, wanted, kinds, labels, radii).items():
                sums[name] = sums.get(name, 0.0) + value / self.settings.replays
        return sums

    def _update(
        self, pictures: Tensor, wanted: Tensor, kinds: Tensor, labels: list[Tensor], radii: Tensor
    ) -> dict[str, float]:
        settings = self.settings
        self.attack = projected(self.attack, radii)
        seen = (pictures + self.attack).clamp(0, 1).requires_grad_()
        features = self.student.features(seen)
        terms = self._terms(features, wanted, kinds, labels)
        loss = (
            terms["features"]
            + settings.class_weight * terms["classes"]
            + settings.material_weight * terms["materials"]
            + settings.colour_weight * terms["colours"]
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = group["base"] * rate_factor(settings, self.step)
        self.optimiser.step()
        self._follow(min(settings.average, (self.step + 1) / (self.step + 10)))
        assert seen.grad is not None
        self.attack = projected(self.attack + radii * seen.grad / lengths(seen.grad), radii)
        self.step += 1
        return {name: float(term.detach()) for name, term in terms.items()}

    def _terms(
        self, features: Tensor, wanted: Tensor, kinds: Tensor, labels: list[Tensor]
    ) -> dict[str, Tensor]:
        own = features[: len(wanted)]
        scores = functional.log_softmax(self.student.classes(own), dim=1)
        terms = {
            "features": (own - wanted).square().mean() / wanted.square().mean(),
            "classes": functional.kl_div(scores, kinds, reduction="batchmean"),
        }
        cosines = self.student.cosines(features)
        for name, each, label in zip(("materials", "colours"), cosines, labels, strict=True):
            known = label >= 0
            some = functional.cross_entropy(SHARPNESS * each[known], label[known], reduction="sum")
            terms[name] = some / max(1, int(known.sum()))
        known = labels[0] >= 0
        with torch.no_grad():
            terms["named"] = (cosines[0][known].argmax(1) == labels[0][known]).float().mean()
        return terms

    @torch.no_grad()
    def _follow(self, share: float) -> None:
        """Move the running average towards the student."""
        pairs = zip(self.average.parameters(), self.student.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - share)


def lasting(settings: RobustSettings) -> dict[str, Any]:
    """Return the settings that may not change between two parts of one training."""
    kept = asdict(settings)
    del kept["steps"], kept["cooling"], kept["share"], kept["refits"]
    return kept


def batches(
    training: RobustTraining, photographs: Photographs, surfaces: Surfaces
) -> Iterator[Batch]:
    """Yield the batches from where ``training`` is on, without end, drawn ahead by another thread.

    Each is drawn from its own number, so that a stop loses none of those that were drawn ahead.
    """
    settings = training.settings
    counts = settings.photographs, settings.materials

    def draw(number: int) -> Batch:
        rng = np.random.default_rng([settings.seed, number])
        return draw_batch(rng, photographs, surfaces, counts)

    first = training.step // settings.replays
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(draw, first + number) for number in range(AHEAD))
        for number in itertools.count(first + AHEAD):
            waiting.append(pool.submit(draw, number))
            yield waiting.popleft().result()


def train_robust(
    training: RobustTraining, photographs: Photographs, surfaces: Surfaces, file: Path
) -> Student:
    """Run stage one to its end, keeping a checkpoint; returns the averaged network."""
    began, first = time.monotonic(), training.step
    sums: dict[str, float] = {}
    count = 0
    for batch in batches(training, photographs, surfaces):
        if training.step >= training.settings.steps:
            break
        for name, value in training.learn(batch).items():
            sums[name] = sums.get(name, 0.0) + value
        count += 1
        if count == 50:
            pace = (time.monotonic() - began) / (training.step - first)
            words = "  ".join(f"{name} {total / count:.3f}" for name, total in sums.items())
            left = (training.settings.steps - training.step) * pace / 60
            log.info("step %d of %d  %s  %.0f ms a step, %.0f min left",
                     training.step, training.settings.steps, words, 1000 * pace, left)  # fmt: skip
            sums, count = {}, 0
            training.save(file)
    training.save(file)
    return training.average.cpu().eval()
