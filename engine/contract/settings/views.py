"""Settings of the views that CLIP sees."""

from __future__ import annotations

from dataclasses import dataclass

from .declaring import setting


@dataclass(frozen=True)
class ViewsSettings:
    """The crops that CLIP sees, and how they are augmented."""

    global_views: int = setting(
        2, "Global Views", "Views of the whole object, in each frame", low=1, high=64
    )
    local_views: int = setting(6, "Local Views", "Close views, in each frame", low=1, high=64)
    global_scale_low: float = setting(
        0.9,
        "Global Scale, Least",
        "Smallest global crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 0.9",
    )
    global_scale_high: float = setting(
        1.0,
        "Global Scale, Most",
        "Largest global crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 1.0",
    )
    local_scale_low: float = setting(
        0.1,
        "Local Scale, Least",
        "Smallest local crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 0.1",
    )
    local_scale_high: float = setting(
        0.5,
        "Local Scale, Most",
        "Largest local crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 0.5",
    )
    aspect_low: float = setting(
        0.8, "Aspect, Least", "Narrowest crop", low=0.1, high=1.0, paper="TDS: 0.8"
    )
    aspect_high: float = setting(
        1.2, "Aspect, Most", "Widest crop", low=1.0, high=10.0, paper="TDS: 1.2"
    )
    coverage: float = setting(
        1 / 3,
        "Coverage",
        "Part of a local view that the object must fill",
        low=0.0,
        high=1.0,
        paper="TDS: 1/3",
    )
    perspective_chance: float = setting(
        0.5,
        "Perspective Chance",
        "How often a view is seen from a side",
        low=0.0,
        high=1.0,
        paper="TDS: 0.5",
    )
    perspective_low: float = setting(
        0.1, "Perspective, Least", "Weakest distortion", low=0.0, high=0.9, paper="TDS: 0.1"
    )
    perspective_high: float = setting(
        0.5, "Perspective, Most", "Strongest distortion", low=0.0, high=0.9, paper="TDS: 0.5"
    )
    background_removal: float = setting(
        0.5,
        "Background Removal",
        "How often a view has a black background",
        low=0.0,
        high=1.0,
        paper="TDS: 0.5",
    )
    margin: float = setting(
        0.1,
        "Margin",
        "Room around the object's box, as part of its longer side",
        low=0.0,
        high=1.0,
        paper="TDS: small",
    )
    local_placement: str = setting(
        "box",
        "Close Views Lie",
        "box: anywhere in the object's box. object: around any pixel of the object alike, smaller "
        "where it is thin, so that neck and legs are seen as often as the rest",
        choices=("box", "object"),
        paper="TDS: box",
    )
    coverage_of: str = setting(
        "view",
        "Coverage Means",
        "view: so much of the view is object. object: so much of the object is in the view",
        choices=("view", "object"),
        paper="TDS: view in sec. 3.3, object in sec. 6.2",
    )
    hard_removal: bool = setting(
        False,
        "Hard Removal",
        "Remove the background where alpha is under one half instead of by alpha",
        paper="TDS: sec. 6.2",
    )
    native_size: bool = setting(
        False,
        "Native Size",
        "Paint the object at the working size instead of at the size that CLIP needs",
        paper="TDS: 432 x 768 frames",
    )
    noise: float = setting(
        0.0,
        "View Noise",
        "Strongest noise added to a view, so that a small CLIP model is not led by fine patterns",
        low=0.0,
        high=0.5,
    )
