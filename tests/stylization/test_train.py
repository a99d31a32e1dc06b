from dataclasses import fields, replace

import pytest
import torch

from engine.checkpoint import Checkpoint
from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationWeights
from engine.contract.words.concepts import load_vocabulary
from engine.decomposition.layers import sample_atlas
from engine.decomposition.model import AtlasNetwork
from engine.stylization import network
from engine.stylization.atlas_files import load_atlas
from engine.stylization.encoder import load_encoder
from engine.stylization.network import NetworkAtlas
from engine.stylization.progress import progress_of
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import LearnedTexture, TextureAtlas
from engine.stylization.train import stylize

TEXTS = TargetTexts("a swan with zebra fur", "zebra fur")


def run(layers, settings, checkpoint, listener, seed=0, texts=TEXTS):
    frames = (layers.reconstruction() * 255).round().byte()
    return stylize(
        layers, frames, texts, settings,
        encoder=load_encoder(settings.encoder, "cpu"), device="cpu", seed=seed,
        report=listener, checkpoint=checkpoint,
    )  # fmt: skip


def as_network(settings, layers, **changes):
    """The paper's form, with a small network that the decomposition gives."""
    torch.manual_seed(0)
    given = AtlasNetwork(width=16, depth=3, frequencies=3, skips=(1,)).state_dict()
    return replace(settings, atlas="network", **changes), replace(layers, atlas_network=given)


def same(one, other) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_stylization_gives_an_atlas_and_says_what_it_does(layers, settings, checkpoint, listener):
    atlas = run(layers, settings, checkpoint, listener)
    assert isinstance(atlas, TextureAtlas)
    assert listener.steps == [1, 2, 3, 4, 5, 6]
    assert set(listener.terms[0]) <= {item.name for item in fields(StylizationWeights)}
    assert listener.pictures["frame"].shape == (40, 56, 3)
    assert listener.pictures["stylized_atlas"].dtype.name == "uint8"


def test_a_step_leaves_the_decomposition_bit_identical(layers, settings, checkpoint, listener):
    before = {name: tensor.clone() for name, tensor in layers.tensors().items()}
    settings, layers = as_network(settings, layers, steps=1)
    given = {name: tensor.clone() for name, tensor in layers.atlas_network.items()}
    atlas = run(layers, settings, checkpoint, listener)
    assert all(torch.equal(getattr(layers, name), tensor) for name, tensor in before.items())
    assert all(torch.equal(layers.atlas_network[name], given[name]) for name in given)
    assert isinstance(atlas, NetworkAtlas)
    assert not torch.equal(atlas.network.linears[0].weight, given["linears.0.weight"])


def test_the_background_of_a_preview_is_the_frame(layers, settings, checkpoint, listener):
    run(layers, settings, checkpoint, listener)
    frame = (layers.reconstruction()[2] * 255).round().byte()
    outside = layers.alpha[2] < 0.005
    shown = torch.from_numpy(listener.pictures["frame"].copy())
    assert torch.equal(shown[outside], frame[outside])


@pytest.mark.parametrize("form", ["texture", "network"])
def test_a_resumed_stylization_equals_an_uninterrupted_one(
    form, layers, settings, tmp_path, make_listener
):
    if form == "network":
        settings, layers = as_network(settings, layers)
    whole = run(layers, settings, Checkpoint(tmp_path / "whole.pt", seconds=1e9), make_listener())
    parted = Checkpoint(tmp_path / "parted.pt", seconds=1e9)
    with pytest.raises(Stopped):
        run(layers, settings, parted, make_listener(stop_after=2))
    torch.manual_seed(99)
    rest = make_listener()
    assert same(whole, run(layers, settings, parted, rest))
    assert rest.steps[0] == progress_of(settings, rest).ahead + 3


def test_a_checkpoint_that_is_due_is_written(layers, settings, tmp_path, listener):
    checkpoint = Checkpoint(tmp_path / "state.pt", seconds=0)
    run(layers, settings, checkpoint, listener)
    assert checkpoint.load()["course"]["step"] == 6


def test_snapshots_lie_below_their_candidate(layers, settings, checkpoint, listener):
    atlas = run(layers, settings, checkpoint, listener)
    folder = checkpoint.path.parent / "candidates/1/snapshots"
    assert sorted(path.name for path in folder.iterdir()) == ["000003", "000006"]
    assert same(atlas, load_atlas(folder / "000006"))


def test_the_seed_decides(layers, settings, tmp_path, make_listener):
    runs = [
        run(layers, settings, Checkpoint(tmp_path / f"{i}.pt"), make_listener(), seed=seed)
        for i, seed in enumerate((1, 1, 2))
    ]
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_two_frames_are_enough(make_disc, settings, checkpoint, listener):
    run(make_disc(frames=2), settings, checkpoint, listener)
    assert listener.terms[0]["temporal"] == 0


def test_a_loss_that_is_no_number_ends_the_stylization(layers, settings, checkpoint, listener):
    settings, layers = as_network(settings, layers)
    layers.atlas_network["linears.0.weight"].fill_(float("nan"))
    with pytest.raises(EngineError) as caught:
        run(layers, settings, checkpoint, listener)
    assert caught.value.fault is Fault.DIVERGED


