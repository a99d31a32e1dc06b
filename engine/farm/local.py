"""The tasks of a job by several processes of this computer, each on a graphics card of its own.

They are the processes that a farm's workers start, so the result has the bits of one machine's job.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .. import cores
from ..contract.events import Stopped
from ..contract.folder import JobFolder, with_paths
from ..contract.tasks import Task, divide
from ..video.frames import expected_count

TASK_FILE = Path(__file__).with_name("task.py")
POLL_SECONDS = 0.1
CHUNK = 48  # frames that one task renders


def run(job: JobFolder, cache: Path, *, workers: int, gpus: int) -> int:
    """Do all tasks of ``job``, ``workers`` at a time; returns 0 or the exit code of a failed one.

    Worker n has the graphics card n of ``gpus``, counted around. Where one task fails the others
    are stopped; their checkpoints stay. Raises EngineError, and Stopped.
    """
    spec = with_paths(job.read_spec(), lambda path: str(job.path / path))
    waiting = divide(spec, expected_count(spec.footage), CHUNK)
    crew = Crew(job, cache, workers, gpus)
    done: set[Task] = set()
    with crew.session():
        while len(done) < len(waiting):
            for task, needed in waiting.items():
                if task not in done and done.issuperset(needed):
                    crew.begin(task)
            time.sleep(POLL_SECONDS)
            for task, code in crew.collect():
                if code:
                    print(f"{task.name} failed (exit code {code}).", file=sys.stderr)
                    return code
                print(f"{task.name} is done.", flush=True)
                done.add(task)
    print(f"Frames: {job.result}" if spec.layers is None else f"Frames: {job.layers}")
    return 0


@dataclass
class Crew:
    """The processes that work now, by their task; each has a number below ``size``."""

    job: JobFolder
    cache: Path
    size: int
    gpus: int
    _running: dict[Task, tuple[int, subprocess.Popen]] = field(default_factory=dict)

    def begin(self, task: Task) -> None:
        """Start ``task`` unless it runs, or all are busy."""
        if task in self._running or len(self._running) >= self.size:
            return
        busy = {number for number, _ in self._running.values()}
        number = next(number for number in range(self.size) if number not in busy)
        words = [sys.executable, str(TASK_FILE), *task.words(self.job.path)]
        words += ["--cache", str(self.cache), "--quiet"]
        process = subprocess.Popen(
            words, env=self.environment(number), stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C comes to this process, which asks them to stop
        )  # fmt: skip
        self._running[task] = number, process

    def environment(self, number: int) -> dict[str, str]:
        """Return the variables of a worker: its graphics card, or its part of the cores."""
        own = dict(os.environ)
        if self.gpus:
            visible = own.get("CUDA_VISIBLE_DEVICES", "").split(",")
            names = visible if visible != [""] else [str(each) for each in range(self.gpus)]
            own["CUDA_VISIBLE_DEVICES"] = names[number % self.gpus]
        elif cores.requested_threads() is None:
            own["OMP_NUM_THREADS"] = str(max(1, cores.count() // self.size))
        return own

    def collect(self) -> Iterator[tuple[Task, int]]:
        """Yield the tasks whose processes have ended, with their exit codes."""
        for task, (_, process) in list(self._running.items()):
            if process.poll() is not None:
                del self._running[task]
                yield task, process.returncode

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Leave no process running: ask each to stop, which saves its state, and wait for it."""
        before = {name: signal.signal(name, _stop) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
            for _, process in self._running.values():
                process.terminate()
            for _, process in self._running.values():
                process.wait()


def count_gpus() -> int:
    """Return how many CUDA devices there are; another process asks, which keeps none."""
    program = "import torch; print(torch.cuda.device_count())"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return int(found.stdout) if found.stdout.strip().isdigit() else 0


def _stop(*_: object) -> None:
    raise Stopped
