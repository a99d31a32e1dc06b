"""An engine that is ready before there is a job: it has read its libraries and waits."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from .client.process import LOG_FLAGS
from .client.standby import IDLE_SECONDS
from .contract import files
from .contract.folder import JobFolder


def next_job() -> Path | None:
    """Get ready, and return the job folder that the host names, None where it never does.

    The host holds the other end of standard input: when that closes, the host is gone. From the
    name on what is printed goes to that job's log, as if the engine had begun there.
    """
    giving_up = threading.Timer(IDLE_SECONDS, os._exit, [0])
    giving_up.daemon = True
    giving_up.start()
    _read_libraries()
    line = sys.stdin.readline().strip()
    giving_up.cancel()
    if not line:
        return None
    job = Path(line)
    with os.fdopen(files.open_plain(JobFolder(job).log, LOG_FLAGS), "ab") as log:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    os.chdir(job)
    return job


def _read_libraries() -> None:
    """Import what a job imports, and what the first optimizer imports for a second."""
    import torch

    from . import pipeline, restyling  # noqa: F401
    from .stylization import encoder

    encoder.library()
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
