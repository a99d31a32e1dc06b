"""A few of the strikes of `make torture`, the same ones each time."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_jobs_that_are_killed_starved_or_damaged_end_with_the_same_bytes():
    words = [sys.executable, "-m", "tests.torture", "--seed", "1", "--kills", "2"]
    words += ["--failures", "1", "--damage", "1", "--checkpoints", "0", "--together", "0"]
    words += ["--fuzz", "1"]
    ended = subprocess.run(words, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-1000:]
