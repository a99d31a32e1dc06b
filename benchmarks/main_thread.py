"""How long Blender's main thread is held by panels and by the timer, with 50 jobs in the list.

    STRIP_STYLIZER_PYTHON=.venv/bin/python .venvs/bpy-4.5/bin/python benchmarks/main_thread.py

Prints milliseconds of the processor, and writes them as JSON to ``--out``. Nothing is drawn: what
counts is the extension's own time. No tick and no draw should take more than 10 ms.
"""

import argparse
import dataclasses
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
EXTENSION = "bl_ext.user_default.strip_stylizer"
JOBS, ROUNDS = 50, 40


def enable(folder: Path) -> None:
    """Enable the extension in a Blender whose user folder is ``folder``."""
    os.environ["BLENDER_USER_RESOURCES"] = str(folder / "blender")
    os.environ["STRIP_STYLIZER_WORKSPACE"] = str(folder / "workspace")
    os.environ["STRIP_STYLIZER_REHEARSE"] = "1"
    import bpy  # isort: skip
    import addon_utils

    repos = bpy.context.preferences.extensions.repos
    place = Path(next(repo.directory for repo in repos if repo.module == "user_default"))
    place.mkdir(parents=True, exist_ok=True)
    (place / "strip_stylizer").symlink_to(ROOT)
    importlib.invalidate_caches()
    addon_utils.enable(EXTENSION, default_set=True)


def part(name: str):
    """Return a module of the extension."""
    return importlib.import_module(f"{EXTENSION}.{name}")


def fill(folder: Path) -> None:
    """Make a strip with three objects and 50 jobs: three under way, the others over."""
    import bpy

    sys.path.insert(0, str(ROOT / "tests" / "blender"))
    from barcodes import image_strip, write_frames

    write_frames(folder / "frames", 24)
    scene = bpy.context.scene
    scene.sequence_editor_create()
    strip = image_strip(scene, folder / "frames", count=24)
    scene.sequence_editor.active_strip = strip
    properties, targets = part("operators.properties"), part("operators.targets")
    session, requests = part("operators.session"), part("operators.requests")
    facts = properties.of(strip)
    targets.ensure(facts)
    for target in (facts.targets[0], targets.add_object(facts), targets.add_object(facts)):
        target.global_text = "a swan made of bronze, seen from the side"
    status = part("engine.client.status")
    for number in range(JOBS):
        draft = requests.request(strip)
        spec = requests.complete(draft, session.footage_of(scene, strip))
        job = session.add(scene, strip, spec, draft=draft)
        if number >= 3:
            job.queued = False
            phase = status.Phase.CANCELLED if number % 2 else status.Phase.FINISHED
            job.status = dataclasses.replace(job.status, phase=phase, frames=24)
            job.arrived = True


class Layout:
    """Takes every call of a draw function and does nothing."""

    def __getattr__(self, name: str):
        return Layout.pair if name == "panel" else Layout.one

    @staticmethod
    def one(*_: object, **__: object) -> "Layout":
        """Return another layout, or what stands for a button."""
        return Layout()

    @staticmethod
    def pair(*_: object, **__: object) -> tuple["Layout", "Layout"]:
        """Return the header and the body of a panel that is open."""
        return Layout(), Layout()


def measure(function) -> dict[str, float]:
    """Return the median and the worst of many calls in milliseconds, after a first one."""
    function()
    took = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        function()
        took.append(1000 * (time.thread_time() - started))
    return {"median": round(statistics.median(took), 2), "worst": round(max(took), 2)}


def main() -> None:
    """Measure all panels and the timer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="file for the numbers as JSON")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="main-thread-"))
    enable(folder)
    fill(folder)
    import bpy

    def draw(kind):
        return lambda: kind.draw(SimpleNamespace(layout=Layout()), bpy.context)

    sidebar, jobs = part("panels.sidebar"), part("panels.jobs")
    session, outlook = part("operators.session"), part("operators.outlook")
    strip = bpy.context.scene.sequence_editor.active_strip
    measured = {
        "panel Stylize": measure(draw(sidebar.STRIPSTYLIZER_PT_main)),
        "of it the estimate": measure(lambda: outlook.sentence(strip)),
        "panel Jobs": measure(draw(jobs.STRIPSTYLIZER_PT_jobs)),
        "panel Settings": measure(draw(part("panels.settings").STRIPSTYLIZER_PT_settings)),
        "timer": measure(session.poll),
    }
    print(f"{'':22}{'median':>8}{'worst':>8}  ms")
    for name, row in measured.items():
        print(f"{name:22}{row['median']:8.2f}{row['worst']:8.2f}")
    if options.out:
        options.out.write_text(json.dumps(measured, indent=1))
    for job in session.state.jobs.values():
        if not job.status.ended:
            session.cancel(job)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
