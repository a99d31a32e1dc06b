"""Pages that are made from the code are as the code is now; links lead somewhere; all is short."""

import re
from pathlib import Path

import pytest

from engine.contract import remedies, settings_table
from engine.contract.events import Fault

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *ROOT.glob("*.md"),
    *(page for room in ("docs", "engine", "training", "benchmarks", "examples", "tests")
      for page in (ROOT / room).rglob("*.md")),
]  # fmt: skip
MOST_WORDS = 35_000  # of all that users and developers are asked to read


def test_the_page_of_settings_is_true():
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_table.markdown()


def test_the_page_of_remedies_is_true():
    assert (DOCS / "remedies.md").read_text(encoding="utf-8") == remedies.markdown()


def test_all_pages_together_are_short():
    rooms = [*DOCS.rglob("*.md"), *(ROOT / "training").rglob("*.md")]
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *rooms]
    words = sum(len(page.read_text(encoding="utf-8").split()) for page in pages)
    assert words <= MOST_WORDS


def test_every_fault_has_a_remedy():
    assert set(remedies.REMEDIES) == set(Fault)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [each for each in targets if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_heading_leads_to_one(page):
    links = re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
    assert [each for each in links if each[1] not in headings(page.parent / each[0], page)] == []


def headings(target, page):
    """Anchors of the headings of a page, as they are linked to."""
    text = (page if target.is_dir() else target).read_text(encoding="utf-8")
    titles = (re.sub(r"[^\w\- ]", "", line.lower()) for line in re.findall("^#+ (.*)", text, re.M))
    return {title.replace(" ", "-") for title in titles}
