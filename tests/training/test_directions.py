"""Where concepts lie: classes, materials and colours of a made student, put together."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from engine.contract.words.concepts import Concept, Kind
from training import colours
from training.directions import Directions
from training.surfaces import NAMES


@pytest.fixture(scope="module")
def directions(student, vocabulary):
    return Directions(student, vocabulary)


def unit(row):
    return functional.normalize(row, dim=0)


def test_every_look_and_every_thing_has_a_direction_of_length_one(directions, vocabulary):
    concepts = vocabulary.concepts.values()
    assert directions.look_names == [each.name for each in concepts if each.has_look]
    assert directions.thing_names == [each.name for each in concepts if each.classes]
    for group, names in ((directions.looks, directions.look_names),
                         (directions.things, directions.thing_names)):  # fmt: skip
        assert len(group) == len(names)
        assert torch.allclose(group.norm(dim=1), torch.ones(len(group)), atol=1e-5)


def test_a_colour_and_a_material_are_the_students_own(directions, student):
    red = Concept("red", Kind.COLOUR, ("red",))
    assert torch.allclose(directions.look(red), unit(student.colours[colours.NAMES.index("red")]))
    gold = Concept("any", Kind.MATERIAL, ("any",), materials={"gold": 1.0}, share=1.0)
    found = unit(student.materials[NAMES.index("gold")])
    assert torch.allclose(directions.look(gold), found, atol=1e-6)


def test_a_thing_is_the_weighted_mean_of_its_centred_classes(directions, student):
    rows = student.network.classifier.weight
    rows = functional.normalize(rows - rows.mean(0), dim=1)
    both = Concept("both", Kind.THING, ("both",), classes={3: 0.75, 8: 0.25})
    expected = unit(0.75 * rows[3] + 0.25 * rows[8])
    assert torch.allclose(directions.thing(both), expected, atol=1e-5)
    assert torch.allclose(directions.look(both), expected, atol=1e-5)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_look_of_classes_and_materials_leans_to_the_larger_share(directions, share):
    classes, materials = {3: 1.0}, {"gold": 1.0}
    mixed = Concept(f"mixed {share}", Kind.THING, ("mixed",), classes, materials, share)
    gold = Concept("gold", Kind.MATERIAL, ("gold",), materials=materials, share=1.0)
    to_material = float(directions.look(mixed) @ directions.look(gold))
    to_thing = float(directions.look(mixed) @ directions.thing(mixed))
    assert (to_material > to_thing) == (share > 0.5)
    assert to_material == pytest.approx(share / (share**2 + (1 - share) ** 2) ** 0.5, abs=0.1)


def test_axes_are_orthonormal_and_hold_all_that_differs(vocabulary):
    generator = torch.Generator().manual_seed(1)
    plane = torch.linalg.qr(torch.randn(48, 6, generator=generator)).Q.T  # [6, F]

    def drawn(count):
        return torch.randn(count, 6, generator=generator) @ plane

    flat = SimpleNamespace(
        network=SimpleNamespace(classifier=SimpleNamespace(weight=drawn(1000))),
        materials=drawn(len(NAMES)), colours=drawn(len(colours.NAMES)),
    )  # fmt: skip
    directions = Directions(flat, vocabulary)
    axes = directions.axes(6)
    assert torch.allclose(axes @ axes.T, torch.eye(6), atol=1e-5)
    for group in (directions.looks, directions.things):
        assert torch.allclose(group @ axes.T @ axes, group, atol=1e-4)
