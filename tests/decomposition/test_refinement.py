import pytest
import torch

from engine.decomposition.grid import refinement
from engine.decomposition.grid.refinement import refine_mapping

FRAMES, SIDE = 8, 40


def moving() -> tuple[torch.Tensor, torch.Tensor, tuple, tuple]:
    """A disk that moves by one pixel a frame: uv, masks, flow ahead and behind."""
    line = torch.arange(SIDE).float()
    down, across = torch.meshgrid(line, line, indexing="ij")
    uv = torch.stack([torch.stack([(across - t) / SIDE, down / SIDE], 2) for t in range(FRAMES)])
    masks = torch.stack(
        [((across - 16 - t) ** 2 + (down - 20) ** 2 < 100).float() for t in range(FRAMES)]
    )
    still = torch.stack([across, down], 2)
    ahead = (still + torch.tensor([1.0, 0.0])).expand(FRAMES - 1, -1, -1, -1)
    behind = (still - torch.tensor([1.0, 0.0])).expand(FRAMES - 1, -1, -1, -1)
    valid = torch.ones(FRAMES - 1, SIDE, SIDE)
    return uv, masks, (ahead, valid), (behind, valid)


def trembling(uv: torch.Tensor) -> torch.Tensor:
    """Each frame moved by itself, by about .6 px."""
    generator = torch.Generator().manual_seed(0)
    return uv + 0.6 / SIDE * torch.randn(FRAMES, 1, 1, 2, generator=generator)


def slides(uv: torch.Tensor, masks: torch.Tensor) -> float:
    """Mean distance in px between neighbours in time."""
    step = (uv[1:, :, 1:] - uv[:-1, :, :-1]).norm(dim=3) * SIDE
    return float(step[(masks[:-1] > 0.5)[:, :, :-1]].mean())


def test_a_mapping_that_already_follows_the_motion_stays():
    uv, masks, ahead, behind = moving()
    assert torch.allclose(refine_mapping(uv, masks, ahead, behind), uv, atol=1e-5)


def test_a_trembling_mapping_comes_to_rest():
    uv, masks, ahead, behind = moving()
    shaken = trembling(uv)
    rested = refine_mapping(shaken, masks, ahead, behind)
    assert slides(rested, masks) < 0.5 * slides(shaken, masks)


def test_nothing_is_folded_where_the_motion_would_fold_it():
    uv, masks, (ahead, valid), (behind, _) = moving()
    down = torch.arange(SIDE)[:, None].expand(SIDE, SIDE)
    torn = torch.where(down < 20, 9.0, -9.0)  # the halves run through each other
    ahead = ahead.clone()
    ahead[..., 1] += torn
    found = refine_mapping(uv, masks, (ahead, valid), (behind, valid))
    assert not torch.equal(found, uv)
    across = (found[:, :, 1:] - found[:, :, :-1])[:, :-1]
    along = (found[:, 1:] - found[:, :-1])[:, :, :-1]
    areas = across[..., 0] * along[..., 1] - across[..., 1] * along[..., 0]
    assert areas.min() > 0


def test_one_frame_stays_as_it_is():
    uv, masks, _, _ = moving()
    nothing = torch.zeros(0, SIDE, SIDE, 2), torch.zeros(0, SIDE, SIDE)
    assert torch.equal(refine_mapping(uv[:1], masks[:1], nothing, nothing), uv[:1])


@pytest.mark.parametrize("many", [1, 3, FRAMES])
def test_frames_are_refined_the_same_however_many_are_taken_at_a_time(many, monkeypatch):
    uv, masks, ahead, behind = moving()
    found = []
    for each in (2, many):

        def parts(frames: int, *_: object, each: int = each) -> list[range]:
            return [range(start, min(start + each, frames)) for start in range(0, frames, each)]

        monkeypatch.setattr(refinement, "chunks", parts)
        found.append(refine_mapping(trembling(uv), masks, ahead, behind))
    assert torch.allclose(*found, atol=1e-3 / SIDE)


def test_a_mapping_that_lags_for_many_frames_catches_up():
    uv, masks, ahead, behind = moving()
    lag = torch.linspace(0, 3, FRAMES)[:, None, None] * torch.tensor([1.0, 0.0])
    lagging = uv + lag[:, None] / SIDE  # by .43 px a frame, to the same side in all
    caught_up = refine_mapping(lagging, masks, ahead, behind)
    assert slides(caught_up, masks) < 0.5 * slides(lagging, masks)


def test_a_place_that_folds_does_not_hold_the_rest_of_its_frame_back():
    uv, masks, (ahead, valid), (behind, _) = moving()
    down = torch.arange(SIDE)[:, None].expand(SIDE, SIDE)
    torn = torch.where((down > 25) & (down < 29), -6.0, 0.0)  # a strip runs over what is above it
    ahead = ahead.clone()
    ahead[..., 1] += torn
    shaken = trembling(uv)
    rested = refine_mapping(shaken, masks, (ahead, valid), (behind, valid))
    upper = masks * (down < 20)
    assert slides(rested, upper) < 0.5 * slides(shaken, upper)


def missed(uv: torch.Tensor, masks: torch.Tensor, down: torch.Tensor) -> float:
    """Mean distance in px from where a flow has the places that goes by a pixel, and ``down``."""
    line = torch.arange(SIDE)
    rows = (line[:, None] + down).round().long().clamp(0, SIDE - 1)
    columns = (line + 1).clamp(max=SIDE - 1).expand(SIDE, SIDE)
    step = (uv[1:, rows, columns] - uv[:-1]).norm(dim=3) * SIDE
    return float(step[masks[:-1] > 0.5].mean())


def test_what_would_fold_moves_with_what_is_beside_it(monkeypatch):
    uv, masks, (ahead, valid), (behind, nothing) = moving()
    down = torch.arange(SIDE)[:, None].expand(SIDE, SIDE)
    torn = torch.where(down >= 20, 3.0, 0.0)  # half of it goes away from the rest
    ahead = ahead.clone()
    ahead[..., 1] += torn
    links = (ahead, valid), (behind, torch.zeros_like(nothing))
    stiffened = missed(refine_mapping(uv, masks, *links), masks, torn)
    monkeypatch.setattr(refinement, "STIFFER", 1.0)
    taken_back = missed(refine_mapping(uv, masks, *links), masks, torn)
    assert stiffened < 0.85 * taken_back


@pytest.mark.parametrize("times", [2, 3])
def test_large_frames_move_in_coarser_places(times):
    uv, masks, ahead, behind = moving()
    shaken = trembling(uv)
    side = times * refinement.COARSE_SIDE
    rested = refine_mapping(shaken, masks, ahead, behind, longest_side=side)
    assert slides(rested, masks) < 0.6 * slides(shaken, masks)
