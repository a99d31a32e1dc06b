"""Lines, areas and pictures over Blender's regions. Knows the graphics module and nothing else."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import blf
import gpu
from gpu_extras.batch import batch_for_shader

Points = Sequence[tuple[float, float]]
Colour = tuple[float, float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0, 0.95)
SHADE: Colour = (0.0, 0.0, 0.0, 0.55)
OBJECT: Colour = (0.25, 0.85, 0.55, 0.45)
NOT_OBJECT: Colour = (0.95, 0.35, 0.3, 0.45)
CIRCLE_SIDES = 40


def line(points: Points, colour: Colour, width: float = 1.5, *, closed: bool = False) -> None:
    """Draw a line through region pixels."""
    if len(points) < 2:
        return
    places = [(x, y, 0.0) for x, y in (*points, points[0])] if closed else _flat(points)
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", colour)
    batch_for_shader(shader, "LINE_STRIP", {"pos": places}).draw(shader)
    gpu.state.blend_set("NONE")


def area(points: Points, colour: Colour) -> None:
    """Fill a convex shape."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("color", colour)
    places = _flat(points)
    triangles = [(0, i, i + 1) for i in range(1, len(places) - 1)]
    batch_for_shader(shader, "TRIS", {"pos": places}, indices=triangles).draw(shader)
    gpu.state.blend_set("NONE")


def rectangle(left: float, bottom: float, right: float, top: float, colour: Colour) -> None:
    """Fill a rectangle."""
    area(((left, bottom), (right, bottom), (right, top), (left, top)), colour)


def outline(points: Points) -> None:
    """Draw a closed line that is seen on light and dark pictures."""
    line(points, SHADE, 3.5, closed=True)
    line(points, WHITE, 1.5, closed=True)


def brush(points: Points, radius: float, colour: Colour) -> None:
    """Draw a stroke as wide as its brush, equally strong where it crosses itself."""
    places: list[tuple[float, float, float]] = []
    triangles: list[tuple[int, int, int]] = []
    shapes = [circle(point, radius) for point in points]
    shapes += [_bar(*pair, radius) for pair in itertools.pairwise(points)]
    for shape in shapes:
        first = len(places)
        places += _flat(shape)
        triangles += [(first, first + i, first + i + 1) for i in range(1, len(shape) - 1)]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.active_framebuffer_get().clear(depth=1.0)
    gpu.state.depth_test_set("LESS")  # what is painted once is not painted again
    gpu.state.depth_mask_set(True)
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("color", colour)
    batch_for_shader(shader, "TRIS", {"pos": places}, indices=triangles).draw(shader)
    gpu.state.blend_set("NONE")
    gpu.state.depth_mask_set(False)
    gpu.state.depth_test_set("NONE")


def _bar(one: tuple[float, float], other: tuple[float, float], radius: float) -> Points:
    """Return the four corners of a straight piece of a stroke."""
    across, along = other[0] - one[0], other[1] - one[1]
    length = math.hypot(across, along) or 1.0
    x, y = -along / length * radius, across / length * radius
    ends = (one[0] + x, one[1] + y), (one[0] - x, one[1] - y)
    return [*ends, (other[0] - x, other[1] - y), (other[0] + x, other[1] + y)]


def circle(centre: tuple[float, float], radius: float) -> Points:
    """Return the points of a circle."""
    steps = (2 * math.pi * i / CIRCLE_SIDES for i in range(CIRCLE_SIDES))
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in steps]


def words(text: str, x: float, y: float, size: float, colour: Colour = WHITE) -> None:
    """Write one line."""
    blf.size(0, size)
    blf.position(0, x, y, 0)
    blf.color(0, *colour)
    blf.draw(0, text)


def label(text: str, x: float, y: float, size: float) -> None:
    """Write one line that is seen on light and dark pictures."""
    edge = size / 4
    rectangle(x - edge, y - edge, x + width_of(text, size) + edge, y + size, SHADE)
    words(text, x, y, size)


def width_of(text: str, size: float) -> float:
    """Return how many pixels a line takes."""
    blf.size(0, size)
    return blf.dimensions(0, text)[0]


def texture(pixels: Any) -> Any:
    """Return a picture for `picture` from a float array [H, W, 4], the lowest row first."""
    height, width = pixels.shape[:2]
    data = gpu.types.Buffer("FLOAT", height * width * 4, pixels.ravel())
    return gpu.types.GPUTexture((width, height), format="RGBA8", data=data)


def picture(held: Any, corners: Points) -> None:
    """Draw a texture; ``corners`` are lower left, lower right, upper right, upper left."""
    shader = gpu.shader.from_builtin("IMAGE")
    coordinates = ((0, 0), (1, 0), (1, 1), (0, 1))
    places = {"pos": _flat(corners), "texCoord": coordinates}
    batch = batch_for_shader(shader, "TRIS", places, indices=((0, 1, 2), (0, 2, 3)))
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_sampler("image", held)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def _flat(points: Points) -> list[tuple[float, float, float]]:
    return [(x, y, 0.0) for x, y in points]
