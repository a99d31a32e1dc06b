"""The whole way with the engine itself: a small clip, very few steps, a strip of real frames."""

import json
import math
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from barcodes import image_strip, png, top

WIDTH, HEIGHT, FRAMES = 96, 64, 5


def write_clip(folder):
    """A textured disc that moves to the right over a textured ground that does not."""
    folder.mkdir()
    for frame in range(FRAMES):
        rows = []
        for y in range(HEIGHT):
            row = bytearray()
            for x in range(WIDTH):
                row += bytes(colour(x, y, 30 + 5 * frame))
            rows.append(bytes(row))
        (folder / f"{frame:05d}.png").write_bytes(png(rows))


def colour(x, y, centre):
    """The ground's colour, or inside the disc around ``centre`` the disc's."""
    if math.hypot(x - centre, y - 32) < 18:
        level = 128 + 60 * math.sin((x - centre) * 0.9) * math.cos(y * 0.7)
        return int(level), int(level * 0.6), 40
    level = 120 + 50 * math.sin(x * 0.35 + math.sin(y * 0.4)) + 30 * math.cos(y * 0.6 + x * 0.1)
    return int(level * 0.4), int(level * 0.8), int(level)


@pytest.fixture
def strip(real_engine, scene, part, tmp_path):
    """The clip as the active strip, with settings that take seconds."""
    write_clip(tmp_path / "clip")
    strip = image_strip(scene, tmp_path / "clip", count=FRAMES, channel=1, start=11)
    scene.sequence_editor.active_strip = strip
    facts = part("operators.properties").of(strip)
    facts.preset = "draft"
    settings = facts.settings
    settings.frames.longest_side, settings.device = 96, "cpu"
    settings.decomposition.grid.steps = 4
    settings.decomposition.grid.atlas_size = 64
    settings.stylization.steps = 2
    return strip


@pytest.mark.slow
def test_two_objects_and_the_background_are_restyled(strip, scene, part):
    import bpy

    targets, properties = part("operators.targets"), part("operators.properties")
    facts = properties.of(strip)
    facts.global_text, facts.object_source = "a golden disc", "box"
    facts.box_x, facts.box_y, facts.box_width, facts.box_height = 10, 12, 42, 42
    second = targets.add_object(facts)
    second.global_text, second.object_source = "a blue wall", "box"
    second.box_x, second.box_y, second.box_width, second.box_height = 60, 4, 34, 56
    targets.background_of(facts).global_text = "an oil painting"
    bpy.ops.strip_stylizer.stylize()
    (job,) = part("operators.session").state.jobs.values()
    report = json.loads(job.folder.report.read_text())
    texts = [item["global_text"] for item in report["texts"]]
    assert texts == ["a golden disc", "a blue wall", "an oil painting"]
    assert len(report["keys"]["masks"]) == 2 and len(report["keys"]["stylization"]) == 3
    assert len(top(scene)) == 2
    assert "stylization:embedded" in next(
        rates for name, rates in part("operators.session").rates().items() if name != "last"
    )


@pytest.mark.slow
def test_the_masks_of_the_real_engine_are_shown(strip, part):
    import bpy

    facts = part("operators.properties").of(strip)
    facts.object_source = "box"
    facts.box_x, facts.box_y, facts.box_width, facts.box_height = 10, 12, 42, 42
    bpy.ops.strip_stylizer.show_mask()
    (job,) = part("operators.session").state.jobs.values()
    picture = part("operators.overlay").picture_over(job, 0)
    assert picture.shape == (HEIGHT, WIDTH, 4)
    assert picture[32, 30, 3] > 0 and picture[4, 90, 3] == 0


@pytest.mark.slow
def test_the_real_engine_makes_a_strip(strip, scene, part):
    import bpy

    box = (0, 10, 12, 42, 42)
    bpy.ops.strip_stylizer.stylize(global_text="a golden disc", mask_source="box", box=box)
    result = top(scene)[1]
    assert (result.frame_final_start, result.frame_final_duration) == (11, FRAMES)
    frames = sorted(Path(result.directory).glob("*.png"))
    assert len(frames) == FRAMES
    assert (result.elements[0].orig_width, result.elements[0].orig_height) == (WIDTH, HEIGHT)
    (job,) = part("operators.session").state.jobs.values()
    assert json.loads(job.folder.report.read_text())


