"""The end of a search: the gradient leads on from where varying ended, never back."""

import torch

from engine.stylization.polish import SPARED, polished, pruned

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


def test_a_colour_that_is_not_needed_turns_into_another():
    stray = torch.tensor([[0.1, 0.1, 0.9]])
    shown = torch.tensor([[0.9, 0.7, 0.1], [0.4, 0.2, 0.0]])
    wanted = torch.cat([shown[:1], stray, shown[1:]])

    def scores(palettes):  # hardly sees the one in the middle
        off = (palettes - wanted).square().sum(2)
        return -off[:, 0] - 0.1 * SPARED * off[:, 1] - off[:, 2]

    kept = pruned(scores, wanted)
    assert torch.equal(kept[[0, 2]], shown)
    assert any(torch.equal(kept[1], each) for each in shown)


def test_no_more_is_spared_by_all_colours_together():
    palette = torch.eye(3)

    def scores(palettes):  # each is worth a little more than half of what may be lost
        return -0.6 * SPARED * (palettes != palette).any(2).sum(1)

    assert (pruned(scores, palette) != palette).any(1).sum() == 1


def test_the_cheapest_goes_first_and_one_stays():
    palette = torch.tensor([[0.0, 0.0, 0.0], [0.2, 0.1, 0.0], [0.9, 0.7, 0.3]])
    worth = torch.tensor([0.9, 0.3, 5.0]) * SPARED  # black is dear, brown is cheap

    def scores(palettes):
        return -((palettes != palette).any(2) * worth).sum(1)

    kept = pruned(scores, palette)
    assert torch.equal(kept[[0, 2]], palette[[0, 2]]) and not torch.equal(kept[1], palette[1])
    assert len(pruned(lambda some: torch.zeros(len(some)), palette).unique(dim=0)) == 1
