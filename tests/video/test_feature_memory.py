"""Features that a network sees in the object tell it from what was taken for it."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contract.job import Footage, FootageKind, ObjectMask
from engine.contract.settings import MasksSettings
from engine.video.border_refinement import refine_border
from engine.video.feature_memory import object_scores
from engine.video.frames import Video
from engine.video.masks import find_masks
from engine.video.segmentation import describe_appearance

CELLS = (36, 24)  # width and height of the finer map: 4 px of the scene's 144 x 96


def overlap(found, true):
    return np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(found, true, strict=True)])


def feature_maps(masks):
    """Two maps of noise in which some channels know a little of ``masks``, float16."""
    random = np.random.default_rng(2)
    maps = []
    for size, count in ((CELLS, 6), ((CELLS[0] // 2, CELLS[1] // 2), 9)):
        shares = np.stack(
            [cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA)
             for one in masks]
        )  # fmt: skip
        directions = random.normal(0.0, 1.0, (1, count, 1, 1))
        noise = random.normal(0.0, 0.7, (len(masks), count, *size[::-1]))
        maps.append((shares[:, None] * directions + noise).astype(np.float16))
    return maps


def test_the_object_scores_above_what_was_taken_for_it(scene):
    wrong = np.zeros_like(scene.masks)
    wrong[:, :30, :40] = True
    wrong &= ~scene.masks
    found = (scene.masks | wrong).astype(np.float32)
    scores = object_scores(feature_maps(scene.masks), found)
    assert scores.shape == found.shape
    assert np.median(scores[scene.masks]) > np.percentile(scores[wrong], 90)


def test_nothing_is_said_where_no_place_is_surely_the_object(scene):
    found = np.full(scene.masks.shape, 0.6, np.float32)
    assert not object_scores(feature_maps(scene.masks), found).any()


def test_a_part_too_much_goes_and_a_part_that_lacks_comes_back(scene, flow):
    found = scene.masks.copy()
    for index, true in enumerate(scene.masks):
        rows, columns = np.nonzero(true)
        middle = int(columns.mean())
        found[index, rows.min() : rows.min() + 7] = False
        found[index, rows.max() - 4 : rows.max() + 7, middle - 8 : middle + 8] = True
    before = overlap(found, scene.masks)
    look, ticks = describe_appearance(scene.frames), []

    def recall(maps):
        answer = refine_border(
            look, scene.frames, flow, found.astype(np.float32), lambda: ticks.append(1),
            embed=lambda tick: maps, by_ground=False,
        )  # fmt: skip
        return overlap(answer > 0.5, scene.masks)

    seeing, blind = (recall(feature_maps(each)) for each in (scene.masks, 0 * scene.masks))
    assert seeing > max(before, blind) + 0.03
    assert len(ticks) == 2 * 2 * len(scene.frames)


def test_a_search_asks_once_for_features_and_counts_all_steps(scene, flow, listener):
    height, width = scene.masks.shape[1:]
    asked = []

    def embed(tick):
        asked.append(1)
        for _ in scene.frames:
            tick()
        return feature_maps(scene.masks)

    video = Video(scene.frames, (width, height), 24.0, scene.frames[..., 0])
    movie = Footage(FootageKind.MOVIE, "never opened.mp4")
    found = find_masks(ObjectMask(), movie, video, flow, MasksSettings(), listener, embed=embed)
    assert asked == [1]
    assert listener.steps[-1][0] == listener.steps[-1][1]
    assert overlap(found.masks > 127, scene.masks) > 0.9
