"""Pages that are made from the code are as the code is now."""

from pathlib import Path

from engine.contract import remedies, settings_table
from engine.contract.events import Fault

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_of_settings_is_true():
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_table.markdown()


def test_the_page_of_remedies_is_true():
    assert (DOCS / "remedies.md").read_text(encoding="utf-8") == remedies.markdown()


def test_every_fault_has_a_remedy():
    assert set(remedies.REMEDIES) == set(Fault)
