"""Writes media of every kind that ffmpeg, OpenCV and Pillow write, small and hard to read alike.

The picture has saturated edges, so that another chroma siting, range or matrix is seen, soft
ramps, and alpha from 0 to 1. Nothing here is random: the same files each time.
"""

from __future__ import annotations

import itertools
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
from PIL import Image

WIDTH, HEIGHT, FRAMES = 70, 46, 6

YUV = [f"{start}{kind}{depth}" for start in ("yuv",) for kind in ("420p", "422p", "444p")
       for depth in ("", "10le")]  # fmt: skip
RGB = ["gbrp", "rgb24", "bgr0", "bgra", "rgba", "argb", "gbrap", "rgb48le", "rgba64le", "gbrp10le",
       "gbrp12le", "gbrap12le", "gbrp16le", "gbrap16le", "rgb565le", "rgb555le",
       "rgb8"]  # fmt: skip
GREY = ["gray", "gray10le", "gray12le", "gray16le", "ya8", "monow", "monob", "pal8"]
ALPHA = [
    f"yuva{kind}{depth}" for kind in ("420p", "422p", "444p") for depth in ("", "10le", "16le")
]
DEEP = ["yuv420p12le", "yuv422p12le", "yuv444p12le", "yuv420p16le", "yuv444p16le"]
RARE = ["yuv410p", "yuv411p", "yuv440p", "nv12", "uyvy422", "yuyv422", "yuvj420p", "yuvj422p",
        "yuvj444p"]  # fmt: skip
EVERY = YUV + RGB + GREY + ALPHA + DEEP + RARE
COLOURS = {  # matrix, primaries, transfer, range
    "": (),
    "601": ("smpte170m", "smpte170m", "smpte170m", "tv"),
    "470bg": ("bt470bg", "bt470bg", "gamma28", "tv"),
    "709": ("bt709", "bt709", "bt709", "tv"),
    "709full": ("bt709", "bt709", "bt709", "pc"),
    "601full": ("smpte170m", "smpte170m", "smpte170m", "pc"),
    "240": ("smpte240m", "smpte240m", "smpte240m", "tv"),
    "fcc": ("fcc", "bt470m", "gamma22", "tv"),
    "2020": ("bt2020nc", "bt2020", "bt2020-10", "tv"),
    "pq": ("bt2020nc", "bt2020", "smpte2084", "tv"),
    "hlg": ("bt2020nc", "bt2020", "arib-std-b67", "tv"),
    "matrix": ("bt709", "unknown", "unknown", "tv"),
    "srgb": ("bt709", "bt709", "iec61966-2-1", "pc"),
}

