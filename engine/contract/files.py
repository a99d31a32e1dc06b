"""How files are written and read in folders that others may have filled. Standard library only.

A job folder may come from a stranger, and any process may end at any moment. So nothing is opened
through a link, nothing but plain files is opened at all, what is written gets its name when it is
whole and on the disk, and what is read has a limit and fails in one way.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

MOST_PIXELS = 2**27  # of one picture; `engine.__main__` tells OpenCV, which looks before it decodes
SMALL = 16 * 2**20  # bytes of a text that is read whole
RENAME_TRIES = 10
RENAME_PAUSE = 0.1  # seconds
MOST_ENTRIES = 1_000_000
# A pipe would let `open` wait for ever, and a link lead elsewhere. Windows has neither flag.
WARY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Refusal(ValueError):
    """What was read is nothing that we would have written; the text says what and where."""


def open_plain(path: Path, flags: int) -> int:
    """Open a plain file that bears one name, and return its descriptor.

    Raises OSError, also where ``path`` is a link, a folder or a special file.
    """
    number = os.open(path, flags | WARY, 0o600)
    try:
        facts = os.fstat(number)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EPERM, "it is no plain file", str(path))
        if flags & (os.O_WRONLY | os.O_RDWR) and facts.st_nlink > 1:
            raise OSError(errno.EPERM, "it has a second name elsewhere", str(path))
        if _is_link(path.lstat()):  # where the system has no O_NOFOLLOW
            raise OSError(errno.EPERM, "it is a link", str(path))
    except BaseException:
        os.close(number)
        raise
    return number


def append(path: Path, data: bytes) -> None:
    """Add ``data`` at the end of ``path``; raises OSError where not all of it was written."""
    number = open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
    finally:
        os.close(number)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write ``data`` in one move: readers find the old file or the new one, also after a crash."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    number = open_plain(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        finalize(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def finalize(part: Path, final: Path) -> None:
    """Give what is finished its name, so that it keeps it even if the power fails.

    On Windows a scanner or a viewer may hold a file for a moment: then it is tried again.
    """
    for remaining in reversed(range(RENAME_TRIES)):
        try:
            part.replace(final)
            break
        except PermissionError:
            if not remaining or os.name != "nt":
                raise
            time.sleep(RENAME_PAUSE)
    _sync(final.parent.resolve())


def finalize_folder(part: Path, final: Path) -> None:
    """Do what `finalize` does for a folder and all that is in it; ``final`` must not be there."""
    for path in (*entries(part), part):
        _sync(path)
    finalize(part, final)


@contextlib.contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which gets the name ``final`` when nothing failed."""
    part = final.with_name(f".{final.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    replace_folder(part, final)


def replace_folder(part: Path, final: Path) -> None:
    """Give ``part`` the name ``final``; what bore it goes when that is done, never before."""
    restore_folder(final)
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.replace(old)
    try:
        finalize_folder(part, final)
    except OSError:
        restore_folder(final)
        raise
    shutil.rmtree(old, ignore_errors=True)


def restore_folder(final: Path) -> None:
    """Give back its name to what `replace_folder` was about to replace when it was killed."""
    old = final.with_name(f".{final.name}.old")
    if old.exists() and not final.exists():
        old.replace(final)


def _sync(path: Path) -> None:
    """Let the disk have what was written to a file or folder."""
    if os.name == "nt":
        return  # Windows syncs only what is open for writing, and no folders
    number = os.open(path, os.O_RDONLY | WARY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks
            raise
    finally:
        os.close(number)


def read_bytes(path: Path, limit: int = SMALL) -> bytes:
    """Return all of a plain file; raises OSError, and Refusal where it has more than ``limit``."""
    with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Refusal(f"{path.name} has more than {limit} bytes")
    return data


def read_json(path: Path, limit: int = SMALL) -> Any:
    """Return what a file of JSON says; raises OSError, and Refusal where it is none."""
    data = read_bytes(path, limit)
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, too long a number, too deep
        raise Refusal(f"{path.name}: {one_line(error)}") from error


def copy(source: Path, target: Path) -> None:
    """Copy a plain file, in one move as `write_bytes` does; raises OSError."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    with (
        os.fdopen(open_plain(source, os.O_RDONLY), "rb") as read,
        os.fdopen(open_plain(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as written,
    ):
        shutil.copyfileobj(read, written, 2**20)
        written.flush()
        os.fsync(written.fileno())
    finalize(part, target)


def read_end(path: Path, limit: int) -> str:
    """Return the last ``limit`` bytes of a plain file as text; raises OSError."""
    with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - limit))
        return file.read(limit).decode("utf-8", errors="replace")


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, where there is none, and return it."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def entries(folder: Path) -> Iterator[Path]:
    """Yield all files and folders below ``folder``, what is in a folder before the folder.

    Raises OSError where there is a link or a special file among them, or where there are too many.
    """
    count = 0
    for place, folders, names in os.walk(folder, topdown=False, onerror=_raise):
        for name in sorted((*folders, *names)):
            check_plain(path := Path(place) / name)
            yield path
            count += 1
            if count > MOST_ENTRIES:
                raise OSError(errno.EPERM, "it holds too many files", str(folder))


def check_plain(path: Path) -> None:
    """Raise OSError where ``path`` is there and neither a plain file nor a folder."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if _is_link(facts):
        raise OSError(errno.EPERM, "it is a link", str(path))
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
        raise OSError(errno.EPERM, "it is no plain file", str(path))


def _is_link(facts: os.stat_result) -> bool:
    """Is it a symbolic link, or a junction of Windows?"""
    junction = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)
    return stat.S_ISLNK(facts.st_mode) or getattr(facts, "st_reparse_tag", 0) == junction


def _raise(error: OSError) -> None:
    raise error


def inside(folder: Path, name: str) -> Path:
    """Return ``folder / name``; raises Refusal where that would be elsewhere."""
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    is_elsewhere = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor
    if not parts or is_elsewhere or ".." in parts or "\0" in name:
        raise Refusal(f"{one_line(name)} is not the name of a file in this folder")
    return folder / name


def one_line(text: object) -> str:
    """Return a text from outside as one line that can do nothing but be read."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )
