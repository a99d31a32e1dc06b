"""The self-test passes a trained encoder and fails weights that merely load."""

import json

import pytest
import torch

from engine.__main__ import main
from engine.contract import variables
from engine.stylization import self_test
from engine.stylization.encoder import load_encoder
from tests.stylization import hosted


@pytest.fixture(scope="module")
def embedded():
    return load_encoder("embedded", "cpu")


def test_the_embedded_encoder_sees(embedded):
    found = self_test.run_self_test(embedded)
    assert found.passed and found.named >= 10
    assert found.sentence.startswith(f"sees: it names {found.named} of 12 simple pictures")


def test_random_weights_do_not_see(encoder):
    found = self_test.run_self_test(encoder)
    assert not found.passed and found.gradient_ascends and found.named < self_test.ENOUGH
    assert "does not see" in found.sentence and "download them again" in found.sentence


@pytest.mark.parametrize("damage", ["mixed", "nothing", "not a number"])
def test_damaged_weights_do_not_see(damage):
    encoder = load_encoder("embedded", "cpu")
    generator = torch.Generator().manual_seed(0)
    for tensor in encoder.lean_tower.state_dict().values():
        if damage == "mixed" and tensor.is_floating_point():
            order = torch.randperm(tensor.numel(), generator=generator)
            tensor.copy_(tensor.flatten()[order].reshape(tensor.shape))
        elif tensor.is_floating_point():
            tensor.fill_(0.0 if damage == "nothing" else torch.nan)
    assert not self_test.run_self_test(encoder).passed


def test_an_encoder_without_a_gradient_does_not_guide(embedded, monkeypatch):
    embed_images = embedded.embed_images
    monkeypatch.setattr(
        embedded, "embed_images", lambda images: embed_images(images.detach()) + 0 * images.sum()
    )
    found = self_test.run_self_test(embedded)
    assert found.named >= self_test.ENOUGH and not found.gradient_ascends and not found.passed
    assert "does not guide" in found.sentence


@pytest.mark.parametrize("size", [32, 64, 224])
def test_there_are_enough_pictures_and_all_differ(size):
    drawn = [draw(size) for draw in self_test.PICTURES.values()]
    assert len(drawn) >= 10 and all(picture.shape == (3, size, size) for picture in drawn)
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in drawn)
    far = [(a - b).abs().mean() for i, a in enumerate(drawn) for b in drawn[:i]]
    assert min(far) > 0.03


def test_check_says_what_was_seen(monkeypatch, tmp_path, capsys):
    hosted.shrink("ViT-B-32", monkeypatch)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    made = hosted.network("ViT-B-32", "openai")
    there = hosted.save(made, "archive", tmp_path / "ViT-B-32--openai")
    page = tmp_path / "page.pt"
    page.write_text("<html>")
    main(["check", "--json", "--encoder", f"RN50:{page}"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["weights"]["embedded"] == facts["weights"]["ViT-B-32:openai"] == "ready"
    assert facts["weights"]["ViT-L-14:openai"] == "not downloaded"
    assert "web page" in facts["weights"][f"RN50:{page}"]
    assert set(facts["eyesight"]) == {"embedded", "ViT-B-32:openai"}
    assert facts["eyesight"]["embedded"].startswith("sees")
    assert facts["eyesight"]["ViT-B-32:openai"].startswith("does not see")
    assert there.is_file()


def test_weights_that_look_whole_and_do_not_load_are_not_ready(monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    hosted.shrink("RN50", monkeypatch)
    path = hosted.save(hosted.network("RN50", "openai"), "bin", tmp_path)
    name = f"ViT-B-32:{path}"
    weights, sentences = self_test.run_self_tests({name: "ready"}, torch.device("cpu"))
    assert "another network's weights" in weights[name] and not sentences
