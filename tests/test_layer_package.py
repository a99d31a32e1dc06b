"""The layer package: what is rebuilt from its files alone is what the engine renders."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from engine import __main__ as command_line
from engine.contract.files import Refusal
from engine.contract.job import BACKGROUND, LayerFiles, Stage
from engine.contract.layers import CHECKS, LIVE_PICTURES, MANIFEST, read_manifest
from engine.contract.settings import RenderSettings
from engine.decomposition.layers import load_layers, of_background, sample_atlas
from engine.decomposition.model import AtlasNetwork
from engine.layer_package import write_package
from engine.layer_reader import LayerReader, read_atlas
from engine.render import Part, stylized_frames
from engine.stylization.network import NetworkAtlas
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import TextureAtlas
from engine.video.exr import decode_planes, encode_planes
from engine.video.images import read_image, read_rgb, write_png
from engine.video.movies import movie_frames
from engine.workspace import Cache

from .decomposition.nla_footage import QuietReport
from .editing import known
from .synthetic import moving_sprite

FRAMES, WIDTH, HEIGHT = 5, 122, 70
QUICK = (
    "frames.longest_side=96", "decomposition.grid.steps=4", "decomposition.grid.atlas_size=64",
    "stylization.steps=2", "stylization.views.local_views=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A finished job, its footage and its cache."""
    folder = moving_sprite(frames=FRAMES, width=WIDTH, height=HEIGHT).write(
        tmp_path_factory.mktemp("layers")
    )
    assert run(folder, "job", "stylize", folder / "frames", "--masks", folder / "masks",
               "--global-text", "zebra fur", "--preset", "draft", *quick()) == 0  # fmt: skip
    return folder


def quick():
    return [word for assignment in QUICK for word in ("--set", assignment)]


def run(folder, out, *arguments):
    words = [*arguments, "--out", folder / out, "--cache", folder / "cache"]
    return command_line.main([str(word) for word in words])


@pytest.fixture(scope="module")
def exported(job):
    more = ("--plates", "--mattes", "--st-maps", "--checkerboard")
    assert run(job, "out", "layers", "export", job / "job", *more) == 0
    return job / "out" / "layers"


@pytest.fixture(scope="module")
def layers(job):
    (key,) = json.loads((job / "job" / "report.json").read_text())["keys"]["decomposition"]
    return load_layers(Cache(job / "cache").folder(Stage.DECOMPOSITION, key))


def frames_of(folder):
    return np.stack([read_rgb(path) for path in sorted(folder.glob("*.png"))]) / 255


def check_rebuilt(package, frames):
    reader = LayerReader(package)
    for index, wanted in enumerate(frames):
        error = np.abs(reader.frame(index) - wanted) * 255
        assert error.mean() <= 1 and error.max() <= 4, (index, error.mean(), error.max())


def test_frames_rebuilt_from_the_files_are_the_engines(exported, job):
    check_rebuilt(exported, frames_of(job / "job" / "result"))


def test_the_plates_are_the_frames(exported, job):
    plates = read_manifest(exported).plates
    shown = np.stack([read_image(exported / name, depth=16) for name in plates]) / 65535
    assert np.abs(shown - frames_of(job / "job" / "result")).max() <= 0.51 / 255


def test_without_a_text_the_footage_is_rebuilt(job):
    bare = json.loads((job / "job" / "job.json").read_text())
    bare["objects"][0]["texts"]["global_text"] = ""
    (job / "bare").mkdir()
    (job / "bare" / "job.json").write_text(json.dumps(bare | {"until": "decomposition"}))
    assert run(job, "bare_out", "layers", "export", job / "bare") == 0
    package = read_manifest(job / "bare_out" / "layers")
    assert [each.atlas for each in package.layers] == ["foreground.png", "background.png"]
    check_rebuilt(job / "bare_out" / "layers", frames_of(job / "frames"))


