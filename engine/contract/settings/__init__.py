"""Every number and choice that a user can adjust, declared once.

From these dataclasses come Blender's properties, the checks of the codec, the command line's
``--set``, ``docs/settings.md``, the stage keys and the presets. Nothing here knows how a value
is used. ``paper`` says where a default comes from: NLA is Kasten et al. 2021, TDS is
Loeschcke et al. 2022 (*Text-Driven Stylization of Video Objects*).
"""

from .decomposition import DecompositionSettings, GridSettings, NlaSettings, NlaWeights
from .presets import (
    AUTOMATIC,
    EMBEDDED,
    OFFERED_WEIGHTS,
    PRESET_HELP,
    PRESET_NAMES,
    PRESETS,
    preset,
    with_embedded_encoder,
)
from .render import DEEP_FORMATS, RenderSettings
from .stylization import StylizationSettings, StylizationWeights
from .video import FlowSettings, FramesSettings, MasksSettings
from .views import ViewsSettings
from .whole import Settings, replace_setting

__all__ = [
    "AUTOMATIC", "DEEP_FORMATS", "EMBEDDED", "OFFERED_WEIGHTS", "PRESETS", "PRESET_HELP",
    "PRESET_NAMES", "DecompositionSettings", "FlowSettings", "FramesSettings", "GridSettings",
    "MasksSettings", "NlaSettings", "NlaWeights", "RenderSettings", "Settings",
    "StylizationSettings", "StylizationWeights", "ViewsSettings", "preset", "replace_setting",
    "with_embedded_encoder",
]  # fmt: skip
