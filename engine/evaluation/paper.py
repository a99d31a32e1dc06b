"""The texts of the paper's figures, for each object that it shows, and how others replace them.

Loeschcke, Belongie, Benaim 2022. Quoted from it: cactus skin, crocodile skin, zebra fur, dark
walnut wood and the levels of armor. The others say in words of ours what the figure shows, for its
caption was not at hand; ``--texts`` replaces any of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..contract.events import EngineError, Fault
from ..contract.job import TargetTexts

ARMOR = (
    "armor",
    "iron armor",
    "medieval iron armor",
    "suit of shiny medieval iron armor",
    "full plate shiny medieval iron armor",
)


@dataclass(frozen=True)
class Style:
    """One pair of texts; ``{thing}`` in the global one is the object. ``material`` is what a
    classifier should name.

    ``name``, with ``{thing}`` too, is what tables call it: its global text where it is empty.
    """

    global_text: str
    local_text: str
    material: str
    name: str = ""

    def texts(self, thing: str) -> TargetTexts:
        """Return the texts of ``thing``; a sentence begins with a capital letter."""
        whole = self.global_text.format(thing=thing)
        return TargetTexts(whole[:1].upper() + whole[1:], self.local_text)

    def name_in_tables(self, thing: str) -> str:
        """Return its name in tables."""
        return self.name.format(thing=thing) or self.texts(thing).global_text


CACTUS = Style("{thing} with cactus skin", "cactus skin", "cactus")
CROCODILE = Style("{thing} with crocodile skin", "crocodile skin", "crocodile")
ZEBRA = Style("{thing} with zebra fur", "zebra fur", "zebra fur")
METAL = Style("shiny metal {thing}", "shiny metal", "silver")
ALUMINUM = Style("shiny aluminum fishing {thing}", "shiny aluminum", "silver")
WALNUT = Style("{thing} made of dark walnut wood", "dark walnut wood", "walnut")

# Fig. 1 and 4, by object. Others get all styles that are no boat's.
EXAMPLES: Mapping[str, tuple[Style, ...]] = {
    "swan": (METAL, CACTUS, CROCODILE),
    "boat": (ALUMINUM, WALNUT),
    "dog": (ZEBRA,),
}
OTHER_EXAMPLES = (METAL, CACTUS, CROCODILE, ZEBRA)

# Fig. 5: the same thing said more and more exactly. Others wear the swan's armor.
IN_ARMOR = tuple(Style(f"{{thing}} with {each}", each, "iron armor", each) for each in ARMOR)
LEVELS: Mapping[str, tuple[Style, ...]] = {
    "boat": (
        Style("{thing} made of wood", "wood", "wood"),
        WALNUT,
        Style("fishing {thing} made of dark walnut wood", "dark walnut wood", "walnut"),
        Style("old fishing {thing} made of dark walnut wood", "dark walnut wood", "walnut"),
        Style(
            "realistic old fishing {thing} made of dark walnut wood", "dark walnut wood", "walnut"
        ),
    ),
}

# Fig. 6 and 7: the one style whose prefixes and terms are varied.
VARIED: Mapping[str, Style] = {"swan": CACTUS, "boat": WALNUT, "dog": ZEBRA}

# Fig. 8: the local text varied beside one global text, then the global text beside one local text.
LOCAL_WORDINGS = ("cactus", "cactus skin", "rough cactus texture")
GLOBAL_WORDINGS = ("{thing}", "{thing} with cactus skin", "{thing} made out of cactus")
WORDINGS = (
    *(replace(CACTUS, local_text=each, name=f"local: {each}") for each in LOCAL_WORDINGS),
    *(replace(CACTUS, global_text=each, name=f"global: {each}") for each in GLOBAL_WORDINGS),
)


def of_object(texts: Mapping[str, Any], thing: str, otherwise: Any) -> Any:
    """Return what ``texts`` has for ``thing``: "a black swan" is a swan."""
    return texts.get((thing.lower().split() or [""])[-1], otherwise)


def styles(experiment: str, thing: str) -> tuple[Style, ...]:
    """Return the paper's styles of ``experiment`` (examples, specificity or wording)."""
    if experiment == "examples":
        return of_object(EXAMPLES, thing, OTHER_EXAMPLES)
    return of_object(LEVELS, thing, IN_ARMOR) if experiment == "specificity" else WORDINGS


REPLACED = ("examples", "specificity", "wording")  # what `read_styles` may replace
FORM = (
    '{"examples": [{"global_text": "Swan with cactus skin", "local_text": "cactus skin", '
    '"material": "cactus"}]}, where material may be left out'
)


def read_styles(path: Path) -> dict[str, tuple[Style, ...]]:
    """Read the styles of ``--texts``, by experiment. Raises EngineError (BAD_JOB)."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _refusal(path, f"cannot be read: {error}") from error
    if not isinstance(data, dict) or not data or not set(data) <= set(REPLACED):
        raise _refusal(path, f"holds no object with {', '.join(REPLACED)} alone")
    return {name: tuple(_read(path, name, entries)) for name, entries in data.items()}


def _read(path: Path, experiment: str, entries: Any) -> Sequence[Style]:
    if not isinstance(entries, list) or not entries:
        raise _refusal(path, f"holds no list of texts for {experiment}")
    found = []
    for entry in entries:
        known = {"global_text", "local_text", "material", "name"}
        whole = isinstance(entry, dict) and {"global_text"} <= set(entry) <= known
        if not whole or not all(isinstance(value, str) for value in entry.values()):
            raise _refusal(path, f"has {json.dumps(entry)} in {experiment}, which is no style")
        whole_text, local = entry["global_text"], entry.get("local_text", "")
        material = entry.get("material") or local or whole_text
        found.append(Style(_plain(whole_text), local, material, _plain(entry.get("name", ""))))
    return found


def _plain(text: str) -> str:
    """Return ``text`` so that `str.format` gives it back as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def _refusal(path: Path, what: str) -> EngineError:
    return EngineError(Fault.BAD_JOB, f"The texts {path}: the file {what}.", f"Write {FORM}.")
