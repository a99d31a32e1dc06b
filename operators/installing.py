"""Installing, checking and removing the engine: commands that run one after the other.

Nothing here waits; `Setup.advance` is called again and again by the session.
"""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.client import installation
from ..engine.client.installation import Network, Plan, Step, check_step, removal_step

__all__ = [
    "Network",
    "Plan",
    "Setup",
    "Step",
    "check_step",
    "facts_in",
    "last_line",
    "removal_step",
]

MEGABYTE = 1e6
UV_LINES = 12


@dataclass
class Setup:
    """A row of commands, the one that runs now, and how it ended."""

    steps: list[Step]
    engine_root: Path
    log: Path
    purpose: str = "Installation"
    index: int = 0
    process: subprocess.Popen | None = None
    error: str = ""
    notes: list[str] = field(default_factory=list)
    facts: dict = field(default_factory=dict)
    ended: bool = False
    progress: dict = field(default_factory=dict)
    current: Step | None = None

    @property
    def label(self) -> str:
        """Return what the panel says."""
        if self.error:
            return self.error
        if self.ended:
            return "Done"
        label = (self.current or self.steps[self.index]).label
        return f"{label}: {self.amount}" if self.progress.get("total") else label

    @property
    def amount(self) -> str:
        """Return how much of a download has come, and how fast."""
        done, total = (self.progress.get(name, 0) / MEGABYTE for name in ("done", "total"))
        speed = self.progress.get("speed", 0) / MEGABYTE
        return f"{done:.0f} of {total:.0f} MB" + (f", {speed:.1f} MB/s" if speed >= 0.05 else "")

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1."""
        if self.ended:
            return 1.0
        total = self.progress.get("total", 0)
        part = self.progress.get("done", 0) / total if total else 0.5
        return (self.index + min(1.0, part)) / len(self.steps)

    def advance(self) -> None:
        """Start the next command when one has ended; note what went wrong."""
        if self.ended:
            return
        if self.process is None:
            if self.index == 0 and self.current is None:
                self.log.unlink(missing_ok=True)
            self._start(self.steps[self.index])
        elif (code := self.process.poll()) is not None:
            self._step_ended(code)
        else:
            self._read_progress()

    def cancel(self) -> None:
        """Stop the command that runs; what has come stays, and the next time goes on from it."""
        if self.process is not None:
            installation.stop(self.process)
        self.error, self.ended = "Cancelled", True

    def _start(self, step: Step) -> None:
        self.current, self.progress = step, {}
        if step.progress is not None:
            step.progress.unlink(missing_ok=True)
        try:
            self.process = installation.start(step, self.engine_root, self.log)
        except OSError as error:
            self.error, self.ended = f"{error.strerror}: {error.filename}", True

    def _read_progress(self) -> None:
        assert self.current is not None
        if self.current.progress is None:
            return
        try:
            self.progress = json.loads(self.current.progress.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return

    def _step_ended(self, code: int) -> None:
        assert self.current is not None
        self.process = None
        if code == 0:
            self._next()
        elif self.current.otherwise is not None:
            if self.current.note:
                self.notes.append(self.current.note)
            self._start(self.current.otherwise)
        else:
            self.error = f"{self.current.label} failed: {last_line(self.log)}"
            self.ended = True

    def _next(self) -> None:
        self.facts = facts_in(self.log) or self.facts
        self.index, self.progress = self.index + 1, {}
        if self.index == len(self.steps):
            self.ended = True
        else:
            self._start(self.steps[self.index])


def last_line(log: Path) -> str:
    """Return the last line of a log, for an error message; uv's own sentence where it gave one."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    lines = [line.strip() for line in lines if line.strip()] or ["no reason given"]
    errors = [line for line in lines[-UV_LINES:] if line.startswith("error: ")]
    if not errors or not lines[-1].startswith(("cause: ", "error: ", "hint: ")):
        return lines[-1]
    causes = [line.removeprefix("cause: ") for line in lines if line.startswith("cause: ")]
    return ": ".join([errors[-1].removeprefix("error: "), *causes[-1:]])


def facts_in(log: Path) -> dict:
    """Return what `engine check --json` printed last, {} where that is not in the log."""
    try:
        facts = json.loads(last_line(log))
    except json.JSONDecodeError:
        return {}
    return facts if isinstance(facts, dict) else {}
