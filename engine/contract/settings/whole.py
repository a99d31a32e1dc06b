"""All settings of a job."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .declaring import section, setting
from .decomposition import DecompositionSettings
from .render import RenderSettings
from .stylization import StylizationSettings
from .video import FlowSettings, FramesSettings, MasksSettings


@dataclass(frozen=True)
class Settings:
    """All settings of a job."""

    seed: int = setting(
        0, "Seed", "The same seed gives the same result", low=0, high=2**31 - 1, advanced=False
    )
    device: str = setting(
        "automatic",
        "Device",
        "Where the engine computes",
        choices=("automatic", "cuda", "xpu", "mps", "cpu"),
    )
    frames: FramesSettings = section(FramesSettings)
    flow: FlowSettings = section(FlowSettings)
    masks: MasksSettings = section(MasksSettings)
    decomposition: DecompositionSettings = section(DecompositionSettings)
    stylization: StylizationSettings = section(StylizationSettings)
    render: RenderSettings = section(RenderSettings)

    @property
    def layers_seed(self) -> int:
        """The seed that the layers are made with."""
        own = self.decomposition.seed
        return self.seed if own < 0 else own


def replace_setting(settings: Any, path: str, value: Any) -> Any:
    """Return ``settings`` with the setting at the dotted ``path`` replaced.

    Raises KeyError with the whole path where there is no such setting.
    """
    head, _, rest = path.partition(".")
    names = {item.name for item in dataclasses.fields(settings)}
    if head not in names:
        raise KeyError(path)
    if rest:
        current = getattr(settings, head)
        if not dataclasses.is_dataclass(current):
            raise KeyError(path)
        value = replace_setting(current, rest, value)
    return dataclasses.replace(settings, **{head: value})
