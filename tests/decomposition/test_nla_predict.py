"""Each network is asked once, in the right places, and perfect networks cost next to nothing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.contract.settings import NlaWeights
from engine.decomposition.coordinates import MAPPING_SCALE, Extent
from engine.decomposition.nla.predict import loss_terms, predict
from engine.decomposition.nla.samples import VideoPoints
from tests.decomposition.inverse_coordinates import (
    from_background_quadrant,
    from_foreground_quadrant,
    pixels_of_points,
)
from tests.decomposition.nla_footage import moving_square

CPU = torch.device("cpu")


def _counted(function: Callable[[Tensor], Tensor]) -> Any:
    def ask(values: Tensor) -> Tensor:
        ask.asked.append(values)  # type: ignore[attr-defined]
        return function(values)

    ask.asked = []  # type: ignore[attr-defined]
    return ask


def _ramp(pixels: Tensor) -> Tensor:
    return torch.cat([pixels[:, :2] / 100, pixels[:, :1] * 0 + 0.25], dim=1)


def _perfect(extent: Extent) -> Any:
    """Networks that explain a picture that does not move and whose colour is a ramp."""

    def colours(positions: Tensor) -> Tensor:
        foreground = positions[:, :1] >= 0
        uv = torch.where(
            foreground, from_foreground_quadrant(positions), from_background_quadrant(positions)
        )
        points = torch.nn.functional.pad(uv / MAPPING_SCALE, (0, 1))
        return _ramp(pixels_of_points(points, extent))

    return SimpleNamespace(
        foreground=_counted(lambda points: MAPPING_SCALE * points[:, :2]),
        background=_counted(lambda points: MAPPING_SCALE * points[:, :2]),
        alpha=_counted(lambda points: torch.full_like(points[:, :1], 0.5)),
        atlas=_counted(colours),
    )


def _still(height: int, width: int) -> VideoPoints:
    frames, shape = 3, (2, height, width)
    rows, columns = np.mgrid[:height, :width]
    pixels = torch.from_numpy(np.stack([columns, rows], axis=-1).reshape(-1, 2)).float()
    picture = (_ramp(pixels) * 255).view(1, height, width, 3).repeat(frames, 1, 1, 1)
    flow = SimpleNamespace(
        forward=np.zeros((*shape, 2), np.float32),
        backward=np.zeros((*shape, 2), np.float32),
        forward_valid=np.ones(shape, bool),
        backward_valid=np.ones(shape, bool),
    )
    masks = SimpleNamespace(
        masks=np.full((frames, height, width), 128, np.uint8), known=np.ones(frames, bool)
    )
    return VideoPoints(picture.round().byte().numpy(), flow, masks, CPU)  # type: ignore[arg-type]


@pytest.mark.parametrize(("height", "width"), [(24, 40), (40, 24)])
def test_perfect_networks_cost_nothing_but_the_floor_in_landscape_and_portrait(
    height: int, width: int
) -> None:
    video = _still(height, width)
    samples = video.at(torch.arange(video.extent.pixels), far=5.0)
    seen = predict(_perfect(video.extent), samples)
    terms = loss_terms(seen, samples, video.extent, far=5.0)
    assert terms["reconstruction"].item() == pytest.approx(0, abs=1e-5)  # rounding to 8 bits
    assert terms["gradient"].item() == pytest.approx(0, abs=5e-5)
    assert terms["flow"].item() == pytest.approx(0, abs=1e-4)
    assert terms["alpha_flow"].item() == 0
    assert terms["bootstrap"].item() == pytest.approx(math.log(2), abs=1e-4)
    assert terms["rigidity"].item() == pytest.approx(2 * 2.8270, abs=1e-3)
    assert terms["global_rigidity_foreground"].item() == pytest.approx(2.8270, abs=1e-3)
    assert terms["global_rigidity_background"].item() == pytest.approx(2.8270, abs=1e-3)


def test_each_network_is_asked_once_and_each_layer_in_its_quadrant() -> None:
    clip = moving_square()
    video = VideoPoints(clip.frames, clip.flow, clip.masks, CPU)
    networks = _perfect(video.extent)
    predict(networks, video.draw(100, torch.Generator().manual_seed(0), far=6.0))
    asked = [networks.foreground, networks.background, networks.alpha, networks.atlas]
    assert [len(network.asked) for network in asked] == [1, 1, 1, 1]
    assert [len(network.asked[0]) for network in asked] == [700, 700, 500, 600]
    foreground, background = networks.atlas.asked[0].split(300)
    assert foreground.min() >= 0
    assert foreground.max() <= 1
    assert background.min() >= -1
    assert background.max() <= 0


def test_terms_are_named_as_their_weights() -> None:
    video = _still(8, 12)
    samples = video.at(torch.arange(20), far=3.0)
    terms = loss_terms(predict(_perfect(video.extent), samples), samples, video.extent, far=3.0)
    assert set(terms) == {item.name for item in dataclasses.fields(NlaWeights)}


def test_global_rigidity_costs_no_queries_once_it_is_over() -> None:
    video = _still(8, 12)
    samples = video.at(torch.arange(20))
    networks = _perfect(video.extent)
    terms = loss_terms(predict(networks, samples), samples, video.extent, far=0.0)
    assert not any(name.startswith("global") for name in terms)
    assert len(networks.foreground.asked[0]) == 100
