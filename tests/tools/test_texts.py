"""What the extension says is found in its sources, and German says all of it."""

import json
import re

import pytest

from tools import texts

LOCALES = sorted(path.stem for path in (texts.ROOT / "languages").glob("*.json"))


@pytest.fixture(scope="module")
def found():
    return texts.found()


def test_german_is_there():
    assert "de_DE" in LOCALES


@pytest.mark.parametrize("locale", LOCALES)
def test_a_language_says_all_that_is_said_and_nothing_else(locale, found):
    held = texts.language(locale)
    assert list(texts.missing(locale)) == []
    assert sorted(set(held) - found.all) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_filled_in_stays_as_it_is(locale):
    for text, other in texts.language(locale).items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", other)), text
        assert other == other.strip() and not other.endswith("."), text


def test_texts_of_every_kind_are_found(found):
    assert {"Stylize Strip", "Found By", "As Displayed", "Separating Layers"} <= found.labels
    assert {"{count} under way", "Stays as It Is", "Retry Smaller", "OpenEXR"} <= found.labels
    assert "Text: what the object becomes" in found.labels
    assert {"Stop this job; it keeps its last checkpoint", "There is no paused job"} <= found.hints
    assert "Select a stylized strip whose source is in this file" in found.hints
    assert "Optimiser steps" in found.helps and "Optimiser steps" not in found.hints
    assert not any(text.startswith("strip_stylizer") for text in found.all)


def test_a_new_language_gets_a_file_to_fill(found, tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "ROOT", tmp_path)
    monkeypatch.setattr(texts, "found", lambda: found)
    texts.fill("xx_XX")
    held = json.loads((tmp_path / "languages" / "xx_XX.json").read_text())
    assert set(held) == found.all and set(held.values()) == {""}
    assert len(list(texts.missing("xx_XX"))) == len(found.all)
