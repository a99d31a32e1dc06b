"""Would PyAV serve better than the pipe to ffmpeg? Speed, equal bits, times, errors, alpha.

    pip install av; python -m benchmarks.pyav FOLDER

Writes movies into FOLDER with imageio-ffmpeg's ffmpeg, reads each by the engine and by PyAV, and
prints a table. PyAV is no part of the environment: it is installed only to be measured.
"""

from __future__ import annotations

import importlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from engine.contract.events import EngineError
from engine.video.movies import Pixels, movie_frames
from engine.video.probing import movie_facts

FRAMES, SIZE = 120, "1280x720"
SOURCE = ("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate=24", "-frames:v", str(FRAMES))
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")


def write(folder: Path) -> dict[str, Path]:
    """Write the movies, by what is peculiar about them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / name for name in
             ("whole.mp4", "cut off.mp4", "edit list.mp4", "starts later.mkv", "alpha.webm",
              "deep.mkv")}  # fmt: skip
    run(*SOURCE, *H264, "-movflags", "+faststart", files["whole.mp4"])
    content = files["whole.mp4"].read_bytes()
    files["cut off.mp4"].write_bytes(content[: len(content) // 2])
    whole = files["whole.mp4"]
    run("-ss", "0.5", "-i", whole, "-c", "copy", files["edit list.mp4"])
    run("-itsoffset", "2.5", "-i", whole, "-c", "copy", files["starts later.mkv"])
    half = "format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='X*255/W'"
    small = [word.replace(SIZE, "320x180") for word in SOURCE]
    run(*small, "-vf", half, "-c:v", "libvpx-vp9", "-deadline", "realtime", files["alpha.webm"])
    run(*small, "-pix_fmt", "yuv420p10le", "-c:v", "ffv1", files["deep.mkv"])
    return files


def run(*words: object) -> None:
    """Run ffmpeg."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, words)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def by_pipe(path: Path, said: list[str]) -> Iterator[np.ndarray]:
    """Yield frames as the engine reads them."""
    channels = 4 if movie_facts(path).has_alpha else 3
    yield from movie_frames(path, (), Pixels(channels), lambda text, hint: said.append(text))


def by_pyav(path: Path, said: list[str]) -> Iterator[np.ndarray]:
    """Yield frames as PyAV decodes them, converted with the same flags."""
    av: Any = importlib.import_module("av")
    reformatter = av.video.reformatter.VideoReformatter()
    flags = 0x10 | 0x2000 | 0x40000  # neighbour, full chroma interpolation, accurate rounding
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                name = "rgba" if frame.format.name.startswith("yuva") else "rgb24"
                shown = reformatter.reformat(frame, format=name, interpolation=flags)
                yield shown.to_ndarray()
    except av.FFmpegError as error:
        said.append(str(error))


def seconds() -> float:
    """Return the processor's seconds of this process and its children."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def main() -> int:
    """Print the table."""
    print("| movie | pipe: frames, s | PyAV: frames, s | most apart | pipe says | PyAV says |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, path in write(Path(sys.argv[1])).items():
        found, cells, sayings = [], [], []
        for reader in (by_pipe, by_pyav):
            said: list[str] = []
            frames, started = [], seconds()
            try:
                frames = [frame[::8, ::8].copy() for frame in reader(path, said)]
            except EngineError as error:
                said.append(error.message)
            cells.append(f"{len(frames)}, {seconds() - started:.2f}")
            found.append(frames)
            sayings.append(" ".join(said).replace(str(path), name) or "nothing")
        pairs = list(zip(*found, strict=False))
        alike = all(one.shape == other.shape for one, other in pairs)
        shared = [(a[..., :3].astype(int), b[..., :3]) for a, b in pairs]
        apart = max((int(np.abs(a - b).max()) for a, b in shared), default=0)
        most = str(apart) + ("" if alike else ", other channels")
        print(f"| {name} | {cells[0]} | {cells[1]} | {most} | {' | '.join(sayings)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
