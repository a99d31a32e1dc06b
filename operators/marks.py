"""The preview, and what is marked in it by hand, in the pixels of the picture."""

from collections.abc import Sequence
from typing import Any

from ..engine.contract.job import Stroke
from . import ink, placement, strips
from .targets import Spots

LABEL_SIZE = 14
SET, ELSEWHERE = 6, 9  # radius of a pin on this frame, and of one that is set on others alone


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


def draw_pins(region: Any, lies: placement.Placement, pins: Sequence[Spots], frame: int) -> None:
    """Draw pins over the preview, with their numbers."""
    for number, spots in enumerate(pins, 1):
        centre = to_region(region, lies, spot_at(spots, frame))
        shape = ink.circle(centre, SET if frame in spots else ELSEWHERE)
        if frame in spots:
            ink.area(shape, ink.OBJECT)
        ink.outline(shape)
        ink.label(str(number), centre[0] + 2 * SET, centre[1] + SET, LABEL_SIZE)


def spot_at(spots: Spots, frame: int) -> tuple[float, float]:
    """Return where a pin is on a frame, or between the frames on which it is set."""
    first = max((each for each in spots if each <= frame), default=min(spots))
    last = min((each for each in spots if each >= frame), default=max(spots))
    part = 0.0 if last <= first else (frame - first) / (last - first)
    (x, y), (right, down) = spots[first], spots[last]
    return x + part * (right - x), y + part * (down - y)
