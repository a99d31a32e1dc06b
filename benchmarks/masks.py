"""How well masks are found without a network: intersection over union with true masks.

    python -m benchmarks.masks CLIPS [--clip NAME]... [--source NAME]... [--called CLIP=THING]...
        [--resting] [--json FILE] [--sheets DIR]

CLIPS is a folder of clips, each a folder with ``frames/`` and, where the truth is known,
``masks/`` (white on black, named like the frames). Prints a table and writes JSON. Box and
strokes are drawn from the true mask as a person would draw them: the box around it on the first
frame; the strokes along its middle, half as wide as it is there, and a loop around it. With
``--resting`` the second half of each clip is replaced by its middle frame, over which the camera
goes on: the object rests. The source "name" is measured on clips that are called something.
``--sheets`` writes a picture of each result: frames with the mask's outline in green, the true
one's in red.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.contract.events import EngineError
from engine.contract.job import Box, MaskKind, ObjectMask, Stroke
from engine.contract.settings import FlowSettings, FramesSettings, MasksSettings
from engine.contract.words.recognition import seen_as
from engine.stylization.activation import class_activation, dense_features
from engine.video.flow import Flow, estimate_flow
from engine.video.frames import Video, footage_from_path, read_video, write_png
from engine.video.images import read_image
from engine.video.masks import find_masks

SOURCES = ("automatic", "box", "name", "strokes-1", "strokes-3")
MIDDLES = 9  # dabs along the object's middle
LOOP_PART = 0.035  # of the longer side: how far from the object the loop around it is


class Silent:
    """A report that tells nobody."""

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        """Ignore a step."""

    def preview(self, name: str, image: Any) -> None:
        """Ignore a picture."""

    def warning(self, message: str, hint: str = "") -> None:
        """Ignore a warning."""

    def stopping(self) -> bool:
        """Go on."""
        return False


def box_around(mask: np.ndarray, frame: int) -> Box:
    """Return the box around ``mask``, bool [H, W] at the footage's own size."""
    rows, columns = np.nonzero(mask)
    left, top = float(columns.min()), float(rows.min())
    return Box(frame, left, top, columns.max() + 1 - left, rows.max() + 1 - top)


