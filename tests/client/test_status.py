"""Events become one status; a reader follows a job folder while it grows."""

import errno
import gc
import json
import time

import pytest

from engine.client.status import JobReader, Phase, Status, crash_status, duration, fold
from engine.contract import events, files
from engine.contract.codec import event_to_json
from engine.contract.folder import JobFolder
from engine.contract.job import Stage
from engine.reporter import Reporter


def folded(*said):
    status = Status()
    for event in said:
        status = fold(status, event)
    return status


def test_a_status_tells_stage_progress_and_time_left():
    status = folded(
        events.Hello("0", 1, 1),
        events.StageStarted(Stage.STYLIZATION),
        events.Progress(Stage.STYLIZATION, 50, 200, {"temporal": 0.1}, 150.0),
    )
    assert status.phase is Phase.RUNNING
    assert status.label == "Stylizing 64 %, 2 min left"
    assert 0.5 < status.fraction < 0.7
    assert status.terms == {"temporal": 0.1}


def test_between_masks_and_decomposition_libraries_are_loaded():
    status = folded(
        events.Hello("0", 1, 1),
        events.StageStarted(Stage.MASKS),
        events.Progress(Stage.MASKS, 5, 5),
        events.StageFinished(Stage.MASKS, 2.0, False),
    )
    assert status.label == "Loading Libraries 15 %"
    assert fold(status, events.StageStarted(Stage.DECOMPOSITION)).label == "Separating Layers 15 %"


def test_the_whole_bar_never_runs_backwards():
    status, fractions = folded(events.Hello("0", 1, 1)), []
    for stage in Stage:
        for event in (events.StageStarted(stage), events.Progress(stage, 1, 2)):
            status = fold(status, event)
            fractions.append(status.fraction)
    fractions.append(fold(status, events.Finished(3, 1.0)).fraction)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_reused_stages_and_warnings_are_kept():
    status = folded(events.StageFinished(Stage.DECOMPOSITION, 0.1, True), events.Warned("a", "b"))
    assert status.reused == (Stage.DECOMPOSITION,)
    assert status.warnings == (("a", "b"),)


@pytest.mark.parametrize(
    ("event", "phase"),
    [
        (events.Finished(3, 1.0), Phase.FINISHED),
        (events.Failed(events.Fault.DIVERGED, "m", "h"), Phase.FAILED),
        (events.Cancelled(), Phase.CANCELLED),
    ],
)
def test_a_last_event_ends_the_job(event, phase):
    status = folded(events.Hello("0", 1, 1), event)
    assert status.phase is phase
    assert status.ended


def test_a_killed_engine_is_explained():
    assert "memory" in crash_status(Status(), -9).message
    assert "exit code 3" in crash_status(Status(), 3).message


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (200, "3 min"), (7500, "2 h 5 min")])
def test_times_are_said_as_a_person_would(seconds, said):
    assert duration(seconds) == said


def line(event):
    return (json.dumps(event_to_json(event, 0.0)) + "\n").encode()


def test_a_reader_waits_for_the_rest_of_a_line(tmp_path):
    reader = JobReader(tmp_path)
    assert reader.read_to_end().phase is Phase.WAITING
    path = tmp_path / "events.jsonl"
    whole = line(events.Hello("0", 1, 1)) + line(events.Finished(7, 1.0))
    path.write_bytes(whole[:-9])
    assert reader.read_to_end().phase is Phase.RUNNING
    path.write_bytes(whole)
    assert reader.read_to_end().frames == 7


def test_a_reader_starts_anew_with_a_new_run(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(events.Hello("0", 1, 1)) + line(events.Cancelled()))
    reader = JobReader(tmp_path)
    assert reader.read_to_end().phase is Phase.CANCELLED
    path.replace(tmp_path / "events.old.jsonl")
    path.write_bytes(line(events.Hello("0", 1, 1)))
    assert reader.read_to_end().phase is Phase.RUNNING


def test_a_damaged_line_is_passed_over(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"{broken\n" + line(events.Finished(7, 1.0)))
    assert JobReader(tmp_path).read_to_end().frames == 7


def written(tmp_path, lines):
    (tmp_path / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return JobReader(tmp_path)


def line_of(event):
    return json.dumps(event_to_json(event, 1.0)).encode()


@pytest.mark.parametrize("kind", ["progress", "warnings", "previews", "junk"])
def test_many_events_never_take_long_at_a_time(tmp_path, kind):
    said = {
        "progress": lambda number: line_of(events.Progress(Stage.MASKS, number, 10**6)),
        "warnings": lambda number: line_of(events.Warned(f"warning {number}")),
        "previews": lambda number: line_of(events.Preview(f"name {number}", "preview/a.png")),
        "junk": lambda number: b'{"event": ' + b"[" * 3000,
    }[kind]
    lines = [line_of(events.Hello("0", 1, 1)), *map(said, range(20_000))]
    reader = written(tmp_path, [*lines, line_of(events.Finished(3, 1.0))])
    took = []
    gc.disable()  # what it takes depends on all that was imported
    while not reader.status.ended:
        before = time.thread_time()
        reader.poll()
        took.append(time.thread_time() - before)
        assert len(took) < 100_000
    gc.enable()
    assert sorted(took)[-4:][0] < 0.01  # but for what the machine does meanwhile
    assert len(reader.status.warnings) <= 100 and not reader.is_behind


def test_what_a_look_leaves_is_read_to_the_end(tmp_path):
    lines = [line_of(events.Hello("0", 1, 1)), line_of(events.Finished(3, 1.0))]
    reader = written(tmp_path, lines)
    assert reader.poll(0).phase is Phase.WAITING and reader.is_behind
    assert reader.read_to_end().phase is Phase.FINISHED and not reader.is_behind


def test_an_event_is_a_line_whatever_it_says(tmp_path):
    reader = written(tmp_path, [line_of(events.Warned("a\u2028b\u0085c\u2029d"))])
    assert reader.read_to_end().warnings == (("a\u2028b\u0085c\u2029d", ""),)
    (tmp_path / "events.jsonl").write_text(
        json.dumps(event_to_json(events.Warned("\u2028\u0085"), 1.0), ensure_ascii=False) + "\n"
    )
    assert JobReader(tmp_path).read_to_end().warnings == (("\u2028\u0085", ""),)


def test_half_a_line_swallows_no_event(tmp_path, monkeypatch):
    append = files.append

    def half(path, data):
        append(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with Reporter(JobFolder(tmp_path)) as report:
        report.say(events.Hello("0", 1, 1))
        monkeypatch.setattr(files, "append", half)
        with pytest.raises(events.EngineError):
            report.warning("half of this")
        monkeypatch.setattr(files, "append", append)
        report.say(events.Failed(events.Fault.DISK_FULL, "The disk is full.", "Free some space."))
    status = JobReader(tmp_path).read_to_end()
    assert status.fault is events.Fault.DISK_FULL and status.warnings == ()


def test_an_endless_line_is_passed_over(tmp_path):
    reader = written(tmp_path, [b"x" * 200_000, line_of(events.Finished(3, 1.0))])
    assert reader.read_to_end().phase is Phase.FINISHED


def test_a_job_that_waits_for_another_one_shows_it():
    said = (events.Hello("0", 1, 1), events.StageStarted(Stage.FLOW), events.Waiting(Stage.FLOW))
    assert folded(*said).label == "Waiting for Another Job"
    assert folded(*said, events.Progress(Stage.FLOW, 1, 2)).label != "Waiting for Another Job"
