"""The parts of a finished job, read back from the files and compared with what the job holds."""

import json
import struct
import zlib

import numpy as np
import pytest
import torch

from engine import __main__ as command_line
from engine.contract.job import Stage
from engine.decomposition.layers import load_layers, sample_atlas
from engine.video.images import read_image, read_rgb, write_png
from engine.video.movies import movie_frames
from engine.workspace import Cache

from .synthetic import moving_sprite
from .test_pipeline import QUICK

FRAMES = 5


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A finished job and its cache."""
    folder = tmp_path_factory.mktemp("export")
    made = moving_sprite(frames=FRAMES, width=122, height=70)
    for name in ("frames", "masks"):
        (folder / name).mkdir()
    for index, (frame, mask) in enumerate(zip(made.frames, made.masks, strict=True)):
        write_png(folder / "frames" / f"{index:03d}.png", frame)
        write_png(folder / "masks" / f"{index:03d}.png", mask)
    arguments = ["stylize", str(folder / "frames"), "--masks", str(folder / "masks")]
    arguments += ["--global-text", "zebra fur", "--preset", "draft", "--out", str(folder / "job")]
    for assignment in QUICK:
        arguments += ["--set", assignment]
    assert command_line.main([*arguments, "--cache", str(folder / "cache")]) == 0
    return folder


@pytest.fixture(scope="module")
def exported(job):
    assert export(job, job / "out") == 0
    return job / "out"


@pytest.fixture(scope="module")
def layers(job):
    (key,) = json.loads((job / "job" / "report.json").read_text())["keys"]["decomposition"]
    return load_layers(Cache(job / "cache").folder(Stage.DECOMPOSITION, key))


def export(job, out, cache="cache"):
    return command_line.main(
        ["export", str(job / "job"), "--out", str(out), "--cache", str(job / cache)]
    )


def read_exr(path):
    """Read the channels of a ZIP or raw scan line file, by the format's description alone."""
    data = path.read_bytes()
    assert struct.unpack_from("<ii", data) == (20000630, 2)
    at, attributes = 8, {}
    while data[at]:
        name, kind = data[at:].split(b"\0", 2)[:2]
        at += len(name) + len(kind) + 2
        (size,) = struct.unpack_from("<i", data, at)
        attributes[name.decode()] = data[at + 4 : at + 4 + size]
        at += 4 + size
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    kinds, listed = {}, attributes["channels"]
    while listed[0]:
        name, rest = listed.split(b"\0", 1)
        kinds[name.decode()] = {1: "<f2", 2: "<f4"}[struct.unpack_from("<i", rest)[0]]
        listed = rest[16:]
    line = sum(np.dtype(kind).itemsize for kind in kinds.values()) * width
    blocks = -(-height // 16)
    rows = []
    for number in range(blocks):
        (start,) = struct.unpack_from("<Q", data, at + 1 + 8 * number)
        first, size = struct.unpack_from("<ii", data, start)
        assert first == 16 * number
        rows.append(unpacked(data[start + 8 : start + 8 + size], line * min(16, height - first)))
    lines = np.concatenate(rows).reshape(height, line)
    planes, column = {}, 0
    for name, kind in kinds.items():
        wide = np.dtype(kind).itemsize * width
        planes[name] = np.ascontiguousarray(lines[:, column : column + wide]).view(kind)
        column += wide
    return planes


def unpacked(block, size):
    if len(block) == size:
        return np.frombuffer(block, np.uint8)
    steps = np.frombuffer(zlib.decompress(block), np.uint8).astype(int)
    steps[1:] -= 128
    parted = np.cumsum(steps).astype(np.uint8)
    whole = np.empty_like(parted)
    whole[0::2], whole[1::2] = np.split(parted, [(len(parted) + 1) // 2])
    return whole


def test_uv_and_alpha_of_every_frame_are_those_of_the_job(exported, layers):
    files = sorted((exported / "layers").iterdir())
    assert len(files) == FRAMES
    for frame, path in enumerate(files):
        planes = read_exr(path)
        assert set(planes) == {
            f"{layer}.UV.{channel}" for layer in ("foreground", "background") for channel in "UVA"
        }
        uv, alpha = layers.uv[frame].numpy(), layers.alpha[frame].numpy()
        assert np.array_equal(planes["foreground.UV.U"], uv[..., 0])
        assert np.allclose(1 - planes["foreground.UV.V"], uv[..., 1], atol=1e-6)
        assert np.allclose(planes["foreground.UV.A"], alpha, atol=1e-3)
        assert np.allclose(planes["background.UV.A"], 1 - alpha, atol=1e-3)


def test_the_exported_parts_make_up_the_video(exported, layers):
    """Whoever has only the files gets what the atlases hold."""
    frame = FRAMES // 2
    planes = read_exr(exported / "layers" / f"{frame:05d}.exr")
    video = np.zeros((*planes["background.UV.A"].shape, 3))
    for name in ("foreground", "background"):
        atlas = torch.from_numpy(read_image(exported / f"{name}.png")).float() / 255
        uv = [planes[f"{name}.UV.U"], 1 - planes[f"{name}.UV.V"]]
        read = sample_atlas(atlas, torch.from_numpy(np.stack(uv, 2)))
        assert read[..., 3][torch.from_numpy(planes[f"{name}.UV.A"] > 0.9)].mean() > 0.9
        video += planes[f"{name}.UV.A"][..., None].astype(float) * read[..., :3].numpy()
    front = sample_atlas(layers.atlas, layers.uv[frame])
    behind = sample_atlas(layers.atlas_background, layers.uv_background[frame])
    expected = torch.lerp(behind, front, layers.alpha[frame][..., None]).numpy()
    assert np.abs(video - expected).mean() < 0.004


def test_the_stylized_atlas_differs_and_has_the_same_shape(exported):
    before = read_image(exported / "foreground.png")
    after = read_image(exported / "foreground_stylized.png")
    assert np.array_equal(before[..., 3], after[..., 3]) and before[..., 3].max() == 255
    assert np.abs(before[..., :3].astype(int) - after[..., :3])[before[..., 3] > 200].mean() > 5
    assert not (exported / "background_stylized.png").exists()


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


def test_the_description_names_every_file(exported):
    facts = json.loads((exported / "export.json").read_text())
    named = [layer[name] for layer in facts["layers"] for name in ("atlas", "stylized")]
    for name in [*facts["frames_files"], *filter(None, named)]:
        assert (exported / name).is_file(), name
    assert facts["size"] == [96, 55] and facts["frames"] == FRAMES


def test_a_job_that_the_cache_does_not_hold_is_refused_with_a_remedy(job, tmp_path, capsys):
    assert export(job, tmp_path, cache="elsewhere") == 2
    assert "--cache" in capsys.readouterr().err


def test_a_job_without_a_result_is_refused(job, tmp_path, capsys):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.json").write_bytes((job / "job" / "job.json").read_bytes())
    assert export(tmp_path, tmp_path / "out") == 2
    assert "Run the job first." in capsys.readouterr().err
