"""What was found while it moved stays found while it rests, though a part of it goes on moving."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.job import Footage, FootageKind, ObjectMask
from engine.contract.settings import FlowSettings, MasksSettings
from engine.video.flow import estimate_flow
from engine.video.frames import Video
from engine.video.masks import find_masks
from engine.video.rests import resting_frames

from .conftest import Listener, Scene, texture

MOVING, RESTING = 14, 28  # frames; motion is looked for over 16
HEIGHT, WIDTH = 72, 120
MOVIE = Footage(FootageKind.MOVIE, "never opened.mp4")


def juggling_disc() -> Scene:
    """A disc crosses still ground and stops; a hand at its rim never does."""
    ground = texture(HEIGHT, WIDTH, (70, 110, 60), seed=1)
    skin = texture(HEIGHT, 2 * WIDTH, (190, 110, 70), seed=2)
    random = np.random.default_rng(3)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    frames, masks = [], []
    for index in range(MOVING + RESTING):
        across = 28 + 3 * min(index, MOVING)
        turn = 0.7 * np.sin(0.9 * index)
        hand = (across + 18 * np.cos(turn), HEIGHT / 2 + 18 * np.sin(turn))
        inside = np.hypot(columns - across, rows - HEIGHT / 2) < 17
        inside |= np.hypot(columns - hand[0], rows - hand[1]) < 5
        frame = ground.astype(np.float32)
        frame[inside] = skin[:, WIDTH - across : 2 * WIDTH - across][inside]
        noise = random.normal(0, 2, frame.shape)
        frames.append(np.clip(frame + noise, 0, 255).astype(np.uint8))
        masks.append(inside)
    return Scene(np.stack(frames), np.stack(masks))


@pytest.fixture(scope="module")
def juggler():
    return juggling_disc()


@pytest.fixture(scope="module")
def find(juggler):
    flow = estimate_flow(juggler.frames, FlowSettings(), Listener())
    video = Video(juggler.frames, (WIDTH, HEIGHT), 24.0, juggler.frames[..., 0])

    def find(mask):
        masks = find_masks(mask, MOVIE, video, flow, MasksSettings(), Listener())
        pairs = zip(masks.masks > 127, juggler.masks, strict=True)
        overlaps = [(a & b).sum() / (a | b).sum() for a, b in pairs]
        return np.mean(overlaps[:MOVING]), np.mean(overlaps[MOVING:])

    return find


def test_what_moved_is_whole_while_it_rests(find):
    moving, resting = find(ObjectMask())
    assert moving > 0.8 and resting > 0.9 * moving


def test_a_rest_is_where_far_less_moves_than_before():
    found = np.zeros((30, 20, 20), np.float32)
    found[:, 5:15, 5:15] = 1.0
    evidence = 0.8 * found
    assert not resting_frames(evidence, found).any()
    evidence[12:] *= 0.1
    assert resting_frames(evidence, found).tolist() == [False] * 12 + [True] * 18


def test_an_object_that_recedes_does_not_rest():
    found = np.zeros((30, 40, 40), np.float32)
    for index, one in enumerate(found):
        one[: 40 - index, :20] = 1.0
    assert not resting_frames(found, found).any()
