"""Two processes on one training: the gradient of one; who ends early ends the other, in words."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.stylization.processes import Share

from .several_processes import gradients, inputs_of, train

ROOT = Path(__file__).parents[2]
SCRIPT = ("-m", "tests.stylization.several_processes")


def close(found, expected, tolerance):
    assert found.keys() == expected.keys()
    for name, each in expected.items():
        scale = float(each.abs().max()) or 1.0
        assert float((found[name] - each).abs().max()) <= tolerance * scale, name


@pytest.mark.parametrize("form", ["texture", "network"])
def test_two_processes_have_the_gradient_of_one(form, encoder_name, weights, tmp_path):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [*torchrun, *SCRIPT, str(weights), form, "4", str(tmp_path)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, timeout=600)
    inputs = inputs_of(encoder_name, form, 4)
    close(torch.load(tmp_path / "gradients.pt"), gradients(inputs), 1e-5)
    (tmp_path / "alone").mkdir()
    close(torch.load(tmp_path / "atlas.pt"), train(inputs, tmp_path / "alone"), 1e-3)


def pair(weights, out):
    """Start two processes that train for long."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    for rank in ("0", "1"):
        own = {
            "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        words = [*SCRIPT, str(weights), "texture", "1000000", str(out)]
        started.append(subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env={**os.environ, **own}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ))  # fmt: skip
    return started


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_other_with_a_sentence(killed, weights, tmp_path):
    both = pair(weights, tmp_path)
    try:
        assert both[0].stdout.readline() == "steps\n"
        both[killed].send_signal(signal.SIGKILL)
        _, said = both[1 - killed].communicate(timeout=300)
    finally:
        for each in both:
            each.kill()
    assert both[1 - killed].returncode == 1
    assert "Another process of this job has ended or cannot be reached" in said


def test_each_view_belongs_to_one_process():
    numbers = [list(range(7))[Share(rank, 3).views] for rank in range(3)]
    assert sorted(each for some in numbers for each in some) == list(range(7))
    assert max(map(len, numbers)) - min(map(len, numbers)) <= 1


def test_more_processes_than_views_are_refused(encoder_name):
    with pytest.raises(EngineError, match="3 views of a frame, fewer than the 4") as raised:
        Share(0, 4).of(inputs_of(encoder_name, "texture", 1).settings)
    assert raised.value.fault is Fault.BAD_JOB
