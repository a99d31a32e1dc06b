"""Keyframes of strips, in the scene's action."""

from typing import Any


def curves_of(scene: Any) -> Any | None:
    """Return the F-curves of a scene, None where nothing is animated."""
    data = scene.animation_data
    if data is None or data.action is None:
        return None
    if hasattr(data.action, "fcurves"):
        return data.action.fcurves
    for layer in data.action.layers:  # Blender 5.0 has them in slots alone
        for strip in layer.strips:
            bag = strip.channelbag(data.action_slot)
            if bag is not None:
                return bag.fcurves
    return None


def copy(source: Any, result: Any, names: tuple[str, ...]) -> None:
    """Animate the properties ``names`` of ``result`` as those of ``source`` are."""
    curves = curves_of(source.id_data)
    prefix = source.path_from_id()
    for curve in list(curves or ()):
        rest = curve.data_path.removeprefix(prefix)
        if rest != curve.data_path and rest.lstrip(".").split(".")[0].split("[")[0] in names:
            copy_curve(curve, curves.new(result.path_from_id() + rest, index=curve.array_index))


def copy_curve(curve: Any, target: Any) -> None:
    """Give ``target`` the keyframes of ``curve``."""
    target.extrapolation = curve.extrapolation
    target.keyframe_points.add(len(curve.keyframe_points))
    for point, other in zip(curve.keyframe_points, target.keyframe_points, strict=True):
        for name in ("co", "interpolation", "easing", "handle_left_type", "handle_right_type"):
            setattr(other, name, getattr(point, name))
        other.handle_left, other.handle_right = point.handle_left, point.handle_right
    target.update()
