"""The judge: small, loadable, and right about held-out pictures."""

from itertools import pairwise

import numpy as np
import torch

from tools import judge
from tools.bank import CLASSES
from tools.materials import MATERIALS, paint

FLOOR = 0.6


def test_the_judge_is_small():
    assert judge.FILE.stat().st_size < 3_000_000


def test_the_names_are_ranked_and_their_probabilities_add_up():
    ranked = judge.name_material(torch.rand(2, 3, 40, 50))
    assert {name for name, _ in ranked} == set(CLASSES)
    assert abs(sum(share for _, share in ranked) - 1) < 1e-4
    assert all(first[1] >= second[1] for first, second in pairwise(ranked))


def test_the_judge_names_held_out_pictures():
    right = 0
    for index, material in enumerate(MATERIALS):
        picture = np.stack([paint(material, 88_000 + 2 * index + i, 128) for i in range(2)])
        images = torch.from_numpy(picture).permute(0, 3, 1, 2) / 255
        right += judge.name_material(images)[0][0] == material.name
    assert right / len(MATERIALS) > FLOOR
