"""One task by several processes of torchrun: one of them does it, the others only compute."""

import json
import subprocess
import sys

from safetensors.torch import load_file

from engine import __main__ as command_line
from engine.contract.folder import JobFolder
from engine.contract.tasks import Task, TaskVerb

from ..synthetic import moving_sprite
from .jobs import FRAMES, HEIGHT, ROOT, WIDTH, write_job

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def only_atlas(out):
    (path,) = (out / "cache").glob("stylization-*/stylized_atlas.safetensors")
    return load_file(path)


def test_torchrun_stylizes_as_one_process_and_one_process_speaks(tmp_path):
    clip = moving_sprite(frames=FRAMES, width=WIDTH, height=HEIGHT).write(tmp_path / "footage")
    views = ("--set", "stylization.views.local_views=3")
    one = write_job(clip, tmp_path / "one", *views)
    two = write_job(clip, tmp_path / "two", *views)
    words = ["--object=0", "--quiet"]
    assert command_line.main(["stage", "stylize", str(one), *words]) == 0
    command = [*TORCHRUN, "-m", "engine", "stage", "stylize", str(two), *words]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    events = Task(TaskVerb.STYLIZE, 0).folder(JobFolder(two)).events.read_text().splitlines()
    names = [json.loads(line)["event"] for line in events]
    assert names.count("hello") == 1 and names[-1] == "finished"
    alone, divided = only_atlas(one), only_atlas(two)
    assert float((alone["picture"] - divided["picture"]).abs().max()) < 1e-3
