import torch

from engine.stylization.terms import draw_frames


def many(frames, count, window):
    generator = torch.Generator().manual_seed(0)
    return [draw_frames(frames, count, window=window, generator=generator) for _ in range(300)]


def test_drawn_frames_are_distinct_and_sorted():
    for places in many(list(range(9)), 3, 5.0):
        assert places == sorted(set(places)) and len(places) == 3


def test_half_of_the_draws_are_near_in_time_with_a_window():
    frames = list(range(0, 140, 2))
    spans = [frames[p[-1]] - frames[p[0]] for p in many(frames, 3, 15.0)]
    assert 0.45 < sum(span <= 15 for span in spans) / len(spans) < 0.75


def test_without_a_window_all_frames_are_equally_likely():
    counts = torch.bincount(torch.tensor(many(list(range(10)), 3, None)).flatten())
    assert counts.min() > 60 and counts.max() < 120


def test_a_video_of_two_frames_gives_both():
    assert all(places == [0, 1] for places in many([4, 5], 3, 15.0))
