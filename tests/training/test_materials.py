"""The painters of materials: repeatable, different from each other, never blank."""

import numpy as np
import pytest

from engine.contract.words.concepts import load_vocabulary
from training.colours import mean_colours
from training.materials import MATERIALS, paint

SIDE = 48


def test_there_are_at_least_sixty_materials_with_names_of_their_own():
    names = [material.name for material in MATERIALS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.name)
def test_a_seed_gives_one_picture_and_another_seed_another(material):
    first = paint(material, 3, SIDE)
    assert first.shape == (SIDE, SIDE, 3) and first.dtype == np.uint8
    assert np.array_equal(first, paint(material, 3, SIDE))
    assert not np.array_equal(first, paint(material, 4, SIDE))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.name)
def test_every_picture_has_finite_numbers_and_some_structure(material):
    for seed in range(3):
        assert paint(material, seed, SIDE).std() > 1.5


def test_no_two_materials_paint_the_same():
    pictures = np.stack([paint(material, 1, SIDE) for material in MATERIALS]).astype(int)
    for index, picture in enumerate(pictures[:-1]):
        assert np.abs(pictures[index + 1 :] - picture).mean(axis=(1, 2, 3)).min() > 4


def test_the_list_of_concepts_has_the_mean_colours_of_materials_and_names():
    listed, found = load_vocabulary().mean_colours, mean_colours(count=6)
    assert listed.keys() == found.keys()
    for name, colour in found.items():
        assert np.allclose(listed[name], colour, atol=0.12), name


@pytest.mark.parametrize("name", ["gold", "copper"])
def test_metal_colours_what_it_mirrors_all_but_small_glints(name):
    """What an encoder takes for gold is what it was shown: mostly pale once, then gold was pale."""
    material = next(each for each in MATERIALS if each.name == name)
    tiles = np.stack([paint(material, seed, SIDE) for seed in range(40)]).astype(float)
    saturation = 1 - tiles.min(axis=3) / tiles.max(axis=3).clip(1)
    assert 0.005 < (saturation < 0.35).mean() < 0.08
    is_brown = tiles.max(axis=3) < 128
    assert 0.01 < is_brown.mean() < 0.08  # hollows are brown, and nothing broader
