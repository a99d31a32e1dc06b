"""The whole fast decomposition on footage whose truth is known."""

import cv2
import numpy as np
import pytest
import torch

from engine.checkpoint import Checkpoint
from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.settings import DecompositionSettings, GridSettings
from engine.decomposition.grid import train
from engine.decomposition.layers import sample_atlas
from engine.decomposition.train import decompose
from tests.synthetic import moving_sprite

SETTINGS = DecompositionSettings(grid=GridSettings(steps=120, atlas_size=128))


class Listener:
    """A report that remembers what it hears, and asks for a stop at ``stop_at``."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.step, self.total, self.terms, self.previews = -1, 0, {}, {}
        self.steps = []

    def progress(self, step, total, terms=None):
        self.step, self.total, self.terms = step, total, terms or self.terms
        self.steps.append(step)

    def preview(self, name, image):
        self.previews[name] = image

    def warning(self, message, hint=""):
        pass

    def stopping(self):
        return self.stop_at is not None and self.step >= self.stop_at


def decomposed(footage, folder, *, report=None, unknown=(), settings=SETTINGS):
    torch.set_num_threads(1)
    return decompose(
        footage.frames,
        footage.flow,
        footage.given_masks(unknown),
        settings,
        device=torch.device("cpu"),
        seed=0,
        report=report or Listener(),
        checkpoint=Checkpoint(folder / "state.pt"),
    )


@pytest.fixture(scope="module")
def footage():
    return moving_sprite()


@pytest.fixture(scope="module")
def heard():
    return Listener()


@pytest.fixture(scope="module")
def layers(footage, heard, tmp_path_factory):
    return decomposed(footage, tmp_path_factory.mktemp("grid"), report=heard)


def decibels(error):
    return -10 * np.log10(np.mean(np.square(error)))


def test_the_object_is_reconstructed(footage, layers):
    error = layers.reconstruction().numpy() - footage.frames / 255
    assert decibels(error[footage.alpha > 0.5]) > 36
    assert decibels(error) > 36


def test_alpha_is_the_silhouette_and_does_not_leak(footage, layers):
    alpha, truth = layers.alpha.numpy(), footage.alpha
    both, either = np.minimum(alpha, truth).sum(), np.maximum(alpha, truth).sum()
    assert both / either > 0.95
    brush = np.ones((11, 11), np.uint8)
    outside = [cv2.dilate((mask > 0).astype(np.uint8), brush) == 0 for mask in truth]
    assert alpha[np.stack(outside)].mean() < 0.01


def test_the_mapping_sticks_to_the_object(footage, layers):
    assert drift(footage, layers) < 0.7


def test_the_mapping_does_not_fold(footage, layers):
    uv = layers.uv.numpy()
    across, down = np.gradient(uv, axis=2), np.gradient(uv, axis=1)
    determinant = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    assert (determinant[footage.alpha > 0.5] > 0).all()


def test_every_pixel_has_its_place_in_the_atlas(layers):
    assert torch.isfinite(layers.uv).all()
    assert layers.uv.min() >= 0 and layers.uv.max() <= 1


def test_seen_texels_are_covered(layers):
    read = sample_atlas(layers.coverage[..., None], layers.uv)[..., 0]
    assert read[layers.alpha > 0.95].quantile(0.01) > 0.9
    assert max(layers.coverage[0].max(), layers.coverage[:, -1].max()) < 0.05


def test_progress_names_every_weight_and_previews_are_pictures(heard, layers):
    assert set(heard.terms) == {*train.WEIGHTS, "flow", "rigidity"}
    assert heard.steps == sorted(heard.steps) and heard.steps[-1] <= heard.total
    assert heard.previews["atlas"].shape == (128, 128, 3)
    assert heard.previews["reconstruction"].dtype == np.uint8


@pytest.mark.parametrize("stop_at", [60, 160])
def test_a_stopped_decomposition_goes_on_to_the_same_result(footage, layers, tmp_path, stop_at):
    with pytest.raises(Stopped):
        decomposed(footage, tmp_path, report=Listener(stop_at))
    resumed = decomposed(footage, tmp_path)
    for name in ("uv", "alpha", "atlas", "foreground", "background"):
        assert torch.equal(getattr(resumed, name), getattr(layers, name)), name


def test_two_frames_are_enough(tmp_path):
    footage = moving_sprite(frames=2, width=72, height=96, seed=1)
    layers = decomposed(footage, tmp_path)
    error = layers.reconstruction().numpy() - footage.frames / 255
    assert decibels(error[footage.alpha > 0.5]) > 36


def test_frames_without_masks_are_filled_from_their_neighbours(footage, tmp_path):
    layers = decomposed(footage, tmp_path, unknown=(0, 1, 5, 6, 11))
    alpha, truth = layers.alpha.numpy() > 0.5, footage.alpha > 0.5
    overlap = (alpha & truth).sum((1, 2)) / (alpha | truth).sum((1, 2))
    assert overlap.min() > 0.9
    assert drift(footage, layers) < 0.8


def test_no_mask_at_all_is_refused_with_a_reason(footage, tmp_path):
    with pytest.raises(EngineError) as failure:
        decomposed(footage, tmp_path, unknown=tuple(range(12)))
    assert failure.value.fault is Fault.OBJECT_NOT_FOUND


def drift(footage, layers):
    """How far one spot of the sprite wanders in the atlas, as the 90 % of all, in frame px."""
    middle = len(footage.frames) // 2
    rows, columns = np.nonzero(footage.alpha[middle] > 0.99)
    spots = footage.uv[middle, rows, columns]
    home = layers.uv[middle].numpy()[rows, columns]
    unit = np.gradient(layers.uv[middle].numpy()[..., 0], axis=1)[rows, columns].mean()
    away = []
    for frame, uv in enumerate(layers.uv.numpy()):
        points = footage.sprite.points(frame, spots).astype(np.float32)[:, None]
        found = cv2.remap(uv, points[..., 0], points[..., 1], cv2.INTER_LINEAR)[:, 0]
        away.append(np.linalg.norm(found - home, axis=1) / unit)
    return np.quantile(np.concatenate(away), 0.9)
