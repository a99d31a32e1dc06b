"""The memory of whole jobs over their stages: how it grows with the frames and their size.

    python -m benchmarks.memory CLIP [--frames 70 280] --out DIR [-- --preset draft ...]

CLIP holds ``frames/`` and ``masks/``. Each job runs by the command line as a user's does; options
of the engine follow ``--``. Prints a table and writes it to ``DIR/memory.json``. A stage's peak is
that of the engine's process, which the kernel counts from the stage's start on, and the largest
sum of its children's (ffmpeg) together. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.contract.job import Stage

POLL = 0.1  # seconds between two looks at the processes
TICKS = os.sysconf("SC_CLK_TCK")
DRIFT = ("uv_drift_10", "uv_drift_20", "uv_drift_40")


def main(arguments: list[str] | None = None) -> int:
    """Run every job and print the table; returns 0, or 1 where a job failed."""
    options = _options(arguments)
    rows: list[dict[str, Any]] = []
    for count in options.frames:
        rows.append(measure(options.clip, count, options.out, options.engine))
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "memory.json").write_text(json.dumps(rows, indent=1))
    print(table(rows))
    return 0 if all(row["exit"] == 0 for row in rows) else 1


def measure(clip: Path, count: int, out: Path, words: list[str]) -> dict[str, Any]:
    """Run one job on the first ``count`` frames of ``clip``; returns its row of the table."""
    job = out / f"job-{count}"
    command = [
        sys.executable, "-m", "engine", "stylize", str(clip / "frames"),
        "--masks", str(clip / "masks"), "--frames", f"0:{count - 1}",
        "--global-text", "Boat made of red brick", "--local-text", "red brick",
        "--out", str(job), "--cache", str(out / f"cache-{count}"), *words,
    ]  # fmt: skip
    stages: dict[str, dict[str, float]] = {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as engine:
        for stage in _stages(engine, job / "events.jsonl"):
            found = stages.setdefault(stage, {"engine": 0.0, "children": 0.0, "from": _cpu(engine)})
            found["engine"] = max(found["engine"], _memory(engine.pid, "VmHWM"))
            children = sum(_memory(child, "VmRSS") for child in _children(engine.pid))
            found["children"] = max(found["children"], children)
            found["seconds"] = _cpu(engine) - found["from"]
        code = engine.wait()
    row: dict[str, Any] = {"clip": clip.name, "length": count, "exit": code}
    for stage, found in stages.items():
        row[stage] = {
            "megabytes": round(found["engine"] + found["children"]),
            "seconds": round(found["seconds"], 1),
        }
    if code == 0:
        metrics = json.loads((job / "report.json").read_text())["metrics"]
        row |= {name: metrics.get(name) for name in DRIFT}
    return row


def _stages(engine: subprocess.Popen, events: Path) -> Iterator[str]:
    """Yield the stage that runs, at every look; the count of the peak begins anew with each."""
    read, stage = 0, "start"
    while engine.poll() is None:
        time.sleep(POLL)
        if events.exists():
            whole = events.read_bytes()
            complete = whole.rfind(b"\n") + 1
            for line in whole[read:complete].splitlines():
                event = json.loads(line)
                if event["event"] == "stage_started":
                    stage = event["stage"]
                    Path(f"/proc/{engine.pid}/clear_refs").write_text("5")
            read = complete
        yield stage


def _memory(process: int, name: str) -> float:
    """Return what the kernel says of a process, in megabytes; 0 where it has gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))


def _children(process: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{process}/task").iterdir()
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu(engine: subprocess.Popen) -> float:
    """Return the seconds of the processor that the engine has used; its children's do not count."""
    try:
        fields = Path(f"/proc/{engine.pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows in Markdown: megabytes and processor seconds of each stage, and the drift."""
    names = [stage.value for stage in Stage]
    lines = ["| clip | frames | " + " | ".join([*names, "drift 10", "20", "40"]) + " |"]
    lines.append("| --- | ---: |" + " ---: |" * (len(names) + 3))
    for row in rows:
        cells = [
            f"{row[name]['megabytes']} MB, {row[name]['seconds']} s" if name in row else "-"
            for name in names
        ]
        drift = [f"{row[name]:.3g}" if row.get(name) else "-" for name in DRIFT]
        lines.append("| " + " | ".join([row["clip"], str(row["length"]), *cells, *drift]) + " |")
    return "\n".join(lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("clip", type=Path, metavar="CLIP")
    parser.add_argument("--frames", type=int, nargs="+", default=[70, 280], metavar="N")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:cut])
    options.engine = words[cut + 1 :]
    return options


if __name__ == "__main__":
    sys.exit(main())
