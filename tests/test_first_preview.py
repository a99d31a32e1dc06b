"""The mask is seen before torch and CLIP's library are imported, and what is missing told first."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine import restyling
from engine.contract.events import Cancelled, StageFinished, StageStarted
from engine.contract.job import Stage
from engine.stylization import weight_files

from .test_pipeline import cache, events_of, failure, footage, stylize

__all__ = ["cache", "footage"]  # fixtures
ROOT = Path(__file__).parents[1]
FOUND = [Stage.FRAMES, Stage.FLOW, Stage.MASKS]
# A job with texts that is stopped as soon as the mask is shown; says what it had imported by then.
UNTIL_SHOWN = """
import sys
from engine import __main__ as command_line
from engine.reporter import Reporter

shown = Reporter.preview

def preview(self, name, image):
    shown(self, name, image)
    print(name, [each for each in ("torch", "open_clip") if each in sys.modules])
    raise KeyboardInterrupt

Reporter.preview = preview
sys.exit(command_line.main(sys.argv[1:]))
"""


def done(out):
    return [event.stage for event in events_of(out) if isinstance(event, StageFinished)]


def begun(out):
    return [event.stage for event in events_of(out) if isinstance(event, StageStarted)]


def test_a_job_with_texts_shows_its_mask_before_torch_is_imported(footage, tmp_path):
    arguments = [str(footage / "frames"), "--global-text", "gold", "--masks", footage / "masks"]
    command = [sys.executable, "-c", UNTIL_SHOWN, "stylize", *arguments, "--preset", "draft"]
    command += ["--out", tmp_path / "job", "--cache", tmp_path / "cache"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 130, run.stderr
    assert "mask []" in run.stdout.splitlines()
    assert done(tmp_path / "job") == FOUND


def test_damaged_embedded_weights_end_the_job_before_any_stage(
    footage, cache, tmp_path, monkeypatch
):
    shutil.copytree(weight_files.EMBEDDED_FOLDER, tmp_path / "embedded")
    monkeypatch.setattr(weight_files, "EMBEDDED_FOLDER", tmp_path / "embedded")
    weight_files.embedded_file().write_bytes(b"damaged")
    assert stylize(footage, tmp_path / "job", cache) == 1
    assert "damaged" in failure(tmp_path / "job").message
    assert begun(tmp_path / "job") == []


def test_a_picture_that_is_not_there_ends_the_job_before_any_stage(footage, cache, tmp_path):
    assert stylize(footage, tmp_path / "job", cache, "--picture", str(tmp_path / "no.png")) == 1
    assert "no.png" in failure(tmp_path / "job").message
    assert begun(tmp_path / "job") == []


@pytest.mark.skipif(torch.xpu.is_available(), reason="the device is there")
def test_a_named_device_that_is_not_there_ends_the_job_before_any_stage(footage, cache, tmp_path):
    assert stylize(footage, tmp_path / "job", cache, "--set", "device=xpu") == 1
    assert failure(tmp_path / "job").fault.value == "device_unavailable"
    assert begun(tmp_path / "job") == []


@pytest.mark.parametrize("whole", [False, True], ids=["no weights", "another network's"])
def test_weights_that_do_not_fit_are_told_before_the_decomposition(footage, cache, tmp_path, whole):
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.zeros(1)}, path) if whole else path.write_bytes(b"no weights")
    assert stylize(footage, tmp_path / "job", cache, "--encoder", f"ViT-B-32:{path}") == 1
    assert failure(tmp_path / "job").fault.value == "weights_unavailable"
    assert begun(tmp_path / "job") == (FOUND if whole else [])  # which only the network tells


def test_a_stop_while_the_encoder_is_loaded_is_heard_before_the_decomposition(
    footage, cache, tmp_path, monkeypatch
):
    load = restyling.load_encoder

    def stop_meanwhile(*arguments):
        (tmp_path / "job" / "stop").touch()
        return load(*arguments)

    monkeypatch.setattr(restyling, "load_encoder", stop_meanwhile)
    assert stylize(footage, tmp_path / "job", cache) == 130
    assert isinstance(events_of(tmp_path / "job")[-1], Cancelled)
    assert begun(tmp_path / "job") == FOUND
