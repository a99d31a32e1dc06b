"""Folders, file names, stage keys, and build-then-rename. Standard library only.

A workspace holds ``jobs/`` and ``cache/``. Whatever bears its final name is finished: a stage
builds in a folder that ends in ``.part`` and renames it when it is done.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .contract import files, seals
from .contract.codec import to_json
from .contract.events import EngineError, Fault, Stopped
from .contract.job import Stage
from .contract.locks import Lock

WORTH_REMEMBERING = 16 * 2**20  # bytes; smaller files are read faster than remembered
MOST_REMEMBERED = 1000
UNCHANGED_FOR = 2.0  # seconds
CHECKPOINT_SUFFIX = ".pt"
UNWRITABLE = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP,
    errno.ENOTEMPTY, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENAMETOOLONG,
)  # fmt: skip

# Raise a stage's version whenever the same request would give another result.
STAGE_VERSIONS = {
    Stage.FRAMES: 3,
    Stage.FLOW: 3,
    Stage.MASKS: 8,
    Stage.DECOMPOSITION: 15,
    Stage.STYLIZATION: 16,
    Stage.RENDER: 11,
}


@contextlib.contextmanager
def explain_failures(folder: Path) -> Iterator[None]:
    """Turn a failure of the system below ``folder`` into a sentence with a remedy."""
    try:
        yield
    except OSError as error:
        named = Path(os.fsdecode(error.filename or folder))
        if folder.is_relative_to(named) and named != folder:
            raise _unwritable(error, folder) from error
        if not str(named).startswith(str(folder)):
            raise  # something else than what is here
        raise of_the_system(error, folder) or error from error


def of_the_system(error: OSError, folder: Path) -> EngineError | None:
    """Return what a failure below ``folder`` means, None where its number does not tell."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return EngineError(
            Fault.DISK_FULL,
            f"The disk with {folder} is full.",
            "Free some space or choose another folder, then run the job again: "
            "what was finished is kept.",
        )
    if error.errno in (errno.EIO, errno.ENOENT, errno.ESTALE, errno.ENXIO, errno.ENODEV):
        return EngineError(
            Fault.DISK_FAILED,
            f"The disk with {error.filename or folder} failed: {error.strerror}.",
            "Check the disk and its connection, or choose another folder, then run the job again.",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return EngineError(
            Fault.TOO_MANY_FILES,
            f"The system opens no more files: {error.strerror}.",
            "Close other programs, then run the job again: it goes on where it was.",
        )
    if error.errno == errno.ENOMEM:
        return out_of_memory(str(error.strerror))
    return _unwritable(error, folder) if error.errno in UNWRITABLE else None


def _unwritable(error: OSError, folder: Path) -> EngineError:
    return EngineError(
        Fault.FOLDER_UNWRITABLE,
        f"The engine cannot write in {folder}: {error.filename or folder}: {error.strerror}.",
        "Choose another folder, or change the rights of this one.",
    )


def out_of_memory(reason: str) -> EngineError:
    """Return the failure of a job that found too little memory."""
    return EngineError(
        Fault.OUT_OF_MEMORY,
        f"The memory was not enough: {reason}",
        "Lower the working size or the views, or close other programs; then run the job again, "
        "it goes on from its last checkpoint.",
    )


def default_cache() -> Path:
    """Return where stages are kept for reuse when nobody says where: a folder of the user's."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "strip-stylizer"


class Names:
    """Names of files after their whole content.

    What was read once is remembered in ``memory``, if there is one, for as long as size, times
    and place of the file stay as they were.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known: dict[str, str] | None = None

    def of_file(self, path: Path) -> str:
        """Return the name of a file; raises OSError."""
        facts = path.stat()
        times = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
        key = f"{path.absolute()}\0{times}"
        if self._known is None:
            self._known = self._read_names()
        if key not in self._known:
            self._known[key] = seals.digest(path, follows=True)
            # A file that was changed just now may change again within one tick of its clock.
            if facts.st_size >= WORTH_REMEMBERING and time.time() - facts.st_mtime > UNCHANGED_FOR:
                self._remember(key, self._known[key])
        return self._known[key]

    def of_folder(self, folder: Path) -> str:
        """Return a name for the names and contents of the files in ``folder``."""
        digest = hashlib.sha256()
        for path in sorted(item for item in folder.iterdir() if item.is_file()):
            digest.update(f"{path.name}\0{self.of_file(path)}\n".encode())
        return digest.hexdigest()

    def _read_names(self) -> dict[str, str]:
        try:
            found = files.read_json(self._memory) if self._memory else {}
        except (OSError, files.Refusal):
            return {}
        known = found if isinstance(found, dict) else {}
        return {key: name for key, name in known.items() if re.fullmatch("[0-9a-f]{64}", str(name))}

    def _remember(self, key: str, name: str) -> None:
        if self._memory is None:
            return
        known = [*self._read_names().items()][-MOST_REMEMBERED:]
        with contextlib.suppress(OSError):  # the name is right without it
            files.private_folder(self._memory.parent)
            files.write_text(self._memory, json.dumps({**dict(known), key: name}))


def stage_key(stage: Stage, settings: Any, *inputs: str) -> str:
    """Return the name of a stage's result: the same request has the same key, and no other."""
    request = [stage.value, STAGE_VERSIONS[stage], to_json(settings), list(inputs)]
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Cache:
    """Finished stages, by key. What is not as it was when it was finished is made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = Names(path / "names.json")
        self._whole: set[Path] = set()

    def folder(self, stage: Stage, key: str) -> Path:
        """Where the stage's result is, or will be."""
        return self.path / f"{stage.value}-{key}"

    def part(self, stage: Stage, key: str) -> Path:
        """Where the stage is made until it is finished."""
        return self.path / f".{stage.value}-{key}.part"

    def has(self, stage: Stage, key: str) -> bool:
        """Has this stage been finished before, and is it as it was then?"""
        folder = self.folder(stage, key)
        if not folder.is_dir():
            return False
        if folder not in self._whole and not seals.damage(folder):
            self._whole.add(folder)
        return folder in self._whole

    @contextlib.contextmanager
    def building(
        self,
        stage: Stage,
        key: str,
        *,
        waiting: Callable[[], None],
        stopping: Callable[[], bool],
        damaged: Callable[[str], None],
    ) -> Iterator[Path | None]:
        """Give the folder to build in and rename it afterwards; None where nothing is left to do.

        The part folder outlives a stop or a crash: trainings find their checkpoint in it. While
        another job builds the same stage this one waits, after calling ``waiting``; ``stopping()``
        says whether to give up. ``damaged`` is called with a sentence on what is made again.
        """
        final, part = self.folder(stage, key), self.part(stage, key)
        with explain_failures(self.path):
            files.private_folder(self.path)
            lock = Lock(part.with_suffix(".lock"))
            _wait(lock, waiting, stopping)
            try:
                if self.has(stage, key):
                    yield None
                    return
                if final.exists():
                    damaged(f"{final.name} was damaged and is made again: {seals.damage(final)}")
                    _set_aside(final)
                _clear(part)
                yield part
                seals.seal(part)
                files.finalize_folder(part, final)
                self._whole.add(final)
            finally:
                lock.free()


def _wait(lock: Lock, waiting: Callable[[], None], stopping: Callable[[], bool]) -> None:
    said = False
    while not lock.take():
        if not said:
            waiting()
        said = True
        if stopping():
            raise Stopped
        time.sleep(0.2)


def _set_aside(folder: Path) -> None:
    """Keep a damaged folder out of the way, in the place of an earlier one."""
    aside = folder.with_name(f".{folder.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    folder.replace(aside)


def _clear(part: Path) -> None:
    """Leave in a part folder only what a killed job finished there: checkpoints and snapshots."""
    files.private_folder(part)
    if any(seals.damage(each.parent) for each in part.rglob(seals.SEAL)):
        _set_aside(part)
        files.private_folder(part)
    for path in part.iterdir():
        if path.is_file() and path.suffix != CHECKPOINT_SUFFIX:
            path.unlink()
