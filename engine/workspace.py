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
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .contract.codec import to_json
from .contract.events import EngineError, Fault, Stopped
from .contract.job import Stage

WHOLE_FILE_BYTES = 64 * 2**20
EDGE_BYTES = 16 * 2**20
CLAIM = "claim-"
CLAIM_SECONDS = 15.0
RENAME_TRIES = 10
RENAME_PAUSE = 0.1  # seconds

# Raise a stage's version whenever the same request would give another result.
STAGE_VERSIONS = {
    Stage.FRAMES: 2,
    Stage.FLOW: 3,
    Stage.MASKS: 5,
    Stage.DECOMPOSITION: 14,
    Stage.STYLIZATION: 12,
    Stage.RENDER: 8,
}


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn a failure to write below ``folder`` into a sentence with a remedy."""
    try:
        yield
    except OSError as error:
        if error.filename and not str(error.filename).startswith(str(folder)):
            raise  # something else than what is written here
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EngineError(
                Fault.DISK_FULL,
                f"The disk with {folder} is full.",
                "Free some space or choose another folder, then run the job again: "
                "what was finished is kept.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise EngineError(
                Fault.FOLDER_UNWRITABLE,
                f"The engine cannot write in {folder}: {error.strerror}.",
                "Choose another folder, or change the rights of this one.",
            ) from error
        raise


def settle(part: Path, final: Path) -> None:
    """Give what is finished its name.

    On Windows a scanner or a viewer may hold a file for a moment: then it is tried again.
    """
    for _ in range(RENAME_TRIES - 1):
        try:
            part.replace(final)
            return
        except PermissionError:
            time.sleep(RENAME_PAUSE)
    part.replace(final)


def default_cache() -> Path:
    """Return where stages are kept for reuse when nobody says where: a folder of the user's."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "strip-stylizer"


def digest_of_file(path: Path) -> str:
    """Return a digest of a file's content; of a large file its size, beginning and end."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= WHOLE_FILE_BYTES:
            for block in iter(lambda: file.read(2**20), b""):
                digest.update(block)
        else:
            digest.update(file.read(EDGE_BYTES))
            file.seek(-EDGE_BYTES, os.SEEK_END)
            digest.update(file.read())
    return digest.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """Return a digest of the names and contents of the files in ``folder``, not of its own name."""
    digest = hashlib.sha256()
    for path in sorted(item for item in folder.iterdir() if item.is_file()):
        digest.update(f"{path.name}\0{digest_of_file(path)}\n".encode())
    return digest.hexdigest()


def stage_key(stage: Stage, settings: Any, *inputs: str) -> str:
    """Return the name of a stage's result: the same request has the same key, and no other."""
    request = [stage.value, STAGE_VERSIONS[stage], to_json(settings), list(inputs)]
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Cache:
    """Finished stages, by key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, stage: Stage, key: str) -> Path:
        """Where the stage's result is, or will be."""
        return self.path / f"{stage.value}-{key}"

    def part(self, stage: Stage, key: str) -> Path:
        """Where the stage is made until it is finished."""
        return self.path / f".{stage.value}-{key}.part"

    def has(self, stage: Stage, key: str) -> bool:
        """Has this stage been finished before?"""
        return self.folder(stage, key).is_dir()

    @contextlib.contextmanager
    def building(
        self, stage: Stage, key: str, *, touching: Callable, stopping: Callable[[], bool]
    ) -> Iterator[Path | None]:
        """Give the folder to build in and rename it afterwards; None where nothing is left to do.

        The part folder outlives a stop or a crash: trainings find their checkpoint in it. While
        another job builds the same stage this one waits. ``touching(path)`` is a context that
        keeps a file's time fresh, ``stopping()`` says whether to give up.
        """
        final, part = self.folder(stage, key), self.part(stage, key)
        with explained(self.path):
            claim = _claim(part, final, stopping)
            if claim is None:
                yield None
                return
            with touching(claim):
                yield part
                settle(part, final)  # still claimed: nobody else may begin to build it now
            for each in _claims(final):
                each.unlink(missing_ok=True)


def _claim(part: Path, final: Path, stopping: Callable[[], bool]) -> Path | None:
    """Wait until nobody else builds in ``part``, claim it and return the claim; None once built.

    Claims are numbered and the last one counts. Who finds it stale makes the next one, and of
    several who do so at once the file system lets only one.
    """
    while not final.is_dir():
        part.mkdir(parents=True, exist_ok=True)
        last = max(_claims(part), key=_number, default=None)
        if last is None or _age(last) >= CLAIM_SECONDS:
            ours = part / f"{CLAIM}{_number(last) + 1 if last else 1}"
            if _created(ours):
                if not final.is_dir() and ours == max(_claims(part), key=_number):
                    return ours
                ours.unlink(missing_ok=True)  # others took over and ended, or took over twice
                continue
        if stopping():
            raise Stopped
        time.sleep(0.2)
    return None


def _claims(folder: Path) -> list[Path]:
    return list(folder.glob(f"{CLAIM}*"))


def _number(claim: Path) -> int:
    return int(claim.name.removeprefix(CLAIM))


def _created(path: Path) -> bool:
    """Create a file, unless it is there already or its folder has gone."""
    try:
        path.open("x").close()
    except (FileExistsError, FileNotFoundError):
        return False
    return True


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
