"""On a GPU the fast decomposition is not to be held up by its host: few launches, fewer waits."""

from itertools import combinations

import numpy as np
import pytest
import torch

from engine.checkpoint import Checkpoint
from engine.contract.settings import DecompositionSettings, GridSettings
from engine.decomposition.grid import (
    chunks,
    equations,
    matches,
    refinement,
    registration,
    splines,
    textures,
)
from engine.decomposition.train import decompose
from tests.pretended import DEVICE, pretending, watching
from tests.synthetic import moving_sprite

FRAMES = 8
LATTICE = splines.Lattice(50, 40, 12)


@pytest.fixture
def few_iterations(monkeypatch):
    for module in (registration, refinement):
        monkeypatch.setattr(module, "ITERATIONS", 12)
        monkeypatch.setattr(module, "TOLERANCE", 0.0)


def matched(pairs):
    """A problem with more matches in later pairs."""
    random = np.random.default_rng(0)
    parts = []
    for number, (first, second) in enumerate(pairs):
        count = np.full(20 + 3 * number, 1)
        spots = random.uniform(5, 35, (len(count), 2))
        moved = spots + random.uniform(-2, 2, 2)
        parts.append(
            matches.Matches(first * count, second * count, spots, moved, np.ones(len(count)))
        )
    found = matches.join(parts)
    return equations.problem(found, found.end - found.start)


def solved(problem, device, rounds=(2, registration.ALL)):
    return registration.solve(
        problem,
        LATTICE,
        splines.stiffness(LATTICE, first=0.01, second=0.25, size=1e-4),
        start=torch.zeros(FRAMES, LATTICE.rows, LATTICE.columns, 2),
        reference=2,
        rounds=rounds,
        device=device,
        before_round=lambda: None,
    )


def test_a_solve_is_no_longer_told_for_more_pairs(few_iterations):
    neighbours = [(frame, frame + 1) for frame in range(FRAMES - 1)]
    costs = []
    for pairs in (neighbours, list(combinations(range(FRAMES), 2))):
        with pretending(), watching() as traffic:
            solved(matched(pairs), DEVICE)
        costs.append(traffic)
    assert costs[0].operations.total() == costs[1].operations.total()
    assert costs[0].waits == costs[1].waits
    assert costs[0].operations.total() < 2 * (12 * 25 + 100) + 100
    assert costs[0].waits.total() < 30


def test_chunks_change_nothing(monkeypatch):
    problem = matched(list(combinations(range(FRAMES), 2)))
    whole, misfit = solved(problem, torch.device("cpu"))
    monkeypatch.setattr(equations, "CHUNK_ON_PROCESSOR", 1)
    monkeypatch.setattr(equations, "POINTS", 50)
    parts, same = solved(problem, torch.device("cpu"))
    assert torch.allclose(whole, parts, atol=1e-4)
    assert misfit == pytest.approx(same, rel=1e-4)


def test_the_normal_equations_are_those_of_all_matches():
    pairs = [(0, 1), (0, 3), (2, 6), (6, 7)]
    problem = matched(pairs)
    located = equations.build_equations(problem, LATTICE, FRAMES, torch.device("cpu"))
    count = LATTICE.rows * LATTICE.columns
    dense = torch.zeros(len(problem.weight), FRAMES * count)
    frames = problem.pairs.repeat_interleave(torch.tensor(problem.bounds).diff(), 0)
    for sign, side, points in ((1, 0, problem.start), (-1, 1, problem.end)):
        basis = sign * LATTICE.basis(points)
        dense.scatter_add_(1, frames[:, side, None] * count + torch.arange(count), basis)
    kept = (torch.arange(FRAMES)[:, None] * count + located.active).flatten()
    dense = dense[:, kept]
    generator = torch.Generator().manual_seed(0)
    knots = torch.randn(FRAMES, 2, len(located.active), generator=generator)
    error = dense @ knots.mT.flatten(0, 1) - problem.offset
    assert torch.allclose(located.error(knots), error, atol=1e-4)
    weight = located.irls_weights(error)[:, None]
    energy = torch.eye(len(located.active))
    normal = registration._assemble(located, energy, knots, registration.ALL)
    expected = dense.T @ (weight * (dense @ knots.mT.flatten(0, 1))) + knots.mT.flatten(0, 1)
    assert torch.allclose(normal.times(knots).mT.flatten(0, 1), expected, rtol=1e-3, atol=1e-3)
    right = dense.T @ (weight * problem.offset)
    assert torch.allclose(normal.right.mT.flatten(0, 1), right, rtol=1e-3, atol=1e-3)


def test_a_round_without_pairs_leaves_what_is_stiff():
    knots, _ = solved(matched([(0, 5), (2, 7)]), torch.device("cpu"), rounds=(2,))
    assert torch.equal(knots, torch.zeros_like(knots))


class Silence:
    """A report that nobody reads."""

    def progress(self, step, total, terms=None):
        pass

    def preview(self, name, image):
        pass

    def stopping(self):
        return False


def decomposed(folder, *, frames, steps, device):
    torch.set_num_threads(1)
    footage = moving_sprite(frames=frames, width=72, height=48)
    settings = DecompositionSettings(grid=GridSettings(steps=steps, atlas_size=32))
    path = folder / f"{device.type}-{frames}-{steps}.pt"
    return decompose(
        footage.frames, footage.flow, footage.given_masks(), settings, device=device, seed=0,
        report=Silence(), checkpoint=Checkpoint(path, seconds=1e9),  # saving would wait
    )  # fmt: skip


def cost(folder, *, frames, steps):
    with pretending(), watching() as traffic:
        decomposed(folder, frames=frames, steps=steps, device=DEVICE)
    return traffic


def test_several_frames_at_a_time_give_what_each_gives_by_itself(tmp_path, monkeypatch):
    for module in (chunks, textures):
        monkeypatch.setattr(module, "PIXELS", 3 * 72 * 48)  # chunks of 3 and 2 frames
    one = decomposed(tmp_path, frames=5, steps=2, device=torch.device("cpu"))
    with pretending():
        several = decomposed(tmp_path, frames=5, steps=2, device=DEVICE)
    for name in ("uv", "alpha", "foreground", "background", "atlas", "coverage", "uv_background"):
        ours, theirs = (getattr(each, name).float() for each in (one, several))
        if name == "coverage":  # rounding decides whether a texel at the rim is seen or not
            assert ((ours - theirs).abs() > 5e-3).sum() <= 1
        else:
            assert torch.allclose(ours, theirs, atol=5e-3), name


def test_a_step_of_the_polish_waits_for_nothing(tmp_path):
    fewer, more = (cost(tmp_path, frames=4, steps=steps) for steps in (2, 6))
    assert fewer.waits == more.waits
    assert more.operations.total() - fewer.operations.total() < 4 * 450


def test_more_frames_hold_up_nothing_but_the_polish(tmp_path, few_iterations):
    fewer, more = (cost(tmp_path, frames=frames, steps=1) for frames in (4, 8))
    assert more.waits.total() == fewer.waits.total()
    assert more.operations.total() - fewer.operations.total() < 4 * 25
