"""How long a job takes and what it needs, learned from the jobs that finished on this device.

Each stage has a measure of its work; what finished jobs took for one unit of it is kept in the
workspace. Before the first job a plain guess stands in. Pure but for `read` and `write`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from ..engine.client.status import Status
from ..engine.contract.files import read_json, write_text
from ..engine.contract.job import JobSpec, Stage

Rates = dict[str, dict[str, float]]
FILE = "rates.json"
NEW_COUNTS = 0.5  # how much the last job counts against all before it
MEGA = 1e6

# Seconds for one unit of `work`, before anything was measured: processor, graphics card.
GUESSES = {
    "frames": (0.15, 0.15),
    "flow": (0.3, 0.3),
    "masks": (5.0, 2.0),
    "decomposition:grid": (0.07, 0.004),
    "decomposition:mlp": (6e-6, 4e-7),
    "stylization:embedded": (0.016, 0.002),
    "stylization:other": (5.0, 0.004),
    "render": (0.75, 0.15),
}
START_SECONDS = (14.0, 18.0)  # mostly the import of torch and open_clip
CACHE_BYTES = 50  # for each pixel of the work in between, of all frames
RESULT_BYTES = {"png": 1.5, "png16": 4.0, "exr": 5.0, "ffv1": 1.0, "prores": 0.6}
MEMORY_BYTES = 130  # for each pixel of the work in between, of all frames
CANVAS_BYTES, MOST_CANVASES = 10e6, 100  # as they are kept enlarged while a look is trained
MEMORY_GB = {"embedded": (1.2, 0.7), "other": (3.5, 3.5)}  # processor, graphics card


@dataclass(frozen=True)
class Estimate:
    """What a job is expected to need; ``measured`` where finished jobs were the measure."""

    seconds: float
    memory_gb: float
    disk_gb: float
    measured: bool


@dataclass(frozen=True)
class Size:
    """How large the footage is: frames, and its own width and height."""

    frames: int
    width: int
    height: int

    @property
    def pixels(self) -> float:
        """Pixels of all frames, in millions."""
        return self.frames * self.width * self.height / MEGA

    def megapixels(self, longest: int) -> float:
        """Pixels of all frames at the working size, in millions."""
        scale = min(1.0, longest / max(1, self.width, self.height))
        return self.pixels * scale * scale


def work(spec: JobSpec, size: Size) -> dict[Stage, tuple[str, float]]:
    """Return for each stage the name of its rate and its units of work."""
    settings = spec.settings
    shown, objects = size.megapixels(settings.frames.longest_side), max(1, len(spec.objects))
    engine, kind = settings.decomposition.engine, encoder_kind(spec)
    grid, mlp, style = settings.decomposition.grid, settings.decomposition.mlp, settings.stylization
    layers = grid.steps * shown if engine == "grid" else mlp.steps * mlp.points
    views = style.views.global_views + style.views.local_views
    trained = style.steps * style.frames_per_step * views * style.candidates
    return {
        Stage.FRAMES: ("frames", shown),
        Stage.FLOW: ("flow", shown),
        Stage.MASKS: ("masks", shown * objects),
        Stage.DECOMPOSITION: (f"decomposition:{engine}", layers * objects),
        Stage.STYLIZATION: (f"stylization:{kind}", trained * max(1, len(spec.targets))),
        Stage.RENDER: ("render", size.pixels),
    }


def encoder_kind(spec: JobSpec) -> str:
    """Tell the small encoder that comes along from the large ones."""
    return "embedded" if spec.settings.stylization.encoder == "embedded" else "other"


def estimate(
    spec: JobSpec, size: Size, rates: Rates, device: str, *, separated: bool = False
) -> Estimate:
    """Return what a job needs on ``device``; where it is ``separated`` a new text is all."""
    known = rates.get(device, {})
    column = 0 if on_processor(device) else 1
    seconds = known.get("start", START_SECONDS[column])
    units = work(spec, size)
    for stage, (name, amount) in units.items():
        if separated and stage not in (Stage.STYLIZATION, Stage.RENDER):
            continue
        seconds += amount * known.get(name, GUESSES[name][column])
    settings = spec.settings
    between = size.megapixels(settings.frames.longest_side) * MEGA
    targets = max(1, len(spec.objects))
    suffix = settings.render.format
    disk = 0.0 if separated else between * CACHE_BYTES * targets
    disk += size.pixels * MEGA * RESULT_BYTES.get(suffix, 2.0)
    enlarged = 0 if settings.stylization.views.native_size else min(size.frames, MOST_CANVASES)
    held = between * MEMORY_BYTES + enlarged * CANVAS_BYTES
    memory = MEMORY_GB[encoder_kind(spec)][column] + held / 1e9
    measured = units[Stage.STYLIZATION][0] in known and units[Stage.DECOMPOSITION][0] in known
    return Estimate(seconds, memory, disk / 1e9, measured)


def on_processor(device: str) -> bool:
    """Does this device's name mean the processor, or nothing known?"""
    return not device or device.startswith(("processor", "cpu", "no device"))


def update_rates(rates: Rates, spec: JobSpec, size: Size, status: Status) -> Rates:
    """Return the rates after a job that finished; stages that were reused teach nothing."""
    known = dict(rates.get(status.device, {}))
    spent = 0.0
    for stage, (name, amount) in work(spec, size).items():
        seconds = status.stage_seconds.get(stage.value, 0.0)
        spent += seconds
        if stage in status.reused or seconds <= 0 or amount <= 0:
            continue
        _mix(known, name, seconds / amount)
    if status.seconds > spent:
        _mix(known, "start", status.seconds - spent)
    return {**rates, "last": {status.device: 1.0}, status.device: known}


def _mix(known: dict[str, float], name: str, rate: float) -> None:
    old = known.get(name, rate)
    known[name] = float(f"{old + NEW_COUNTS * (rate - old):.6g}")


def last_device(rates: Rates) -> str:
    """Return the device that the last finished job ran on, '' where there was none."""
    return next(iter(rates.get("last", {})), "")


def read(workspace: Path) -> Rates:
    """Return what was learned, {} where nothing was."""
    try:
        found = read_json(workspace / FILE)
        good = all(isinstance(value, dict) for value in found.values())
    except (OSError, ValueError, AttributeError):
        return {}
    return found if good else {}


def write(workspace: Path, rates: Rates) -> None:
    """Keep what was learned."""
    workspace.mkdir(parents=True, exist_ok=True)
    write_text(workspace / FILE, json.dumps(rates, indent=1))
