"""What is drawn over the sequencer: progress, box and strokes and pins, masks, a checkerboard.

Drawing reads no file: a picture that is not loaded yet is asked for, and is there the next time.
"""

import colorsys
from typing import Any

import bpy
import numpy as np

from ..engine.contract import files
from ..engine.contract.layers import CHECKS
from . import folders, ink, marks, placement, properties, session, strips, targets

BAR_HEIGHT, INSET, TAG_SIZE, LEAST_WIDTH = 5.0, 3.0, 10.0, 34.0
BAR, TRACK = (0.35, 0.75, 1.0, 1.0), (0.0, 0.0, 0.0, 0.55)
PAUSED, TAG = (0.9, 0.75, 0.3, 1.0), (1.0, 1.0, 1.0, 0.85)
OBJECT_COLOURS = (
    (0.2, 0.9, 0.55), (0.95, 0.6, 0.2), (0.45, 0.6, 1.0), (0.95, 0.4, 0.75), (0.9, 0.9, 0.3),
)  # fmt: skip
MASK_ALPHA, CHECK_ALPHA = 0.45, 0.6
DARK_CHECK = (0.05, 0.05, 0.05)
PICTURE_BYTES = 2**28


# --- the timeline --------------------------------------------------------------------------------


def draw_timeline() -> None:
    """Draw a bar on strips that are being stylized, and a tag on results."""
    context = bpy.context
    scene = strips.sequencer_scene(context)
    if scene is None or not folders.preference("show_timeline_bar", True):
        return
    under_way = [job for job in session.state.jobs.values() if not job.status.ended]
    under_way.sort(key=lambda job: job.runs)  # of several jobs of a strip the running one counts
    running = {job.place.strip_id: job for job in under_way}
    scale = context.preferences.system.ui_scale
    for strip in strips.shown_strips(scene):
        facts = properties.of(strip)
        if facts.result_of:
            _draw_tag(context.region, strip, scale)
        elif facts.strip_id in running:
            _draw_bar(context.region, strip, running[facts.strip_id], scale)


def strip_rectangle(region: Any, strip: Any) -> tuple[float, float, float, float]:
    """Return left, bottom, right, top of a strip in the timeline, in the region's pixels."""
    to_region, first = region.view2d.view_to_region, strips.start(strip)
    left, bottom = to_region(first, strip.channel + 0.05, clip=False)
    right, top = to_region(first + strips.length(strip), strip.channel + 0.95, clip=False)
    return left, bottom, right, top


def _draw_bar(region: Any, strip: Any, job: session.Job, scale: float) -> None:
    left, bottom, right, _ = strip_rectangle(region, strip)
    if right < 0 or left > region.width or right - left < 4 * INSET * scale:
        return
    left, right, bottom = left + INSET * scale, right - INSET * scale, bottom + INSET * scale
    top = bottom + BAR_HEIGHT * scale
    ink.rectangle(left, bottom, right, top, TRACK)
    colour = PAUSED if job.paused_by or job.queued else BAR
    ink.rectangle(left, bottom, left + (right - left) * job.fraction, top, colour)


def _draw_tag(region: Any, strip: Any, scale: float) -> None:
    left, bottom, right, _ = strip_rectangle(region, strip)
    if right < 0 or left > region.width or right - left < LEAST_WIDTH * scale:
        return
    size = TAG_SIZE * scale
    width = ink.width_of("AI", size)
    edge = min(right, region.width) - 4 * scale
    box = edge - width - 6 * scale, bottom + 2 * scale, edge, bottom + size + 5 * scale
    ink.rectangle(*box, TRACK)
    ink.words("AI", box[0] + 3 * scale, box[1] + 4 * scale, size, TAG)


# --- the preview ---------------------------------------------------------------------------------


def draw_preview() -> None:
    """Draw where the chosen object was shown by hand, and where the engine found all of them."""
    context = bpy.context
    scene = strips.sequencer_scene(context)
    strip = strips.active_strip(context) if scene else None
    if strip is None or strips.why_unusable(strip):
        return
    facts, frame = properties.of(strip), marks.current_frame(context, strip)
    if facts.result_of or frame is None or not context.space_data.show_gizmo:
        return
    lies = placement.of(strip)
    if context.window_manager.strip_stylizer_show_mask:
        _draw_over(session.Kind.MASKS, context.region, strip, lies)
    if context.window_manager.strip_stylizer_show_checks:
        _draw_over(session.Kind.CHECKS, context.region, strip, lies)
    target = targets.active_of(facts)
    if target is not None and not (target.is_background or session.state.draws_by_hand):
        _draw_target(context.region, lies, target, frame)


