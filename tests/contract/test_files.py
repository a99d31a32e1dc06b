"""Files in folders that others may have filled: written whole or not at all, read with a limit."""

import errno
import json
import os
import random
import sys

import pytest

from engine.contract import files
from engine.contract.codec import event_from_json, job_from_json
from engine.contract.files import Refusal
from engine.contract.folder import JobFolder

REQUEST = {
    "footage": {"kind": "movie", "path": "movie.mp4"},
    "objects": [{"texts": {"global_text": "gold"}}],
    "protocol": 2,
}


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    path = tmp_path / "facts"
    files.write_text(path, "old")

    def fails(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if failing == "replace":
        monkeypatch.setattr(files.Path, "replace", fails)
    else:
        monkeypatch.setattr(files.os, {"write": "fdopen", "fsync": "fsync"}[failing], fails)
    with pytest.raises(OSError):
        files.write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old" and [each.name for each in tmp_path.iterdir()] == ["facts"]


def test_a_link_in_the_place_of_the_part_is_replaced_not_followed(tmp_path):
    (tmp_path / "victim").write_text("kept")
    (tmp_path / ".facts.part").symlink_to(tmp_path / "victim")
    files.write_text(tmp_path / "facts", "new")
    assert (tmp_path / "victim").read_text() == "kept"
    assert (tmp_path / "facts").read_text() == "new"


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced")
def test_what_gets_its_name_is_on_the_disk_before_and_its_name_after(tmp_path, monkeypatch):
    done, replace = [], files.Path.replace

    def synced(number):
        done.append(("sync", files.Path(f"/proc/self/fd/{number}").readlink().name))

    def renamed(path, target):
        done.append(("rename", path.name))
        return replace(path, target)

    monkeypatch.setattr(files.os, "fsync", synced)
    monkeypatch.setattr(files.Path, "replace", renamed)
    files.write_text(tmp_path / "facts", "new")
    assert done == [("sync", ".facts.part"), ("rename", ".facts.part"), ("sync", tmp_path.name)]
    (tmp_path / "part" / "below").mkdir(parents=True)
    (tmp_path / "part" / "below" / "picture").touch()
    done.clear()
    files.finalize_folder(tmp_path / "part", tmp_path / "final")
    names = [name for _, name in done]
    assert names == ["picture", "below", "part", "part", tmp_path.name]
    assert [kind for kind, _ in done].index("rename") == 3


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_pipes_devices_and_folders_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "device", "folder"):
        with pytest.raises(OSError):
            files.read_bytes(tmp_path / name)
        with pytest.raises(OSError):
            files.append(tmp_path / name, b"text")
    with pytest.raises(OSError):
        files.read_bytes(type(tmp_path)("/dev/zero"))


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 50_000, "1" * 5000, b"\xff\xfe", "", "nul", '"' + "a" * 2**21],
    ids=["deep list", "deep object", "long number", "no UTF-8", "empty", "no JSON", "too long"],
)
def test_what_is_no_json_is_refused_in_one_way(tmp_path, text):
    path = tmp_path / "facts"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Refusal):
        files.read_json(path, 2**20)


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "..\\x", "\\\\host\\x", "", "a\0b"]
)
def test_no_name_leads_out_of_its_folder(tmp_path, name):
    with pytest.raises(Refusal):
        files.inside(tmp_path, name)
    with pytest.raises(Refusal):
        footage = {"kind": "images", "path": "frames", "files": [name]}
        job_from_json({**REQUEST, "footage": footage})


def changed(value, chance):
    """Return JSON like ``value`` with one thing in it replaced by something else."""
    other = chance.choice(
        [None, True, -1, 10**400, 1e308, "", "\0", "\ud800", "x" * 99, [], {}, [[]], {"a": None}]
    )
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        if chance.random() < 0.1:
            return {**value, str(other)[:9]: other}
        return {**value, name: changed(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        return [*value[:place], changed(value[place], chance), *value[place + 1 :]]
    return other


def test_whatever_a_request_or_an_event_holds_is_read_or_refused():
    chance = random.Random(23)
    event = {"event": "progress", "time": 1.0, "stage": "masks", "step": 1, "total": 2,
             "terms": {"loss": 0.5}, "seconds_left": 3.0}  # fmt: skip
    read = 0
    for _ in range(3000):
        request = REQUEST
        for _ in range(chance.randrange(1, 4)):
            request = changed(request, chance)
        try:
            json.dumps(job_from_json(request).title).encode()
            read += 1
        except Refusal as refusal:
            assert str(refusal)
        event_from_json(changed(event, chance))
    assert 0 < read < 3000


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_folder_with_something_that_leads_elsewhere_is_refused(tmp_path):
    folder = JobFolder(tmp_path)
    folder.result.mkdir()
    (folder.result / "00000.png").write_bytes(b"picture")
    folder.check()
    (folder.result / "00001.png").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="link"):
        folder.check()
    (folder.result / "00001.png").unlink()
    os.mkfifo(tmp_path / "events.jsonl")
    with pytest.raises(OSError, match="plain"):
        folder.check()


def test_the_old_result_goes_only_when_the_new_one_is_there(tmp_path, monkeypatch):
    final, part = tmp_path / "result", tmp_path / ".result.part"
    for folder, text in ((final, "old"), (part, "new")):
        folder.mkdir()
        (folder / "frame").write_text(text)

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "finalize_folder", fails)
    with pytest.raises(OSError):
        files.replace_folder(part, final)
    assert (final / "frame").read_text() == "old"
    monkeypatch.undo()
    final.rename(tmp_path / ".result.old")  # killed between the two renames
    files.restore_folder(final)
    assert (final / "frame").read_text() == "old"
    files.replace_folder(part, final)
    assert (final / "frame").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["result"]
