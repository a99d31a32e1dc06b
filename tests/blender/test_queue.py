"""The queue of jobs: order, how many at once, pause, remedies, what survives Blender's end."""

import dataclasses
import shutil
import time

import bpy
import pytest
from barcodes import top


@pytest.fixture
def started(clip, scene, part):
    """Return a function that adds a job which the session has not looked after yet."""

    def start(text):
        requests, session = part("operators.requests"), part("operators.session")
        part("operators.properties").of(clip).global_text = text
        draft = requests.request(clip)
        spec = requests.complete(draft, session.footage_of(scene, clip))
        return session.add(scene, clip, spec, draft=draft, output="")

    return start


@pytest.fixture
def preferences(part, scene):
    """The preferences; all that a test changes is put back."""
    found = part("operators.folders").preferences()
    names = ("jobs_at_once", "import_when_finished", "output_folder", "device", "workspace")
    before = {name: getattr(found, name) for name in names}
    yield found
    for name, value in before.items():
        setattr(found, name, value)


def poll_until(session, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        session.poll()
        time.sleep(0.02)


def end_all(session):
    for job in session.state.jobs.values():
        if not job.status.ended:
            session.cancel(job)
    poll_until(session, lambda: all(job.is_complete for job in session.state.jobs.values()))


def test_waiting_jobs_start_in_the_order_of_the_queue(started, part):
    session = part("operators.session")
    first, second = started("a slow gold swan"), started("a gold duck")
    third = started("a gold boat")
    poll_until(session, lambda: first.runs)
    assert session.waiting_jobs() == [second, third]
    assert bpy.ops.strip_stylizer.job_move(job=third.id, step=-1) == {"FINISHED"}
    assert session.waiting_jobs() == [third, second]
    assert bpy.ops.strip_stylizer.job_move(job=third.id, step=-1) == {"CANCELLED"}
    session.cancel(first)
    poll_until(session, lambda: third.runs)
    assert second.queued
    end_all(session)


def test_as_many_jobs_run_at_once_as_the_preferences_say(started, part, preferences):
    session = part("operators.session")
    preferences.jobs_at_once = 2
    jobs = [started("a slow gold swan") for _ in range(3)]
    poll_until(session, lambda: sum(job.runs for job in jobs) == 2)
    session.poll()
    assert [job.queued for job in jobs] == [False, False, True]
    end_all(session)


def test_a_job_can_be_paused_and_continued(started, part):
    session = part("operators.session")
    job = started("a slow gold swan")
    poll_until(session, lambda: job.status.step > 0)
    assert bpy.ops.strip_stylizer.job_pause(job=job.id) == {"FINISHED"}
    poll_until(session, lambda: job.status.paused)
    assert job.label == "Paused"
    with pytest.raises(RuntimeError, match="no running job to pause"):
        bpy.ops.strip_stylizer.job_pause(job=job.id)
    assert bpy.ops.strip_stylizer.job_continue(job=job.id) == {"FINISHED"}
    poll_until(session, lambda: not job.status.paused)
    end_all(session)


def test_a_result_waits_where_the_preferences_say_so(started, scene, part, preferences):
    session = part("operators.session")
    preferences.import_when_finished = False
    job = started("a gold swan")
    poll_until(session, lambda: job.is_complete)
    assert "Import Result" in job.note and len(top(scene)) == 1
    assert bpy.ops.strip_stylizer.import_result(job=job.id) == {"FINISHED"}
    assert len(top(scene)) == 2


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_paths_may_count_from_the_file(clip, part, preferences):
    target = part("operators.targets")
    target.ensure(clip.strip_stylizer)
    clip.strip_stylizer.targets[0].picture = "//picture.png"
    clip.strip_stylizer.targets[0].mask_folder = preferences.output_folder = "//beside"


def test_the_output_folder_of_the_preferences_is_used(clip, scene, part, preferences, tmp_path):
    preferences.output_folder = str(tmp_path / "out")
    bpy.ops.strip_stylizer.stylize(global_text="a gold swan")
    assert top(scene)[1].directory.startswith(str(tmp_path / "out"))
    preferences.output_folder = "//beside"
    assert part("operators.starting").output_of("") == ""


def test_the_device_of_the_preferences_stands_in_for_automatic(clip, part, preferences):
    requests, properties = part("operators.requests"), part("operators.properties")
    preferences.device = "cpu"
    facts = properties.of(clip)
    assert requests.settings_of(facts).device == "cpu"
    facts.settings.device = "cuda"
    assert requests.settings_of(facts).device == "cuda"


def fail(job, part, fault):
    status, events = part("engine.client.status"), part("engine.contract.events")
    job.queued = False
    job.status = status.Status(
        phase=status.Phase.FAILED, fault=events.Fault(fault), message="No.", hint="Yes."
    )


@pytest.mark.parametrize(
    ("fault", "setting", "value"),
    [
        ("out_of_memory", "frames.longest_side", 176),
        ("device_unavailable", "device", "automatic"),
        ("diverged", "stylization.learning_rate", 0.025),
    ],
)
def test_a_fix_changes_what_was_wrong_and_tries_again(
    fault, setting, value, started, clip, part, scene
):
    facts = part("operators.properties").of(clip)
    facts.settings.device = "cuda"
    job, session = started("a gold swan"), part("operators.session")
    fail(job, part, fault)
    assert bpy.ops.strip_stylizer.job_fix(job=job.id) == {"FINISHED"}
    found = job.folder.read_spec().settings
    of_strip = facts.settings
    for name in setting.split("."):
        found, of_strip = getattr(found, name), getattr(of_strip, name)
    assert found == value and of_strip == pytest.approx(value)
    poll_until(session, lambda: job.is_complete)
    assert job.arrived


def test_missing_weights_are_replaced_by_the_embedded_encoder(started, clip, part):
    facts = part("operators.properties").of(clip)
    facts.preset = "standard"
    job = started("a gold swan")
    fail(job, part, "weights_unavailable")
    bpy.ops.strip_stylizer.job_fix(job=job.id)
    assert job.spec.settings.stylization.encoder == "embedded"
    assert job.spec.settings.stylization.atlas == "texture"
    end_all(part("operators.session"))


def test_a_lost_object_is_shown_with_a_box(started, clip, part):
    job = started("a gold swan")
    fail(job, part, "object_not_found")
    assert bpy.ops.strip_stylizer.job_fix(job=job.id) == {"FINISHED"}
    assert part("operators.properties").of(clip).object_source == "box"


def test_a_job_whose_folder_cannot_be_written_moves(started, part, preferences, tmp_path):
    session, job = part("operators.session"), started("a gold swan")
    job.output = str(tmp_path / "out")
    fail(job, part, "folder_unwritable")
    bpy.ops.strip_stylizer.job_fix(job=job.id, directory=str(tmp_path))
    assert preferences.workspace == str(tmp_path)
    assert job.id not in session.state.jobs and len(session.state.jobs) == 1
    assert [other.output for other in session.state.jobs.values()] == [str(tmp_path / "out")]
    end_all(session)


def test_a_job_stays_where_the_new_folder_is_no_better(
    started, part, preferences, tmp_path, monkeypatch
):
    session, job = part("operators.session"), started("a gold swan")
    fail(job, part, "folder_unwritable")
    (tmp_path / "file").touch()
    monkeypatch.delenv("STRIP_STYLIZER_WORKSPACE")
    with pytest.raises(RuntimeError, match="file"):
        bpy.ops.strip_stylizer.job_fix(job=job.id, directory=str(tmp_path / "file"))
    assert list(session.state.jobs) == [job.id]


def test_a_job_without_a_remedy_has_no_fix(started, part):
    job = started("a gold swan")
    fail(job, part, "unexpected")
    with pytest.raises(RuntimeError, match="no failed job with a known remedy"):
        bpy.ops.strip_stylizer.job_fix(job=job.id)


def test_a_job_that_was_never_rendered_is_listed_again(scene, part, media, tmp_path):
    requests, session = part("operators.requests"), part("operators.session")
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    strip = top(scene).new_movie("bars", str(media / "bars30.mp4"), 1, 1)
    strip.frame_offset_end = 34
    scene.sequence_editor.active_strip = strip
    part("operators.properties").of(strip).global_text = "a gold swan"
    job = session.add(scene, strip, None, draft=requests.request(strip))
    bpy.ops.wm.save_as_mainfile(filepath=path)
    session.close()
    bpy.ops.wm.open_mainfile(filepath=path)
    found = session.state.jobs[job.id]
    assert found.status.ended and "Retry renders it again" in found.sentence
    assert bpy.ops.strip_stylizer.job_resume(job=job.id) == {"FINISHED"}
    assert found.arrived and len(found.spec.footage.files) == 6


def test_finished_jobs_are_cleared_from_the_list(started, part):
    session = part("operators.session")
    done = started("a gold swan")
    session.wait(done)
    rest = started("a slow gold swan")
    assert bpy.ops.strip_stylizer.jobs_clear() == {"FINISHED"}
    assert list(session.state.jobs) == [rest.id]
    end_all(session)


def test_engines_are_stopped_at_the_end_where_they_may_not_go_on(started, part):
    session = part("operators.session")
    job = started("a slow gold swan")
    poll_until(session, lambda: job.status.step > 0)
    session.state.keeps_running = False
    session.leave()
    assert job.process.wait(20) == 130


def test_a_second_text_is_known_to_be_quick(clip, part):
    outlook = part("operators.outlook")
    bpy.ops.strip_stylizer.stylize(global_text="a gold swan")
    facts = part("operators.properties").of(clip)
    facts.global_text = "a gold duck"
    assert outlook.sentence(clip).startswith("Layers are cached: ")
    facts.settings.decomposition.grid.steps += 1
    told = outlook.sentence(clip)
    assert told.startswith("About ") and told.endswith(" disk")


def test_a_full_disk_is_told_before_anything_starts(clip, part, monkeypatch):
    room = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: room)
    with pytest.raises(RuntimeError, match=r"needs about \d+ MB on the disk, but 1 kB are free"):
        bpy.ops.strip_stylizer.stylize(global_text="a gold swan")
    assert not part("operators.session").state.jobs


