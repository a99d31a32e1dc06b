"""Is what the engine reads what Blender shows? For media of every kind, in several Blenders.

    python -m benchmarks.media --out build/media --blender .venvs/bpy-4.5/bin/python

Writes media with ffmpeg, OpenCV and Pillow, adds those of ``--more`` folders, lets each Blender
show them as strips, reads them as the extension and, if asked, as the command line would, and
prints a table. Every single row is kept in ``OUT/rows.jsonl``; what is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.contract import codec
from engine.contract.events import EngineError
from engine.contract.job import Footage, FootageKind
from engine.video.frames import footage_from_path, whole_frames
from engine.video.images import IMAGE_SUFFIXES

from .written import write_all

HERE = Path(__file__).parent
MOST_SECONDS = 60  # for one medium
AT_A_TIME = 100  # media
OUTCOMES = ("same", "within 1", "rendered", "refused", "unusable", "DIFFERENT", "TRACEBACK", "HANG")
Row = dict[str, Any]


def main() -> None:
    """Write, show, read, compare, print; what was compared before is not done again."""
    options = _options()
    media = written(options.out / "media")
    for folder in options.more:
        media += sorted(path.absolute() for path in folder.rglob("*") if path.is_file())
    media = [path for path in media if re.search(options.only, str(path))]
    rows = _rows(options.out / "rows.jsonl")
    for blender in options.blender:
        name = blender.parent.parent.name
        left = [path for path in media if f"{name} {path}" not in rows]
        for start in range(0, len(left), AT_A_TIME):
            some = left[start : start + AT_A_TIME]
            for said in show(some, blender, options.out / name, everything=options.command_line):
                row = {"blender": name, **said}
                row |= outcomes(said, command_line=options.command_line)
                rows[f"{name} {said['path']}"] = row
                with (options.out / "rows.jsonl").open("a", encoding="utf-8") as file:
                    print(json.dumps(row), file=file)
    print(table(rows.values(), "extension"))
    if options.command_line:
        print(table(rows.values(), "command_line"))


def written(folder: Path) -> list[Path]:
    """Return what `write_all` writes into ``folder``, which is written once."""
    if not folder.is_dir():
        part = folder.with_name("media.part")
        write_all(part)
        part.rename(folder)
    return sorted(path.absolute() for path in folder.iterdir())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for media and renderings")
    parser.add_argument("--blender", type=Path, action="append", default=[], help="its Python")
    parser.add_argument("--more", type=Path, action="append", default=[], help="folder with media")
    parser.add_argument("--command-line", action="store_true", help="compare what it reads, too")
    parser.add_argument("--only", default="", help="pattern of the paths of media")
    return parser.parse_args()


def show(media: Sequence[Path], python: Path, folder: Path, *, everything: bool) -> list[Row]:
    """Let one Blender show ``media``; where it crashes or hangs it goes on with the next.

    Without ``everything`` it shows only those whose files the engine would read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "said.jsonl"
    said.unlink(missing_ok=True)
    numbered = {str(path): f"{zlib.crc32(str(path).encode()):08x}" for path in media}
    while True:
        rows = _rows(said)
        left = [path for path in numbered if path not in rows]
        if not left:
            return [rows[path] for path in numbered]
        orders = folder / "orders.txt"
        orders.write_text("".join(f"{numbered[path]} {path}\n" for path in left), encoding="utf-8")
        command = [str(python), str(HERE / "in_blender.py"), str(orders), str(folder)]
        command += ["everything"] if everything else []
        with (folder / "blender.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            _wait(process, said)


def _rows(file: Path) -> dict[str, Row]:
    """Return the last row of each medium; that of one that crashed says it was begun."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    rows = {}
    for row in map(json.loads, lines):
        if row.pop("begun", False):
            row["unusable"] = "Blender crashed or hung"
        rows[" ".join([*([row["blender"]] if "blender" in row else []), row["path"]])] = row
    return rows


def _wait(process: subprocess.Popen, said: Path) -> None:
    """Wait until the process ends, and end it where it says nothing for long."""
    size, since = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        now = said.stat().st_size if said.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        if time.monotonic() - since > MOST_SECONDS:
            process.kill()
    if process.returncode and not said.exists():
        sys.exit("Blender did not start; see blender.log")


def outcomes(said: Row, *, command_line: bool) -> Row:
    """Compare what the extension's engine and the command line read with what Blender shows."""
    if "unusable" in said:
        return {"extension": "unusable"} | ({"command_line": "unusable"} if command_line else {})
    if said["rendered"] and not command_line:
        return {"extension": "rendered"}
    shown = [cv2.imread(name, cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]] for name in said["frames"]]
    path, result = Path(said["path"]), {}
    if said["rendered"]:
        result["extension"] = "rendered"
    else:
        footage = codec.from_json(Footage, said["footage"], "footage")
        result |= _compared(footage, said["places"], shown, "extension")
    if not command_line:
        return result
    if path.suffix.lower() in IMAGE_SUFFIXES:
        footage = Footage(FootageKind.IMAGES, str(path.parent), (path.name,) * 2)
    else:
        footage = path
    return {**result, **_compared(footage, said["places"], shown, "command_line")}


def _compared(footage: Footage | Path, places: list[int], shown: list, name: str) -> Row:
    try:
        signal.alarm(MOST_SECONDS)
        if isinstance(footage, Path):
            footage = footage_from_path(footage)
        frames = dict(_chosen(footage, places))
        if len(frames) < len(places):
            return {name: "DIFFERENT", f"{name}_why": f"{len(frames)} of {len(places)} frames"}
        most = max(difference(frames[p], picture) for p, picture in zip(places, shown, strict=True))
    except EngineError as error:
        return {name: "refused", f"{name}_why": error.message}
    except TimeoutError:
        return {name: "HANG"}
    except Exception as error:
        return {name: "TRACEBACK", f"{name}_why": repr(error)}
    finally:
        signal.alarm(0)
    outcome = "same" if most == 0 else "within 1" if most <= 1 else "DIFFERENT"
    return {name: outcome, f"{name}_levels": round(most, 2)}


def _chosen(footage: Footage, places: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    for place, frame in enumerate(whole_frames(footage, 8)):
        if place in places:
            yield place, frame
        if place >= max(places):
            return


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return by how many levels of 255 two pictures differ at most.

    Colours are compared as seen over black: what is clear has none.
    """
    if ours.shape[:2] != theirs.shape[:2]:
        return 255.0
    alpha = ours[..., 3:] if ours.shape[2] == 4 else np.full_like(ours[..., :1], 255)
    ours, theirs = ours.astype(float), theirs.astype(float)
    apart = np.abs(ours[..., :3] - theirs[..., :3]) * theirs[..., 3:] / 255
    return float(max(apart.max(), np.abs(alpha - theirs[..., 3:]).max()))


def table(rows: Iterable[Row], name: str) -> str:
    """Return a Markdown table: media of each kind, counted by what became of them."""
    counts: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for row in rows:
        if name in row:
            counts[row["blender"], Path(row["path"]).suffix.lower()][row[name]] += 1
    lines = [
        "",
        f"| {name} | kind | {' | '.join(OUTCOMES)} |",
        "| --- " * (len(OUTCOMES) + 2) + "|",
    ]
    for (blender, kind), found in sorted(counts.items()):
        cells = " | ".join(str(found[outcome] or "") for outcome in OUTCOMES)
        lines.append(f"| {blender} | {kind} | {cells} |")
    return "\n".join(lines)


def _timed_out(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    signal.signal(signal.SIGALRM, _timed_out)
    main()
