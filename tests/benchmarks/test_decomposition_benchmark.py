"""The benchmark runs, writes what it prints, and its scores know the truth."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import decomposition
from benchmarks.layered import scores
from benchmarks.layered.contestants import Course
from benchmarks.layered.footage import made
from benchmarks.layered.tables import ratios
from engine.decomposition.layers import Layers


@pytest.fixture(scope="module")
def footage():
    return made(frames=12, size=(96, 54))


@pytest.fixture(scope="module")
def truth(footage):
    """Layers that are the truth, in an atlas nobody looks into."""
    video = torch.from_numpy(footage.frames).float() / 255
    uv = torch.from_numpy(footage.truth / 120 + 0.5).float()
    square = torch.zeros(8, 8, 3)
    alpha = torch.from_numpy(footage.visible).float()
    return Layers(uv, alpha, video, video, square, square[..., 0], square, uv, atlas_network={})


def test_the_truth_has_the_best_scores(footage, truth):
    found = scores.full(truth, footage)
    assert found["psnr"] == pytest.approx(99) and found["psnr_leak_free"] == pytest.approx(99)
    assert found["mask_iou"] == 1 and found["alpha_leak"] == 0 and found["folds"] == 0
    assert found["uv_error_truth"] < 0.05 and found["uv_error_flow"] < 0.5
    assert 2.8 < found["rigidity"] < 3.1


def test_a_still_mapping_of_a_moving_object_is_found_out(footage, truth):
    still = replace(truth, uv=truth.uv[:1].expand_as(truth.uv).contiguous())
    found = scores.full(still, footage)
    assert found["uv_error_truth"] > 2 and found["uv_error_flow"] > 0.8
    assert found["psnr"] == pytest.approx(99), "PSNR alone does not notice"


def test_what_leaks_does_not_count_without_the_leak(footage, truth):
    leaking = replace(
        truth, alpha=torch.ones_like(truth.alpha), background=torch.zeros_like(truth.background)
    )
    found = scores.quick(leaking, footage)
    assert found["psnr"] == pytest.approx(99) and found["psnr_leak_free"] < 20


def test_the_ratio_asks_for_the_best_quality_and_the_least_drift_of_the_baseline():
    def course(name, *points):
        names = ("seconds", "psnr_object", "uv_drift_10")
        return Course(name, [dict(zip(names, point, strict=True)) for point in points])

    baseline = course("nla", (50, 20, 2.0), (100, 15, 1.0))
    ours = course("grid", (2, 19, 0.5), (4, 21, 1.5), (5, 21, 0.5), (8, 25, 0.5))
    sliding = course("mlp", (2, 30, 1.5), (3, 30, None))
    assert ratios([ours, sliding, baseline]) == {"grid": 20, "mlp": None}


@pytest.mark.slow
def test_a_quick_run_writes_all_three_courses(tmp_path, capsys):
    torch.set_num_threads(1)
    assert decomposition.main(["--quick", "--device", "cpu", "--out", str(tmp_path)]) == 0
    (written,) = tmp_path.glob("*.json")
    found = json.loads(written.read_text())
    assert set(found["courses"]) == {"grid", "mlp", "nla"}
    for course in found["courses"].values():
        assert course["curve"] and course["peak_memory_mb"] >= 0
        assert np.isfinite(course["final"]["psnr_object"])
    # What another test has freed may serve the small ones; it cannot serve all three.
    assert max(course["peak_memory_mb"] for course in found["courses"].values()) > 0
    assert written.with_suffix(".md").read_text() == capsys.readouterr().out.rstrip("\n") + "\n"