Kind = tuple[str, Sequence[str], Sequence[str], Sequence[str]]  # encoder, options, formats, files
X264 = ["-qp", "0", "-preset", "ultrafast", "-bf", "2"]
CODECS: list[Kind] = [
    ("libx264", X264, [*YUV, "gray", "gray10le", "nv12", "yuvj420p", "yuvj444p"],
     ["mp4", "mov", "mkv", "avi", "ts", "flv", "m4v", "mxf"]),
    ("libx264", ["-crf", "20"], ["yuv420p"], ["mp4", "mov", "mkv"]),
    ("libx264rgb", ["-qp", "0"], ["rgb24", "bgr0"], ["mp4", "mkv"]),
    ("libx265", ["-preset", "ultrafast", "-x265-params", "lossless=1:log-level=0"],
     [*YUV, "yuv420p12le", "gray", "gbrp"], ["mp4", "mov", "mkv"]),
    ("libvpx", ["-b:v", "900k", "-auto-alt-ref", "0"], ["yuv420p", "yuva420p"], ["webm", "mkv"]),
    ("libvpx-vp9", ["-lossless", "1"], [*YUV, "yuva420p", "yuv440p", "gbrp"],
     ["webm", "mkv", "mp4"]),
    ("libaom-av1", ["-cpu-used", "8", "-crf", "10"], [*YUV, "gray"], ["webm", "mkv", "mp4"]),
    ("mpeg4", ["-q:v", "2"], ["yuv420p"], ["mp4", "mov", "avi", "mkv", "m4v"]),
    ("mpeg2video", ["-q:v", "2"], ["yuv420p", "yuv422p"], ["mpg", "ts", "mp4", "mxf", "mkv"]),
    ("mpeg1video", ["-q:v", "2"], ["yuv420p"], ["mpg", "mkv"]),
    ("mjpeg", ["-q:v", "2"], ["yuvj420p", "yuvj422p", "yuvj444p"], ["avi", "mov", "mkv", "mp4"]),
    ("prores_ks", [], ["yuv422p10le", "yuv444p10le", "yuva444p10le"], ["mov", "mkv"]),
    ("dnxhd", ["-profile:v", "dnxhr_444"], ["yuv444p10le", "gbrp10le"], ["mov", "mxf"]),
    ("dnxhd", ["-profile:v", "dnxhr_sq"], ["yuv422p"], ["mov", "mkv"]),
    ("ffv1", [], EVERY, ["mkv", "avi"]),
    ("ffvhuff", [], EVERY, ["avi", "mkv"]),
    ("huffyuv", [], ["yuv422p", "rgb24", "bgra"], ["avi"]),
    ("utvideo", [], [*YUV, "gbrp", "gbrap"], ["avi", "mkv"]),
    ("magicyuv", [], [*YUV, "gbrp", "gbrap", "gray"], ["avi"]),
    ("png", [], ["rgb24", "rgba", "rgb48be", "rgba64be", "gray", "ya8", "pal8", "monob"],
     ["mov", "avi", "mp4"]),
    ("qtrle", [], ["rgb24", "argb", "rgb555be", "gray"], ["mov"]),
    ("rawvideo", [], ["yuv420p", "uyvy422", "bgr24", "rgb24", "gray", "bgra", "rgb555le"],
     ["avi", "mov", "nut"]),
    ("v210", [], ["yuv422p10le"], ["mov", "avi"]),
    ("r210", [], ["gbrp10le"], ["mov"]),
    ("v410", [], ["yuv444p10le"], ["mov"]),
    ("ayuv", [], ["ayuv"], ["mov", "avi"]),
    ("cinepak", [], ["rgb24", "gray"], ["avi", "mov"]),
    ("msvideo1", [], ["rgb555le"], ["avi"]),
    ("flv1", ["-q:v", "2"], ["yuv420p"], ["flv", "avi"]),
    ("libtheora", ["-q:v", "10"], ["yuv420p", "yuv422p", "yuv444p"], ["ogv"]),
    ("wmv2", ["-q:v", "2"], ["yuv420p"], ["wmv", "avi"]),
    ("msmpeg4", ["-q:v", "2"], ["yuv420p"], ["avi"]),
    ("cfhd", [], ["yuv422p10le", "gbrp12le", "gbrap12le"], ["mov", "avi"]),
    ("jpeg2000", [], ["yuv420p", "rgb24", "rgba", "gray", "rgb48le"], ["mov", "mkv", "mxf"]),
    ("libopenjpeg", [], ["yuv422p", "rgb24"], ["mov"]),
    ("snow", ["-q:v", "1", "-strict", "-2"], ["yuv420p"], ["avi"]),
    ("vc2", ["-strict", "-2"], ["yuv420p", "yuv422p10le"], ["mkv", "mov"]),
    ("zmbv", [], ["pal8", "bgr0"], ["avi"]),
    ("tiff", [], ["rgb24", "rgba"], ["mov"]), ("bmp", [], ["bgr24"], ["avi", "mov"]),
    ("targa", [], ["bgr24", "bgra"], ["mov"]), ("sgi", [], ["rgb24"], ["mov"]),
    ("gif", [], ["rgb8", "gray", "pal8"], ["gif"]), ("apng", [], ["rgb24", "rgba"], ["apng"]),
    ("hap", ["-format", "hap_alpha"], ["rgba"], ["mov"]),
]  # fmt: skip


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return the frame ``index``, uint16 RGBA [H, W, 4]."""
    rows, columns = np.mgrid[0:height, 0:width]
    across, down = columns / max(1, width - 1), rows / max(1, height - 1)
    colour = np.stack([across, down, (across * 3 + down * 2 + index / FRAMES) % 1], 2)
    bars = ((columns // 3 + rows // 5 + index) % 7)[..., None] >> np.arange(3) & 1
    colour = np.where((rows < height // 2)[..., None], bars, colour)
    alpha = np.clip(1.4 * across - 0.2, 0, 1)[..., None]
    return np.round(np.concatenate([colour, alpha], 2) * 65535).astype(np.uint16)


def write_all(folder: Path) -> list[Path]:
    """Write everything below ``folder`` and return the paths; what a writer refuses is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [*_movies(folder), *_ffmpeg_images(folder), *_pillow_images(folder)]
    return sorted({*written, *_opencv_images(folder)})


