"""A job on a farm: every answer that the manager can give has a sentence."""

import time
from dataclasses import replace

import pytest

from engine.client.farm import (
    Answer,
    FarmJob,
    Manager,
    Unsent,
    Watch,
    fold_answer,
    settings_of,
)
from engine.client.status import Phase, Status
from engine.contract.events import Failed, Fault
from engine.contract.folder import JobFolder
from engine.contract.job import (
    Footage,
    FootageKind,
    JobSpec,
    Stage,
    TargetObject,
    TargetTexts,
)
from engine.contract.settings import replace_setting
from engine.reporter import Reporter

from .flamenco import serve

SPEC = JobSpec(
    Footage(FootageKind.MOVIE, "a.mov"),
    (TargetObject(), TargetObject(TargetTexts("gold"))),
    TargetTexts("snow"),
)


@pytest.fixture
def farm(tmp_path):
    with serve(tmp_path) as stand_in:
        yield stand_in


def send(farm, tmp_path):
    return Manager(farm.address).send(SPEC, tmp_path / "job", title="a: gold", frames=50)


def test_a_job_is_checked_and_then_taken(farm, tmp_path):
    assert send(farm, tmp_path) == FarmJob(farm.address, "one")
    asked = [path for _, path in farm.asked]
    assert asked == ["jobs/type/strip-stylizer", "jobs/check", "jobs"]
    (job,) = farm.submitted
    assert job["type_etag"] == "first" and job["name"] == "a: gold"
    assert job["settings"] == {
        "job_folder": str(tmp_path / "job"), "objects": 2, "restyled": "1,-1", "frames": 50,
        "candidates": 1, "divide": False,
    }  # fmt: skip


def test_only_what_is_long_or_has_many_looks_is_divided(tmp_path):
    three = replace(SPEC, objects=(*SPEC.objects, SPEC.objects[1]))
    several = replace_setting(SPEC.settings, "stylization.candidates", 2)
    candidates = replace(SPEC, settings=several)
    divided = [
        settings_of(spec, tmp_path, frames)["divide"]
        for spec, frames in ((SPEC, 1999), (SPEC, 2000), (SPEC, 0), (three, 50), (candidates, 50))
    ]
    assert divided == [False, True, True, True, True]


def test_settings_have_only_types_that_a_manager_knows(tmp_path):
    values = settings_of(SPEC, tmp_path, 3).values()
    assert all(isinstance(value, str | int | float | bool) for value in values)


def test_a_changed_job_type_is_looked_at_again(farm, tmp_path):
    farm.refusals = [("jobs", 412, "etag mismatch")]
    farm.etag = "second"
    assert send(farm, tmp_path).id == "one"
    assert [path for _, path in farm.asked].count("jobs/type/strip-stylizer") == 2


def test_a_job_type_that_goes_on_changing_has_a_sentence(farm, tmp_path):
    farm.refusals = [("jobs/check", 412, "etag mismatch")] * 2
    with pytest.raises(Unsent, match="job type changes while the job is sent"):
        send(farm, tmp_path)
    assert not farm.submitted


@pytest.mark.parametrize("version", ["3.8.5", "3.8", "3.9-beta0", "3.10"])
def test_versions_that_are_known(farm, version):
    farm.version = version
    assert Manager(farm.address).check_version() == version


@pytest.mark.parametrize("version", ["3.7", "2.5", "4.0"])
def test_another_version_has_a_sentence(farm, version):
    farm.version = version
    with pytest.raises(Unsent, match=f"is Flamenco {version}: version 3.8"):
        Manager(farm.address).check_version()


def test_something_else_that_answers_is_no_manager(farm):
    farm.raw = b"<html>"
    with pytest.raises(Unsent, match="no manager of Flamenco"):
        Manager(farm.address).check_version()
    farm.raw, farm.refusals = None, [("version", 404, "not found")]
    with pytest.raises(Unsent, match="no manager of Flamenco"):
        Manager(farm.address).check_version()


def test_nobody_there_has_a_sentence():
    with pytest.raises(Unsent, match=r"cannot be reached .*: check the address"):
        Manager("http://127.0.0.1:9").check_version()


@pytest.mark.parametrize(("address", "words"), [(" ", "No farm is known"), ("ftp://x", "http://")])
def test_an_address_that_is_none_has_a_sentence(address, words):
    with pytest.raises(Unsent, match=words):
        Manager(address)


