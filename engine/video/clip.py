"""What the first stages know of the footage: made once, and carried to all that comes after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..contract.events import Report
from ..contract.settings import FlowSettings
from ..partial_results import UNSAVED, PartialResults
from .flow import Flow, closer_flow
from .frames import Video
from .masks import Masks


@dataclass(frozen=True)
class Clip:
    """Frames, the flow between neighbours, and the masks of each object, from front to back.

    ``settings`` and ``report`` are for `closer`, which is estimated when it is first asked for.
    """

    video: Video
    flow: Flow
    masks: Sequence[Masks]
    settings: FlowSettings
    report: Report
    _closer: list[Flow] = field(default_factory=list, repr=False)

    def closer(self, partial: PartialResults = UNSAVED) -> Flow:
        """Return the flow as larger pictures show it, see `closer_flow`; raises Stopped."""
        if not self._closer:
            flow = closer_flow(
                self.flow, self.video.greys, self.settings, self.report, partial=partial
            )
            self._closer.append(flow)
        return self._closer[0]
