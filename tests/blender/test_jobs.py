"""Jobs through the operators, with the rehearsal as engine: how they end, and what they leave."""

import dataclasses
import json
import time
from pathlib import Path

import bpy
import pytest
from barcodes import top


def run(**more):
    """Run the operator as a script would."""
    return bpy.ops.strip_stylizer.stylize(**{"global_text": "a bronze swan", **more})


def only_job(part):
    (job,) = part("operators.session").state.jobs.values()
    return job


def names(scene):
    return [strip.name for strip in top(scene)]


def test_a_job_ends_as_a_strip_over_its_source(clip, scene, part):
    assert run(local_text="hammered bronze", preset="fine", seed=5) == {"FINISHED"}
    assert names(scene) == ["bars", "bars \N{EN DASH} a bronze swan, take 1"]
    strip, job = top(scene)[1], only_job(part)
    assert (strip.frame_final_start, strip.frame_final_duration, strip.channel) == (5, 10, 3)
    spec = json.loads(job.folder.spec.read_text())
    texts = spec["objects"][0]["texts"]
    assert (texts["global_text"], texts["local_text"]) == ("a bronze swan", "hammered bronze")
    assert spec["settings"]["seed"] == 5 and spec["settings"]["frames"]["longest_side"] == 1024
    assert spec["footage"]["indices"] == list(range(10))
    assert json.loads(strip["stylized_from"])["settings"] == spec["settings"]
    assert Path(strip.directory).resolve() == job.folder.result.resolve()


def test_the_strip_remembers_what_the_operator_was_given(clip, scene, part, media):
    run(mask_source="files", mask_path=str(media / "frames"), encoder="embedded")
    facts = part("operators.properties").of(top(scene)[0])
    assert (facts.global_text, facts.object_source) == ("a bronze swan", "files")
    assert only_job(part).spec.objects[0].mask.path == str(media / "frames")
    del facts
    bpy.ops.strip_stylizer.stylize(mask_source="box", box=(2, 5, 6, 40, 30))
    box = part("operators.session").newest_first()[0].spec.objects[0].mask.box
    assert (box.frame, box.x, box.height) == (2, 5, 30)


def test_a_second_result_goes_one_channel_higher(clip, scene, part):
    run()
    run(global_text="a stained glass swan")
    assert [strip.channel for strip in top(scene)] == [2, 3, 4]


def test_a_strip_at_another_rate_is_rendered_first(scene, part, media, tmp_path):
    strip = top(scene).new_movie("bars", str(media / "bars30.mp4"), 1, 1)
    strip.frame_offset_end = 34
    scene.sequence_editor.active_strip = strip
    run()
    job = only_job(part)
    assert job.spec.footage.kind.value == "images" and len(job.spec.footage.files) == 6
    assert not job.place.same_colours
    result = top(scene)[1]
    assert (result.frame_final_start, result.frame_final_duration) == (1, 6)


def test_the_result_is_one_undo_step(clip, scene, part):
    bpy.ops.ed.undo_push(message="Before")
    run()
    assert len(top(bpy.context.scene)) == 2
    bpy.ops.ed.undo()
    assert names(bpy.context.scene) == ["bars"]
    facts = part("operators.properties").of(top(bpy.context.scene)[0])
    assert facts.global_text == "a bronze swan" and facts.strip_id
    bpy.ops.ed.redo()
    assert len(top(bpy.context.scene)) == 2


def test_frames_can_go_to_a_folder_of_the_users_choice(clip, scene, part, tmp_path):
    run(output_folder=str(tmp_path / "out"))
    folder = tmp_path / "out" / only_job(part).id
    assert len(list(folder.glob("*.png"))) == 10
    assert Path(top(scene)[1].directory).resolve() == folder.resolve()


def test_a_chosen_folder_keeps_what_is_in_it(clip, scene, part, tmp_path):
    (tmp_path / "00000.png").write_bytes(b"footage")
    run(output_folder=str(tmp_path))
    first = top(scene)[1]
    kept = (Path(first.directory) / "00000.png").read_bytes()
    scene.sequence_editor.active_strip = top(scene)[0]
    run(global_text="a stained glass swan", output_folder=str(tmp_path))
    assert (tmp_path / "00000.png").read_bytes() == b"footage"
    assert (Path(first.directory) / "00000.png").read_bytes() == kept
    assert len({strip.directory for strip in top(scene)}) == 3


