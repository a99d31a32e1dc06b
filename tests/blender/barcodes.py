"""Frames that bear their number as eight bars, and the strips that the tests make of them."""

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

EXTENSION = "bl_ext.user_default.strip_stylizer"
BITS, BAR, HEIGHT = 8, 16, 64
WIDTH = BITS * BAR


def png(rows: list[bytes]) -> bytes:
    """Return an RGB PNG file of rows of bytes."""
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = (b"IHDR", header), (b"IDAT", data), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def barcode(number: int) -> bytes:
    """Return the picture of a number."""
    levels = [230 if number >> bit & 1 else 20 for bit in range(BITS)]
    return png([b"".join(bytes([level] * 3) * BAR for level in levels)] * HEIGHT)


def write_frames(folder: Path, count: int) -> None:
    """Write the pictures of 0, 1, 2 and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:05d}.png").write_bytes(barcode(number))


def decode(path: Path) -> int:
    """Read the number in a picture."""
    import bpy

    image = bpy.data.images.load(str(path))
    width, height = image.size
    row = height // 2 * width
    pixels = image.pixels[row * 4 : (row + width) * 4]
    bpy.data.images.remove(image)
    assert width == WIDTH, path
    return sum((pixels[(bit * BAR + BAR // 2) * 4] > 0.4) << bit for bit in range(BITS))


def top(scene):
    """Return the scene's strips under the name of this version."""
    editor = scene.sequence_editor
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def image_strip(scene, folder: Path, *, count: int, channel: int = 1, start: int = 1):
    """Add the first pictures of a folder as a strip."""
    names = sorted(path.name for path in folder.iterdir())[:count]
    strip = top(scene).new_image("bars", str(folder / names[0]), channel, start)
    for name in names[1:]:
        strip.elements.append(name)
    return strip


def prepare_render(scene) -> None:
    """Let the scene render its sequencer at the barcode's size, colours unchanged."""
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = WIDTH, HEIGHT, 100
    render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "PNG"


def seen(scene, strip, folder: Path) -> list[int]:
    """Render the strip with Blender's own sequencer and read the numbers."""
    import bpy

    prepare_render(scene)
    numbers = []
    for frame in range(strip.frame_final_start, strip.frame_final_end):
        scene.frame_set(frame)
        scene.render.filepath = str(folder / f"seen{frame}.png")
        bpy.ops.render.render(write_still=True)
        numbers.append(decode(Path(scene.render.filepath)))
    return numbers


MOVIE_SCRIPT = """
import json, os, sys
import bpy
order = json.loads(sys.argv[1])
sys.path.insert(0, order["here"])
import barcodes
from pathlib import Path
scene = bpy.context.scene
scene.sequence_editor_create()
names = len(list(Path(order["frames"]).iterdir()))
barcodes.image_strip(scene, Path(order["frames"]), count=names)
barcodes.prepare_render(scene)
scene.frame_start, scene.frame_end = 1, names
scene.render.fps = order["rate"]
if hasattr(scene.render.image_settings, "media_type"):
    scene.render.image_settings.media_type = "VIDEO"
scene.render.image_settings.file_format = "FFMPEG"
scene.render.ffmpeg.format, scene.render.ffmpeg.codec = order["coding"]
scene.render.ffmpeg.constant_rate_factor = "LOSSLESS"
scene.render.filepath = order["path"]
bpy.ops.render.render(animation=True)
sys.stdout.flush()
os._exit(0)
"""


def vary_times(movie: Path, target: Path) -> None:
    """Write the movie anew with its tenth frame, as coded, shown five times as long."""
    data = bytearray(movie.read_bytes())
    at = data.rindex(b"stts")
    runs, count, ticks = struct.unpack_from(">3I", data, at + 8)
    assert runs == 1 and data.rindex(b"moov") > data.index(b"mdat")
    table = struct.pack(">7I", 3, 9, ticks, 1, 5 * ticks, count - 10, ticks)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        start = data.rindex(box) - 4
        struct.pack_into(">I", data, start, struct.unpack_from(">I", data, start)[0] + 16)
    data[at + 8 : at + 20] = table
    target.write_bytes(data)


def begin_later(movie: Path, target: Path, frames: int) -> None:
    """Write the movie anew with an edit list that leaves out its first frames."""
    data = bytearray(movie.read_bytes())
    at = data.rindex(b"stts")
    ticks = struct.unpack_from(">3I", data, at + 8)[2]
    at = data.rindex(b"elst")
    version, entries, length, start = struct.unpack_from(">4I", data, at + 4)
    assert version == 0 and entries == 1
    scale = struct.unpack_from(">I", data, data.rindex(b"mvhd") + 16)[0]
    media = struct.unpack_from(">I", data, data.rindex(b"mdhd") + 16)[0]
    length -= round(frames * ticks * scale / media)
    struct.pack_into(">2I", data, at + 12, length, start + frames * ticks)
    target.write_bytes(data)


def turn(movie: Path, target: Path) -> None:
    """Write the movie anew with the wish to be shown upside down."""
    data = bytearray(movie.read_bytes())
    struct.pack_into(">5i", data, data.rindex(b"tkhd") + 44, -65536, 0, 0, 0, -65536)
    target.write_bytes(data)


def write_movie(
    path: Path, frames: Path, rate: int, coding: tuple[str, str] = ("MPEG4", "H264")
) -> None:
    """Let another Blender make a movie of a folder of pictures; ``coding`` is in its words."""
    order = {"here": str(Path(__file__).parent), "frames": str(frames)}
    order |= {"path": str(path), "rate": rate, "coding": coding}
    command = [sys.executable, "-c", MOVIE_SCRIPT, json.dumps(order)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=dict(os.environ))
    assert path.is_file()
