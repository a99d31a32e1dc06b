from dataclasses import fields

import pytest
import torch

from engine.contract.settings import StylizationWeights, preset
from engine.stylization import losses
from engine.stylization.terms import draw_frames, temporal_window


def test_the_terms_are_named_like_their_weights():
    assert all(callable(getattr(losses, item.name)) for item in fields(StylizationWeights))


def test_similarity_takes_the_raw_mean_of_the_views_before_the_cosine():
    views = torch.tensor([[[2.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])
    text = torch.tensor([1.0, 0.0])
    first = 1 - 2 / 5**0.5
    assert losses.global_similarity(views, text) == pytest.approx(first / 2)
    assert losses.local_similarity(views, text) == pytest.approx(first / 2)


def test_the_literal_weight_of_a_triplet_is_the_gaussian_density():
    weights = [losses.triplet_weight(s, sigma=5, literal=True) for s in (0, 5, 10, 20)]
    assert weights == pytest.approx([0.0798, 0.0484, 0.0108, 2.7e-5], rel=0.01)


def test_the_weight_of_a_triplet_is_one_at_no_span():
    assert losses.triplet_weight(0, sigma=5, literal=False) == 1
    assert losses.triplet_weight(10, sigma=5, literal=False) == pytest.approx(0.1353, abs=1e-4)


def at_angles(*degrees: float) -> torch.Tensor:
    radians = torch.tensor(degrees).deg2rad()
    return torch.stack([radians.cos(), radians.sin()], 1)[:, None]


def test_the_temporal_hinge_by_hand():
    views = at_angles(0, 90, 60)
    term = losses.temporal(views, [3, 5, 8], sigma=5, literal=False)
    assert term == pytest.approx(0.5 * torch.exp(torch.tensor(-0.5)).item(), abs=1e-6)


def test_nothing_is_wrong_where_the_nearer_frame_looks_nearer():
    assert losses.temporal(at_angles(0, 30, 60), [0, 1, 2], sigma=5, literal=False) == 0


def test_in_the_papers_form_the_temporal_term_counts_over_70_frames():
    """The mean of weight and Gaussian over all triplets, where the nearer frame looks farther."""
    paper = preset("paper").stylization
    how = {"sigma": paper.temporal_sigma, "literal": paper.temporal_literal}
    weights = [  # by span; so many triplets have it
        (paper.weights.temporal * losses.temporal(at_angles(0, 90, 0), [0, 1, span], **how).item(),
         (70 - span) * (span - 1))
        for span in range(2, 70)
    ]  # fmt: skip
    assert weights[0][0] == pytest.approx(0.92, abs=0.01)  # of three neighbours: as much as a text
    expected = sum(weight * count for weight, count in weights) / sum(n for _, n in weights)
    assert expected == pytest.approx(0.0221, abs=0.0002)  # with the Gaussian squared 0.00006


def test_the_papers_form_draws_those_triplets():
    paper = preset("paper").stylization
    generator = torch.Generator().manual_seed(0)
    window = temporal_window(paper)
    drawn = [draw_frames(list(range(70)), 3, window=window, generator=generator)
             for _ in range(6000)]  # fmt: skip
    how = {"sigma": paper.temporal_sigma, "literal": paper.temporal_literal}
    weights = [losses.triplet_weight(last - first, **how) for first, _, last in drawn]
    assert paper.weights.temporal * sum(weights) / 6000 == pytest.approx(0.0221, abs=0.004)


@pytest.mark.parametrize("count", [1, 2])
def test_less_than_three_frames_have_no_temporal_term(count):
    views = torch.rand(count, 2, 4)
    assert losses.temporal(views, list(range(count)), sigma=5, literal=False) == 0


def test_sparsity_is_the_squared_norm_of_hidden_colour():
    colours = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert losses.sparsity(colours, torch.tensor([0.5, 1.0])) == pytest.approx(0.25)


def squares(*colours: tuple[float, float, float], side: int = 40, tile: int = 20) -> torch.Tensor:
    """A picture [3, side, side] of ``colours`` by turns, in stripes of ``tile`` pixels."""
    which = torch.arange(side) // tile % len(colours)
    return torch.tensor(colours)[which].T[:, None].expand(3, side, side).clone()


GREY, WHITE, BLACK = (0.5, 0.5, 0.5), (0.9, 0.9, 0.9), (0.1, 0.1, 0.1)


def test_broad_stripes_are_uneven_and_fine_ones_are_not():
    alpha = torch.ones(1, 40, 40)
    broad = losses.unevenness(squares(WHITE, BLACK), alpha)
    assert broad == pytest.approx(3 * 0.4**2, rel=1e-4)
    assert losses.unevenness(squares(WHITE, BLACK, tile=1), alpha) < 0.05 * broad
    both = torch.stack([squares(WHITE, BLACK), squares(WHITE)])[:, None]
    found = losses.unevenness(both, alpha)[:, 0].tolist()
    assert found == pytest.approx([float(broad), 0], abs=1e-5)


def test_an_edge_counts_as_much_as_it_has_pixels_on_every_side():
    alpha = torch.ones(1, 57, 57)  # no whole number of parts or patches
    paint = squares(GREY, side=57, tile=57)
    left, right = paint.clone(), paint.clone()
    left[:, :, 0], right[:, :, -1] = 0.9, 0.9
    both = [losses.unevenness(each, alpha) for each in (left, right)]
    assert max(both) < 3 * 0.4**2 / 57  # what it would be of single columns


def test_the_weakest_views_count_most():
    text = torch.tensor([1.0, 0.0])
    views = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], requires_grad=True)
    found = losses.local_similarity(views, text, average="weakest")
    assert found > 0.99  # of two losses, 0 and 1, whose mean is 0.5
    found.backward()
    pull = views.grad.norm(dim=2)[0]
    assert pull[1] > 100 * pull[0]


def test_what_to_avoid_costs_only_where_it_is_seen():
    views = torch.tensor([[[1.0, 0.0]]])
    found = [losses.avoid(views, torch.tensor([x, 0.5])) for x in (1.0, 0.0, -1.0)]
    assert found[0] > 0.8 and found[1] == found[2] == 0


def test_the_plain_norm_of_the_sparsity_is_not_squared():
    colours, alpha = torch.tensor([[0.3, 0.4, 0.0]]), torch.tensor([0.0])
    assert losses.sparsity(colours, alpha) == pytest.approx(0.25)
    assert losses.sparsity(colours, alpha, norm="plain") == pytest.approx(0.5, abs=1e-3)
