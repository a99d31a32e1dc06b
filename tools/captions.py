"""Sentences about a scene: synonyms, forms of a sentence and the paper's own prompts."""

import numpy as np

from tools import colours, silhouettes
from tools.bank import CLASSES
from tools.materials import MATERIALS

PREFIXES = ("a photo of a {}", "a {}", "an image of a {}", "the {}", "image of a {}",
    "image of the {}",
            "photo of a {}", "photo of the {}")  # fmt: skip
SURFACES = ("{}", "{}", "{} texture", "{} texture", "{} surface", "{} pattern", "texture of {}",
            "surface of {}", "surface made of {}", "{} material", "close up of {}")  # fmt: skip
THINGS = ("{thing} with {material}", "{thing} made of {material}", "{thing} made out of {material}",
          "{thing} covered in {material}", "{thing} covered with {material}", "{material} {thing}",
          "{thing} of {material}", "{thing} in {material}", "{thing} with {material} texture",
          "{thing} with {material} skin", "{thing} with a {material} pattern",
          "{thing} that is made of {material}", "{thing} with {material} surface",
          "futuristic {thing} made of {material}",
              "{thing} in the style of {material}")  # fmt: skip
PAPER = {
    "Swan with cactus skin": "cactus",
    "Boat made of dark walnut wood": "walnut",
    "Suit of shiny medieval iron armor": "iron",
    "Swan with crocodile skin": "crocodile",
    "Dog with zebra fur": "zebra",
}
NEGATIVE_WORDS = {
    "glitch": ("glitch", "rainbow noise", "color noise", "static"),
    "tint": ("wrong colors", "false colors", "tinted picture"),
    "patches": ("flat patches", "flat blotches", "painted blobs"),
    "blur": ("blurred colors", "blurry smear", "out of focus blur"),
}
WORDS = {material.name: material.words for material in MATERIALS} | NEGATIVE_WORDS
UNKNOWN = "{unknown}"


def pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    """One of the words."""
    return words[int(rng.integers(len(words)))]


def material_words(rng: np.random.Generator, name: str) -> str:
    """A word for the material; every third time its plain name."""
    return WORDS[name][0] if rng.random() < 0.3 else pick(rng, WORDS[name])


def thing_words(rng: np.random.Generator, thing: int) -> str:
    """A word for an object, or now and then UNKNOWN, which stands for any other word."""
    if thing < 0 or rng.random() < 0.12:
        return UNKNOWN
    return pick(rng, silhouettes.WORDS[silhouettes.OBJECTS[thing]])


def phrase(rng: np.random.Generator, material: int, colour: int, thing: int | None) -> str:
    """A phrase without prefix. `colour` below 0: none is named; `thing` None: only the surface,
    below 0: an unknown object."""
    words = material_words(rng, CLASSES[material])
    if colour >= 0:
        words = f"{pick(rng, colours.WORDS[colours.NAMES[colour]])} {words}"
    if thing is None:
        return pick(rng, SURFACES).format(words)
    return pick(rng, THINGS).format(thing=thing_words(rng, thing), material=words)


def caption(rng: np.random.Generator, material: int, colour: int, thing: int | None) -> str:
    """A phrase, three times of four behind one of the eight prefixes."""
    text = phrase(rng, material, colour, thing)
    return pick(rng, PREFIXES).format(text) if rng.random() < 0.75 else text


def prompts(material: str, form: str = "{} texture") -> list[str]:
    """The material's plain name in one form behind all eight prefixes."""
    return [prefix.format(form.format(WORDS[material][0])) for prefix in PREFIXES]
