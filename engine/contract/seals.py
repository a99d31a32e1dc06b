"""What a finished folder holds, written down before it counts as finished.

Standard library only. A seal names files with their sizes and sha256 sums, so that whatever
happens to them later is noticed before it is believed. What is kept of unfinished work begins with
the sum of the rest.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

from . import files

SEAL = "sealed.json"
DIGEST_SIZE = hashlib.sha256().digest_size
# Reading fails so where a file is damaged or gone; other failures say nothing of the file.
DAMAGED = (errno.ENOENT, errno.ENOTDIR, errno.EIO, errno.EPERM, errno.ELOOP, errno.EISDIR)


def digest(path: Path, *, follows: bool = False) -> str:
    """Return the sha256 sum of a plain file, in hexadecimal; raises OSError.

    ``follows``: links are followed, as a user's own media may be some.
    """
    number = files.open_plain(path.resolve() if follows else path, os.O_RDONLY)
    with os.fdopen(number, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path, names: Iterable[str] | None = None) -> None:
    """Write down what is in ``folder``: the files ``names``, or all that are below it."""
    if names is None:
        own = folder / SEAL
        below = (path for path in files.entries(folder) if path != own and not path.is_dir())
        names = sorted(path.relative_to(folder).as_posix() for path in below)
    facts = {name: [(folder / name).stat().st_size, digest(folder / name)] for name in names}
    files.write_text(folder / SEAL, json.dumps(facts, indent=1))


def is_sealed(folder: Path) -> bool:
    """Was ``folder`` finished? Says nothing of what happened to it since."""
    return (folder / SEAL).is_file()


def damage(folder: Path) -> str:
    """Say what is not as it was when ``folder`` was sealed, '' where nothing is."""
    try:
        facts = files.read_json(folder / SEAL)
        if not isinstance(facts, dict):
            return f"{SEAL} is no list of files"
        for name, (size, expected) in facts.items():
            path = files.inside(folder, name)
            if path.lstat().st_size != size or digest(path) != expected:
                return f"{name} is not what was written"
    except OSError as error:
        if error.errno not in DAMAGED:
            raise
        return f"{Path(error.filename or folder).name}: {error.strerror}"
    except (ValueError, TypeError) as error:
        return files.one_line(error)
    return ""


def digested_buffer() -> io.BytesIO:
    """Return a buffer to be filled for `write_digested`."""
    buffer = io.BytesIO(bytes(DIGEST_SIZE))
    buffer.seek(DIGEST_SIZE)
    return buffer


def write_digested(path: Path, buffer: io.BytesIO) -> None:
    """Write what is in a `digested_buffer` behind its sha256 sum, in one move; raises OSError."""
    data = buffer.getbuffer()
    data[:DIGEST_SIZE] = hashlib.sha256(data[DIGEST_SIZE:]).digest()
    files.write_bytes(path, data)


def read_digested(path: Path) -> io.BytesIO:
    """Return what `write_digested` wrote; raises OSError, and Refusal where that was changed."""
    data = files.read_bytes(path, path.stat().st_size)
    whole = memoryview(data)[DIGEST_SIZE:]
    if hashlib.sha256(whole).digest() != data[:DIGEST_SIZE]:
        raise files.Refusal(f"{path.name} is not what was written")
    return io.BytesIO(whole)
