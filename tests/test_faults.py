"""Every way in which libraries and the system fail has its right name."""

import errno
from pathlib import Path

import pytest

from engine import faults
from engine.contract.events import EngineError, Fault

HERE = Path("/job")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/job/a"), Fault.DISK_FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Fault.DISK_FULL),
        (OSError(errno.EIO, "Input/output error", "/job/a"), Fault.DISK_FAILED),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/job"), Fault.DISK_FAILED),
        (OSError(errno.EMFILE, "Too many open files"), Fault.TOO_MANY_FILES),
        (OSError(errno.ENFILE, "Too many open files in system"), Fault.TOO_MANY_FILES),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), Fault.OUT_OF_MEMORY),
        (OSError(errno.EROFS, "Read-only file system", "/job"), Fault.FOLDER_UNWRITABLE),
        (MemoryError(), Fault.OUT_OF_MEMORY),
        (RuntimeError("could not create a memory object"), Fault.OUT_OF_MEMORY),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            Fault.OUT_OF_MEMORY,
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), Fault.OUT_OF_MEMORY),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), Fault.OUT_OF_MEMORY),
        (Exception("OpenCV(4) alloc.cpp: error: (-4:Insufficient memory)"), Fault.OUT_OF_MEMORY),
        (
            Exception("Error while serializing: IoError(Os { code: 28, message: No space left on "
                      "device })"),
            Fault.DISK_FULL,
        ),
        (OSError("ffmpeg could not write result.mov: No space left on device"), Fault.DISK_FULL),
        (ImportError("no torch"), Fault.ENVIRONMENT),
        (
            ImportError("libtorch_cpu.so: failed to map segment from shared object"),
            Fault.OUT_OF_MEMORY,
        ),
        (EngineError(Fault.DIVERGED, "a", "b"), Fault.DIVERGED),
        (ZeroDivisionError("division by zero"), Fault.UNEXPECTED),
    ],
)  # fmt: skip
def test_a_failure_has_its_name_and_a_remedy(error, fault):
    known = faults.explained_error(error, HERE)
    assert known.fault is fault and known.message and known.hint
