"""A strip is sent to a render farm, watched there, cancelled, and its result comes back."""

import json
import subprocess
import sys
import time
from pathlib import Path

import bpy
import pytest
from barcodes import EXTENSION, top

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "client"))

from flamenco import serve  # noqa: E402  it lies beside the tests of the client


@pytest.fixture
def farm(clip, part, tmp_path, monkeypatch):
    """A stand-in of a manager whose storage is here, and a strip that wants a swan of bronze."""
    monkeypatch.setattr(part("engine.client.farm"), "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(part("operators.setting_up"), "offline_reason", lambda: "")
    part("operators.properties").of(clip).global_text = "a bronze swan"
    preferences = bpy.context.preferences.addons[EXTENSION].preferences
    with serve(tmp_path) as stand_in:
        preferences.farm_address = stand_in.address
        yield stand_in
    preferences.farm_address = ""


def send():
    return bpy.ops.strip_stylizer.farm_send()


def only_job(part):
    (job,) = part("operators.session").state.jobs.values()
    return job


def poll_until(part, is_right):
    end = time.monotonic() + 20
    while not is_right():
        assert time.monotonic() < end
        part("operators.session").poll()
        time.sleep(0.02)


def test_a_strip_is_sent_with_all_that_the_farm_needs(farm, part, tmp_path):
    assert send() == {"FINISHED"}
    job = only_job(part)
    assert job.folder.path.parent == tmp_path / "strip-stylizer" / "jobs"
    (sent,) = farm.submitted
    assert sent["settings"] == {
        "job_folder": str(job.folder.path), "objects": 1, "restyled": "0", "frames": 10,
        "candidates": 1, "divide": False,
    }  # fmt: skip
    assert sent["name"] == job.title and "bronze" in sent["name"]
    assert Path(job.folder.read_spec().footage.path).is_relative_to(job.folder.path)


def test_progress_and_result_come_as_those_of_any_job(farm, part, scene):
    farm.tasks = {"check": "completed", "prepare": "completed", "decompose-0": "active"}
    send()
    job = only_job(part)
    poll_until(part, lambda: job.status.stage is not None)
    assert job.label.startswith("Separating Layers") and not job.runs
    words = [sys.executable, "-m", "engine", "rehearse", str(job.folder.path)]
    subprocess.run(words, check=True, cwd=ROOT, capture_output=True, timeout=60)
    poll_until(part, lambda: job.is_complete)
    assert job.arrived and not job.note
    assert top(scene)[1].name.endswith("a bronze swan, take 1")


def test_a_job_on_the_farm_is_cancelled_and_resumed(farm, part):
    farm.tasks = {"check": "active"}
    send()
    job = only_job(part)
    poll_until(part, lambda: job.status.stage is not None)
    assert bpy.ops.strip_stylizer.job_cancel(job=job.id) == {"FINISHED"}
    assert job.label == "Stopping"
    poll_until(part, lambda: job.status.ended)
    assert farm.status == "canceled" and job.sentence == "The job was cancelled"
    part("operators.session").resume(job)
    poll_until(part, lambda: farm.status == "queued" and job.status.stage is not None)
    assert not job.status.ended


def test_a_failure_on_the_farm_has_the_words_of_its_task(farm, part):
    send()
    job = only_job(part)
    task = job.folder.path / "farm" / "check"
    task.mkdir(parents=True)
    failed = {"event": "failed", "time": 1, "fault": "object_not_found"}
    failed |= {"message": "Nothing moves.", "hint": "Draw a box."}
    (task / "events.jsonl").write_text(json.dumps(failed) + "\n")
    farm.tasks, farm.status = {"check": "failed"}, "failed"
    poll_until(part, lambda: job.status.ended)
    assert job.sentence == "Nothing moves. Draw a box."
    assert part("operators.fixes").label_of(job) == ""


def test_a_job_on_the_farm_is_found_again(farm, part, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    send()
    name, folder, sent = only_job(part).id, only_job(part).folder.path, only_job(part).farm
    session = part("operators.session")
    session.close()
    session.attach_jobs()
    poll_until(part, lambda: name in session.state.jobs)
    found = session.state.jobs[name]
    assert (found.folder.path, found.farm) == (folder, sent)
    assert "farm" not in json.loads((folder / "strip.json").read_text())
    farm.status = "canceled"
    poll_until(part, lambda: found.status.ended)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "2.5"}, "is Flamenco 2.5"),
        ({"storage": "/nowhere/at all"}, "is not on this computer"),
        ({"has_type": False}, "has no job type"),
        ({"refusals": [("jobs", 412, "")] * 2}, "job type changes while"),
        ({"refusals": [("jobs/check", 500, "It threw")]}, r"refuses \(500\): It threw"),
        ({"raw": b"no JSON"}, "no manager of Flamenco"),
    ],
)
def test_every_refusal_is_a_sentence(farm, part, tmp_path, change, words):
    for name, value in change.items():
        setattr(farm, name, value)
    with pytest.raises(RuntimeError, match=words):
        send()
    assert not part("operators.session").state.jobs
    assert not list(tmp_path.glob("strip-stylizer/jobs/*"))


def test_without_an_address_the_button_says_so(clip, part):
    part("operators.properties").of(clip).global_text = "a bronze swan"
    with pytest.raises(RuntimeError, match="Write the address of the farm"):
        send()
