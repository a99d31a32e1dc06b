"""What kind of weights a file holds, from its first bytes and its sizes; needs no torch.

Says of a file that will not load what is wrong with it, before anybody waits for it. Names of
files are not believed: hosts and users give all kinds of weights all kinds of endings.
"""

from __future__ import annotations

import json
import zipfile
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from ..contract.events import EngineError, Fault

ZIP = b"PK\x03\x04"
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the number that torch < 1.6 wrote first
LONGEST_HEADER = 100_000_000  # bytes, by the definition of safetensors
AGAIN = "Download the file again, or name another one."


class Format(Enum):
    """How weights lie in a file."""

    SAFETENSORS = "safetensors"
    TORCH = "saved by torch"
    OLD_TORCH = "saved by torch before 1.6"
    ARCHIVE = "TorchScript archive"


def examine(path: Path) -> Format:
    """Return the format of the weights file ``path``.

    Raises EngineError (WEIGHTS_UNAVAILABLE) with a sentence where it is damaged, is cut off, or
    holds no weights. Reads the table of contents only: damage within the numbers of a file is not
    seen here.
    """
    try:
        with path.open("rb") as file:
            start = file.read(512)
            size = path.stat().st_size
            if start.startswith(ZIP):
                return _in_zip(path, file)
            if start.startswith(OLD_TORCH):
                return Format.OLD_TORCH
            if len(start) > 8 and start[8:9] == b"{":
                return _safetensors(path, file, size)
    except OSError as error:
        raise _unfit(f"The weights {path} cannot be read: {error.strerror or error}.") from error
    raise _unfit(f"The file {path} {_something_else(start)}.")


def problem(path: Path) -> str:
    """Return what is wrong with the weights file ``path``, empty where it will load."""
    try:
        examine(path)
    except EngineError as error:
        return error.message
    return ""


def _in_zip(path: Path, file: BinaryIO) -> Format:
    """Tell what torch.jit wrote from what torch.save wrote: only the former carries code."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise _unfit(f"The weights {path} are cut off or damaged: they end too early.") from error
    if "data.pkl" not in names:
        raise _unfit(f"The file {path} is a zip without weights.")
    with_code = "constants.pkl" in names or any(name.startswith("code/") for name in names)
    return Format.ARCHIVE if with_code else Format.TORCH


def _safetensors(path: Path, file: BinaryIO, size: int) -> Format:
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > LONGEST_HEADER:
        raise _unfit(f"The file {path} holds no weights that can be read.")
    try:
        header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name[:2] != "__"]
        expected = 8 + length + max(ends)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _unfit(f"The weights {path} are damaged: their header cannot be read.") from error
    if size != expected:
        raise _unfit(f"The weights {path} are not whole: {size} of {expected} bytes are there.")
    return Format.SAFETENSORS


def _something_else(start: bytes) -> str:
    if not start:
        return "is empty"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the weights themselves"
    if start.lstrip().startswith(b"<"):
        return "is a web page, not weights: a proxy or a login answered in place of the host"
    return "holds no weights: it is neither safetensors nor what torch saves"


def _unfit(message: str) -> EngineError:
    return EngineError(Fault.WEIGHTS_UNAVAILABLE, message, AGAIN)