def test_foreign_pictures_beside_delivered_frames_do_not_count(clip, scene, part, tmp_path):
    run(output_folder=str(tmp_path))
    (Path(top(scene)[1].directory) / "foreign.png").write_bytes(b"foreign")
    part("operators.strips").remove(top(scene)[1])
    scene.sequence_editor.active_strip = top(scene)[0]
    assert bpy.ops.strip_stylizer.import_result() == {"FINISHED"}
    assert len(top(scene)[1].elements) == 10


def test_a_failed_job_raises_its_sentence_and_adds_nothing(clip, scene, part):
    with pytest.raises(RuntimeError, match=r"The rehearsal failed, as its text asked\. Change"):
        run(global_text="please fail in gold")
    assert names(scene) == ["bars"]


def test_a_crashed_engine_raises_and_adds_nothing(clip, scene, part):
    with pytest.raises(RuntimeError, match=r"ended without a word \(exit code 9\)"):
        run(global_text="please crash in gold")
    assert names(scene) == ["bars"]
    assert only_job(part).is_complete


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("Write a text", {"global_text": " "}),
        ("Choose a folder or movie with masks", {"mask_source": "files"}),
        ("The box is empty or outside the 128 x 64", {"mask_source": "box"}),
        ("outside", {"mask_source": "box", "box": (0, 500, 10, 30, 30)}),
        ("on frame 99, after the strip's end", {"mask_source": "box", "box": (99, 5, 5, 30, 30)}),
        ("knows no look", {"global_text": "hippogriff scream", "encoder": "embedded"}),
        ("says what the object is", {"global_text": "a swan", "preset": "draft"}),
    ],
)
def test_an_incomplete_request_is_refused_in_one_sentence(words, change, clip, scene, part):
    with pytest.raises(RuntimeError, match=words) as caught:
        run(**change)
    assert str(caught.value).strip().count("\n") == 0
    assert names(scene) == ["bars"] and not part("operators.session").state.jobs


def test_missing_media_are_refused_before_anything_starts(clip, scene, part):
    clip.elements[2].filename = "lost.png"
    jobs = part("operators.folders").jobs()
    before = list(jobs.iterdir()) if jobs.is_dir() else []
    with pytest.raises(RuntimeError, match=r"lost\.png is missing: relink"):
        run()
    assert names(scene) == ["bars"]
    assert (list(jobs.iterdir()) if jobs.is_dir() else []) == before


def test_without_a_strip_the_operator_says_what_to_do(scene, part):
    with pytest.raises(RuntimeError, match="Select a movie or image strip"):
        run()


def test_without_an_engine_the_operator_says_what_to_do(clip, part, monkeypatch):
    monkeypatch.setenv("STRIP_STYLIZER_PYTHON", "/nowhere/python")
    part("operators.session").refresh_engine()
    with pytest.raises(RuntimeError, match="Install the engine"):
        run()


