"""Settings of the first stages: frames, flow, masks."""

from __future__ import annotations

from dataclasses import dataclass

from .declaring import setting


@dataclass(frozen=True)
class FramesSettings:
    """How the footage is decoded for the work in between; the result has the footage's size."""

    longest_side: int = setting(
        768,
        "Working Size",
        "Longest side of the pictures that the engine works on",
        low=64,
        high=4096,
        unit="px",
        advanced=False,
        paper="NLA: 768",
    )


@dataclass(frozen=True)
class FlowSettings:
    """Optical flow between neighbouring frames."""

    quality: str = setting(
        "medium",
        "Flow Quality",
        "fast, medium: DIS flow, on the processor. raft: a trained network, for a GPU; "
        "its weights must be on this computer. automatic: raft where they are, else medium",
        choices=("fast", "medium", "raft", "automatic"),
        paper="NLA: RAFT",
    )
    raft: str = setting(
        "raft_large:C_T_V1",
        "RAFT Weights",
        "raft_large or raft_small, a colon, and a tag whose weights are on this computer or a file",
        paper="NLA: the authors' own, trained on FlyingThings",
    )
    consistency: float = setting(
        1.0,
        "Consistency",
        "A flow vector counts where going forth and back misses by less than this",
        low=0.1,
        high=10.0,
        unit="px",
        paper="NLA: 1",
    )


@dataclass(frozen=True)
class MasksSettings:
    """How an object is found when its masks are not given."""

    finder: str = setting(
        "motion",
        "Automatic Masks",
        "How an object is found for which nothing is given, neither masks nor a box, strokes or a "
        "class. motion: what moves against the background. automatic: the detector where its "
        "weights are on this computer, with whatever thing it sees longest; else motion",
        choices=("motion", "automatic"),
        paper="NLA: Mask R-CNN",
    )
    detector: str = setting(
        "maskrcnn_resnet50_fpn_v2:COCO_V1",
        "Detector Weights",
        "maskrcnn_resnet50_fpn_v2 or maskrcnn_resnet50_fpn, a colon, and a tag whose weights are "
        "on this computer or a file",
    )
    detector_score: float = setting(
        0.5,
        "Detector Score",
        "How sure the detector must be of an object",
        low=0.05,
        high=1.0,
        paper="NLA: 0.5",
    )
