"""The same frames give the same flow and masks, whatever number of threads computes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import hashlib, sys
import cv2
sys.path.insert(0, sys.argv[1])
from engine.contract.job import Box, Footage, FootageKind, MaskKind, ObjectMask, Stroke
from engine.contract.settings import FlowSettings, MasksSettings
from engine.video.flow import estimate_flow
from engine.video.frames import Video
from engine.video.masks import find_masks
from tests.video.conftest import Listener, moving_disc

cv2.setNumThreads(int(sys.argv[2]))
scene = moving_disc(5, height=180, width=320)
flow = estimate_flow(scene.frames, FlowSettings(), Listener())
digest = hashlib.sha256(flow.forward.tobytes() + flow.backward.tobytes())
stroke = Stroke(0, (96.0, 90.0, 110.0, 100.0), 8.0)
for mask in (
    ObjectMask(),
    ObjectMask(MaskKind.BOX, box=Box(2, 60, 48, 88, 84)),
    ObjectMask(MaskKind.STROKES, strokes=(stroke,)),
):
    video = Video(scene.frames, (320, 180), 24.0, scene.frames[..., 0])
    found = find_masks(
        mask, Footage(FootageKind.MOVIE, ""), video, flow, MasksSettings(), Listener()
    )
    digest.update(found.masks.tobytes())
assert cv2.getNumThreads() == int(sys.argv[2])
print(digest.hexdigest())
"""


def digest_with(threads: int) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    environment["OPENBLAS_NUM_THREADS"] = str(threads)
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT), str(threads)],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return answer.stdout.strip()


@pytest.mark.slow
def test_flow_and_masks_do_not_depend_on_the_number_of_threads():
    assert digest_with(1) == digest_with(3) == digest_with(8)
