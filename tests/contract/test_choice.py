"""Which encoder guides a job that leaves it open."""

import pytest

from engine.contract.job import TargetTexts
from engine.contract.words.choice import QUICK, choose_encoder, weights_in

KNOWN, UNKNOWN = TargetTexts("swan with zebra fur"), TargetTexts("swan with hippogriff feathers")


@pytest.mark.parametrize(
    ("named", "texts", "here", "encoder", "reason"),
    [
        ("automatic", [KNOWN], [], "embedded", "it knows every word"),
        ("automatic", [KNOWN], [QUICK], "embedded", "it knows every word"),
        ("automatic", [], [QUICK], "embedded", "it knows every word"),
        ("automatic", [KNOWN, UNKNOWN], [], "embedded", "is not on this computer"),
        ("automatic", [UNKNOWN], ["ViT-L-14:openai"], "embedded", "is not on this computer"),
        ("automatic", [KNOWN, UNKNOWN], [QUICK], QUICK, 'does not know "hippogriff"'),
        ("embedded", [UNKNOWN], [QUICK], "embedded", "as chosen"),
        ("ViT-L-14:openai", [KNOWN], [], "ViT-L-14:openai", "ViT-L-14:openai will look, as"),
    ],
)
def test_the_texts_and_the_weights_decide(named, texts, here, encoder, reason, tmp_path):
    for name in here:
        (tmp_path / name.replace(":", "--")).mkdir()
        (tmp_path / name.replace(":", "--") / "model.pt").write_bytes(b"")
    found = choose_encoder(named, texts, tmp_path)
    assert found.encoder == encoder
    assert reason in str(found.reason)


def test_weights_that_are_whole_are_named_as_in_the_settings(tmp_path):
    for name in ("ViT-B-32--openai/model.pt", "ViT-L-14--openai/model.pt.part", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert weights_in(tmp_path) == [QUICK]
    assert weights_in(tmp_path / "nowhere") == weights_in(None) == []
