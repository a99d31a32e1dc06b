"""A small job that is divided into tasks, and how its results are compared."""

from pathlib import Path

from engine import __main__ as command_line
from engine import requests
from engine.contract.folder import JobFolder

ROOT = Path(__file__).parents[2]
QUICK = (
    "frames.longest_side=64", "decomposition.grid.steps=4", "decomposition.grid.atlas_size=64",
    "stylization.steps=2", "stylization.frames_per_step=1", "stylization.snapshot_every=2",
    "stylization.views.local_views=1", "stylization.global_prefixes=1",
    "stylization.local_prefixes=1",
)  # fmt: skip
FRAMES, WIDTH, HEIGHT = 10, 84, 48


def write_job(footage, out, *more):
    """Write the job folder of an object and a background, without running it."""
    arguments = ["stylize", str(footage / "frames"), "--masks", str(footage / "masks")]
    arguments += ["--global-text", "Bird with zebra fur", "--background-text", "grass"]
    arguments += ["--preset", "draft", "--out", str(out)]
    for assignment in QUICK:
        arguments += ["--set", assignment]
    options = command_line.parser().parse_args([*arguments, *more])
    JobFolder(out).write_spec(requests.from_options(options))
    return out


def contents(folder):
    """Return the bytes of all files below ``folder`` by their names in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
