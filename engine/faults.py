"""Finds words for failures that nobody foresaw where they happened."""

from __future__ import annotations

import errno
from pathlib import Path

from .contract.events import EngineError, Fault
from .contract.files import Refusal
from .workspace import of_the_system, out_of_memory

# How libraries say that memory ran out: PyTorch, its allocators, oneDNN, CUDA's own, OpenCV, and
# the loader of libraries.
NO_MEMORY = (
    "out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory",
    "insufficient memory", "could not create a memory object", "outofmemory", "alloc_failed",
    "bad_alloc", "failed to allocate", "failed to map segment",
)  # fmt: skip
# How libraries that swallow the number of a failure spell it.
NUMBERS = {
    "no space left on device": errno.ENOSPC,
    "os error 28": errno.ENOSPC,
    "disk quota exceeded": errno.EDQUOT,
    "file too large": errno.EFBIG,
    "input/output error": errno.EIO,
    "os error 5)": errno.EIO,
    "too many open files": errno.EMFILE,
    "os error 24": errno.EMFILE,
}


def explained_error(error: Exception, folder: Path) -> EngineError:
    """Return what ``error``, which ended a job in ``folder``, means to a user."""
    if isinstance(error, EngineError):
        return error
    name, said = type(error).__name__, str(error).lower()
    if isinstance(error, MemoryError) or name == "OutOfMemoryError" or _holds(said, NO_MEMORY):
        return out_of_memory(_first_line(error))
    if isinstance(error, OSError) and error.errno:
        known = of_the_system(error, folder)
    else:
        number = next((NUMBERS[words] for words in NUMBERS if words in said), 0)
        known = of_the_system(OSError(number, _first_line(error)), folder)
    if known is not None:
        return known
    if isinstance(error, Refusal):
        return EngineError(Fault.BAD_JOB, f"{error}.", "Write a new job from the panel.")
    if isinstance(error, ImportError):
        return EngineError(
            Fault.ENVIRONMENT,
            f"The engine's environment is incomplete: {_first_line(error)}.",
            "Install the engine from the panel, or what engine/requirements.txt lists.",
        )
    return EngineError(
        Fault.UNEXPECTED,
        f"Something unexpected went wrong: {name}: {_first_line(error)}",
        "engine.log in the job folder tells where. Running the job again goes on from the last "
        "checkpoint; please report it if it happens twice.",
    )


def _holds(said: str, words: tuple[str, ...]) -> bool:
    return any(each in said for each in words)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]
