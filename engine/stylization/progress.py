"""How far a stylization is: what comes before the first step and all candidates' steps, on one bar.

Work ahead is counted in steps that take as long, roughly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..contract.events import Report, Stopped
from ..contract.settings import StylizationSettings
from .atlas_files import FORMS


@dataclass(frozen=True)
class Progress:
    """Speaks to ``report`` of ``ahead`` and the steps after it, ``total`` together."""

    report: Report
    ahead: int
    total: int

    def count_preparation(self, done: float) -> None:
        """Say that ``done`` of the steps ahead are done; raises Stopped where the host asks."""
        if self.report.stopping():
            raise Stopped
        self.report.progress(min(self.ahead, int(done)), self.total)

    def count_steps(self, done: int, terms: Mapping[str, float]) -> None:
        """Say that ``done`` steps of all candidates are done, with the terms of the last."""
        self.report.progress(self.ahead + done, self.total, terms)

    def counter_of(self, each: float) -> Callable[[int], None]:
        """Return a callback for finished units of work, each as long as ``each`` steps."""
        done = 0

        def count(units: int) -> None:
            nonlocal done
            done += units
            self.count_preparation(done * each)

        return count


def progress_of(settings: StylizationSettings, report: Report) -> Progress:
    """Return the bar of a stylization with these settings."""
    ahead = FORMS[settings.atlas].steps_ahead(settings)
    return Progress(report, ahead, ahead + settings.candidates * settings.steps)
