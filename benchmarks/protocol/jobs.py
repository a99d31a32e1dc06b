"""Runs looks by the engine's command line, as a user does; a look that is finished is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.contract.folder import JobFolder
from engine.contract.job import Stage
from engine.workspace import Cache

from .looks import Look

ROOT = Path(__file__).parents[2]
SAID = 12  # last lines of what a failed job printed

Runner = Callable[[Sequence[str], Path], int]  # arguments of the engine, its log -> exit code


@dataclass(frozen=True)
class Order:
    """How all looks are run."""

    clips: Path
    out: Path
    cache: Path
    preset: str = "draft"
    assignments: tuple[str, ...] = ()  # PATH=VALUE, as for the engine's --set
    encoder: str = ""
    threads: int = 0  # of each job; 0 leaves it to the engine


def request(order: Order, look: Look, seed: int) -> dict[str, Any]:
    """Return what decides the result, without this machine's paths."""
    masks = (order.clips / look.clip.name / "masks").is_dir()
    return {
        "clip": look.clip.name,
        "whole": look.whole,
        "close": look.texts.close,
        "seed": seed,
        "preset": order.preset,
        "encoder": order.encoder,
        "set": list(order.assignments),
        "object": "masks" if masks else f"box {look.clip.box}" if look.clip.box else "automatic",
    }


def command(order: Order, look: Look, seed: int) -> list[str]:
    """Return the arguments of ``python -m engine`` for one look."""
    clip = order.clips / look.clip.name
    words = ["stylize", str(clip / "frames"), "--preset", order.preset]
    words += ["--global-text", look.whole, "--local-text", look.texts.close]
    if (clip / "masks").is_dir():
        words += ["--masks", str(clip / "masks")]
    elif look.clip.box:
        words += ["--box", look.clip.box]
    if order.encoder:
        words += ["--encoder", order.encoder]
    for assignment in (f"seed={seed}", "render.format=png", *order.assignments):
        words += ["--set", assignment]
    return [*words, "--cache", str(order.cache), "--out", str(job_folder(order, look, seed).path)]


def job_folder(order: Order, look: Look, seed: int) -> JobFolder:
    """Return where one look is made."""
    return JobFolder(order.out / "jobs" / f"{look.name}-{seed}")


def numbers_file(order: Order, look: Look, seed: int) -> Path:
    """Return where the numbers of one finished look are kept."""
    return order.out / "numbers" / f"{look.name}-{seed}.json"


def kept_numbers(order: Order, look: Look, seed: int) -> dict[str, Any] | None:
    """Return the numbers of a look that was finished for this very request, or None."""
    file = numbers_file(order, look, seed)
    if not file.exists():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    return found if found["request"] == request(order, look, seed) else None


def keep_numbers(order: Order, look: Look, seed: int, numbers: dict[str, Any]) -> dict[str, Any]:
    """Write and return ``numbers`` with the request that they belong to."""
    file = numbers_file(order, look, seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = {"request": request(order, look, seed), **numbers}
    file.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return whole


def make(order: Order, look: Look, seed: int, run: Runner) -> str:
    """Run one job; returns "" or what it said when it failed.

    The stylization is taken out of the cache afterwards, so that a later run with another engine
    never finds it there. What comes before stays for the next text. Stopped, a job goes on later.
    """
    folder = job_folder(order, look, seed)
    folder.path.mkdir(parents=True, exist_ok=True)
    log = folder.path / "printed.txt"
    if run(command(order, look, seed), log) != 0 or not folder.report.exists():
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return "\n".join(lines[-SAID:]) or "It ended without a word."
    forget_stylization(order.cache, folder)
    return ""


def forget_stylization(cache: Path, folder: JobFolder) -> None:
    """Remove the stylized atlases of a finished job from the cache."""
    keys = json.loads(folder.report.read_text(encoding="utf-8"))["keys"]
    for key in keys[Stage.STYLIZATION.value]:
        shutil.rmtree(Cache(cache).folder(Stage.STYLIZATION, key), ignore_errors=True)


def forget(order: Order, look: Look, seed: int) -> None:
    """Remove a look's numbers and its job, so that it is made anew."""
    numbers_file(order, look, seed).unlink(missing_ok=True)
    shutil.rmtree(job_folder(order, look, seed).path, ignore_errors=True)


def engine_runner(threads: int) -> Runner:
    """Return what runs ``python -m engine`` in a process of its own, with so many threads."""

    def run(arguments: Sequence[str], log: Path) -> int:
        environment = dict(os.environ)
        if threads:
            environment["OMP_NUM_THREADS"] = str(threads)
        words = [sys.executable, "-m", "engine", *arguments]
        with log.open("w", encoding="utf-8") as printed:
            return subprocess.run(
                words, cwd=ROOT, env=environment, stdout=printed, stderr=subprocess.STDOUT
            ).returncode

    return run