def test_storage_that_is_not_here_has_a_sentence(farm, tmp_path):
    assert Manager(farm.address).shared_folder() == tmp_path
    farm.storage = str(tmp_path / "elsewhere")
    with pytest.raises(Unsent, match="is not on this computer: mount it"):
        Manager(farm.address).shared_folder()


@pytest.mark.parametrize(
    ("code", "words"),
    [(400, r"refuses \(400\): the script threw"), (500, r"refuses \(500\)"), (503, "is busy")],
)
def test_a_refusal_has_a_sentence(farm, tmp_path, code, words):
    farm.refusals = [("jobs/check", code, "the script threw.")]
    with pytest.raises(Unsent, match=words):
        send(farm, tmp_path)


def test_a_manager_without_the_job_type_has_a_sentence(farm, tmp_path):
    farm.has_type = False
    with pytest.raises(Unsent, match=r"has no job type strip-stylizer: copy .*\.js"):
        send(farm, tmp_path)


def wait_for(watch, is_right):
    end = time.monotonic() + 20
    while not is_right(watch.answer):
        assert time.monotonic() < end, watch.answer
        time.sleep(0.02)
    return watch.answer


def test_a_job_is_watched_and_cancelled(farm, tmp_path):
    farm.tasks = {"check": "completed", "prepare": "active"}
    watch = Watch(FarmJob(farm.address, "one"), seconds=0.05)
    answer = wait_for(watch, lambda answer: answer.count > 0)
    assert answer.status == "queued" and answer.tasks == farm.tasks
    watch.ask_for("cancel-requested", "by its user")
    answer = wait_for(watch, lambda answer: answer.status == "canceled")
    assert fold_answer(Status(), answer, tmp_path).phase is Phase.CANCELLED
    watch.ask_for("cancel-requested", "again")
    assert "is over already" in wait_for(watch, lambda answer: answer.trouble).trouble
    watch.end()


def test_a_job_that_was_deleted_has_a_sentence(farm, tmp_path):
    watch = Watch(FarmJob(farm.address, "another"), seconds=0.05)
    status = fold_answer(Status(), wait_for(watch, lambda a: a.status), tmp_path)
    assert status.phase is Phase.FAILED and "may be deleted" in status.message
    watch.end()


def test_a_manager_that_goes_away_is_a_warning_and_no_end(tmp_path):
    answer = Answer("active", {"check": "active"}, "It cannot be reached.", 1)
    status = fold_answer(Status(), answer, tmp_path)
    assert status.warnings == (("It cannot be reached.", ""),) and not status.ended
    assert len(fold_answer(status, answer, tmp_path).warnings) == 1


def test_progress_is_that_of_the_first_stage_with_open_tasks(tmp_path):
    tasks = dict.fromkeys(("check", "prepare", "decompose-0"), "completed")
    tasks |= {"decompose-1": "active", "render-0-47": "queued", "assemble": "queued", "x": "y"}
    status = fold_answer(Status(), Answer("active", tasks), tmp_path)
    assert (status.stage, status.step, status.total) == (Stage.DECOMPOSITION, 1, 2)
    tasks = dict.fromkeys(tasks, "completed") | {"assemble": "active"}
    status = fold_answer(status, Answer("active", tasks), tmp_path)
    assert (status.stage, status.step, status.total) == (Stage.RENDER, 1, 2)
    assert fold_answer(status, Answer("paused", tasks), tmp_path).paused


def test_a_failure_has_the_words_of_the_task_that_failed(tmp_path):
    folder = JobFolder(tmp_path / "farm" / "prepare")
    with Reporter(folder) as report:
        report.say(Failed(Fault.OBJECT_NOT_FOUND, "No object moves.", "Draw a box."))
    tasks = {"check": "completed", "prepare": "failed"}
    status = fold_answer(Status(), Answer("failed", tasks), tmp_path)
    assert status.fault is Fault.OBJECT_NOT_FOUND
    assert (status.message, status.hint) == ("No object moves.", "Draw a box.")
    silent = fold_answer(Status(), Answer("failed", {"render-0-7": "failed"}), tmp_path)
    assert "render-0-7 failed without a word" in silent.message
