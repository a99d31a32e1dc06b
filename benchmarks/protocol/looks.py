"""The fixed list of looks: which clip, which texts, who judges it, and what it may be used for.

``tune``: settings and methods may be chosen by it. ``held-out``: nothing may; it is run to report.
"""

from __future__ import annotations

from dataclasses import dataclass

TUNE, HELD_OUT = "tune", "held-out"
SPLITS = (TUNE, HELD_OUT)
FAMILIAR, MATERIAL = "familiar", "material"  # a thing that ImageNet knows, or a material


@dataclass(frozen=True)
class Clip:
    """One folder with ``frames/`` and, where there are some, ``masks/``."""

    name: str
    thing: str
    split: str
    box: str = ""  # FRAME,X,Y,W,H as a user draws it where there are no masks


@dataclass(frozen=True)
class Texts:
    """What is asked for, and who can tell whether it is there."""

    name: str
    whole: str  # of the object, which stands for {}
    close: str
    judge: str  # a look in `kin.LOOKS`, a label in `photographs.LABELS`, or "" for the eye alone
    split: str = TUNE


@dataclass(frozen=True)
class Look:
    """One clip with one pair of texts."""

    clip: Clip
    texts: Texts
    kind: str

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.clip.name}-{self.texts.name.replace(' ', '-')}"

    @property
    def split(self) -> str:
        """``tune`` only where neither clip nor text is held out."""
        held = HELD_OUT in (self.clip.split, self.texts.split)
        return HELD_OUT if held else TUNE

    @property
    def whole(self) -> str:
        """The text for the whole object."""
        return self.texts.whole.format(self.clip.thing)


CLIPS = {
    each.name: each
    for each in (
        Clip("blackswan", "swan", TUNE),
        Clip("boat", "boat", TUNE),
        Clip("lucia", "woman", TUNE),
        Clip("dog", "dog", HELD_OUT),
        Clip("car-turn", "car", HELD_OUT),
        Clip("wolf", "wolf", HELD_OUT, box="0,2,50,475,462"),
    )
}
THINGS = (
    Texts("zebra", "{} with zebra fur", "zebra fur", "zebra"),
    Texts("leopard", "{} with leopard fur", "leopard fur", "leopard"),
    Texts("strawberry", "{} with strawberry skin", "strawberry skin", "strawberry"),
    Texts("chain mail", "{} made of chain mail", "chain mail", "chain mail"),
)
MATERIALS = (
    Texts("gold", "{} made of gold", "gold", ""),
    Texts("ice", "{} made of ice", "ice", "ice"),
    Texts("red brick", "{} made of red brick", "red brick", "brick"),
    Texts("oak wood", "{} made of oak wood", "oak wood", "wood"),
    Texts("crocodile", "{} with crocodile skin", "crocodile skin", "crocodile"),
    Texts("lava", "{} made of lava", "lava", "", HELD_OUT),
    Texts("white marble", "{} made of white marble", "white marble", "marble", HELD_OUT),
    Texts("cactus", "{} with cactus skin", "cactus skin", "", HELD_OUT),
    Texts("rust", "{} covered in rust", "rust", "", HELD_OUT),
    Texts("knit", "{} knitted from wool", "knitted wool", "", HELD_OUT),
)
ON_MATERIALS = ("blackswan", "dog", "car-turn")

LOOKS = tuple(
    [Look(clip, texts, FAMILIAR) for clip in CLIPS.values() for texts in THINGS]
    + [Look(CLIPS[name], texts, MATERIAL) for name in ON_MATERIALS for texts in MATERIALS]
)


def chosen(split: str = "all", only: tuple[str, ...] = ()) -> list[Look]:
    """Return the looks of a split, or of both with "all".

    ``only`` restricts them: each entry names a clip, a text or a look (dog, zebra, dog-zebra).
    Raises ValueError for an entry that names nothing.
    """
    for entry in only:
        if not any(entry in _names(each) for each in LOOKS):
            raise ValueError(f"{entry} is no clip, no text and no look of the protocol.")
    return [
        each
        for each in LOOKS
        if split in ("all", each.split) and (not only or _names(each) & set(only))
    ]


def familiar(split: str) -> list[Look]:
    """Return the familiar looks of a split; the first number is about the twelve held out."""
    return [each for each in LOOKS if each.kind == FAMILIAR and each.split == split]


def _names(look: Look) -> set[str]:
    return {look.clip.name, look.texts.name, look.name}
