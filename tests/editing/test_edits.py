"""Changes by hand on footage of known uv: they land where they belong, and nothing else moves."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from engine.contract.events import EngineError
from engine.contract.job import ANY, Blend, Edit, EditKind
from engine.contract.settings import RenderSettings
from engine.editing.building import build_edit, build_edits
from engine.render import Part, stylized_frames

from ..synthetic import moving_sprite
from .known import SIDE, half, layers_of, texel_places, to_uv, write

FRAMES, WIDTH, HEIGHT = 40, 256, 144
RED = np.array([0.9, 0.1, 0.1])


@pytest.fixture(scope="module")
def made():
    return moving_sprite(frames=FRAMES, width=WIDTH, height=HEIGHT)


@pytest.fixture(scope="module")
def layers(made):
    return layers_of(made)


def rendered(made, layers, *edits, atlas=None):
    built = tuple(
        build_edit(each, layers, (WIDTH, HEIGHT), lambda index: made.frames[index])
        for each in edits
    )
    parts = [Part(layers, atlas, edits=built)]
    frames = stylized_frames(made.frames, parts, RenderSettings(), device=torch.device("cpu"))
    return np.stack(list(frames))


def disc(places, centre, radius):
    """A disc, soft over one unit."""
    return np.clip(radius - np.linalg.norm(places - centre, axis=-1) + 0.5, 0, 1)


def centroid(weight):
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


def check_disc(made, result, centre, radius, frames=range(FRAMES), *, colour=RED, most=0.3):
    """A disc is where the truth says, in its colour, and nothing else has changed."""
    change = np.abs(result.astype(int) - made.frames)
    for index in frames:
        truth = disc(made.uv[index], centre, radius)
        assert (made.alpha[index][truth > 0] == 1).all(), "the disc lies on the sprite"
        inside = disc(made.uv[index], centre, radius - 3) == 1
        assert np.abs(result[index][inside] / 255 - colour).max() <= 2 / 255, index
        beside = disc(made.uv[index], centre, radius + 3) == 0
        assert change[index][beside].max() == 0, index
        share = np.abs(result[index] / 255.0 - made.frames[index] / 255.0).sum(2)
        reach = np.abs(colour - made.frames[index] / 255.0).sum(2)
        weight = np.where(truth > 0, share / np.maximum(reach, 1e-3), 0).clip(0, 1)
        assert np.linalg.norm(centroid(weight) - centroid(truth)) <= most, index


@pytest.fixture
def atlas_files(layers, tmp_path):
    before = write(tmp_path / "before.png", layers.atlas.numpy(), layers.coverage.numpy())

    def painted(name, paint):
        return write(tmp_path / name, paint(layers.atlas.numpy()), layers.coverage.numpy())

    return before, painted


CENTRE = np.array([6.0, -5.0])
RADIUS = 8.0


def with_disc(made):
    weight = disc(texel_places(made), CENTRE, RADIUS)[..., None]
    return lambda atlas: atlas * (1 - weight) + RED * weight


def test_paint_on_the_atlas_lands_where_its_texels_are_seen(made, layers, atlas_files):
    before, painted = atlas_files
    edit = Edit(EditKind.ATLAS, painted("after.png", with_disc(made)), before)
    check_disc(made, rendered(made, layers, edit), CENTRE, RADIUS)


def test_an_atlas_that_was_only_saved_again_changes_no_bit(made, layers, atlas_files, tmp_path):
    before, painted = atlas_files
    eight = cv2.imread(before, cv2.IMREAD_UNCHANGED) / 257
    cv2.imwrite(str(tmp_path / "eight.png"), np.round(eight).astype(np.uint8))
    for path in (painted("same.png", lambda atlas: atlas), str(tmp_path / "eight.png")):
        result = rendered(made, layers, Edit(EditKind.ATLAS, path, before))
        assert np.array_equal(result, made.frames)


def test_a_graded_atlas_keeps_the_footages_own_detail(made, layers, atlas_files):
    """Grain that no atlas has is still there when the atlas is made a little darker."""
    before, painted = atlas_files
    grain = np.random.default_rng(0).normal(0, 6, made.frames.shape)
    grainy = np.clip(made.frames + grain, 0, 255).astype(np.uint8)
    path = painted("darker.png", lambda atlas: atlas * 0.8)
    built = build_edit(Edit(EditKind.ATLAS, path, before), layers, (WIDTH, HEIGHT), made.frames)
    parts = [Part(layers, None, edits=(built,))]
    frames = stylized_frames(grainy, parts, RenderSettings(), device=torch.device("cpu"))
    for index, frame in enumerate(frames):
        inside = made.alpha[index] == 1
        own = (grainy[index] - made.frames[index].astype(float))[inside]
        left = (frame - made.frames[index] * 0.8)[inside]
        assert np.corrcoef(own.ravel(), left.ravel())[0, 1] > 0.9
        assert abs(left.mean()) < 3


def test_an_edit_on_transparent_ground_counts_where_it_is_opaque(made, layers, atlas_files):
    before, _ = atlas_files
    alpha = disc(texel_places(made), CENTRE, RADIUS)
    path = write(before.replace("before", "layer"), np.broadcast_to(RED, (SIDE, SIDE, 3)), alpha)
    check_disc(made, rendered(made, layers, Edit(EditKind.ATLAS, path, before)), CENTRE, RADIUS)


@pytest.mark.parametrize("index", [0, 17])
def test_a_stroke_on_one_frame_is_there_and_follows(made, layers, tmp_path, index):
    weight = disc(made.uv[index], CENTRE, RADIUS)[..., None]
    path = write(tmp_path / "after.png", made.frames[index] / 255 * (1 - weight) + RED * weight)
    result = rendered(made, layers, Edit(EditKind.FRAME, path, frame=index))
    check_disc(made, result, CENTRE, RADIUS)
    wanted = cv2.imread(path)[..., ::-1].astype(int)
    assert np.abs(result[index] - wanted).mean() < 0.2
    inside = disc(made.uv[index], CENTRE, RADIUS - 2) == 1
    assert np.abs(result[index] - wanted)[inside].max() <= 2


def square_corners(made, index):
    """Where the corners of a square on the sprite are seen in a frame."""
    around = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * RADIUS + CENTRE
    return tuple((made.sprite.points(index, around) + 0.5).ravel().tolist())


@pytest.mark.parametrize("large", [1, 8])
def test_a_placed_picture_follows_the_surface(made, layers, tmp_path, large):
    """Four quarters in four colours, at any size of the picture, on the frame and on others."""
    colours = np.array([[[0.9, 0.1, 0.1], [0.1, 0.8, 0.1]], [[0.1, 0.1, 0.9], [0.8, 0.8, 0.1]]])
    picture = colours.repeat(16 * large, 0).repeat(16 * large, 1)
    path = write(tmp_path / "picture.png", picture)
    edit = Edit(EditKind.PICTURE, path, frame=9, corners=square_corners(made, 9))
    result = rendered(made, layers, edit)
    for index in range(FRAMES):
        place = (made.uv[index] - CENTRE) / RADIUS
        inside = (np.abs(place) < 0.75).all(2) & (np.abs(place) > 0.25).all(2)
        wanted = colours[(place[..., 1] > 0).astype(int), (place[..., 0] > 0).astype(int)]
        assert np.abs(result[index][inside] / 255 - wanted[inside]).max() <= 2 / 255
        outside = (np.abs(place) > 1.3).any(2)
        assert np.array_equal(result[index][outside], made.frames[index][outside])


def test_pictures_are_multiplied_screened_and_half_opaque(made, layers, tmp_path):
    path = write(tmp_path / "grey.png", np.full((8, 8, 3), 0.5))
    place = {"frame": 0, "corners": square_corners(made, 0)}
    inside = (np.abs(made.uv[0] - CENTRE) < 0.7 * RADIUS).all(2)
    own = made.frames[0][inside] / 255
    for more, wanted in (
        ({"blend": Blend.MULTIPLY}, own * 0.5),
        ({"blend": Blend.SCREEN}, 1 - (1 - own) * 0.5),
        ({"opacity": 0.5}, own * 0.5 + 0.25),
    ):
        result = rendered(made, layers, Edit(EditKind.PICTURE, path, **place, **more))
        assert np.abs(result[0][inside] / 255 - wanted).max() <= 2 / 255


def test_edits_stack_in_their_order(made, layers, tmp_path):
    place = {"frame": 0, "corners": square_corners(made, 0)}
    first = write(tmp_path / "first.png", np.broadcast_to(RED, (8, 8, 3)))
    second = write(tmp_path / "second.png", np.full((8, 8, 3), 0.2))
    edits = [Edit(EditKind.PICTURE, path, **place) for path in (first, second)]
    inside = (np.abs(made.uv[5] - CENTRE) < 0.7 * RADIUS).all(2)
    for order, wanted in ((edits, 0.2), (edits[::-1], RED)):
        assert np.abs(rendered(made, layers, *order)[5][inside] / 255 - wanted).max() <= 2 / 255


def test_paint_follows_the_light_of_the_surface(made, tmp_path):
    """The sprite's colours fade to a half: what was painted on the first frame fades as well."""
    layers = layers_of(made)
    fade = np.linspace(1, 0.5, FRAMES)
    layers.foreground.mul_(torch.from_numpy(fade).half()[:, None, None, None])
    weight = disc(made.uv[0], CENTRE, RADIUS)[..., None]
    path = write(tmp_path / "after.png", made.frames[0] / 255 * (1 - weight) + RED * weight)
    result = rendered(made, layers, Edit(EditKind.FRAME, path, frame=0))
    for index in (0, 20, FRAMES - 1):
        inside = disc(made.uv[index], CENTRE, RADIUS - 2.5) == 1
        assert np.abs(result[index][inside] / 255 - RED * fade[index]).max() < 0.03