def _draw_target(region: Any, lies: placement.Placement, target: Any, frame: int) -> None:
    if target.object_source == "box" and target.box_frame == frame and target.box_width:
        first = target.box_x, target.box_y
        last = target.box_x + target.box_width, target.box_y + target.box_height
        marks.draw_box(region, lies, marks.box_corners(first, last))
    if target.object_source == "strokes":
        for item in target.strokes:
            if item.frame == frame:
                marks.draw_stroke(region, lies, targets.read_stroke(item))
    marks.draw_pins(region, lies, targets.spots_of(target), frame)


def _draw_over(kind: session.Kind, region: Any, strip: Any, lies: placement.Placement) -> None:
    """Draw what the last job of a kind found in the frame that is shown, where it has that."""
    job = session.last_finished(strip, kind)
    shown = strips.sequencer_scene(bpy.context).frame_current
    frame = None if job is None else strips.frame_of(job.place, strip, shown)
    if job is None or frame is None:
        return
    held = session.state.pictures_over.get(kind)
    if held is None or held[0] != (job.id, frame):
        _load_soon(job, frame)
        if held is None or held[0][0] != job.id:
            return
    if held[2] is None:
        held[2] = ink.texture(held[1])
    width, height = lies.size
    corners = ((0, height), (width, height), (width, 0), (0, 0))
    ink.picture(held[2], [marks.to_region(region, lies, corner) for corner in corners])


def _load_soon(job: session.Job, frame: int) -> None:
    def load() -> None:
        held = session.state.pictures_over.get(job.kind)
        if held is None or held[0] != (job.id, frame):
            picture = picture_over(job, frame)
            session.state.pictures_over[job.kind] = [(job.id, frame), picture, None]
            strips.redraw_previews()

    bpy.app.timers.register(load, first_interval=0.0)


def picture_over(job: session.Job, frame: int) -> np.ndarray:
    """Return a frame's masks or checks in their colours, float32 [H, W, 4], lowest row first."""
    is_mask = job.kind is session.Kind.MASKS
    folder = job.folder.masks if is_mask else job.folder.checks
    numbers = read_numbers(files.read_bytes(folder / f"{frame:05d}.pgm", PICTURE_BYTES))
    colours = np.zeros((256, 4), np.float32)
    for number in range(1, 256):
        colours[number] = mask_colour(number) if is_mask else check_colour(number)
    return np.ascontiguousarray(colours[numbers[::-1]])


def mask_colour(number: int) -> tuple[float, ...]:
    """Return the colour and alpha of the object ``number``, counted from 1."""
    return *OBJECT_COLOURS[(number - 1) % len(OBJECT_COLOURS)], MASK_ALPHA


def check_colour(number: int) -> tuple[float, ...]:
    """Return the colour and alpha of a check: each second is dark, columns differ in hue."""
    row, column = divmod(number - 1, CHECKS)
    bright = colorsys.hsv_to_rgb(column / CHECKS, 0.7, max(0.4, 1 - 0.5 * row / CHECKS))
    return *(DARK_CHECK if (row + column) % 2 else bright), CHECK_ALPHA


def read_numbers(data: bytes) -> np.ndarray:
    """Read the engine's portable grey map, uint8 [H, W], the upper row first."""
    header, _, pixels = data.partition(b"255\n")
    width, height = (int(number) for number in header.split()[1:3])
    return np.frombuffer(pixels, np.uint8, width * height).reshape(height, width)


# --- switching on and off ------------------------------------------------------------------------


def attach() -> None:
    """Draw from now on."""
    bpy.types.WindowManager.strip_stylizer_show_mask = bpy.props.BoolProperty(
        name="Show Mask", description="Show over the preview where the objects were found"
    )
    bpy.types.WindowManager.strip_stylizer_show_checks = bpy.props.BoolProperty(
        name="Show Checkerboard", description="Show over the preview how the atlases lie"
    )
    bpy.types.WindowManager.strip_stylizer_search = bpy.props.StringProperty(
        name="Search",
        description="Show only jobs whose strip or text has these words",
        options={"TEXTEDIT_UPDATE"},
    )
    if not bpy.app.background:
        add, state = bpy.types.SpaceSequenceEditor.draw_handler_add, session.state
        state.handlers = [
            (add(draw_timeline, (), "WINDOW", "POST_PIXEL"), "WINDOW"),
            (add(draw_preview, (), "PREVIEW", "POST_PIXEL"), "PREVIEW"),
        ]


def detach() -> None:
    """Draw no more."""
    for handler, region in session.state.handlers:
        bpy.types.SpaceSequenceEditor.draw_handler_remove(handler, region)
    session.state.handlers = []
    del bpy.types.WindowManager.strip_stylizer_show_mask
    del bpy.types.WindowManager.strip_stylizer_show_checks
    del bpy.types.WindowManager.strip_stylizer_search
