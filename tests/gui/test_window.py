"""Each scenario ends with exit code 0: everything that it asserts held in a real window."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.gui import run

NEWEST = next(iter(run.SUITES))
SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("[!_]*.py"))
ENGINE = Path(__file__).with_name("scenarios") / "_engine.py"
CLIP = run.ROOT / "examples" / "demo_scene.py"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_plays_to_its_end(window, scenario):
    ended = window.play(scenario, seconds=300)
    assert ended.code == 0, ended.output[-4000:]


def test_the_real_engine_restyles_what_blender_rendered(window):
    if window.version != NEWEST:
        pytest.skip(f"played in Blender {NEWEST}: the engine is the same")
    clip = window.home / "clip"
    line = ["blender", "-b", "--python-exit-code", "1", "--python", str(CLIP), "--", str(clip)]
    rendered = window.run(line, seconds=1200, size="none")
    assert rendered.code == 0, rendered.output[-4000:]
    ended = window.play(ENGINE, str(clip / "frames"), seconds=1300, **run.real_engine())
    assert ended.code == 0, ended.output[-4000:]
    (result,) = (window.home / "workspace" / "jobs").glob("*/result")
    duck, rest = change_in(result, clip)
    assert duck > 12 and rest < 1, (duck, rest)


def change_in(result, clip):
    """Return how much, in levels, the object and what is well beside it differ from the clip."""
    duck, rest = [], []
    for path in sorted(result.glob("*.png"))[::6]:
        after, before = (
            np.asarray(Image.open(place).convert("RGB"), float)
            for place in (path, clip / "frames" / path.name)
        )
        mask = np.asarray(Image.open(clip / "masks" / path.name).convert("L")) > 127
        change = abs(after - before).mean(2)
        duck.append(change[mask].mean())
        rest.append(np.median(change[~mask]))
    return float(np.mean(duck)), float(np.mean(rest))
