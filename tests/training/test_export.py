"""The student as a folder that plain open_clip loads: the same embeddings, text tower and all."""

import hashlib
import json
from types import SimpleNamespace
from typing import Any

import open_clip
import pytest
import timm
import torch
from torch.nn import functional

from engine.stylization.vision import fold_normalisations
from training import export, tokens
from training.base import DEVIATION, MEAN
from training.captions import Captions
from training.directions import Directions
from training.robust import Student
from training.scenes import SIDE
from training.text import TextSettings, train_text

TEXT = TextSettings(steps=30, batch=24, warm_up=5, merges=400, width=60, rate=3e-3)
BASE = "tf_efficientnet_lite0"


def base() -> Any:
    """The base network with random weights, its normalisations not the identity."""
    torch.manual_seed(0)
    network = timm.create_model(BASE).eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if "bn" in name and tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand_like(tensor))
    return network


@pytest.fixture(scope="module")
def seeing() -> Any:
    """A student that sees by the base network and whose directions are drawn at random."""
    network = base()
    fold_normalisations(network)
    torch.manual_seed(1)
    made = SimpleNamespace(network=network, centre=0.1 * torch.randn(network.num_features))
    made.features = lambda pictures: Student.features(made, pictures)  # type: ignore[arg-type]
    return made


@pytest.fixture(scope="module")
def axes(seeing) -> torch.Tensor:
    torch.manual_seed(2)
    return torch.linalg.qr(torch.randn(seeing.network.num_features, TEXT.width)).Q.T.contiguous()


@pytest.fixture(scope="module")
def begun(seeing, axes, vocabulary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    model, tokenizer = export.begin(seeing, axes, vocabulary, TEXT, folder)
    return SimpleNamespace(model=model.eval(), tokenizer=tokenizer, folder=folder)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def test_a_network_that_was_folded_gives_the_same_features_unfolded(pictures):
    original, folded = base(), base()
    fold_normalisations(folded)
    torch.manual_seed(5)
    empty = timm.create_model(BASE).eval()
    with torch.no_grad():
        export._unfold(folded, empty)
        before, between, after = (
            each.forward_features(pictures) for each in (original, folded, empty)
        )
    size = float(before.abs().max())
    assert before.std() > 0.01 * size
    for found in (between, after):
        assert (found - before).abs().max() < 1e-3 * size


def test_the_image_tower_gives_centred_features_along_the_axes(begun, seeing, axes, pictures):
    with torch.no_grad():
        found = begun.model.encode_image((pictures - MEAN) / DEVIATION)
        expected = (seeing.features(pictures) - seeing.centre) @ axes.T
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()


def test_the_tokenizer_reads_the_folders_own_merges(begun):
    read = begun.tokenizer(["zebra fur"])
    assert read.shape == (1, TEXT.context)
    size = begun.model.token_embedding.weight.shape[0]
    assert int(read.max()) < size == 512 + TEXT.merges + tokens.SPECIAL


def test_what_is_written_is_loaded_by_plain_open_clip(begun, pictures):
    checksum = export.write(begun.model, begun.folder, {"made": "for a test"})
    facts = json.loads((begun.folder / "facts.json").read_text(encoding="utf-8"))
    file = begun.folder / export.WEIGHTS
    assert facts == {"sha256": checksum, "made": "for a test"}
    assert hashlib.sha256(file.read_bytes()).hexdigest() == checksum
    assert not list(begun.folder.glob("*.part"))
    loaded = open_clip.create_model(f"local-dir:{begun.folder}").eval()
    texts = begun.tokenizer(["a swan with zebra fur"])
    with torch.no_grad():
        for one, other in (
            (begun.model.encode_image(pictures), loaded.encode_image(pictures)),
            (begun.model.encode_text(texts), loaded.encode_text(texts)),
        ):
            assert functional.cosine_similarity(one, other).min() > 0.999


def test_the_texts_of_all_captions_are_counted(vocabulary):
    counts = export.word_counts(vocabulary)
    assert counts["zebra"] > 0 and counts["texture"] > counts["doggy"] > 0
    assert not any("{" in word for word in counts)


def test_the_text_tower_learns_where_concepts_lie_and_the_image_tower_stays(
    begun, student, vocabulary
):
    directions = Directions(student, vocabulary)
    axes = directions.axes(TEXT.width)
    held = [Captions(vocabulary, directions, seed=9).draw() for _ in range(60)]
    wanted = functional.normalize(torch.stack([each.direction for each in held]) @ axes.T, dim=1)

    def agreement() -> float:
        with torch.no_grad():
            found = begun.model.encode_text(begun.tokenizer([each.text for each in held]))
        return float(functional.cosine_similarity(found, wanted).mean())

    seen = {name: each.clone() for name, each in begun.model.visual.state_dict().items()}
    before = agreement()
    train_text(begun.model, begun.tokenizer, Captions(vocabulary, directions, 1), axes, TEXT)
    assert agreement() > before + 0.1
    assert all(torch.equal(seen[name], each)
               for name, each in begun.model.visual.state_dict().items())  # fmt: skip
    assert not any(each.requires_grad for each in begun.model.parameters())
