"""What the first stages know of the footage: made once, and carried to all that comes after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..contract.events import Report
from ..contract.settings import FlowSettings
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

    @cached_property
    def closer(self) -> Flow:
        """The flow as larger pictures show it, see `closer_flow`; raises Stopped."""
        return closer_flow(self.flow, self.video.greys, self.settings, self.report)