def test_what_lies_beside_the_layer_is_refused(made, layers, tmp_path):
    path = write(tmp_path / "picture.png", np.full((8, 8, 3), 0.5))
    corner = (1.0, 1.0, 9.0, 1.0, 9.0, 9.0, 1.0, 9.0)
    line = (90.0, 60.0, 100.0, 60.0, 110.0, 60.0, 120.0, 60.0)
    frame = write(tmp_path / "frame.png", made.frames[0] / 255)
    for edit, words in (
        (Edit(EditKind.PICTURE, path, corners=corner), "beside its layer"),
        (Edit(EditKind.PICTURE, path, corners=line), "on a line"),
        (Edit(EditKind.PICTURE, path, frame=FRAMES, corners=corner), "on frame 40"),
        (Edit(EditKind.FRAME, frame), "Nothing on frame 0"),
        (Edit(EditKind.FRAME, path), "8 x 8 px"),
    ):
        with pytest.raises(EngineError, match=words):
            rendered(made, layers, edit)


def test_the_atlas_shows_what_the_frames_do(made, layers):
    assert half(made) > made.sprite.radius
    assert torch.equal(layers.uv[3], torch.from_numpy(to_uv(made, made.uv[3])).float())


def two_layers(layers):
    """The sprite in front of a background that reads its own atlas pixel by pixel."""
    frames, height, width = layers.alpha.shape
    across, down = ((torch.arange(n) + 0.5) / n for n in (width, height))
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), 2)
    plain = torch.full((WIDTH, WIDTH, 3), 0.5)
    behind = replace(
        layers,
        uv=grid.expand(frames, -1, -1, -1),
        alpha=1 - layers.alpha,
        foreground=torch.full_like(layers.foreground, 0.5),
        atlas=plain,
        coverage=plain[..., 0],
    )
    return [layers, behind]