def ffmpeg(target: Path, options: Sequence[str], *, frames: int = FRAMES, rate: str = "24") -> bool:
    """Let ffmpeg code the pictures into ``target``; returns whether it did."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt"),
        *("rgba64le", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "-", *options, str(target)),
    ]
    raw = b"".join(picture(index).tobytes() for index in range(frames))
    done = subprocess.run(command, input=raw, capture_output=True, timeout=60, check=False)
    if done.returncode == 0 and target.exists() and target.stat().st_size:
        return True
    target.unlink(missing_ok=True)
    return False


def _movies(folder: Path) -> Iterator[Path]:
    for codec, options, formats, suffixes in CODECS:
        for pixels, suffix in itertools.product(formats, suffixes):
            tag = f"{zlib.crc32(' '.join(options).encode()):08x}"[:2] if options else ""
            target = folder / f"{codec}{tag}_{pixels}.{suffix}"
            words = ["-c:v", codec, "-pix_fmt", pixels, *options]
            if target.exists() or ffmpeg(target, [*words, *_scaled("")]):
                yield target
    for name, codec, suffix in itertools.product(
        COLOURS, ("libx264", "libx265", "ffv1", "mpeg4", "prores_ks"), ("mp4", "mov", "mkv")
    ):
        target = folder / f"colours_{codec}_{name or 'none'}.{suffix}"
        pixels = {"libx265": "yuv420p10le", "prores_ks": "yuv422p10le"}.get(codec, "yuv420p")
        words = ["-c:v", codec, "-pix_fmt", pixels, *_scaled(name)]
        if target.exists() or ffmpeg(target, words):
            yield target
    for rate in ("24000/1001", "25", "30000/1001", "59.94", "12.5", "120"):
        target = folder / f"rate_{rate.replace('/', '_')}.mp4"
        if target.exists() or ffmpeg(target, ["-c:v", "libx264", "-pix_fmt", "yuv420p"], rate=rate):
            yield target


def _scaled(name: str) -> list[str]:
    """Return the options that convert to the colours ``name`` and say so in the file."""
    if not COLOURS[name]:
        return []
    matrix, primaries, transfer, levels = COLOURS[name]
    convert = f"scale=out_color_matrix={matrix}:out_range={levels}"
    params = f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
    tags = ["-colorspace", matrix, "-color_range", levels]
    tags += ["-color_primaries", primaries, "-color_trc", transfer]
    return ["-vf", f"{convert},{params}:range={levels}", *tags]


IMAGES: list[Kind] = [
    ("png", [], ["rgb24", "rgba", "rgb48be", "rgba64be", "pal8", "gray", "ya8", "gray16be",
                 "ya16be", "monob"], ["png"]),
    ("bmp", [], ["bgra", "bgr24", "rgb565le", "rgb555le", "rgb444le", "rgb8", "bgr8", "gray",
                 "pal8", "monob", "rgb4_byte"], ["bmp"]),
    ("mjpeg", ["-q:v", "2"], ["yuvj420p", "yuvj422p", "yuvj444p", "gray"], ["jpg"]),
    ("ljpeg", ["-strict", "-1"], ["bgr24", "yuvj420p"], ["jpg"]),
    ("libwebp", ["-lossless", "1"], ["bgra", "yuv420p", "yuva420p"], ["webp"]),
    ("libwebp", ["-quality", "90"], ["bgra", "yuv420p", "yuva420p"], ["webp"]),
    *(("tiff", ["-compression_algo", packed],
       ["rgb24", "rgb48le", "pal8", "rgba", "rgba64le", "gray", "ya8", "gray16le", "ya16le",
        "monob", "monow", "yuv420p", "yuv422p", "yuv444p", "yuv410p", "yuv411p"], ["tif"])
      for packed in ("raw", "packbits", "lzw", "deflate")),
    ("targa", [], ["bgr24", "bgra", "gray", "rgb555le", "pal8"], ["tga"]),
    ("sgi", [], ["rgb24", "rgba", "gray"], ["sgi"]),
    ("dpx", [], ["rgb24", "rgba", "gbrp10le", "gbrp12le", "rgb48le"], ["dpx"]),
    ("libopenjpeg", [], ["rgb24", "rgba", "gray", "rgb48le"], ["jp2"]),
    ("exr", [], ["gbrpf32le", "gbrapf32le"], ["exr"]), ("hdr", [], ["gbrpf32le"], ["hdr"]),
    ("ppm", [], ["rgb24", "rgb48be"], ["ppm"]), ("pcx", [], ["rgb24", "gray"], ["pcx"]),
]  # fmt: skip


def _ffmpeg_images(folder: Path) -> Iterator[Path]:
    for codec, options, formats, suffixes in IMAGES:
        for pixels, suffix in itertools.product(formats, suffixes):
            tag = "-".join(options[1:])
            target = folder / f"ffmpeg_{codec}{tag}_{pixels}.{suffix}"
            words = ["-c:v", codec, "-pix_fmt", pixels, *options, "-update", "1", "-frames:v", "1"]
            if target.exists() or ffmpeg(target, words, frames=1):
                yield target


def _opencv_images(folder: Path) -> Iterator[Path]:
    flags = {
        ".png": [[], [cv2.IMWRITE_PNG_BILEVEL, 1], [cv2.IMWRITE_PNG_COMPRESSION, 0]],
        ".jpg": [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_QUALITY, 40],
                 [cv2.IMWRITE_JPEG_RST_INTERVAL, 4], [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111],
                 [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111]],
        ".webp": [[], [cv2.IMWRITE_WEBP_QUALITY, 60], [cv2.IMWRITE_WEBP_QUALITY, 101]],
        ".tif": [[cv2.IMWRITE_TIFF_COMPRESSION, code] for code in (1, 5, 7, 8, 32946, 32773)],
        ".tiff": [[cv2.IMWRITE_TIFF_PREDICTOR, 2, cv2.IMWRITE_TIFF_COMPRESSION, 5],
                  [cv2.IMWRITE_TIFF_ROWSPERSTRIP, 1], [cv2.IMWRITE_TIFF_PREDICTOR, 3]],
        ".bmp": [[]], ".exr": [[]], ".hdr": [[]], ".jp2": [[]], ".avif": [[]], ".ppm": [[]],
    }  # fmt: skip
    kinds = itertools.product((1, 3, 4), (np.uint8, np.uint16, np.float32), (WIDTH, 17))
    for (channels, dtype, width), suffix in itertools.product(kinds, flags):
        pixels = picture(1, width)[..., [2, 1, 0, 3][:channels] if channels > 1 else [1]]
        if dtype is np.float32:
            pixels = (pixels / 65535).astype(np.float32)
        elif dtype is np.uint8:
            pixels = (pixels // 257).astype(np.uint8)
        for place, options in enumerate(flags[suffix]):
            name = f"opencv_{channels}_{np.dtype(dtype).name}_{width}_{place}{suffix}"
            target = folder / name
            if not target.exists():
                try:
                    good, data = cv2.imencode(suffix, pixels, options)
                except cv2.error:
                    continue
                if not good:
                    continue
                target.write_bytes(data.tobytes())
            yield target


MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB",
         "HSV", "I", "I;16", "F")  # fmt: skip
GREY_CLEAR, ORIENTED = 90, 6


def _pillow_images(folder: Path) -> Iterator[Path]:
    exif = Image.Exif()
    exif[0x0112] = ORIENTED
    more = {
        "png": [{}, {"transparency": GREY_CLEAR}, {"gamma": 1.0}, {"bits": 4}, {"exif": exif}],
        "jpg": [{}, {"progressive": True}, {"subsampling": 0, "quality": 95}, {"exif": exif},
                {"subsampling": 1}, {"restart_marker_rows": 1}, {"keep_rgb": True}],
        "tif": [{"compression": name} for name in
                ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4", "zstd")],
        "webp": [{}, {"lossless": True}, {"lossless": True, "exact": True}, {"exif": exif}],
        "bmp": [{}], "gif": [{}, {"transparency": 3}], "tga": [{}, {"compression": "tga_rle"}],
        "ppm": [{}], "jp2": [{}, {"irreversible": True}], "dds": [{}], "ico": [{}], "sgi": [{}],
        "avif": [{}], "pcx": [{}], "im": [{}],
    }  # fmt: skip
    for mode, suffix in itertools.product(MODES, more):
        for place, options in enumerate(more[suffix]):
            target = folder / f"pillow_{mode.replace(';', '')}_{place}.{suffix}"
            if not target.exists():
                try:
                    _pillow(mode).save(target, **options)
                except (OSError, ValueError, KeyError, TypeError, SystemError, AttributeError):
                    target.unlink(missing_ok=True)  # Pillow writes no such file
                    continue
            yield target


def _pillow(mode: str) -> Image.Image:
    whole = Image.fromarray((picture(2) // 257).astype(np.uint8), "RGBA")
    if mode == "I;16":
        return Image.fromarray(picture(2)[..., 0])
    if mode == "F":
        return Image.fromarray((picture(2)[..., 0] / 65535).astype(np.float32))
    if mode == "I":
        return Image.fromarray(picture(2)[..., 0].astype(np.int32))
    if mode == "PA":
        return whole.convert("RGB").convert("P").convert("PA")
    if mode in ("RGBa", "La"):
        return whole.convert("LA" if mode == "La" else "RGBA").convert(mode)
    if mode in ("LAB", "HSV", "YCbCr", "CMYK", "P", "RGBX", "1", "L"):
        return (
            Image.fromarray(np.array(whole)[..., :3])
            .convert("RGB")
            .convert("RGB" if mode == "LAB" else mode)
        )
    return whole.convert(mode)
