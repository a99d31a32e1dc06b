"""The judges: small, loadable, unlike each other, and right about held-out pictures."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from tools import judge
from tools.bank import CLASSES
from tools.materials import MATERIALS, paint

FLOOR = 0.6
JUDGES = tuple(judge.WITNESSES)


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_is_small(name):
    assert judge.WITNESSES[name].file.stat().st_size < 500_000


@pytest.mark.parametrize("name", JUDGES)
def test_the_names_are_ranked_and_their_probabilities_add_up(name):
    ranked = judge.name_material(torch.rand(2, 3, 40, 50), name)
    assert {label for label, _ in ranked} == set(CLASSES)
    assert abs(sum(share for _, share in ranked) - 1) < 1e-4
    assert all(first[1] >= second[1] for first, second in pairwise(ranked))


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_names_held_out_pictures(name):
    right = 0
    for index, material in enumerate(MATERIALS):
        picture = np.stack([paint(material, 88_000 + 2 * index + i, 128) for i in range(2)])
        images = torch.from_numpy(picture).permute(0, 3, 1, 2) / 255
        right += judge.name_material(images, name)[0][0] == material.name
    assert right / len(MATERIALS) > FLOOR


def test_the_judges_have_nothing_in_common_but_the_painters():
    first, second = judge.WITNESSES.values()
    assert first.kind is not second.kind
    assert first.seed != second.seed and first.recipe != second.recipe
