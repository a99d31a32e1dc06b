"""The end of a search: the gradient leads on from where varying ended, never back."""

import torch

from engine.stylization.polish import polished

WANTED = torch.tensor([[0.8, 0.1, 0.2], [0.3, 0.3, 0.9]])
PAINT = torch.tensor([[0.4, -0.3], [0.0, 0.7]])


def nearness(colours, paint):
    return -(colours - WANTED).square().sum() - (paint - PAINT).square().sum()


@torch.no_grad()
def test_colours_and_paint_come_to_what_scores_highest():
    start = torch.full((2, 3), 0.5), torch.zeros(2, 2)
    scores = [nearness(*polished(nearness, *start, steps)) for steps in (0, 3, 12, 60)]
    assert scores == sorted(scores) and scores[0] == nearness(*start)
    assert scores[-1] > -0.01


def test_what_is_best_already_stays_as_it_is_even_at_the_edges_of_colour():
    black = torch.zeros(2, 3)

    def darkness(colours, paint):
        return -colours.sum() - (paint - PAINT).square().sum()

    for steps in (0, 8):
        colours, paint = polished(darkness, black, PAINT, steps)
        assert colours is black and paint is PAINT


def test_what_a_score_does_not_ask_for_stays():
    colours, paint = polished(lambda colours, paint: nearness(colours, PAINT), WANTED / 2, PAINT, 9)
    assert torch.equal(paint, PAINT) and (colours - WANTED).norm() < (WANTED / 2).norm()
