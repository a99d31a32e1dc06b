"""Installing and checking the engine: commands that run one after the other while Blender goes on.

Nothing here waits; `Setup.advance` is called again and again by the session.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.client import environment as engine_environment
from ..engine.client.environment import Environment, Step


@dataclass
class Setup:
    """A row of commands, the one that runs now, and how it ended."""

    steps: list[Step]
    engine_root: Path
    log: Path
    target: Environment | None = None
    version: str = ""
    index: int = 0
    process: subprocess.Popen | None = None
    error: str = ""
    facts: dict = field(default_factory=dict)
    ended: bool = False

    @property
    def label(self) -> str:
        """Return what the panel says."""
        if self.error:
            return self.error
        return "Done" if self.ended else self.steps[self.index].label

    @property
    def fraction(self) -> float:
        """How many of the commands are done, 0 to 1."""
        return 1.0 if self.ended else (self.index + 0.5) / len(self.steps)

    def advance(self) -> None:
        """Start the next command when one has ended; note what went wrong."""
        if self.ended:
            return
        if self.process is None:
            self._start()
        elif (code := self.process.poll()) is not None:
            self._step_ended(code)

    def cancel(self) -> None:
        """Stop the command that runs; what is unfinished stays and is built anew next time."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        self.error, self.ended = "Cancelled", True

    def _start(self) -> None:
        try:
            if self.index == 0:
                self.log.unlink(missing_ok=True)
                self._clear_partial()
            step = self.steps[self.index]
            self.process = engine_environment.start_step(step, self.engine_root, self.log)
        except OSError as error:
            self.error, self.ended = f"{error.strerror}: {error.filename}", True

    def _clear_partial(self) -> None:
        if self.target is not None:
            shutil.rmtree(self.target.partial, ignore_errors=True)
            self.target.folder.parent.mkdir(parents=True, exist_ok=True)

    def _step_ended(self, code: int) -> None:
        if code != 0:
            self.error = f"{self.steps[self.index].label} failed: {last_line(self.log)}"
            self.ended = True
            return
        self.index, self.process = self.index + 1, None
        if self.index == len(self.steps):
            self._finish()

    def _finish(self) -> None:
        self.ended = True
        self.facts = facts_in(self.log)
        if self.target is None:
            return
        try:
            self.target.finish(self.version)
        except OSError as error:
            self.error = f"The environment cannot be put in its place: {error.strerror}"


def last_line(log: Path) -> str:
    """Return the last line of a log, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1].strip() if lines else "no reason given"


def facts_in(log: Path) -> dict:
    """Return what `engine check --json` printed last, {} where that is not in the log."""
    try:
        facts = json.loads(last_line(log))
    except json.JSONDecodeError:
        return {}
    return facts if isinstance(facts, dict) else {}


def check_step(python: Path) -> Step:
    """Return the command that proves that an environment can run the engine."""
    return Step("Checking the engine", [str(python), "-P", "-m", "engine", "check", "--json"])
