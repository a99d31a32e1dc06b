"""The demo: Blender renders a clip, three texts restyle it, the edit is saved.

Runs with the Python of an environment that has Blender as a module (`make demo` makes one);
STRIP_STYLIZER_PYTHON names the engine's Python. The decomposition of the first text serves the
others, too.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTENSION = "bl_ext.user_default.strip_stylizer"
TEXTS = (  # global, local, seed
    ("Duck with tiger fur", "tiger fur", 0),
    ("Duck with strawberry skin", "strawberry skin", 0),
    ("Duck made of gold", "gold", 0),
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, help="movie or folder of images; else it is rendered")
    parser.add_argument("--masks", type=Path, help="folder of masks; else the object is found")
    parser.add_argument("--global", dest="global_text", help="what the object becomes")
    parser.add_argument("--local", dest="local_text", default="", help="its look from close by")
    parser.add_argument("--preset", default="draft", help="draft, standard, fine or paper")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", help="folder to fill")
    parser.add_argument("--frames", type=int, default=24, help="frames of the rendered clip")
    return parser.parse_args()


def prepare(out: Path) -> None:
    """Let Blender and the extension keep all they write below ``out``; before bpy is imported."""
    out.mkdir(parents=True, exist_ok=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(out / "blender")
    os.environ.setdefault("STRIP_STYLIZER_WORKSPACE", str(out / "workspace"))
    if not os.environ.get("STRIP_STYLIZER_PYTHON"):
        sys.exit("STRIP_STYLIZER_PYTHON must name the Python of an environment with the engine.")


def enable_extension() -> None:
    """Put the extension where Blender finds it, and enable it."""
    import bpy  # isort: skip
    import addon_utils

    repos = bpy.context.preferences.extensions.repos
    folder = Path(next(repo.directory for repo in repos if repo.module == "user_default"))
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "strip_stylizer"
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT)
    importlib.invalidate_caches()
    if addon_utils.enable(EXTENSION, default_set=True) is None:
        sys.exit("The extension cannot be enabled; the reason is above.")


def extension(name: str):
    """Return a module of the extension."""
    return importlib.import_module(f"{EXTENSION}.{name}")


def make_footage(options: argparse.Namespace) -> Path:
    """Return the clip that was given, or render one."""
    if options.clip:
        return options.clip.absolute()
    import demo_scene

    print(f"Rendering {options.frames} frames with Cycles", flush=True)
    with quiet():
        frames, _ = demo_scene.make_clip(options.out / "footage", frames=options.frames)
    return frames


class quiet:
    """Send what Blender prints to nowhere."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self.kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        os.dup2(self.kept, 1)
        os.close(self.kept)


def say_progress(jobs: Path, known: set[str], done: threading.Event) -> None:
    """Print each stage of the job that is not ``known``, as it begins; runs beside Blender."""
    status, said = extension("engine.client.status"), set()
    reader = None
    while not done.wait(0.3):
        new = [path for path in jobs.glob("*") if path.name not in known]
        if reader is None and new:
            reader = status.JobReader(new[0])
        stage = reader.poll().stage if reader else None
        if stage is not None and stage not in said:
            said.add(stage)
            print(f"  {status.STAGE_LABELS[stage]}", flush=True)


def stylize(global_text: str, local_text: str, seed: int, options: argparse.Namespace) -> dict:
    """Restyle the active strip and return what there is to report."""
    import bpy

    jobs, session = extension("operators.folders").jobs(), extension("operators.session")
    known = {path.name for path in jobs.glob("*")}
    masks = {}
    if options.masks:
        masks = {"mask_source": "files", "mask_path": str(options.masks.absolute())}
    print(f"Stylizing: {global_text}", flush=True)
    done, started = threading.Event(), time.monotonic()
    voice = threading.Thread(target=say_progress, args=(jobs, known, done), daemon=True)
    voice.start()
    try:
        bpy.ops.strip_stylizer.stylize(
            global_text=global_text,
            local_text=local_text,
            seed=seed,
            preset=options.preset,
            wait=True,
            **masks,
        )
    finally:
        done.set()
        voice.join()
    seconds = round(time.monotonic() - started, 1)
    print(f"  done in {seconds} s", flush=True)
    return report_of(session.newest_first()[0], seconds)


def report_of(job, seconds: float) -> dict:
    """Return what a job did and where its strip lies."""
    strips = extension("operators.strips")
    strip = strips.find_result(job.id)
    return {
        "texts": {name: job.recipe[name] for name in ("global_text", "local_text")},
        "seconds": seconds,
        "stage_seconds": job.status.stage_seconds,
        "reused": [stage.value for stage in job.status.reused],
        "warnings": [" ".join(warning) for warning in job.status.warnings],
        "job": str(job.folder.path),
        "strip": {
            "name": strip.name,
            "channel": strip.channel,
            "start": strips.start(strip),
            "length": strips.length(strip),
        },
    }


def texts(options: argparse.Namespace) -> tuple:
    """Return the texts of the command line, else the demo's three, each with a seed."""
    return ((options.global_text, options.local_text, 0),) if options.global_text else TEXTS


def main() -> None:
    """Make footage, results, the .blend and the report."""
    options = arguments()
    options.out = options.out.absolute()
    prepare(options.out)
    enable_extension()
    import bpy
    from stylize_strip import add_strip

    strip = add_strip(bpy.context.scene, make_footage(options))
    results = [stylize(*each, options) for each in texts(options)]
    bpy.ops.wm.save_as_mainfile(filepath=str(options.out / "demo.blend"))
    report = {"blender": bpy.app.version_string, "source": strip.name, "results": results}
    (options.out / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    engine = os.environ["STRIP_STYLIZER_PYTHON"]
    jobs = [result["job"] for result in results]
    sheet = [engine, "-m", "engine", "sheet", *jobs, "--out", str(options.out)]
    subprocess.run(sheet, cwd=ROOT, check=True)
    print(f"The edit is {options.out / 'demo.blend'}")


def run() -> int:
    """Run the demo and return the exit status."""
    try:
        main()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    status = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # some versions of the bpy module hang when the interpreter ends