@pytest.mark.slow
def test_a_movie_of_a_rendered_strip_comes_back_as_a_strip(strip, scene, part, tmp_path):
    import bpy

    facts = part("operators.properties").of(strip)
    facts.global_text, facts.source = "a golden disc", "displayed"
    facts.settings.render.format = "ffv1"
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    strip.use_flip_x = True
    bpy.ops.strip_stylizer.stylize(output_folder=str(tmp_path / "out"))
    result = top(scene)[1]
    assert (result.type, result.frame_final_start, result.frame_final_duration) == (
        "MOVIE", 11, FRAMES,
    )  # fmt: skip
    assert Path(result.filepath).name == "result.mkv" and (tmp_path / "out").is_dir()
    assert result.filepath.startswith(str(tmp_path / "out")) and not result.use_flip_x


@pytest.mark.slow
def test_a_snapshot_is_rendered_without_training_again(strip, scene, part):
    import bpy

    part("operators.properties").of(strip).settings.stylization.snapshot_every = 1
    box = (0, 10, 12, 42, 42)
    bpy.ops.strip_stylizer.stylize(global_text="a golden disc", mask_source="box", box=box)
    first = top(scene)[1]
    scene.sequence_editor.active_strip = first
    (before,) = part("operators.session").state.jobs.values()
    (found,) = part("operators.snapshots").candidates_of(before)
    assert (found.snapshots, found.steps) == ((1, 2), 2)
    bpy.ops.strip_stylizer.snapshot_render(snapshot=1)
    job = part("operators.session").newest_first()[0]
    reused = {stage.value for stage in job.status.reused}
    assert reused == {"frames", "flow", "masks", "decomposition", "stylization"}
    pictures = [Path(take.directory) / "00002.png" for take in top(scene)[1:]]
    assert len(pictures) == 2 and pictures[0].read_bytes() != pictures[1].read_bytes()


def boxed(strip, part):
    """The strip's settings, with a box around the disc."""
    facts = part("operators.properties").of(strip)
    facts.object_source = "box"
    facts.box_x, facts.box_y, facts.box_width, facts.box_height = 10, 12, 42, 42
    return facts


@pytest.fixture
def with_window(part, monkeypatch):
    """Where there is a window an engine is kept ready."""
    import bpy

    app = SimpleNamespace(background=False, online_access=bpy.app.online_access)
    monkeypatch.setattr(part("operators.session.standby"), "bpy", SimpleNamespace(app=app))


@pytest.mark.slow
def test_the_next_job_runs_in_the_engine_that_waits(strip, scene, part, with_window):
    import bpy

    session, facts = part("operators.session"), boxed(strip, part)
    facts.global_text = "a golden disc"
    bpy.ops.strip_stylizer.stylize()
    first = session.state.standby
    assert first is not None and first.process.poll() is None
    scene.sequence_editor.active_strip = strip
    facts.global_text = "a blue disc"
    bpy.ops.strip_stylizer.stylize()
    newest = session.newest_first()[0]
    assert newest.process is first.process and first.process.wait(20) == 0
    assert newest.folder.log.exists() and len(top(scene)) == 3
    second = session.state.standby
    assert second is not None and second is not first
    session.drop_standby()
    assert second.process.poll() is not None


@pytest.mark.slow
def test_no_engine_waits_where_the_preferences_do_not_want_one(strip, part, with_window):
    import bpy

    session, preferences = part("operators.session"), part("operators.folders").preferences()
    preferences.keep_ready = False
    try:
        boxed(strip, part).global_text = "a golden disc"
        bpy.ops.strip_stylizer.stylize()
        assert session.state.standby is None
    finally:
        preferences.keep_ready = True


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc")
def test_jobs_leave_no_handles_and_no_processes(strip, part):
    """STRIP_STYLIZER_JOBS=50 looks longer, and prints the memory after each tenth of them."""
    import bpy

    count = int(os.environ.get("STRIP_STYLIZER_JOBS", "2"))
    session = part("operators.session")

    def held():
        handles = len(list(Path("/proc/self/fd").iterdir()))
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = subprocess.run(
            ["ps", "--ppid", str(os.getpid()), "-o", "stat="], capture_output=True, text=True
        ).stdout.split()
        return handles, memory, children

    seen = []
    for number in range(count):
        bpy.ops.strip_stylizer.stylize(global_text="a golden disc", seed=number)
        seen.append(held())
        if number % max(1, count // 10) == 0:
            print(f"job {number + 1}: {seen[-1][0]} handles, {seen[-1][1] / 2**20:.0f} MiB")
    assert len(session.state.jobs) == count
    assert seen[-1][0] <= seen[0][0]
    assert not any("Z" in state for state in seen[-1][2])