def test_estimates_learn_from_finished_jobs(part, clip):
    estimate, requests = part("operators.estimate"), part("operators.requests")
    status, stages = part("engine.client.status"), part("engine.contract.job").Stage
    part("operators.properties").of(clip).global_text = "a gold swan"
    spec, size = requests.draft_of(clip), estimate.Size(10, 1280, 720)
    guess = estimate.estimate(spec, size, {}, "")
    assert not guess.measured and guess.seconds > 1
    spent = {stage.value: 7.0 for stage in stages}
    done = status.Status(device="processor, 2 threads", stage_seconds=spent, seconds=44.0)
    rates = estimate.update_rates({}, spec, size, done)
    found = estimate.estimate(spec, size, rates, estimate.last_device(rates))
    assert found.measured and found.seconds == pytest.approx(44.0, rel=1e-3)
    twice = dataclasses.replace(size, frames=20)
    memory = [estimate.estimate(spec, estimate.Size(count, 1920, 1080), {}, "").memory_gb
              for count in (6, 70, 280)]  # fmt: skip
    # What these took: benchmarks/results/memory-of-long-clips.md
    assert memory == pytest.approx([1.3, 2.2, 3.5], rel=0.1)
    later = estimate.estimate(spec, twice, rates, "processor, 2 threads")
    assert found.seconds < later.seconds < 2 * found.seconds
    quick = estimate.estimate(spec, size, rates, "processor, 2 threads", separated=True)
    assert quick.seconds == pytest.approx(2 + 14.0, rel=1e-3)