def test_each_layer_takes_the_strokes_that_lie_on_it(made, layers, tmp_path):
    both = two_layers(layers)
    after = made.frames[0] / 255
    corner = np.zeros((HEIGHT, WIDTH), bool)
    corner[4:12, 4:12] = True
    spot = disc(made.uv[0], CENTRE, RADIUS) == 1
    for where, wanted in ((corner, [1]), (spot, [0]), (corner | spot, [0, 1])):
        path = write(tmp_path / "after.png", np.where(where[..., None], RED, after))
        edit = Edit(EditKind.FRAME, path, layer=ANY)
        found = build_edits(edit, both, (WIDTH, HEIGHT), lambda index: made.frames[index])
        assert [number for number, _ in found] == wanted
    parts = [
        Part(both[0], None, edits=(found[0][1],)),
        Part(both[1], None, True, edits=(found[1][1],)),
    ]
    frames = stylized_frames(made.frames, parts, RenderSettings(), device=torch.device("cpu"))
    for index, frame in enumerate(frames):
        where = disc(made.uv[index], CENTRE, RADIUS - 3) == 1
        where[6:10, 6:10] = True
        assert np.abs(frame[where] / 255 - RED).max() <= 2 / 255
        beside = disc(made.uv[index], CENTRE, RADIUS + 3) == 0
        beside[2:14, 2:14] = False
        assert np.array_equal(frame[beside], made.frames[index][beside])


def test_a_picture_lies_on_what_is_seen_at_its_middle(made, layers, tmp_path):
    path = write(tmp_path / "picture.png", np.full((8, 8, 3), 0.5))
    corner = (1.0, 1.0, 9.0, 1.0, 9.0, 9.0, 1.0, 9.0)
    for corners, wanted in ((square_corners(made, 0), 0), (corner, 1)):
        edit = Edit(EditKind.PICTURE, path, layer=ANY, corners=corners)
        ((number, _),) = build_edits(edit, two_layers(layers), (WIDTH, HEIGHT), made.frames)
        assert number == wanted
