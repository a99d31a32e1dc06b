"""The engine's voice: events out, stop requests in. Standard library and contract only."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .contract import files
from .contract.codec import event_to_json
from .contract.events import (
    EngineError,
    Event,
    Failed,
    Fault,
    Paused,
    Preview,
    Progress,
    Resumed,
    StageFinished,
    StageStarted,
    Warned,
)
from .contract.folder import JobFolder
from .contract.job import Stage
from .contract.locks import Lock
from .workspace import explain_failures

LOCK_SECONDS = 2.0
PROGRESS_SECONDS = 0.2
STOP_SECONDS = 0.1
PAUSE_SECONDS = 0.25


class Reporter:
    """Writes events into the job folder and reads stop requests from it.

    Implements `engine.contract.events.Report`. Used as a context: inside it the folder is locked.
    ``listen`` is called with every event, too. For ``lock_seconds`` it waits while another engine
    has the folder. ``encode_png`` turns an array into a file's bytes,
    ``release_memory`` gives back memory that is not needed while the host lets the job wait, and
    ``choose_threads`` leaves cores to other programs that want them; the pipeline hands them in, so
    that this module needs no library.
    """

    def __init__(
        self,
        folder: JobFolder,
        *,
        listen: Callable[[Event], None] = lambda event: None,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self.folder = folder
        self._lock_seconds = lock_seconds
        self.encode_png: Callable[[Any], bytes] | None = None
        self.release_memory: Callable[[], None] = lambda: None
        self.choose_threads: Callable[[], None] = lambda: None
        self._listen = listen
        self._stage = Stage.FRAMES
        self._stage_started = time.monotonic()
        self._first_step: tuple[int, float] | None = None
        self._share = (0, 1)
        self._progress_at = 0.0
        self._stop_at = 0.0
        self._stopping = False
        self.warnings: list[str] = []  # that were said
        self._lock = Lock(folder.lock)
        self._torn = False

    def __enter__(self) -> Reporter:
        """Take the folder; raises EngineError where another engine has it, or a stranger made it.

        What was said and found in the run before stays under another name.
        """
        with explain_failures(self.folder.path):
            files.private_folder(self.folder.path)
            self._take_folder()
        try:
            with explain_failures(self.folder.path):
                self._prepare()
        except EngineError as error:
            with contextlib.suppress(EngineError):
                self.say(Failed(error.fault, error.message, error.hint))
            self.__exit__()
            raise
        return self

    def _prepare(self) -> None:
        folder = self.folder
        folder.check()
        for finished in folder.finished:
            files.restore_folder(finished)
        folder.earlier_events.unlink(missing_ok=True)
        if folder.events.exists():
            folder.events.replace(folder.earlier_events)
        files.write_bytes(folder.events, b"")
        folder.report.unlink(missing_ok=True)  # it speaks of the run before

    def _take_folder(self) -> None:
        # A host may look for a moment, or an engine end.
        end = time.monotonic() + self._lock_seconds
        while not self._lock.take():
            if time.monotonic() > end:
                raise EngineError(
                    Fault.FOLDER_IN_USE,
                    f"Another engine works in {self.folder.path}.",
                    "Wait until it has ended, or stop it.",
                )
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._lock.free()

    def say(self, event: Event) -> None:
        """Write one event; raises EngineError."""
        line = json.dumps(event_to_json(event, time.time())) + "\n"
        with explain_failures(self.folder.path):
            try:
                files.append(self.folder.events, ("\n" * self._torn + line).encode())
                self._torn = False
            except OSError:
                self._torn = True  # half of the line may be there
                raise
        self._listen(event)

    @contextlib.contextmanager
    def stage(self, stage: Stage, *, reused: bool) -> Iterator[None]:
        """Announce a stage and, unless it fails, its end."""
        self._stage, self._stage_started = stage, time.monotonic()
        self._first_step = None
        self.say(StageStarted(stage))
        yield
        seconds = round(time.monotonic() - self._stage_started, 3)
        self.say(StageFinished(stage, seconds, reused))

    @contextlib.contextmanager
    def share(self, index: int, count: int) -> Iterator[None]:
        """Let progress be that of one of ``count`` equal parts of the stage."""
        self._share = (index, count)
        self._first_step = None
        yield
        self._share = (0, 1)

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        """Say how far the stage is; more than five calls a second are dropped, not the last."""
        now = time.monotonic()
        index, count = self._share
        step, total = step + index * total, total * count
        if self._first_step is None:
            self._first_step = (step, now)
        if step < total and now - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = now
        rounded = {name: float(f"{value:.4g}") for name, value in (terms or {}).items()}
        self.say(Progress(self._stage, step, total, rounded, self._seconds_left(step, total, now)))

    def _seconds_left(self, step: int, total: int, now: float) -> float | None:
        first, at = self._first_step or (step, now)
        if step <= first:
            return None
        return round((now - at) / (step - first) * (total - step), 1)

    def preview(self, name: str, image: Any) -> None:
        """Replace the picture ``preview/<name>.png``, uint8 [H, W, 3] or [H, W, 4]."""
        if self.encode_png is None:
            return
        with explain_failures(self.folder.path):
            files.private_folder(self.folder.preview)
            try:
                files.write_bytes(self.folder.preview / f"{name}.png", self.encode_png(image))
            except PermissionError:  # a viewer holds the last one; the next will do
                return
        self.say(Preview(name, f"{self.folder.preview.name}/{name}.png"))

    def warning(self, message: str, hint: str = "") -> None:
        """Say something that the user should know, once."""
        if message not in self.warnings:
            self.warnings.append(message)
            self.say(Warned(message, hint))

    def stopping(self) -> bool:
        """Has the host asked for a stop? Waits for as long as it asks for a pause."""
        now = time.monotonic()
        if not self._stopping and now - self._stop_at >= STOP_SECONDS:
            self._stop_at = now
            self.choose_threads()
            if self.folder.pause.exists():
                self._wait()
            self._stopping = self._stopping or self.folder.stop.exists()
        return self._stopping

    def _wait(self) -> None:
        """Do nothing while the host's ``pause`` is there."""
        started = time.monotonic()
        self.say(Paused())
        self.release_memory()
        while self.folder.pause.exists() and not (self._stopping or self.folder.stop.exists()):
            time.sleep(PAUSE_SECONDS)
        waited = time.monotonic() - started
        self._stage_started += waited
        if self._first_step is not None:
            step, at = self._first_step
            self._first_step = (step, at + waited)
        self.say(Resumed())

    @property
    def stop_requested(self) -> bool:
        """Has a stop been noticed already? Never waits."""
        return self._stopping

    def request_stop(self) -> None:
        """Ask for a stop from inside the engine's own process (Ctrl-C)."""
        self._stopping = True