def test_an_engine_without_a_network_has_its_atlas_distilled(layers, checkpoint, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    monkeypatch.setattr(network, "POINTS", 512)
    statistics = ShadingStatistics(level=0.3, side=0.6)
    atlas = NetworkAtlas(network.initial_network(layers, generator), statistics)
    network.fit(atlas, layers, steps=60, generator=generator, checkpoint=checkpoint)
    uv = 0.2 + 0.6 * torch.rand(200, 2)
    with torch.no_grad():
        error = (atlas.albedo(uv) - sample_atlas(layers.atlas, uv)).abs().mean()
    assert error < 0.08


class Silent:
    """A report that remembers nothing, and asks for a stop when so many steps are said."""

    def __init__(self, stop_after=None):
        self.stop_after, self.said = stop_after, -1

    def progress(self, step, total, terms=None):
        self.said += 1

    def preview(self, name, image):
        pass

    def warning(self, message, hint=""):
        pass

    def stopping(self):
        return self.stop_after is not None and self.said >= self.stop_after


class Killed(BaseException):
    """What ends a training in the tests at once, as a signal would."""


def killed_at_each_save(checkpoint, monkeypatch, train):
    """Return what ``train(checkpoint)`` gives at last, and how often it was killed by then.

    It is killed as soon as it has saved anything, and goes on from there.
    """
    kills = 0
    while True:
        again = Checkpoint(checkpoint.path, seconds=0)
        for kept in (again, again.partial):
            monkeypatch.setattr(kept, "save", killing(kept.save))
        try:
            return train(again), kills
        except Killed:
            kills += 1
            assert kills < 200


def killing(save):
    def saved_and_killed(*state):
        save(*state)
        raise Killed

    return saved_and_killed


def test_a_fit_that_is_killed_goes_on_with_the_same_bits(layers, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "POINTS", 64)
    settings = replace(settings, atlas="network", steps=3, distillation_steps=5)
    (tmp_path / "whole").mkdir()
    whole = run(layers, settings, Checkpoint(tmp_path / "whole" / "c.pt"), Silent())
    resumed, kills = killed_at_each_save(
        Checkpoint(tmp_path / "c.pt"), monkeypatch,
        lambda checkpoint: run(layers, settings, checkpoint, Silent()),
    )  # fmt: skip
    assert kills == 5 + 1 + 3
    assert same(whole, resumed)


def test_a_stop_in_the_fit_loses_nothing(layers, settings, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "POINTS", 64)
    settings = replace(settings, atlas="network", steps=2, distillation_steps=5)
    (tmp_path / "whole").mkdir()
    whole = run(layers, settings, Checkpoint(tmp_path / "whole" / "c.pt"), Silent())
    with pytest.raises(Stopped):
        run(layers, settings, checkpoint, Silent(stop_after=0))
    assert checkpoint.load()["fit"]["step"] == 2
    assert same(whole, run(layers, settings, checkpoint, Silent()))


def test_where_the_colour_is_known_it_is_begun_with(layers, settings, checkpoint, monkeypatch):
    begun = []
    monkeypatch.setattr(LearnedTexture, "begin_with", lambda _, colour: begun.append(colour))
    gold = TargetTexts("a swan made of gold", "gold")
    run(layers, replace(settings, steps=1), checkpoint, Silent(), texts=gold)
    assert begun == [load_vocabulary().mean_colours["gold"]]


def test_the_choice_of_a_colour_that_is_killed_goes_on(layers, settings, tmp_path, monkeypatch):
    settings = replace(settings, steps=2, candidates=2)
    knit = TargetTexts("a knitted swan", "knitted wool")  # wool has no colour of its own
    (tmp_path / "whole").mkdir()
    whole = run(layers, settings, Checkpoint(tmp_path / "whole" / "c.pt"), Silent(), texts=knit)
    resumed, kills = killed_at_each_save(
        Checkpoint(tmp_path / "c.pt"), monkeypatch,
        lambda checkpoint: run(layers, settings, checkpoint, Silent(), texts=knit),
    )  # fmt: skip
    assert kills == 27 + 1 + 2 * 2
    assert same(whole, resumed)


@pytest.mark.parametrize(
    "changes",
    [
        {"views": {"hard_removal": True, "native_size": True}},
        {"sparsity_everywhere": True, "sparsity_norm": "plain", "temporal_literal": True},
    ],
)
def test_the_papers_other_readings_can_be_trained(changes, layers, settings, checkpoint, listener):
    views = replace(settings.views, **changes.get("views", {}))
    plain = {name: value for name, value in changes.items() if name != "views"}
    run(layers, replace(settings, views=views, steps=2, **plain), checkpoint, listener)
    assert listener.steps == [1, 2]


def test_views_in_portions_give_the_same_atlas(layers, settings, tmp_path, make_listener):
    settings, layers = as_network(settings, layers, steps=2)
    found = [
        run(layers, replace(settings, views_at_once=count), Checkpoint(tmp_path / f"{count}.pt"),
            make_listener()).state_dict()
        for count in (0, 2)
    ]  # fmt: skip
    for name, tensor in found[0].items():
        assert torch.allclose(tensor, found[1][name], atol=2e-5), name
