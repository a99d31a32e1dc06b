"""Training pictures: their shapes and ranges, and labels that are true."""

import numpy as np
import pytest

from training import colours, scenes
from training.scenes import NOTHING, SIDE, TEACHER_SIDE, draw_batch, surface
from training.surfaces import ANY_COLOUR, LIGHT_SIDE, NAMES, light_field


def test_a_batch_has_photographs_first_and_labels_for_the_rest(photographs, surfaces):
    batch = draw_batch(np.random.default_rng(0), photographs, surfaces, (3, 9))
    assert batch.pictures.shape == (12, 3, SIDE, SIDE) and batch.pictures.dtype == np.float32
    assert batch.sharp.shape == (3, 3, TEACHER_SIDE, TEACHER_SIDE)
    for pictures in (batch.pictures, batch.sharp):
        assert pictures.min() >= 0 and pictures.max() <= 1 and pictures.std() > 0.02
    for labels, names in ((batch.materials, NAMES), (batch.colours, colours.NAMES)):
        assert labels.shape == (12,) and (labels[:3] == NOTHING).all()
        assert labels.min() >= NOTHING and labels.max() < len(names)
    assert ((batch.materials[3:] >= 0) | (batch.colours[3:] >= 0)).all()


def test_the_seed_alone_decides_a_batch(photographs, surfaces):
    one, again, other = (
        draw_batch(np.random.default_rng(seed), photographs, surfaces, (2, 4)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one.pictures, again.pictures) and np.array_equal(one.sharp, again.sharp)
    assert not np.array_equal(one.pictures, other.pictures)


def test_small_and_sharp_are_the_same_photograph(photographs, surfaces):
    batch = draw_batch(np.random.default_rng(3), photographs, surfaces, (4, 0))
    small, sharp = batch.pictures.mean((2, 3)), batch.sharp.mean((2, 3))
    assert np.allclose(small, sharp, atol=0.01)


def test_a_surface_is_of_the_material_that_its_label_says(photographs, surfaces):
    rng, toned, coloured = np.random.default_rng(0), 0, 0
    for _ in range(300):
        tile, material, colour = surface(rng, photographs, surfaces)
        if material == NOTHING:
            toned += colour >= 0
        elif colour == NOTHING:
            assert np.allclose(tile, 2 * material / 255)
        else:
            coloured += NAMES[material] in ANY_COLOUR
    assert 20 < toned < 80 and coloured > 10


def test_light_and_other_exposure_leave_a_picture_a_picture(photographs, surfaces, monkeypatch):
    lit = np.full((2, 32, 32), 1.8, np.float16)
    bright = type(surfaces)(surfaces.painted, surfaces.photographed, surfaces.masks, lit)
    for seed in range(20):
        picture, _, _ = scenes.material_scene(np.random.default_rng(seed), photographs, bright)
        assert picture.shape == (SIDE, SIDE, 3) and 0 <= picture.min() <= picture.max() <= 1


def test_light_varies_about_one():
    for seed in range(4):
        light = light_field(np.random.default_rng(seed))
        assert light.shape == (LIGHT_SIDE, LIGHT_SIDE) and light.std() > 0.02
        assert np.median(light) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("name", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_recoloured_picture_has_that_colour_and_its_own_light_and_dark(name, channel):
    ramp = np.linspace(0.2, 0.8, 40, dtype=np.float32)
    picture = np.broadcast_to(ramp[:, None, None], (40, 40, 3))
    found = colours.recoloured(picture, name, np.random.default_rng(0))
    assert found.mean((0, 1)).argmax() == channel
    assert (np.diff(found.mean((1, 2))) >= -1e-6).all() and np.ptp(found.mean((1, 2))) > 0.15
