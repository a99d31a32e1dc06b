"""The same events and the same files as a real job, with no work: for tests, for learning, for
building a user interface. Standard library only.

A text may steer it: ``fail`` ends in a failure, ``crash`` kills the process, ``slow`` takes long,
and twice as long where it is said twice.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
import zlib
from pathlib import Path

from .contract import files
from .contract.events import (
    DeviceChosen,
    EngineError,
    Fault,
    Finished,
    Preview,
    Stopped,
)
from .contract.job import BACKGROUND, JobSpec, Stage, Sweep
from .contract.layers import LIVE_PICTURES, LayerPackage, PackageLayer, write_manifest
from .contract.sweeps import SHEET_FILE, Cell, write_cells
from .reporter import Reporter

STEPS = 20


def rehearse(spec: JobSpec, report: Reporter, *, frames: int | None = None) -> None:
    """Say what a job would say and write grey frames; as many as the spec lists, else 24."""
    count = frames or len(spec.footage.indices) or len(spec.footage.files) or 24
    words = spec.title.lower().replace(",", " ").split()
    seconds = 3.0 * words.count("slow") or 0.02
    started = time.monotonic()
    report.say(DeviceChosen("rehearsal", "no device"))
    for stage in _stages(spec):
        with report.stage(stage, reused=False):
            for step in range(1, STEPS + 1):
                if report.stopping():
                    raise Stopped
                time.sleep(seconds / STEPS)
                report.progress(step, STEPS, {"rehearsal": 1 / step})
            if stage is Stage.MASKS and spec.until is stage:
                _write_numbers(report.folder.masks, count, bytes([1]) * 32)
            if stage is Stage.DECOMPOSITION:
                _misbehave(words)
                if spec.until is stage:
                    _write_numbers(report.folder.checks, count, bytes(range(1, 9)) * 4)
            if stage is Stage.STYLIZATION:
                _preview(report)
            if stage is Stage.RENDER and spec.sweep is not None:
                with files.whole_folder(report.folder.sweep) as part:
                    _write_sweep(part, spec, spec.sweep)
            elif stage is Stage.RENDER and spec.layers is not None:
                with files.whole_folder(report.folder.layers) as part:
                    _write_layers(part, spec, count)
            elif stage is Stage.RENDER:
                _write_report(report.folder.report, spec)
                with files.whole_folder(report.folder.result) as part:
                    _write_frames(part, count)
    report.say(Finished(count, round(time.monotonic() - started, 3)))


def _stages(spec: JobSpec) -> list[Stage]:
    stages = list(Stage)
    return stages if spec.until is None else stages[: stages.index(spec.until) + 1]


def _misbehave(words: list[str]) -> None:
    if "fail" in words:
        raise EngineError(
            Fault.OBJECT_NOT_FOUND, "The rehearsal failed, as its text asked.", "Change the text."
        )
    if "crash" in words:
        os._exit(9)


def _preview(report: Reporter) -> None:
    files.private_folder(report.folder.preview)
    files.write_bytes(report.folder.preview / "frame.png", grey_png(64, 36, 160))
    report.say(Preview("frame", "preview/frame.png"))


def _write_report(path: Path, spec: JobSpec) -> None:
    style = spec.settings.stylization
    saved = list(range(style.snapshot_every, style.steps + 1, style.snapshot_every))
    looks = [
        {
            "candidate": number,
            "seed": spec.settings.seed + number - 1,
            "score": round(0.3 - 0.01 * number, 4),
            "steps": style.steps,
            "snapshots": saved,
        }
        for number in range(1, style.candidates + 1)
    ]
    files.write_text(path, json.dumps({"candidates": [looks for _ in spec.targets]}, indent=1))


def _write_numbers(folder: Path, count: int, middle: bytes) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    row = bytes(16) + middle + bytes(16)
    for index in range(count):
        picture = bytes(64) * 9 + row * 18 + bytes(64) * 9
        (folder / f"{index:05d}.pgm").write_bytes(b"P5 64 36 255\n" + picture)


def _write_layers(part: Path, spec: JobSpec, count: int) -> None:
    """Write a package with grey atlases and plates."""
    (part / "plates").mkdir()
    plates = tuple(f"plates/{index:05d}.png" for index in range(count))
    for index, name in enumerate(plates):
        (part / name).write_bytes(grey_png(64, 36, 40 + 4 * (index % 50)))
    numbers = (*range(len(spec.objects)), BACKGROUND)
    names = [f"layer_{number}" if number >= 0 else "background" for number in numbers]
    for name in names:
        (part / f"{name}.png").write_bytes(grey_png(48, 48, 120))
    live = "live" if spec.layers is not None and spec.layers.live else ""
    for name in names if live else ():
        for kind in LIVE_PICTURES:
            (part / live / name / kind).mkdir(parents=True)
            for index in range(count):
                (part / live / name / kind / f"{index:05d}.png").write_bytes(grey_png(64, 36, 120))
    layers = tuple(
        PackageLayer(name, number, f"{name}.png", f"{name}.png", 48, live=bool(live))
        for name, number in zip(names, numbers, strict=True)
    )
    package = LayerPackage("rehearsal", 64, 36, 24.0, layers, (), plates, live=live)
    write_manifest(package, part)


def _write_sweep(part: Path, spec: JobSpec, sweep: Sweep) -> None:
    looks = range(1, spec.settings.stylization.candidates + 1)
    cells = [
        Cell(
            text, spec.settings.seed + look - 1, look, strength,
            round(0.3 - 0.01 * (number + look), 4), f"{number}-{look}-{strength}.png",
        )
        for number, text in enumerate(sweep.texts)
        for look in looks
        for strength in sweep.strengths
    ]  # fmt: skip
    for each in cells:
        (part / each.picture).write_bytes(grey_png(64, 36, 120))
    (part / SHEET_FILE).write_bytes(grey_png(128, 72, 120))
    write_cells(cells, part)


def _write_frames(part: Path, count: int) -> None:
    for index in range(count):
        (part / f"{index:05d}.png").write_bytes(grey_png(64, 36, 40 + 4 * (index % 50)))


def grey_png(width: int, height: int, level: int) -> bytes:
    """Return an RGB PNG file of one grey ``level`` in 0..255."""
    row = b"\0" + bytes([level, level, level]) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