def test_an_unwritable_workspace_is_one_sentence(clip, scene, part, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STRIP_STYLIZER_WORKSPACE", str(tmp_path / "file"))
    with pytest.raises(RuntimeError, match="workspace cannot be written"):
        run()
    assert names(scene) == ["bars"]


@pytest.fixture
def started(clip, scene, part):
    """A job that the session looks after, not yet at its end, as in a Blender with a window."""

    def start(text):
        requests, session = part("operators.requests"), part("operators.session")
        part("operators.properties").of(clip).global_text = text
        draft = requests.request(clip)
        spec = requests.complete(draft, session.footage_of(scene, clip))
        return session.add(scene, clip, spec, draft=draft, output="")

    return start


def poll_until(session, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        session.poll()
        time.sleep(0.02)


def test_a_job_can_be_cancelled_and_resumed(started, scene, part):
    session = part("operators.session")
    job = started("a slow gold swan")
    poll_until(session, lambda: job.status.step > 0)
    assert 0 < job.fraction < 1 and "%" in job.label
    assert bpy.ops.strip_stylizer.job_cancel(job=job.id) == {"FINISHED"}
    poll_until(session, lambda: job.is_complete)
    assert job.sentence == "The job was cancelled" and names(scene) == ["bars"]
    spec = job.folder.spec
    spec.write_text(spec.read_text().replace("a slow gold swan", "a gold swan"))
    job.spec = job.folder.read_spec()
    assert bpy.ops.strip_stylizer.job_resume(job=job.id) == {"FINISHED"}
    assert len(top(scene)) == 2


def test_a_killed_engine_is_noticed(started, scene, part):
    session = part("operators.session")
    job = started("a slow gold swan")
    poll_until(session, lambda: job.status.step > 0)
    job.process.kill()
    poll_until(session, lambda: job.is_complete)
    assert "ended by the system" in job.sentence and names(scene) == ["bars"]


def test_an_engine_that_had_to_be_killed_was_cancelled(started, scene, part, monkeypatch):
    session = part("operators.session")
    job = started("a slow gold swan")
    poll_until(session, lambda: job.status.step > 0)
    monkeypatch.setattr(part("operators.session.work"), "STOP_SECONDS", -1.0)
    monkeypatch.setattr(part("engine.client.process"), "request_stop", lambda folder: None)
    session.cancel(job)
    poll_until(session, lambda: job.is_complete)
    assert job.process.poll() != 0 and job.sentence == "The job was cancelled"


def bake(scene, part, media, text="a gold swan"):
    """Start a job whose strip must be rendered first."""
    requests, session = part("operators.requests"), part("operators.session")
    strip = top(scene).new_movie("bars", str(media / "bars30.mp4"), 1, 1)
    strip.frame_offset_end = 34
    scene.sequence_editor.active_strip = strip
    part("operators.properties").of(strip).global_text = text
    return session.add(scene, strip, None, draft=requests.request(strip), output="")


def test_a_cancelled_rendering_can_begin_anew(scene, part, media):
    job = bake(scene, part, media)
    assert (job.folder.path / "baking").is_dir()
    assert bpy.ops.strip_stylizer.job_cancel(job=job.id) == {"FINISHED"}
    assert job.is_complete and not (job.folder.path / "baking").exists()
    assert bpy.ops.strip_stylizer.job_resume(job=job.id) == {"FINISHED"}
    assert len(job.spec.footage.files) == 6 and len(top(scene)) == 2
    assert not (job.folder.path / "baking").exists()


def test_a_failed_rendering_leaves_its_log_and_can_begin_anew(scene, part, media):
    session, strips = part("operators.session"), part("operators.strips")
    job = bake(scene, part, media)
    job.baking.process.kill()
    poll_until(session, lambda: job.is_complete)
    assert "blender.log tells why" in job.sentence
    assert not (job.folder.path / "baking").exists() and not job.folder.spec.exists()
    assert bpy.ops.strip_stylizer.job_log(job=job.id) == {"FINISHED"}
    strips.remove(top(scene)[0])
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.strip_stylizer.job_resume(job=job.id)


def test_masks_of_a_rendered_strip_are_taken_in_order(scene, part, media, tmp_path):
    from barcodes import write_frames

    bake(scene, part, media)
    session = part("operators.session")
    session.close()
    write_frames(tmp_path / "masks", 8)
    masks = {"mask_source": "files", "mask_path": str(tmp_path / "masks")}
    with pytest.raises(RuntimeError, match=r"6 frames must be .* has 8 images: give one mask"):
        run(**masks)
    assert not session.state.jobs and len(top(scene)) == 1
    for number in (6, 7):
        (tmp_path / "masks" / f"{number:05d}.png").unlink()
    assert run(**masks) == {"FINISHED"}
    names = only_job(part).spec.footage.files
    assert names[0] == "shown-00000.png" and len(names) == 6


def test_one_job_waits_for_another(started, part):
    session = part("operators.session")
    first, second = started("a slow gold swan"), started("a gold swan")
    poll_until(session, lambda: first.status.step > 0)
    assert second.queued and second.label == "Waiting for Another Job"
    session.cancel(second)
    assert second.is_complete
    session.cancel(first)
    poll_until(session, lambda: first.is_complete)


def test_the_timer_ends_when_all_jobs_rest(started, part):
    session = part("operators.session")
    job = started("a gold swan")
    assert session.poll() == session.INTERVAL
    session.wait(job)
    poll_until(session, lambda: session.poll() is None)  # the engine's process has ended, too


def test_a_result_whose_strip_vanished_can_be_imported_later(started, scene, part, media):
    from barcodes import image_strip

    session, strips = part("operators.session"), part("operators.strips")
    job = started("a gold swan")
    strips.remove(top(scene)[0])
    session.wait(job)
    assert "is gone" in job.note and names(scene) == []
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.strip_stylizer.import_result(job=job.id)
    image_strip(scene, media / "frames", count=10, channel=2, start=5)
    assert bpy.ops.strip_stylizer.import_result(job=job.id) == {"FINISHED"}
    assert len(top(scene)) == 2
    with pytest.raises(RuntimeError, match="no finished job without a strip"):
        bpy.ops.strip_stylizer.import_result(job=job.id)


def test_a_removed_result_can_be_imported_again(clip, scene, part):
    run()
    part("operators.strips").remove(top(scene)[1])
    scene.sequence_editor.active_strip = top(scene)[0]
    assert bpy.ops.strip_stylizer.import_result() == {"FINISHED"}
    assert len(top(scene)) == 2


def test_compare_hides_and_shows_the_result(clip, scene, part):
    run()
    assert bpy.ops.strip_stylizer.compare() == {"FINISHED"}
    assert [strip.mute for strip in top(scene)] == [False, True]
    bpy.ops.strip_stylizer.compare()
    assert [strip.mute for strip in top(scene)] == [False, False]


def test_reuse_settings_brings_back_text_and_numbers(clip, scene, part):
    properties = part("operators.properties")
    run(local_text="bronze", preset="fine", seed=9)
    facts = properties.of(clip)
    facts.preset, facts.global_text, facts.settings.seed = "draft", "else", 1
    scene.sequence_editor.active_strip = top(scene)[1]
    assert bpy.ops.strip_stylizer.reuse_settings() == {"FINISHED"}
    assert (facts.global_text, facts.local_text, facts.settings.seed) == (
        "a bronze swan",
        "bronze",
        9,
    )
    assert facts.settings.frames.longest_side == 1024


def test_the_newest_picture_replaces_the_one_before(clip, part):
    session = part("operators.session")
    run()
    job = only_job(part)
    for count in (1, 2):
        job.status = dataclasses.replace(job.status, preview_count=count)
        session.load_pictures(job)
        name = f"{job.id}-frame-{count}"
        assert list(session.state.pictures) == [name] and set(job.icons) == {"frame"}
        assert tuple(session.state.pictures[name].image_size) == (64, 36)


def test_the_log_opens_as_a_text(clip, part):
    run()
    job = only_job(part)
    job.folder.log.write_text("first line\nlast line\n")
    assert bpy.ops.strip_stylizer.job_log(job=job.id) == {"FINISHED"}
    assert "last line" in bpy.data.texts[f"Log of {job.id}"].as_string()


def test_jobs_are_found_again_after_blender_was_closed(clip, scene, part, tmp_path):
    session = part("operators.session")
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    run()
    job_id = only_job(part).id
    bpy.ops.wm.save_as_mainfile(filepath=path)
    session.close()
    bpy.ops.wm.open_mainfile(filepath=path)
    job = session.state.jobs[job_id]
    poll_until(session, lambda: job.is_complete)  # each look reads for some milliseconds
    assert job.arrived
    strip = top(bpy.context.scene)[1]
    assert session.job_of(strip) is job


def test_a_job_is_found_though_its_file_was_saved_only_later(clip, part, tmp_path):
    session = part("operators.session")
    run()
    job_id = only_job(part).id
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    session.close()
    bpy.ops.wm.open_mainfile(filepath=path)
    assert session.state.jobs[job_id].arrived


def test_a_job_that_ended_while_blender_was_closed_is_placed(started, scene, part, tmp_path):
    session = part("operators.session")
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    job = started("a gold swan")
    session.poll()
    bpy.ops.wm.save_as_mainfile(filepath=path)
    job.process.wait(timeout=30)
    session.close()
    bpy.ops.wm.open_mainfile(filepath=path)
    found = session.state.jobs[job.id]
    session.wait(found)
    assert found.arrived and len(top(bpy.context.scene)) == 2


def test_a_job_of_another_file_stays_out_of_this_one(started, scene, part, tmp_path, media):
    from barcodes import image_strip

    session = part("operators.session")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    job = started("a gold swan")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    other = bpy.context.scene
    other.sequence_editor_create()
    image_strip(other, media / "frames", count=10, channel=2, start=5)
    session.wait(job)
    assert "is gone" in job.note and names(other) == ["bars"]
