"""Class activation shows where the embedded encoder sees a thing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from engine.contract.events import Stopped
from engine.stylization.activation import class_activation, dense_features
from engine.stylization.encoder import load_encoder


class Silent:
    """A report that may ask for a stop."""

    def __init__(self, stops=False):
        self.stops, self.steps = stops, []

    def progress(self, step, total, terms=None):
        self.steps.append((step, total))

    def stopping(self):
        return self.stops


def striped(left):
    """Black and white stripes on one side of grass-coloured noise, uint8 [H, W, 3]."""
    random = np.random.default_rng(0)
    frame = np.array((80, 120, 60)) + random.normal(0, 12, (144, 256, 1))
    rows, columns = np.mgrid[0:144, 0:256]
    waves = np.sin((columns + 6 * np.sin(rows / 9)) / 2.5) > 0
    centre = 64 if left else 192
    inside = np.hypot((columns - centre) / 1.3, rows - 72) < 40
    frame[inside] = np.where(waves, 235, 20)[inside][:, None]
    return cv2.GaussianBlur(np.clip(frame, 0, 255).astype(np.uint8), (0, 0), 0.7), inside


def test_the_mean_of_the_places_is_the_embedding_of_the_picture():
    encoder = load_encoder("embedded", "cpu")
    pictures = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    places = encoder.embed_places(pictures)
    assert places.shape[2:] == (4, 4)
    assert torch.allclose(places.mean((2, 3)), encoder.embed_images(pictures), atol=1e-4)


@pytest.mark.parametrize("left", [True, False])
def test_stripes_are_where_a_zebra_is_seen(left):
    frame, inside = striped(left)
    report = Silent()
    (found,) = class_activation(frame[None], ("zebra",), report)
    assert found.shape == inside.shape and report.steps == [(1, 1)]
    outside = np.percentile(found[~inside], 95)
    assert np.median(found[inside]) > outside


def test_a_stop_is_obeyed():
    with pytest.raises(Stopped):
        class_activation(striped(True)[0][None], ("zebra",), Silent(stops=True))


def test_dense_features_lie_where_their_pixels_are():
    frame, inside = striped(True)
    bare = frame.copy()
    bare[inside] = frame[~inside].mean(axis=0)
    ticks = []
    layers = dense_features(np.stack([frame, bare]), lambda: ticks.append(1))
    assert len(ticks) == 2 and [layer.shape[2:] for layer in layers] == [(36, 64), (18, 32)]
    for layer in layers:
        changed = np.abs(layer[0].astype(np.float32) - layer[1]).mean(axis=0)
        width = changed.shape[1]
        assert changed[:, : width // 2].mean() > 5.0 * changed[:, 3 * width // 4 :].mean()
