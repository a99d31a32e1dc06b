"""What the embedded encoder was taught, so that a text beyond it can be told to the user.

Knows words, not embeddings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Words that carry no look: nothing is lost where the encoder does not know them.
FILLING = frozenset(
    (
        *("a", "an", "the", "of", "with", "in", "on", "and", "from", "by", "its", "all", "over"),
        *("made", "out", "covered", "like", "look", "looking", "has", "have", "having", "style"),
        *("texture", "textured", "surface", "material", "pattern", "patterned", "skin", "fur"),
        *("close", "up", "photo", "picture", "image"),
    )
)


@dataclass(frozen=True)
class Vocabulary:
    """Known materials with the words for each, known colours, known objects."""

    materials: Mapping[str, tuple[str, ...]]
    colours: frozenset[str]
    objects: frozenset[str]

    def materials_in(self, text: str) -> list[str]:
        """Return the known materials that ``text`` names."""
        words = _words(text)
        return [
            name for name, forms in self.materials.items() if any(_has(words, f) for f in forms)
        ]

    def unknown_in(self, text: str) -> list[str]:
        """Return the words of ``text`` that mean nothing to the encoder, in their order."""
        forms = {form for forms in self.materials.values() for form in forms}
        known = {word for form in forms | self.colours | self.objects for word in _words(form)}
        return [word for word in _words(text) if word not in known | FILLING]


def vocabulary_from(knows: Mapping[str, Any]) -> Vocabulary:
    """Read the ``knows.json`` that comes with the embedded weights."""
    materials = {name: tuple(forms) for name, forms in knows["materials"].items()}
    return Vocabulary(materials, frozenset(knows["colours"]), frozenset(knows["objects"]))


def _words(text: str) -> list[str]:
    """Lower case, without plural endings, so that stripes and stripe are one word."""
    found = re.findall(r"[^\W\d_]+", text.lower())
    return [word[:-1] if len(word) > 3 and word[-1] == "s" != word[-2] else word for word in found]


def _has(words: list[str], phrase: str) -> bool:
    wanted = _words(phrase)
    spans = range(len(words) - len(wanted) + 1)
    return bool(wanted) and any(words[at : at + len(wanted)] == wanted for at in spans)
