"""Changes of a whole layer: graded, blurred, removed, shown as a matte."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.contract.job import ANY, BACKGROUND, Edit, EditKind
from engine.contract.settings import RenderSettings
from engine.decomposition.layers import Layers
from engine.editing.whole_layer import fill_unknown, to_codes, to_light
from engine.render import Part, stylized_frames
from engine.restyling import changed_layers

FRAMES, WIDTH, HEIGHT, RADIUS = 6, 96, 64, 12
LIGHT = np.linspace(0.8, 1.2, FRAMES)  # of the whole scene, over time


def scenery():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = 0.4 + 0.15 * np.sin(x / 5) * np.cos(y / 7)
    return np.stack([waves, 0.45 + 0.1 * np.cos(x / 9), 0.35 + 0.1 * np.sin(y / 6)], 2)


def disc_at(frame):
    """Alpha of an object that crosses the picture."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.clip(RADIUS - np.hypot(x - 18 - 12 * frame, y - 32) + 0.5, 0, 1)


def clean(frame):
    return scenery() * LIGHT[frame]


@pytest.fixture(scope="module")
def made():
    """Footage of a red disc over scenery under changing light, and its layers."""
    alpha = np.stack([disc_at(frame) for frame in range(FRAMES)])
    behind = np.stack([clean(frame) for frame in range(FRAMES)])
    red = np.broadcast_to([0.8, 0.1, 0.1], behind.shape)
    footage = alpha[..., None] * red + (1 - alpha[..., None]) * behind
    frames = np.round(footage * 255).astype(np.uint8)
    y, x = np.meshgrid((np.arange(HEIGHT) + 0.5) / HEIGHT, (np.arange(WIDTH) + 0.5) / WIDTH,
                       indexing="ij")  # fmt: skip
    uv = torch.from_numpy(np.stack([x, y], 2)).float().expand(FRAMES, -1, -1, -1)
    layers = Layers(
        uv, torch.from_numpy(alpha).float(), torch.from_numpy(red.copy()).half(),
        torch.from_numpy(behind).half(), torch.full((64, 64, 3), 0.5), torch.ones(64, 64),
        torch.from_numpy(scenery()).float(), uv,
    )  # fmt: skip
    return frames, layers


def rendered(made, *edits, behind=False):
    frames, layers = made
    parts = [Part(layers, None)]
    if behind:
        whole = replace(layers, alpha=1 - layers.alpha, foreground=layers.background)
        parts.append(Part(whole, None, is_background=True))
    for edit in edits:
        parts = changed_layers(edit, parts, [layers])
    shown = stylized_frames(frames, parts, RenderSettings(), device=torch.device("cpu"))
    return np.stack(list(shown)).astype(float)


def test_a_removed_object_leaves_the_background_under_the_frames_own_light(made):
    frames = rendered(made, Edit(EditKind.REMOVAL))
    for index in range(FRAMES):
        error = np.abs(frames[index] - 255 * clean(index))
        inside = disc_at(index) > 0
        assert error[inside].max() <= 6 and error[inside].mean() <= 2, error[inside].max()
        far = np.asarray(torch.nn.functional.max_pool2d(
            torch.from_numpy(inside[None].astype(np.float32)), 9, 1, 4)[0]) == 0  # fmt: skip
        assert (frames[index][far] == made[0][index][far]).all()  # bit for bit


def test_a_grade_changes_its_own_layer_alone_in_light(made):
    edit = Edit(EditKind.GRADE, factor=(0.5, 0.5, 2.0))
    frames = rendered(made, edit)
    solid, none = disc_at(2) == 1, disc_at(2) == 0
    before = torch.from_numpy(made[0][2] / 255)
    wanted = to_codes(to_light(before) * torch.tensor([0.5, 0.5, 2.0])).numpy() * 255
    assert np.abs(frames[2][solid] - wanted[solid]).max() <= 1
    assert (frames[2][none] == made[0][2][none]).all()
    grey = rendered(made, Edit(EditKind.GRADE, layer=BACKGROUND, saturation=0.0), behind=True)
    assert np.ptp(grey[2][none], axis=1).max() <= 1
    assert (grey[2][solid] == made[0][2][solid]).all()


def test_a_blurred_background_does_not_take_in_the_object(made):
    frames = rendered(made, Edit(EditKind.BLUR, layer=BACKGROUND, radius=4.0), behind=True)
    none, solid = disc_at(3) == 0, disc_at(3) == 1
    assert (frames[3][solid] == made[0][3][solid]).all()
    redness = frames[3][..., 0] - frames[3][..., 1]
    truth = 255 * (clean(3)[..., 0] - clean(3)[..., 1])
    assert redness[none].max() < truth.max() + 3  # the disc's is 178
    assert (
        np.abs(np.diff(frames[3], axis=1))[none[:, 1:]].mean()
        < 0.7 * np.abs(np.diff(made[0][3].astype(float), axis=1))[none[:, 1:]].mean()
    )


def test_a_matte_is_where_the_objects_are(made):
    frames = rendered(made, Edit(EditKind.MATTE, layer=ANY))
    assert np.abs(frames[4] / 255 - disc_at(4)[..., None]).max() < 0.06
    behind = rendered(made, Edit(EditKind.MATTE, layer=BACKGROUND), behind=True)
    assert np.abs(frames + behind - 255).max() <= 1


def test_what_no_frame_shows_is_filled_from_around_it():
    picture = torch.from_numpy(scenery()).float()
    known = torch.ones(HEIGHT, WIDTH)
    known[20:40, 30:50] = 0
    holed = torch.where(known[..., None] > 0, picture, torch.full_like(picture, 9.0))
    result = fill_unknown(holed, known)
    assert torch.equal(result[known > 0], picture[known > 0])
    hole = result[known == 0]
    assert picture.min() <= hole.min() and hole.max() <= picture.max()
