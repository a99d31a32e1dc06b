"""Settings of the finished frames."""

from __future__ import annotations

from dataclasses import dataclass

from .declaring import setting

DEEP_FORMATS = ("png16", "exr", "prores")  # hold more than 8 bits


@dataclass(frozen=True)
class RenderSettings:
    """Writing the finished frames."""

    composite: str = setting(
        "residual",
        "Blend",
        "residual: the footage plus what the stylization changed. "
        "blend: the stylized atlas over the footage. "
        "atlas: the stylized atlas over the background's atlas; nothing in the frame is then the "
        "footage's own, what is not restyled is as the layers reconstruct it",
        choices=("residual", "blend", "atlas"),
        paper="TDS: sec. 3.2, atlas",
    )
    strength: float = setting(
        1.0,
        "Strength",
        "From the footage's look (0) to the full style (1)",
        low=0.0,
        high=1.0,
        advanced=False,
    )
    keep_detail: float = setting(
        0.0,
        "Keep Detail",
        "Lay the footage's fine light and dark over the style: folds, feathers, grain",
        low=0.0,
        high=1.0,
        advanced=False,
    )
    match_sharpness: bool = setting(
        True, "Match Sharpness", "Paint no sharper than the footage shows the object"
    )
    candidate: int = setting(
        0, "Candidate", "Which candidate is shown; 0: the best", low=0, high=16, advanced=False
    )
    snapshot: int = setting(
        0,
        "Snapshot",
        "The saved state after about this step is shown; 0: the last",
        low=0,
        high=100_000,
        unit="step",
    )
    foreground_only: bool = setting(
        False, "Object Only", "Write the object alone, with an alpha channel", advanced=False
    )
    format: str = setting(
        "png",
        "File Format",
        "png, png16, exr: one image for each frame, of 8, 16 and half float 16 bits. "
        "ffv1, prores: one movie, lossless or ProRes 4444. All keep alpha",
        choices=("png", "png16", "exr", "ffv1", "prores"),
        advanced=False,
    )
