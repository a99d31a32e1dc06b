"""The embedded encoder: a folder that plain open_clip loads, whole, small, as we use it."""

import json
import shutil

import open_clip
import pytest
import torch

from engine import identity
from engine.contract.events import EngineError, Fault
from engine.stylization import weight_files
from engine.stylization.encoder import load_encoder
from engine.workspace import Names

MOST_BYTES = 16_000_000


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded", "cpu")


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the folder, in place of the real one."""
    folder = tmp_path / "embedded"
    shutil.copytree(weight_files.EMBEDDED_FOLDER, folder)
    monkeypatch.setattr(weight_files, "EMBEDDED_FOLDER", folder)
    return folder


def test_plain_open_clip_loads_it_and_sees_and_reads_the_same(encoder):
    folder = weight_files.EMBEDDED_FOLDER
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(
        f"local-dir:{folder}", bpe_path=str(folder / weight_files.MERGES)
    )
    model.eval()
    images = torch.rand(3, 3, encoder.size, encoder.size)
    with torch.no_grad():
        plain = model.encode_image((images - encoder.mean) / encoder.deviation)
        texts = model.encode_text(tokenizer(["a zebra", "gold"]))
    found = encoder.embed_images(images)
    assert (found - plain).abs().max() < 1e-4 * plain.abs().max()
    assert torch.allclose(encoder.embed_texts(["a zebra", "gold"]), texts, atol=1e-5)
    assert found.shape[1] == texts.shape[1]
    normalise = preprocess.transforms[-1]
    assert torch.allclose(torch.as_tensor(normalise.mean), encoder.mean.flatten())


def test_a_folder_is_an_encoder_wherever_it_lies(encoder, copied):
    assert weight_files.at_hand(str(copied))
    other = load_encoder(str(copied), "cpu")
    assert torch.equal(other.embed_texts(["gold"]), encoder.embed_texts(["gold"]))
    whole = identity.of_encoder(str(copied), Names())
    (copied / weight_files.MERGES).write_bytes(b"others")
    assert identity.of_encoder(str(copied), Names()) != whole


def test_a_folder_without_a_model_is_refused(tmp_path):
    for ask in (weight_files.at_hand, lambda name: load_encoder(name, "cpu")):
        with pytest.raises(EngineError, match="holds no CLIP model") as caught:
            ask(str(tmp_path))
        assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE


def test_slopes_reach_the_picture(encoder):
    images = torch.rand(1, 3, encoder.size, encoder.size, requires_grad=True)
    encoder.embed_images(images)[0, 0].backward()
    assert images.grad.isfinite().all() and images.grad.abs().sum() > 0


def test_it_has_words_and_they_are_few_tokens(encoder):
    for text in ("zebra", "gold", "crocodile skin"):
        assert encoder.count_tokens(text) == 2 + len(text.split())


def test_it_is_small():
    assert weight_files.embedded_file().stat().st_size < MOST_BYTES
    facts = json.loads((weight_files.EMBEDDED_FOLDER / "facts.json").read_text(encoding="utf-8"))
    assert len(facts["sha256"]) == 64


def test_damaged_weights_are_refused(copied):
    file = copied / weight_files.EMBEDDED_WEIGHTS
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    with pytest.raises(EngineError, match="weights are damaged: sha256 is ") as caught:
        load_encoder("embedded", "cpu")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE
    assert "Install the extension again" in caught.value.hint


@pytest.mark.parametrize("name", ["facts.json", weight_files.EMBEDDED_WEIGHTS])
def test_an_incomplete_folder_is_refused(copied, name):
    (copied / name).unlink()
    with pytest.raises(EngineError, match="not complete") as caught:
        load_encoder("embedded", "cpu")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE


@pytest.mark.parametrize("name", ["open_clip_config.json", weight_files.MERGES])
def test_a_folder_without_what_open_clip_needs_is_refused(copied, name):
    (copied / name).unlink()
    with pytest.raises(EngineError) as caught:
        load_encoder("embedded", "cpu")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE
