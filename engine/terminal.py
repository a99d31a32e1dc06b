"""What a person sees in a terminal: one progress line, warnings, the end. Standard library only."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from .client.status import STAGE_LABELS, duration
from .contract import events

SILENT_SECONDS = 60.0  # a farm's manager gives a task up that says nothing for minutes


class Bar:
    """Shows events as they come; nothing but warnings and failures where ``quiet``.

    Where nobody sees a terminal it is one line for each tenth of a stage, and for each minute.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.live = sys.stdout.isatty()
        self._width = 0
        self._tenth = -1
        self._printed_at = 0.0

    def show(self, event: events.Event) -> None:
        """Print what there is to say about ``event``."""
        match event:
            case events.Warned(message=message, hint=hint):
                self._line(f"warning: {message} {hint}".rstrip(), sys.stderr)
            case events.Failed(message=message, hint=hint):
                self._line(f"error: {message}\n{hint}", sys.stderr)
            case _ if not self.quiet:
                self._show_progress(event)

    def _show_progress(self, event: events.Event) -> None:
        match event:
            case events.DeviceChosen(kind=kind, name=name):
                self._line(f"Device: {kind}, {name}")
            case events.StageStarted():
                self._tenth = -1
            case events.Progress():
                self._progress(event)
            case events.StageFinished(stage=stage, seconds=seconds, reused=reused):
                note = "reused" if reused else f"{seconds:.1f} s"
                self._line(f"{STAGE_LABELS[stage]:<18} done, {note}")
            case events.Finished(frames=frames, seconds=seconds):
                self._line(f"Finished: {frames} frames in {duration(seconds)}")
            case events.Cancelled():
                self._line("Stopped. Run the same command again to go on from here.")

    def _progress(self, event: events.Progress) -> None:
        share = event.step / event.total if event.total else 0.0
        filled = round(20 * share)
        text = f"{STAGE_LABELS[event.stage]:<18} [{'#' * filled}{'-' * (20 - filled)}] "
        text += f"{event.step}/{event.total}"
        if event.seconds_left is not None and share < 1:
            text += f", {duration(event.seconds_left)} left"
        text += "".join(f"  {name} {value:.3g}" for name, value in event.terms.items())
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + text[:width].ljust(self._width), end="", flush=True)
            self._width = len(text[:width])
        elif int(10 * share) > self._tenth or time.monotonic() > self._printed_at + SILENT_SECONDS:
            self._tenth, self._printed_at = int(10 * share), time.monotonic()
            print(text, flush=True)

    def _line(self, text: str, file: Any = None) -> None:
        if self.live and self._width:
            print("\r" + " " * self._width, end="\r")
            self._width = 0
        print(text, file=file or sys.stdout, flush=True)


def print_facts(facts: dict[str, Any], indent: str = "") -> None:
    """Print nested facts, one a line."""
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{indent}{name}:")
            print_facts(value, indent + "  ")
        else:
            print(f"{indent}{name}: {value}")
