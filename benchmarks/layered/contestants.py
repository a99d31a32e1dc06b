"""The three ways to layers, each as a course: seconds and scores on the way, layers at the end."""

from __future__ import annotations

import contextlib
import ctypes
import math
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from engine.checkpoint import Checkpoint
from engine.contract.events import Stopped
from engine.contract.settings import DecompositionSettings, FlowSettings
from engine.decomposition.layers import Layers
from engine.decomposition.train import decompose
from engine.video.flow import closer_flow

from ..nla_baseline.training import POINTS, PRETRAIN_ROUNDS, Baseline, Data
from . import scores
from .clock import now
from .footage import Footage, Silent

PARTS = (0.25, 1.0)  # of the steps or the time, at which ours are looked at
BASELINE_PARTS = (0.25, 0.5, 0.75, 1.0)


@dataclass
class Course:
    """What one contestant did."""

    name: str
    curve: list[dict[str, Any]] = field(default_factory=list)  # seconds, steps, quick scores
    final: scores.Scores = field(default_factory=dict)
    peak_memory_mb: float = 0.0
    layers: Layers | None = None

    def reached(self, layers: Layers, footage: Footage, seconds: float, steps: int) -> None:
        """Note what there is after so many seconds."""
        point = {"seconds": round(seconds, 3), "steps": steps}
        point |= {"uv_drift_10": scores.drift_of(layers, footage)["uv_drift_10"]}
        self.curve.append(point | scores.quick(layers, footage))
        self.layers = layers


class Timed(Silent):
    """A report that asks for a stop after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.until = now() + seconds

    def stopping(self) -> bool:
        """Is the time up?"""
        return now() >= self.until


def run(
    name: str, work: Callable[[Course], None], footage: Footage, device: torch.device
) -> Course:
    """Run one contestant and judge what it made."""
    course = Course(name)
    with _Memory(device) as memory:
        work(course)
    course.peak_memory_mb = round(memory.peak / 2**20, 1)
    return judged(course, footage)


def judged(course: Course, footage: Footage) -> Course:
    """Give ``course`` the scores of its last layers."""
    assert course.layers is not None
    course.final = scores.full(course.layers, footage)
    return course


def grid(
    footage: Footage, settings: DecompositionSettings, device: torch.device, course: Course
) -> None:
    """Register once; polish for none, a quarter and all of the steps."""
    steps = settings.grid.steps
    with tempfile.TemporaryDirectory() as folder:
        state = Checkpoint(Path(folder) / "registered.pt")
        began = now()
        first = replace(settings, engine="grid", grid=replace(settings.grid, steps=0))
        layers = _decomposed(footage, first, device, state)
        registered = now() - began
        course.reached(layers, footage, registered, 0)
        kept = state.path.read_bytes()
        for part in PARTS:
            chosen = replace(settings.grid, steps=max(1, round(part * steps)))
            state.path.write_bytes(kept)
            began = now()
            layers = _decomposed(footage, replace(first, grid=chosen), device, state)
            taken = registered + now() - began
            course.reached(layers, footage, taken, chosen.steps)


def grid_at_once(footage: Footage, settings: DecompositionSettings, device: torch.device) -> Course:
    """Register and polish as a job does, and hold nothing but what comes out; judge it later."""
    course = Course("grid")
    chosen = replace(settings, engine="grid")
    with _Memory(device) as memory, tempfile.TemporaryDirectory() as folder:
        began = now()
        course.layers = _decomposed(footage, chosen, device, Checkpoint(Path(folder) / "state.pt"))
        course.curve = [{"seconds": round(now() - began, 3), "steps": settings.grid.steps}]
    course.peak_memory_mb = round(memory.peak / 2**20, 1)
    return course


def mlp(
    footage: Footage,
    settings: DecompositionSettings,
    device: torch.device,
    course: Course,
    *,
    seconds: float,
) -> None:
    """Train for ``seconds`` of the clock; baking the pictures is not counted."""
    settings = replace(settings, engine="mlp")
    spent = 0.0
    with tempfile.TemporaryDirectory() as folder:
        state = Checkpoint(Path(folder) / "state.pt")
        for part in PARTS:
            began = now()
            with contextlib.suppress(Stopped):
                _decomposed(footage, settings, device, state, Timed(part * seconds - spent))
            spent += now() - began
            steps = (state.load() or {"step": 0})["step"]
            if steps == 0 and part < PARTS[-1]:
                spent = 0.0  # nothing is kept of an unfinished pre-training: it begins anew
                continue
            # With no step at all the time was too short: then its first step is waited for.
            baked = replace(settings, mlp=replace(settings.mlp, steps=max(1, steps)))
            began = now()
            layers = _decomposed(footage, baked, device, state)
            spent += now() - began if steps == 0 else 0.0
            course.reached(layers, footage, spent, max(1, steps))


def nla(
    footage: Footage,
    device: torch.device,
    course: Course,
    *,
    seconds: float,
    points: int = POINTS,
    pretrain_rounds: int = PRETRAIN_ROUNDS,
    patience: float = math.inf,
) -> None:
    """Train the baseline for ``seconds`` of the clock; looking at it is not counted.

    It ends sooner after ``patience`` seconds of the wall's clock.
    """
    over = time.monotonic() + patience
    data = Data.of(footage.frames, footage.masks.masks, footage.flow)
    baseline = Baseline(data, device, points=points)
    for part in BASELINE_PARTS:
        baseline.train(part * seconds, pretrain_rounds=pretrain_rounds, over=over)
        course.reached(layers_of(baseline), footage, baseline.seconds, baseline.iteration)
        print(course.curve[-1], file=sys.stderr, flush=True)
        if time.monotonic() > over:
            break


@torch.no_grad()
def layers_of(baseline: Baseline, side: int = 256) -> Layers:
    """Return what the baseline has learned, as the engine's layers."""
    frames = [baseline.frame(index) for index in range(baseline.count)]
    joined = {name: torch.stack([frame[name] for frame in frames]) for name in frames[0]}
    uv, uv_background = joined["uv1"] / 2 + 0.5, joined["uv2"] / 2 + 0.5
    alpha = joined["alpha"][..., 0]
    steps = (torch.arange(side, device=baseline.device) + 0.5) / side * 2 - 1
    square = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2).reshape(-1, 2)
    atlas = baseline.nets.front(square).cpu().view(side, side, 3)
    behind = baseline.nets.back(square).cpu().view(side, side, 3)
    texels = (uv[alpha > 0.5] * side).long().clamp(0, side - 1)
    coverage = torch.zeros(side, side)
    coverage[texels[:, 1], texels[:, 0]] = 1
    return Layers(
        uv, alpha, joined["front"], joined["back"], atlas, coverage, behind, uv_background,
        atlas_network=dict(baseline.nets.texture.state_dict()),
    )  # fmt: skip


def _decomposed(
    footage: Footage,
    settings: DecompositionSettings,
    device: torch.device,
    state: Checkpoint,
    report: Silent | None = None,
) -> Layers:
    report, flow = report or Silent(), footage.flow
    if footage.greys is not None:
        flow = closer_flow(flow, footage.greys, FlowSettings(), report)
    return decompose(
        footage.frames, flow, footage.masks, settings,
        greys=footage.greys, device=device, seed=0, report=report, checkpoint=state,
    )  # fmt: skip


class _Memory:
    """The most memory taken within, in bytes: on the device, or of this process and above what
    it held before."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._over = threading.Event()
        self._before = self.peak = 0

    def __enter__(self) -> _Memory:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            _trim()
            self._before = _resident()
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(self._device)
            return
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.peak = max(self.peak, _resident() - self._before)


def _trim() -> None:
    """Give back what earlier work has freed, so that it does not hide what is taken anew."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _resident() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
