"""How far a stylization is: what comes before the first step and all candidates' steps, on one bar.

Work ahead is counted in steps that take as long, roughly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..contract.events import Report, Stopped
from ..contract.settings import StylizationSettings
from .atlas import NetworkAtlas
from .palette import views_looked_at

BACKWARD = 3  # a step takes as long as so many looks at its views: it goes back through CLIP, too
FITTED = 100  # steps of the colour network's fit that take as long as one with CLIP
TRIAL_PART = 8  # the longest trial takes this part of the steps
FIRST_PART = 0.4  # of its steps are taken by all, the rest by the better ones
BETTER_PART = 3  # this part of them


@dataclass(frozen=True)
class Progress:
    """Speaks to ``report`` of ``ahead`` and the steps after it, ``total`` together."""

    report: Report
    ahead: int
    total: int

    def prepared(self, done: float) -> None:
        """Say that ``done`` of the steps ahead are done; raises Stopped where the host asks."""
        if self.report.stopping():
            raise Stopped
        self.report.progress(min(self.ahead, int(done)), self.total)

    def stepped(self, done: int, terms: Mapping[str, float]) -> None:
        """Say that ``done`` steps of all candidates are done, with the terms of the last."""
        self.report.progress(self.ahead + done, self.total, terms)

    def counting(
        self, each: float, *, start: float = 0.0, most: float = math.inf
    ) -> Callable[[int], None]:
        """Return a function that is told of pieces of work, each as long as ``each`` steps.

        However many pieces there are, they count as ``most`` steps at the most.
        """
        done = 0

        def count(pieces: int) -> None:
            nonlocal done
            done += pieces
            self.prepared(start + min(most, done * each))

        return count


def progress_of(settings: StylizationSettings, report: Report) -> Progress:
    """Return the bar of a stylization with these settings."""
    ahead = settings.distillation_steps / FITTED
    if settings.atlas != NetworkAtlas.form:
        ahead = looks_ahead(settings) + steps_of_trials(settings)
    total = settings.candidates * settings.steps
    return Progress(report, int(ahead), int(ahead) + total)


def looks_ahead(settings: StylizationSettings) -> float:
    """Return how many steps take as long as the comparison of first looks."""
    return views_looked_at(settings) * look_part(settings)


def look_part(settings: StylizationSettings) -> float:
    """Return the part of a step that a look at one view takes."""
    views = settings.views.global_views + settings.views.local_views
    return 1 / (BACKWARD * settings.frames_per_step * max(1, views))


def trial_rounds(settings: StylizationSettings) -> tuple[int, int]:
    """Return the steps that all trials take, and those that only the better ones take then."""
    steps = max(1, settings.steps // TRIAL_PART)
    first = max(1, round(FIRST_PART * steps))
    return first, steps - first


def better_of(trials: int) -> int:
    """Return how many of ``trials`` go on after the first round."""
    return -(-trials // BETTER_PART)


def steps_of_trials(settings: StylizationSettings) -> int:
    """Return the steps of all trials together; a single one is none."""
    count = settings.palette_trials
    first, more = trial_rounds(settings)
    return count * first + better_of(count) * more if count > 1 else 0
