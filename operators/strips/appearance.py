"""What a source strip does to its picture, done to its result too: the result covers the source.

Knows colour spaces: results are display colours (sRGB), or the same light as linear numbers.
"""

from typing import Any

from . import animation
from .sequencer import add_modifier, media_size, render_size

BLENDING = ("blend_type", "blend_alpha")
PICTURE = ("use_flip_x", "use_flip_y", "color_saturation", "color_multiply", "multiply_alpha")
TRANSFORM = ("filter", "offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin")
CROP = ("min_x", "max_x", "min_y", "max_y")
DISPLAY, LINEAR = "sRGB", "Linear Rec.709"
EITHER_ALPHA = (".png", ".mkv")
NOT_COPIED = ("rna_type", "name", "type")


def set_colours(source: Any | None, result: Any, name: str, *, premultiplied: bool = False) -> None:
    """Say how the file ``name`` codes colours: as ``source`` does, or as a display, or linear.

    ``premultiplied``: they are multiplied by alpha where the format allows either.
    """
    if name.endswith(".exr"):
        result.colorspace_settings.name = LINEAR
        result.alpha_mode = "PREMUL"
        return
    space = source.colorspace_settings.name if source is not None else DISPLAY
    result.colorspace_settings.name = space
    result.alpha_mode = "PREMUL" if premultiplied and name.endswith(EITHER_ALPHA) else "STRAIGHT"


def copy_appearance(source: Any, result: Any, *, displayed: bool) -> None:
    """Let ``result`` cover ``source``, with all that is not in its frames already."""
    names = BLENDING if displayed else BLENDING + PICTURE
    for name in names:
        setattr(result, name, getattr(source, name))
    if result.blend_type == "REPLACE":
        result.blend_type = "ALPHA_OVER"
    if displayed:
        _fit(result, render_size(source.id_data)[0])
    else:
        _place(source, result)
        copy_modifiers(source, result)
        names += ("transform", "crop", "modifiers")
    animation.copy(source, result, names)


def copy_appearance_to_live(
    source: Any, meta: Any, pictures: list[Any], *, displayed: bool
) -> None:
    """Let a meta strip of ``pictures`` cover ``source``: those lie as it does, it does the rest."""
    colours = tuple(name for name in PICTURE if not name.startswith("use_flip"))
    names = BLENDING if displayed else BLENDING + colours
    for name in names:
        setattr(meta, name, getattr(source, name))
    if meta.blend_type == "REPLACE":
        meta.blend_type = "ALPHA_OVER"
    if not displayed:
        copy_modifiers(source, meta)
        names += ("modifiers",)
    for picture in pictures:
        if displayed:
            _fit(picture, render_size(source.id_data)[0])
            continue
        picture.use_flip_x, picture.use_flip_y = source.use_flip_x, source.use_flip_y
        _place(source, picture)
        animation.copy(source, picture, ("transform", "crop"))
    animation.copy(source, meta, names)


def _fit(result: Any, width: int) -> None:
    ratio = width / (media_size(result)[0] or width)
    result.transform.scale_x = result.transform.scale_y = ratio


def _place(source: Any, result: Any) -> None:
    """Copy transform and crop; another size of the picture covers the same place."""
    ratio = media_size(source)[0] / (media_size(result)[0] or 1) or 1.0
    for name in TRANSFORM:
        value = getattr(source.transform, name)
        setattr(result.transform, name, value * ratio if name.startswith("scale") else value)
    for name in CROP:
        setattr(result.crop, name, round(getattr(source.crop, name) / ratio))


def copy_modifiers(source: Any, result: Any) -> None:
    """Give ``result`` the modifiers of ``source``."""
    for modifier in source.modifiers:
        copy = add_modifier(result, modifier.name, modifier.type)
        copy_values(modifier, copy)


def copy_values(source: Any, target: Any) -> None:
    """Copy every property that can be set, also of what belongs to ``source``."""
    for item in source.bl_rna.properties:
        name = item.identifier
        if name in NOT_COPIED:
            continue
        value = getattr(source, name)
        if name == "curves":
            _copy_curves(source, target)
        elif not item.is_readonly:
            setattr(target, name, value)
        elif item.type == "POINTER" and value is not None:
            copy_values(value, getattr(target, name))


def _copy_curves(source: Any, target: Any) -> None:
    """Copy the curves of a curve mapping, whose points are not properties."""
    for curve, copy in zip(source.curves, target.curves, strict=True):
        while len(copy.points) < len(curve.points):
            copy.points.new(1.0, 1.0)
        while len(copy.points) > len(curve.points):
            copy.points.remove(copy.points[1])
        for point, other in zip(curve.points, copy.points, strict=True):
            other.location, other.handle_type = point.location, point.handle_type
    target.update()