def test_a_look_can_be_kept_before_the_training_ends(started, part, clip):
    session, stage = part("operators.session"), part("engine.contract.job").Stage
    style = part("operators.properties").of(clip).settings.stylization
    style.steps, style.snapshot_every = 20, 5
    job = started("a slow gold swan")
    poll_until(session, lambda: job.runs)
    with pytest.raises(RuntimeError, match="wait for its first snapshot"):
        bpy.ops.strip_stylizer.job_keep(job=job.id)
    poll_until(session, lambda: job.status.stage is stage.STYLIZATION and job.status.step >= 11)
    assert bpy.ops.strip_stylizer.job_keep(job=job.id) == {"FINISHED"}
    assert job.label.startswith("Keeping Step 1")
    poll_until(session, lambda: job.is_complete, seconds=120)
    (take,) = part("operators.strips").results_of(clip)
    recipe = part("operators.strips").recipe_of(take)
    assert recipe["settings"]["render"]["snapshot"] in (10, 15)
    assert job.folder.read_spec().settings.render.snapshot in (10, 15)


def test_only_a_lone_look_can_be_kept_early(started, part, clip):
    job = started("a gold swan")
    stages, status = part("engine.contract.job").Stage, part("engine.client.status")
    settings = part("engine.contract.settings")
    job.queued = False
    running = status.Status(phase=status.Phase.RUNNING, stage=stages.STYLIZATION, step=10_000)
    job.status = running
    steps = job.spec.settings.stylization.steps
    assert 0 < job.step_to_keep <= steps
    every, ahead = job.spec.settings.stylization.snapshot_every, 40
    for step, kept in ((ahead + every - 1, 0), (ahead + every, every), (ahead + steps, steps)):
        job.status = dataclasses.replace(running, step=step, total=ahead + steps)
        assert job.step_to_keep == kept // every * every
    more = settings.replace_setting(job.spec.settings, "stylization.candidates", 2)
    job.spec = dataclasses.replace(job.spec, settings=more)
    assert job.step_to_keep == 0
    part("operators.session").forget(job)


def test_names_of_jobs_tell_one_moment_and_not_two(part, monkeypatch):
    """The system's coarse clock, which may still show the second before, is not asked."""
    jobs = part("operators.job")
    moments = iter([1_700_000_000_998_000_000, 1_700_000_001_002_000_000])
    monkeypatch.setattr(jobs.time, "time_ns", lambda: next(moments))
    first, second = jobs.new_id(), jobs.new_id()
    assert first < second
    assert [name[16:19] for name in (first, second)] == ["998", "002"]
    assert int(second[13:15]) == int(first[13:15]) + 1
