"""What is kept of stage one: weights between the base network and the robust one, and directions
that are fitted to them."""

import copy

import numpy as np
import torch
from torch.nn import functional

from training.photographs import Photographs
from training.robust import SHARPNESS, RobustSettings, Student
from training.scenes import draw_batch
from training.surfaces import Surfaces

REFIT_ROUNDS = 4  # over the features of the batches that directions are fitted to


@torch.no_grad()
def blended(student: Student, share: float) -> Student:
    """Return ``student`` with its network that ``share`` of the way from the base network.

    What lies between the two names more photographs rightly than the robust one and still leads
    to clean pictures (Wortsman et al., Robust fine-tuning of zero-shot models, 2022).
    """
    found = copy.deepcopy(student)
    for own, base in zip(found.network.parameters(), Student().network.parameters(), strict=True):
        own.copy_(base.lerp(own, share))
    return found


def refit_directions(
    student: Student, photographs: Photographs, surfaces: Surfaces, settings: RobustSettings
) -> None:
    """Fit centre and directions of ``student`` anew to its network as it is, in place.

    They were learned for another one: `blended` moves the network only.
    """
    rng = np.random.default_rng([settings.seed, settings.refits])
    drawn = (draw_batch(rng, photographs, surfaces, (8, 40)) for _ in range(settings.refits))
    found = []
    with torch.no_grad():
        for batch in drawn:
            features = student.features(torch.from_numpy(batch.pictures))
            found.append((features, batch.materials, batch.colours))
        student.centre.copy_(torch.cat([features[:8] for features, *_ in found]).mean(0))
    directions = [each.requires_grad_() for each in (student.materials, student.colours)]
    optimiser = torch.optim.Adam(directions, settings.direction_rate)
    for _ in range(REFIT_ROUNDS):
        for features, *labels in found:
            loss = features.new_zeros(())
            for cosines, label in zip(student.cosines(features), labels, strict=True):
                known = torch.from_numpy(label >= 0)
                scores, wanted = SHARPNESS * cosines[known], torch.from_numpy(label)[known]
                loss = loss + functional.cross_entropy(scores, wanted, reduction="sum")
            optimiser.zero_grad(set_to_none=True)
            (loss / len(features)).backward()
            optimiser.step()
    student.requires_grad_(False)
