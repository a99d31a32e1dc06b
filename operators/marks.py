"""The preview, and what is marked in it by hand: boxes and strokes in the picture's pixels."""

from typing import Any

from ..engine.contract.job import Stroke
from . import ink, placement, strips


def preview_region(context: Any) -> tuple[Any, Any] | None:
    """Return the area and region of the preview; shows one where the sequencer has none yet."""
    areas = [area for area in context.screen.areas if area.type == "SEQUENCE_EDITOR"]
    shown = [area for area in areas if area.spaces.active.view_type != "SEQUENCER"]
    if not shown and context.area in areas:
        context.area.spaces.active.view_type = "SEQUENCER_PREVIEW"
        shown = [context.area]
    for area in shown:
        for region in area.regions:
            if region.type == "PREVIEW":
                return area, region
    return None


def current_frame(context: Any, strip: Any) -> int | None:
    """Return the current frame counted from the strip's start, None where it shows none."""
    frame = strips.sequencer_scene(context).frame_current - strips.start(strip)
    return frame if 0 <= frame < strips.length(strip) else None


def to_region(region: Any, lies: placement.Placement, pixel: Any) -> tuple[float, float]:
    """Return where a pixel of the picture is in the region."""
    return region.view2d.view_to_region(*lies.to_view(*pixel), clip=False)


def zoom(region: Any, lies: placement.Placement) -> float:
    """Return how many pixels of the region one of the picture takes."""
    left, right = to_region(region, lies, (0, 0)), to_region(region, lies, (100, 0))
    return max(0.01, ((right[0] - left[0]) ** 2 + (right[1] - left[1]) ** 2) ** 0.5 / 100)


def box_corners(first: Any, last: Any) -> list[tuple[float, float]]:
    """Return the four corners of a box between two of them."""
    return [first, (last[0], first[1]), last, (first[0], last[1])]


def draw_box(region: Any, lies: placement.Placement, corners: Any) -> None:
    """Draw a box of the picture's pixels."""
    ink.outline([to_region(region, lies, corner) for corner in corners])


def draw_stroke(region: Any, lies: placement.Placement, stroke: Stroke) -> None:
    """Draw a stroke of the picture's pixels."""
    pairs = list(zip(stroke.points[::2], stroke.points[1::2], strict=True))
    places = [to_region(region, lies, pair) for pair in pairs]
    colour = ink.OBJECT if stroke.is_object else ink.NOT_OBJECT
    ink.brush(places, stroke.radius * zoom(region, lies), colour)
