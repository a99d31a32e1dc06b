from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.contract.job import TargetTexts
from engine.contract.settings import EMBEDDED, StylizationSettings
from engine.stylization.encoder import load_encoder
from engine.stylization.picture import read_picture
from engine.stylization.targets import embed_targets
from engine.video.images import write_png

SETTINGS = StylizationSettings(global_prefixes=8, local_prefixes=4)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "look.png"
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    write_png(path, noise)
    return str(path)


def drawn(texts, encoder, settings=SETTINGS):
    targets = embed_targets(texts, encoder, settings)
    return targets, targets.draw(torch.Generator().manual_seed(0))


def test_both_texts_are_embedded_behind_all_their_prefixes(encoder):
    targets, (whole, _) = drawn(TargetTexts("a swan made of gold", "gold"), encoder)
    assert targets.global_texts.shape == (8, 24) and targets.local_texts.shape == (4, 24)
    assert any(torch.equal(whole, row) for row in targets.global_texts)


def test_without_prefixes_each_text_is_one_direction(encoder):
    settings = replace(SETTINGS, global_prefixes=0, local_prefixes=8)
    targets, _ = drawn(TargetTexts("gold"), encoder, settings)
    assert len(targets.global_texts) == 1 and len(targets.local_texts) == 8


def test_a_picture_alone_is_the_target_and_no_text_counts(encoder, picture):
    targets, (whole, close) = drawn(TargetTexts(picture=picture, picture_share=0.2), encoder)
    assert targets.global_texts is None
    assert torch.equal(whole, targets.picture[0])
    assert torch.equal(close, targets.picture[1])


@pytest.mark.parametrize(("share", "nearer"), [(0.9, "picture"), (0.1, "text")])
def test_a_picture_counts_by_its_share_beside_a_text(encoder, picture, share, nearer):
    texts = TargetTexts("gold", picture=picture, picture_share=share)
    settings = replace(SETTINGS, global_prefixes=0)
    targets, (whole, _) = drawn(texts, encoder, settings)
    sources = {"text": targets.global_texts[0], "picture": targets.picture[0]}
    likeness = {name: float(whole @ each) for name, each in sources.items()}
    assert max(likeness, key=likeness.get) == nearer


def test_another_picture_gives_another_target(encoder, picture, tmp_path):
    plain = tmp_path / "plain.png"
    write_png(plain, np.full((30, 30, 3), (200, 30, 30), np.uint8))
    one, other = (
        embed_targets(TargetTexts(picture=str(path)), encoder, SETTINGS).picture
        for path in (picture, plain)
    )
    assert not torch.allclose(one, other, atol=1e-4)


def test_what_to_avoid_is_embedded_where_it_is_given(encoder):
    assert embed_targets(TargetTexts("gold"), encoder, SETTINGS).avoid is None
    targets = embed_targets(TargetTexts("gold", avoid="stone"), encoder, SETTINGS)
    assert targets.avoid.shape == (4, 24)


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_picture_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "look.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match="cannot be read") as caught:
        read_picture(str(path))
    assert caught.value.fault is Fault.MEDIA_UNREADABLE


def test_a_picture_of_a_few_pixels_is_told(tmp_path):
    write_png(tmp_path / "dot.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(EngineError, match="4 x 4 pixels"):
        read_picture(str(tmp_path / "dot.png"))


def test_the_embedded_encoder_avoids_surroundings_that_a_text_leans_to(encoder, monkeypatch):
    zebra = TargetTexts("a swan with zebra fur", "zebra fur")
    embedded = replace(SETTINGS, encoder=EMBEDDED)
    monkeypatch.setattr("engine.stylization.targets.LEANING", -1.0)
    grass = embed_targets(zebra, encoder, embedded).avoid
    wanted = embed_targets(TargetTexts("gold", avoid="grass"), encoder, SETTINGS).avoid
    assert torch.equal(grass, wanted)
    both = embed_targets(replace(zebra, avoid="stone"), encoder, embedded).avoid
    assert both.shape == (8, 24) and torch.equal(both[4:], grass)
    off = replace(embedded, avoid_surroundings=False)
    assert embed_targets(zebra, encoder, off).avoid is None
    assert embed_targets(zebra, encoder, SETTINGS).avoid is None  # another encoder
    monkeypatch.setattr("engine.stylization.targets.LEANING", 1.0)
    assert embed_targets(zebra, encoder, embedded).avoid is None


def test_zebra_fur_leans_to_grass_and_a_leopards_does_not():
    encoder = load_encoder("embedded", "cpu")
    embedded = replace(SETTINGS, encoder=EMBEDDED)
    for fur, avoided in (("zebra", True), ("leopard", False)):
        texts = TargetTexts(f"swan with {fur} fur", f"{fur} fur")
        assert (embed_targets(texts, encoder, embedded).avoid is not None) == avoided