@pytest.mark.parametrize(
    "settings",
    [
        RenderSettings(composite="atlas"),
        RenderSettings(strength=0.5, keep_detail=0.7),
        RenderSettings(composite="blend", foreground_only=True),
    ],
)
@pytest.mark.parametrize("form", ["texture", "network"])
def test_frames_of_other_looks_are_rebuilt_too(settings, form, tmp_path):
    """Several objects, one as it is, at three times the working size."""
    made = moving_sprite(frames=3, width=WIDTH, height=HEIGHT)
    near, far = known.layers_of(made, side=64), known.layers_of(made, side=64)
    far = replace(far, alpha=far.alpha.roll(12, 2), uv=far.uv.roll(12, 2))
    behind = of_background([near, far], is_bare=False)
    parts = [Part(near, looks(form)), Part(far, None), Part(behind, looks(form), True)]
    big = [cv2.resize(frame, (3 * WIDTH, 3 * HEIGHT)) for frame in made.frames]
    shown = replace(settings, foreground_only=False)
    wanted = list(stylized_frames(big, parts, shown, device=torch.device("cpu")))
    write_package(
        tmp_path, big, parts, settings,
        frames_per_second=24.0, extras=LayerFiles(), report=QuietReport(),
    )  # fmt: skip
    check_rebuilt(tmp_path, np.stack(wanted) / 255)


@pytest.mark.parametrize("form", ["texture", None])
def test_live_pictures_laid_over_each_other_are_the_frames(form, tmp_path):
    """What Blender's sequencer does with them: from back to front, over the footage."""
    made = moving_sprite(frames=3, width=WIDTH, height=HEIGHT)
    near, far = known.layers_of(made, side=64), known.layers_of(made, side=64)
    far = replace(far, alpha=far.alpha.roll(12, 2), uv=far.uv.roll(12, 2))
    parts = [Part(near, looks(form) if form else None), Part(far, looks(form) if form else None)]
    settings = RenderSettings(keep_detail=0.5)
    wanted = list(stylized_frames(made.frames, parts, settings, device=torch.device("cpu")))
    package = write_package(
        tmp_path, made.frames, parts, settings,
        frames_per_second=24.0, extras=LayerFiles(frames=False, live=True), report=QuietReport(),
    )  # fmt: skip
    assert all(layer.live for layer in package.layers)
    assert {layer.keep_detail for layer in package.layers} == {0.5 if form else None}
    for index, frame in enumerate(wanted):
        shown = made.frames[index] / 255
        for layer in reversed(package.layers):
            uv, light, rest = (
                maps(tmp_path / "live" / layer.name / kind / f"{index:05d}.exr")
                for kind in LIVE_PICTURES
            )
            atlas = read_image(tmp_path / layer.atlas, depth=16)[..., :3] / 65535
            lit = read_atlas(atlas, uv["R"], uv["G"]) * rgb(light)
            alpha = rest["A"].astype(float)[..., None]
            shown = (1 - alpha) * shown + alpha * lit + rgb(rest)
            assert (uv["B"] != 1).any() == bool(form)  # detail to keep or to leave out
        error = np.abs(shown.clip(0, 1) - frame / 255) * 255
        assert error.mean() <= 0.5 and error.max() <= 2, (error.mean(), error.max())


def rgb(planes):
    return np.stack([planes[channel].astype(float) for channel in "RGB"], 2)


def looks(form):
    statistics = ShadingStatistics(0.5, 0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        if form == "network":
            return NetworkAtlas(
                AtlasNetwork(width=16, depth=3, frequencies=3, skips=()), statistics
            )
        return TextureAtlas(statistics, torch.rand(3, 64, 64), torch.zeros(2), torch.ones(2))


def test_uv_and_alpha_of_every_frame_are_those_of_the_job(exported, layers):
    reader = LayerReader(exported)
    assert (reader.package.width, reader.package.height) == (122, 70)
    for frame in range(FRAMES):
        planes = reader.planes(frame)
        assert planes["foreground.UV.U"].shape == (70, 122)
        wanted = torch.nn.functional.interpolate(
            layers.uv[frame].permute(2, 0, 1)[None], (70, 122), mode="bilinear"
        )[0].numpy()
        assert np.allclose(planes["foreground.UV.U"], wanted[0], atol=1e-6)
        assert np.allclose(1 - planes["foreground.UV.V"], wanted[1], atol=1e-6)
        whole = planes["foreground.UV.A"].astype(float) + planes["background.UV.A"]
        assert np.allclose(whole, 1, atol=1e-3)


def test_the_atlases_are_the_jobs_and_the_changed_one_has_another_look(exported, layers):
    package = read_manifest(exported)
    front, behind = package.layers
    assert front.stylized and front.layer == 0 and not behind.stylized
    assert behind.layer == BACKGROUND and behind.is_background and package.objects == (front,)
    before = read_image(exported / front.source, depth=16)
    after = read_image(exported / front.atlas, depth=16)
    assert np.abs(before[..., :3] / 65535 - layers.atlas.numpy()).max() <= 1 / 65535
    assert np.array_equal(before[..., 3], after[..., 3])
    assert np.abs(before[..., :3].astype(float) - after[..., :3]).mean() / 257 > 5
    assert front.side == before.shape[0] == before.shape[1]


def test_another_picture_in_the_place_of_an_atlas_is_seen(exported):
    """What a compositor does: the same frame with a red object."""
    red = np.broadcast_to([1.0, 0.0, 0.0], (8, 8, 3))
    reader = LayerReader(exported)
    planes = reader.planes(2)
    other = LayerReader(exported, {"foreground": red}).frame(2) - reader.frame(2)
    solid, none = planes["foreground.UV.A"] == 1, planes["foreground.UV.A"] == 0
    assert other[solid][:, 0].mean() > 0.1 and other[solid][:, 2].mean() < -0.1
    assert np.abs(other[none]).max() == 0


def test_mattes_and_maps_say_what_the_planes_say(exported, layers):
    package, planes = read_manifest(exported), LayerReader(exported).planes(1)
    for layer in package.layers:
        matte = read_image(exported / package.mattes / layer.name / "00001.png", depth=16)
        alpha = planes[f"{layer.name}.UV.A"]
        assert np.abs(matte[..., 0] / 65535 - alpha).max() < 1e-3
        st_map = maps(exported / package.st_maps / layer.name / "00001.exr")
        assert np.array_equal(st_map["R"], planes[f"{layer.name}.UV.U"])
        assert np.array_equal(st_map["G"], planes[f"{layer.name}.UV.V"])
    inverse = maps(exported / package.inverse_st_maps / "foreground" / "00001.exr")
    found = (inverse["A"] == 1) & (layers.coverage.numpy() > 0.9)
    assert found.mean() > 0.1
    side = layers.atlas.shape[0]
    rows, columns = np.nonzero(found)
    there = np.stack([inverse["R"], 1 - inverse["G"]], 2)[found]
    read = sample_atlas(layers.uv[1], torch.from_numpy(there)).numpy()
    wanted = (np.stack([columns, rows], 1) + 0.5) / side
    assert np.abs(read - wanted).max() * side < 1


def maps(path):
    return decode_planes(path.read_bytes())


def test_the_checkerboard_shows_checks_on_the_object_alone(exported, job):
    movie = list(movie_frames(exported / "checkerboard.mp4", ()))
    assert len(movie) == FRAMES and movie[0].shape == (70, 122, 3)
    source = read_rgb(job / "frames" / "002.png").astype(int)
    mask = read_rgb(job / "masks" / "002.png")[..., 0]
    change = np.abs(movie[2].astype(int) - source).mean(2)
    # The movie's colours are coarser than its light: nothing is quite as it was.
    assert change[mask == 255].mean() > 30
    assert change[:, :12].mean() < 0.25 * change[mask == 255].mean()
    assert read_rgb(exported / "checkerboard.png").shape[1] == 4 * 420


def checks_of(folder, pins, name):
    """The numbers of the checks in each frame [T, H, W], of the job whose object has ``pins``."""
    facts = json.loads((folder / "job" / "job.json").read_text())
    facts["objects"][0]["pins"] = pins
    (folder / name).mkdir()
    (folder / name / "job.json").write_text(json.dumps(facts | {"until": "decomposition"}))
    words = ["run", folder / name, "--quiet", "--cache", folder / "cache"]
    assert command_line.main([str(word) for word in words]) == 0
    paths = sorted((folder / name / "checks").iterdir())
    return np.stack([cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths])


def test_a_job_that_ends_with_the_layers_leaves_checks_that_stick_to_the_atlas(exported, job):
    numbers = checks_of(job, [], "checks")
    assert numbers.shape == (FRAMES, HEIGHT, WIDTH) and numbers.max() <= CHECKS * CHECKS
    reader = LayerReader(exported)
    planes = [reader.planes(index) for index in range(FRAMES)]
    u, v, alpha = (np.stack([each[f"foreground.UV.{name}"] for each in planes]) for name in "UVA")
    assert np.array_equal(numbers > 0, alpha > 0.5)
    atlas = read_image(exported / reader.package.layers[0].source, depth=16)
    seen = np.argwhere(atlas[..., 3] > 32768)
    cell = (np.ptp(seen, axis=0) + 1).max() / len(atlas) / CHECKS
    found = np.unique(numbers[numbers > 0])
    assert len(found) > CHECKS
    columns, rows = (found - 1) % CHECKS, (found - 1) // CHECKS
    inner = (columns % (CHECKS - 1) > 0) & (rows % (CHECKS - 1) > 0)  # the rest ends with the atlas
    assert inner.sum() > CHECKS
    for number in found[inner]:
        own = numbers == number
        assert np.ptp(u[own]) <= cell + 1e-3 and np.ptp(v[own]) <= cell + 1e-3
    slid = checks_of(job, [{"frames": [0, 2], "points": [50, 35, 62, 39]}], "slid")
    assert (slid[2] != numbers[2]).sum() > 20 and np.array_equal(slid > 0, numbers > 0)


def test_a_painted_atlas_makes_a_take_and_leaves_all_else(exported, job):
    """Without a text: the footage with a red spot where the atlas has one."""
    package = read_manifest(exported)
    source = exported / package.layers[0].source
    atlas = read_image(source, depth=16)
    side = atlas.shape[0]
    rows, columns = np.mgrid[:side, :side]
    spot = (rows - side / 2) ** 2 + (columns - side / 2) ** 2 < (side / 12) ** 2
    atlas[spot, :3] = (60000, 3000, 3000)
    write_png(job / "painted.png", atlas)
    plain = frames_of(job / "frames")
    change = ["--atlas", job / "painted.png", "--before", source]
    assert run(job, "edited", "layers", "apply", job / "bare", *change) == 0
    edited = frames_of(job / "edited" / "result")
    changed = (edited != plain).any(3)
    reader = LayerReader(exported)
    for index in range(FRAMES):
        planes = reader.planes(index)
        u, v = planes["foreground.UV.U"], 1 - planes["foreground.UV.V"]
        distance = np.hypot(u - 0.5, v - 0.5)
        assert not changed[index][distance > 1 / 12 + 3 / side].any()
        inside = (distance < 1 / 12 - 3 / side) & (planes["foreground.UV.A"] > 0.99)
        assert inside.sum() > 5
        assert np.abs(edited[index][inside] - [0.915, 0.046, 0.046]).mean() < 0.05
    report = json.loads((job / "edited" / "report.json").read_text())
    assert report["edits"][0]["kind"] == "atlas" and report["texts"] == []
    assert run(job, "again", "layers", "apply", job / "edited", "--plain") == 2  # nothing is left


def test_an_edit_over_a_stylized_object_leaves_the_rest_bit_for_bit(exported, job):
    corners = "40,25,60,25,60,45,40,45"
    write_png(job / "white.png", np.full((8, 8, 3), 255, np.uint8))
    place = ["--picture", job / "white.png", "--frame", "1", "--corners", corners]
    assert run(job, "placed", "layers", "apply", job / "job", *place) == 0
    before, after = (frames_of(job / name / "result") for name in ("job", "placed"))
    changed = (before != after).any(3)
    assert changed[1, 28:42, 43:57].mean() > 0.8 and not changed[1, :20].any()
    assert 0 < changed.mean() < 0.15
    assert run(job, "plain", "layers", "apply", job / "placed", "--plain") == 0
    assert np.array_equal(frames_of(job / "plain" / "result"), before)
    assert run(job, "placed_out", "layers", "export", job / "placed") == 0
    check_rebuilt(job / "placed_out" / "layers", after)


def test_a_removed_object_and_a_matte_need_neither_text_nor_picture(job):
    assert run(job, "removed", "layers", "apply", job / "bare", "--remove") == 0
    assert run(job, "matte", "layers", "apply", job / "bare", "--matte") == 0
    plain, gone, matte = (
        frames_of(folder) for folder in (
            job / "frames", job / "removed" / "result", job / "matte" / "result"
        )
    )  # fmt: skip
    inside = matte[..., 0] == 1
    assert np.abs(gone - plain)[inside].mean() > 0.05
    assert np.ptp(matte, axis=3).max() == 0 and 0.02 < inside.mean() < 0.5
    assert (gone == plain)[:, :4].all()
    assert run(job, "gone_out", "layers", "export", job / "removed") == 0
    check_rebuilt(job / "gone_out" / "layers", gone)


@pytest.mark.parametrize(
    ("change", "words"),
    [(["--picture", "x.png"], "0 numbers are not four corners"),
     (["--picture", "x.png", "--corners", "1,2"], "--corners 1,2: expected"),
     (["--atlas", "x.png"], "before: is missing"),
     (["--atlas", "x.png", "--before", "x.png", "--layer", "3"], "layer: 3 is not between"),
     (["--painted", "gone.png", "--frame", "1"], "gone.png cannot be read"),
     (["--grade", "1,2"], "--grade 1,2: expected"),
     (["--blur", "0"], "radius: 0.0 px is not above 0"),
     (["--remove", "--layer", "-1"], "layer: -1 is not between 0"),
     (["--pin", "0:1,2"], "a pin is set on two frames or more"),
     (["--pin", "0:1,2 1:1,2", "--layer", "-1"], "--layer -1: only objects are pinned")],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused_in_a_sentence(job, capsys, change, words):
    assert run(job, "refused", "layers", "apply", job / "job", *change) != 0
    assert words in capsys.readouterr().err


def test_a_manifest_of_another_version_or_with_other_folders_is_refused(exported, tmp_path):
    facts = json.loads((exported / MANIFEST).read_text())
    for change, words in (
        ({"version": 2}, "layers.version: 2 is not 1"),
        ({"frame_files": ["../x.exr"]}, "is not the name of a file"),
    ):
        (tmp_path / MANIFEST).write_text(json.dumps(facts | change))
        with pytest.raises(Refusal, match=words):
            read_manifest(tmp_path)


def test_planes_that_we_did_not_write_are_refused():
    whole = encode_planes({"A": np.zeros((20, 5), np.float32)})
    assert decode_planes(whole)["A"].shape == (20, 5)
    for data in (b"", whole[:40], b"x" * 200, whole[:-10]):
        with pytest.raises(Refusal, match="no OpenEXR file"):
            decode_planes(data)