def strokes_over(mask: np.ndarray, frame: int) -> list[Stroke]:
    """Return dabs and strokes along the middle of ``mask``, bool [H, W], and a loop around it."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(mask)
    wide = np.ptp(columns) >= np.ptp(rows)
    along = columns if wide else rows
    middles = []
    for place in np.linspace(along.min(), along.max(), MIDDLES + 2)[1:-1].astype(int):
        across = depth[:, place] if wide else depth[place]
        best = int(np.argmax(across))
        if across[best] > 2:
            middles.append(((place, best) if wide else (best, place), float(across[best])))
    radius = max(2.0, 0.5 * float(np.median([thickness for _, thickness in middles])))
    strokes = [
        Stroke(frame, (x + 0.5, y + 0.5), min(radius, 0.8 * thickness))
        for (x, y), thickness in middles
    ]
    for (start, _), (end, _) in pairwise(middles):
        line = cv2.line(np.zeros(mask.shape, np.uint8), start, end, 1, round(2 * radius))
        if mask[line > 0].all():
            strokes.append(Stroke(frame, tuple(float(n) + 0.5 for n in (*start, *end)), radius))
    return strokes + _loops(mask, frame)


def _loops(mask: np.ndarray, frame: int) -> list[Stroke]:
    side = 2 * round(LOOP_PART * max(mask.shape)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.dilate(mask.astype(np.uint8), kernel)
    loops, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    closed = [np.concatenate([loop[::6, 0], loop[:1, 0]]) + 0.5 for loop in loops]
    return [Stroke(frame, tuple(loop.ravel().tolist()), 6.0, is_object=False) for loop in closed]


def request(source: str, truth: np.ndarray, called: str = "") -> ObjectMask:
    """Return what a person would ask for, with ``truth`` bool [T, H, W] at the footage's size."""
    if source == "automatic":
        return ObjectMask()
    if source == "name":
        return ObjectMask(MaskKind.NAME, class_name=called)
    if source == "box":
        return ObjectMask(MaskKind.BOX, box=box_around(truth[0], 0))
    last = len(truth) - 1
    painted = [0] if source == "strokes-1" else [0, last // 2, last]
    strokes = [stroke for frame in painted for stroke in strokes_over(truth[frame], frame)]
    return ObjectMask(MaskKind.STROKES, strokes=tuple(strokes))


def at_rest(video: Video, truth: np.ndarray) -> tuple[Video, np.ndarray]:
    """Return a video whose object rests in the second half, and its true masks, as large as it.

    That is the middle frame, under a camera that pans by .6 px a frame and back, with noise.
    """
    height, width = video.frames.shape[1:3]
    middle, random = len(truth) // 2, np.random.default_rng(0)
    small = [cv2.resize(one.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
             for one in truth[: middle + 1]]  # fmt: skip
    frames, masks = list(video.frames[:middle]), [one > 0.5 for one in small[:middle]]
    for step in range(middle):
        pan = np.array([[1, 0, 0.6 * min(step, middle - step)], [0, 1, 0.3 * np.sin(step / 3)]])
        seen, mask = (
            cv2.warpAffine(picture, pan, (width, height), borderMode=cv2.BORDER_REFLECT)
            for picture in (video.frames[middle].astype(np.float32), small[middle])
        )
        noise = random.normal(0, 2, seen.shape)
        frames.append(np.clip(seen + noise, 0, 255).astype(np.uint8))
        masks.append(mask > 0.5)
    greys = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    held = Video(np.stack(frames), (width, height), video.frames_per_second, greys)
    return held, np.stack(masks)


def sheet(video: Video, masks: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
    """Return eight frames with the outlines of ``masks`` and, thinner, of ``truth``, RGB."""
    shown = []
    for index in np.linspace(0, len(masks) - 1, 8).astype(int):
        frame = cv2.resize(video.frames[index], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        outlined = [(masks[index] > 127, (0, 255, 0), 2)]
        if truth is not None:
            outlined.append((truth[index], (255, 0, 0), 1))
        for mask, colour, width in outlined:
            large = cv2.resize(
                mask.astype(np.uint8), frame.shape[1::-1], interpolation=cv2.INTER_NEAREST
            )
            lines, _ = cv2.findContours(large, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(frame, lines, -1, colour, width)
        shown.append(frame)
    return np.concatenate([np.concatenate(shown[at : at + 4], axis=1) for at in (0, 4)])


def measured(
    clip: Path,
    side: int,
    sources: Sequence[str],
    *,
    resting: bool,
    called: str,
    sheets: Path | None,
) -> list[dict[str, Any]]:
    """Return one row for each of ``sources``; without true masks only the seconds are known."""
    footage = footage_from_path(clip / "frames")
    video = read_video(footage, FramesSettings(side), Silent())
    files = sorted((clip / "masks").glob("*.png"))
    pictures = [read_image(file)[..., 0] for file in files]
    truth = np.stack(pictures) > 127 if files else None
    if resting and truth is not None:
        video, truth = at_rest(video, truth)
    started = time.perf_counter()
    flow = estimate_flow(video.frames, FlowSettings(), Silent())
    flow_seconds = time.perf_counter() - started
    rows = []
    seen = [source for source in sources if source != "name" or called]
    if truth is None:
        seen = [source for source in seen if source in ("automatic", "name")]
    for source in seen:
        mask = request(source, truth if truth is not None else np.empty(0), called)
        row: dict[str, Any] = {
            "clip": clip.name,
            "source": source,
        }
        file = sheets / f"{clip.name}-{source}{'-resting' * resting}.png" if sheets else None
        row.update(_found(mask, footage, video, flow, truth, file))
        row.update(flow_seconds=round(flow_seconds, 2))
        rows.append(row)
    return rows


def _found(
    mask: ObjectMask,
    footage: Any,
    video: Video,
    flow: Flow,
    truth: np.ndarray | None,
    file: Path | None,
) -> dict[str, Any]:
    started, used = time.perf_counter(), time.process_time()
    try:
        found = find_masks(
            mask, footage, video, flow, MasksSettings(), Silent(),
            look_for=lambda name: class_activation(video.frames, seen_as(name), Silent()),
            embed=lambda tick: dense_features(video.frames, tick),
        )  # fmt: skip
    except EngineError as error:
        return {"error": error.message}
    seconds = {
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - used, 2),
    }
    size = video.frames.shape[2:0:-1]
    small = None
    if truth is not None:
        areas = [
            cv2.resize(true.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            for true in truth
        ]
        small = np.stack(areas) > 0.5
    if file is not None:
        write_png(file, sheet(video, found.masks, small))
    if small is None:
        return seconds
    overlaps = [
        (one & true).sum() / max(1, (one | true).sum())
        for one, true in zip(found.masks > 127, small, strict=True)
    ]
    middle = len(overlaps) // 2
    return {
        "iou_first_half": round(float(np.mean(overlaps[:middle])), 4),
        "iou_second_half": round(float(np.mean(overlaps[middle:])), 4),
        "iou": round(float(np.mean(overlaps)), 4),
        "least_iou": round(float(np.min(overlaps)), 4),
        "unknown": int((~found.known).sum()),
        **seconds,
    }


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="How well masks are found without a network.")
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--clip", action="append", default=[], help="only this clip; repeatable")
    parser.add_argument("--source", action="append", default=[], choices=SOURCES)
    parser.add_argument("--resting", action="store_true", help="the object rests for half a clip")
    parser.add_argument(
        "--called", action="append", default=[], metavar="CLIP=THING", help="what a clip shows"
    )
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write pictures of the masks")
    parser.add_argument("--side", type=int, default=256, help="working size in px")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    clips = [path for path in sorted(options.clips.iterdir()) if (path / "frames").is_dir()]
    called = dict(entry.split("=", 1) for entry in options.called)
    if options.sheets:
        options.sheets.mkdir(parents=True, exist_ok=True)
    rows = []
    print(f"{'clip':12} {'source':10} {'IoU':>6} {'least':>6} {'1st':>6} {'2nd':>6} {'cpu':>6}")
    for clip in clips:
        if options.clip and clip.name not in options.clip:
            continue
        sources = options.source or list(SOURCES)
        for row in measured(
            clip, options.side, sources, resting=options.resting,
            called=called.get(clip.name, ""), sheets=options.sheets,
        ):  # fmt: skip
            rows.append(row)
            keys = ("iou", "least_iou", "iou_first_half", "iou_second_half")
            numbers = " ".join(f"{row.get(key, float('nan')):6.3f}" for key in keys)
            seconds = row.get("cpu_seconds", float("nan"))
            print(f"{row['clip']:12} {row['source']:10} {numbers} {seconds:6.1f}", flush=True)
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
