"""The only module that touches the sequencer's API; all differences between versions live here."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import bpy

CHANNELS = 128


class Unusable(Exception):
    """A strip cannot be stylized, or a result not placed; the text says why and what to do."""


# --- finding -------------------------------------------------------------------------------------


def sequencer_scene(context: Any) -> Any | None:
    """Return the scene whose strips the user sees; from Blender 5.0 on there may be none."""
    if not hasattr(context, "sequencer_scene"):
        return context.scene
    if context.sequencer_scene is None and bpy.app.background:
        return context.scene
    return context.sequencer_scene


def active_strip(context: Any) -> Any | None:
    """Return the active strip of the sequencer."""
    scene = sequencer_scene(context)
    editor = scene.sequence_editor if scene else None
    return editor.active_strip if editor else None


def make_active(strip: Any) -> None:
    """Let ``strip`` be the active one of its scene."""
    strip.id_data.sequence_editor.active_strip = strip


def top_strips(owner: Any) -> Any:
    """Return the strips of a sequence editor or of a meta strip."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def all_strips(scene: Any) -> Sequence[Any]:
    """Return every strip of a scene, also those inside meta strips."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def shown_strips(scene: Any) -> Sequence[Any]:
    """Return the strips that the timeline shows: those of the meta strip that is open."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return top_strips(editor.meta_stack[-1] if len(editor.meta_stack) else editor)


def searchable(scene: Any) -> tuple[Any, str]:
    """Return what a search field needs to let the user choose a strip: owner and property."""
    editor = scene.sequence_editor
    return editor, "strips_all" if hasattr(editor, "strips_all") else "sequences_all"


def every_strip() -> Iterator[Any]:
    """Yield every strip of the file."""
    for scene in bpy.data.scenes:
        yield from all_strips(scene)


def owner_of(scene: Any, strip: Any) -> Any:
    """Return the sequence editor or the meta strip that holds ``strip``."""
    for meta in all_strips(scene):
        if meta.type == "META" and any(inner == strip for inner in top_strips(meta)):
            return meta
    return scene.sequence_editor


def is_in_meta(scene: Any, strip: Any) -> bool:
    """Is the strip inside a meta strip?"""
    return owner_of(scene, strip) != scene.sequence_editor


def inputs_of(strip: Any) -> list[Any]:
    """Return the strips that an effect strip takes its pictures from."""
    names = ("input_1", "input_2")
    return [item for item in (getattr(strip, name, None) for name in names) if item is not None]


# --- reading -------------------------------------------------------------------------------------


def _read(strip: Any, name: str, old_name: str) -> Any:
    """Read a timing property: Blender 5.1 renamed them and warns about the old names."""
    return getattr(strip, name) if hasattr(strip, name) else getattr(strip, old_name)


def start(strip: Any) -> int:
    """Return the first timeline frame on which the strip is seen."""
    return int(_read(strip, "left_handle", "frame_final_start"))


def length(strip: Any) -> int:
    """Return for how many timeline frames the strip is seen."""
    return int(_read(strip, "duration", "frame_final_duration"))


def content_start(strip: Any) -> float:
    """Return the timeline frame of the content's first frame, seen or not."""
    return float(_read(strip, "content_start", "frame_start"))


def content_length(strip: Any) -> int:
    """Return how many frames the content has between the trims of the media."""
    return int(_read(strip, "content_duration", "frame_duration"))


def content_trim(strip: Any) -> int:
    """Return how many frames of the media are skipped at its beginning."""
    return int(_read(strip, "content_trim_start", "animation_offset_start"))


def content_trim_end(strip: Any) -> int:
    """Return how many frames of the media are left out at its end."""
    return int(_read(strip, "content_trim_end", "animation_offset_end"))


def media_size(strip: Any) -> tuple[int, int]:
    """Return width and height of the media in pixels; zeros where there are none."""
    elements = getattr(strip, "elements", ())
    return (elements[0].orig_width, elements[0].orig_height) if len(elements) else (0, 0)


def render_size(scene: Any) -> tuple[int, int]:
    """Return width and height of what the scene renders at 100 %, in pixels."""
    return scene.render.resolution_x, scene.render.resolution_y


def frame_rate(scene: Any) -> float:
    """Return the frames per second of a scene."""
    return scene.render.fps / scene.render.fps_base


# --- placing -------------------------------------------------------------------------------------


def free_channel(owner: Any, above: int, first: int, count: int) -> int:
    """Return the lowest channel over ``above`` that is free for ``count`` frames from ``first``."""
    busy = {
        strip.channel
        for strip in top_strips(owner)
        if start(strip) < first + count and start(strip) + length(strip) > first
    }
    for channel in range(above + 1, CHANNELS + 1):
        if channel not in busy:
            return channel
    raise Unusable("All channels above the strip are full: free one, then import the result")


def set_length(strip: Any, frames: int) -> None:
    """Let a strip be seen for ``frames`` timeline frames from its start on."""
    name = "duration" if hasattr(strip, "duration") else "frame_final_duration"
    setattr(strip, name, frames)


@contextlib.contextmanager
def mask_strip(mask: Any, like: Any, first: int, count: int) -> Iterator[Any]:
    """Give a strip of ``mask`` in a scene of its own, at the rate of ``like``, for a while."""
    scene = bpy.data.scenes.new("Mask for the engine")
    try:
        scene.render.fps, scene.render.fps_base = like.render.fps, like.render.fps_base
        owner = scene.sequence_editor_create()
        strip = top_strips(owner).new_mask(name="mask", mask=mask, channel=1, frame_start=first)
        set_length(strip, count)
        yield strip
    finally:
        bpy.data.scenes.remove(scene)


def remove(strip: Any) -> None:
    """Remove a strip from its scene."""
    top_strips(owner_of(strip.id_data, strip)).remove(strip)


def add_modifier(strip: Any, name: str, kind: str) -> Any:
    """Add a modifier; Blender 5.0 crashes where the context knows no sequencer."""
    if not hasattr(bpy.context, "sequencer_scene"):
        return strip.modifiers.new(name=name, type=kind)
    with bpy.context.temp_override(sequencer_scene=strip.id_data):
        return strip.modifiers.new(name=name, type=kind)


def add_nodes(strip: Any, group: Any, mask: Any) -> Any:
    """Let the node group change the strip's picture, with that of ``mask`` as its second input."""
    modifier = add_modifier(strip, group.name, "COMPOSITOR")
    modifier.node_group = group
    modifier.input_mask_type, modifier.input_mask_strip = "STRIP", mask
    return modifier


def node_groups_of(strip: Any) -> list[Any]:
    """Return the node groups that change a strip's picture, in their order."""
    found = [each.node_group for each in strip.modifiers if each.type == "COMPOSITOR"]
    return [group for group in found if group is not None]
