"""Sentences about a scene: synonyms, forms of a sentence and the paper's own prompts."""

import numpy as np

from tools import colours, silhouettes
from tools.bank import CLASSES
from tools.materials import MATERIALS

PREFIXES = ("a photo of a {}", "a {}", "an image of a {}", "the {}", "image of a {}",
    "image of the {}",
            "photo of a {}", "photo of the {}")  # fmt: skip
SURFACES = ("{}", "{}", "{} texture", "{} texture", "{} surface", "{} pattern", "texture of {}",
            "surface of {}", "surface made of {}", "{} material", "close up of {}",
            "{} all over", "it is all {}", "covered in {}", "made from {}")  # fmt: skip
THINGS = ("{thing} with {material}", "{thing} made of {material}", "{thing} made out of {material}",
          "{thing} covered in {material}", "{thing} covered with {material}", "{material} {thing}",
          "{thing} of {material}", "{thing} in {material}", "{thing} with {material} texture",
          "{thing} with {material} skin", "{thing} with {material} fur", "{thing} has {material}",
          "{material} on {thing}", "{material} all over the {thing}", "{thing} and its {material}",
          "{thing} that looks like {material}", "{thing} from {material}",
          "{thing} with a {material} pattern",
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
    "tiling": ("wrong tiling", "strange tiling"),
    "partly": ("bare parts", "half painted"),
}
WORDS = {material.name: material.words for material in MATERIALS} | NEGATIVE_WORDS
UNKNOWN = "{unknown}"
UNNAMED = -1
SOME_THING = -2  # an object that is named by a word that the encoder does not know
COLOURS_ONLY = ("{}", "{} surface", "{} surface", "{} texture", "{} color", "something {}",
                "{} object", "{} thing")  # fmt: skip
THINGS_ONLY = ("{}", "{}", "{}", "{} in a landscape", "{} on a black background", "one {}",
               "picture of {}", "drawing of {}")  # fmt: skip


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


def phrase(rng: np.random.Generator, material: int, colour: int, thing: int) -> str:
    """A phrase without prefix that names what is not UNNAMED, at least one of the three."""
    tone = pick(rng, colours.WORDS[colours.NAMES[colour]]) if colour >= 0 else ""
    if material < 0 and thing < 0:
        return pick(rng, COLOURS_ONLY).format(tone)
    if material < 0:
        words = pick(rng, silhouettes.WORDS[silhouettes.OBJECTS[thing]])
        return pick(rng, THINGS_ONLY).format(f"{tone} {words}".strip())
    words = f"{tone} {material_words(rng, CLASSES[material])}".strip()
    if thing == UNNAMED:
        return pick(rng, SURFACES).format(words)
    return pick(rng, THINGS).format(thing=thing_words(rng, thing), material=words)


def caption(rng: np.random.Generator, material: int, colour: int, thing: int) -> str:
    """A phrase, three times of four behind one of the eight prefixes."""
    text = phrase(rng, material, colour, thing)
    return pick(rng, PREFIXES).format(text) if rng.random() < 0.75 else text


def with_fillers(rng: np.random.Generator, text: str) -> str:
    """The text, one time of three with up to three words put in that mean nothing to the encoder,
    so that a form that was never taught does not hide the words that were."""
    words = text.split(" ")
    if rng.random() < 0.33:
        for _ in range(int(rng.integers(1, 4))):
            words.insert(int(rng.integers(len(words) + 1)), UNKNOWN)
    return " ".join(words)


def prompts(material: str, form: str = "{} texture") -> list[str]:
    """The material's plain name in one form behind all eight prefixes."""
    return [prefix.format(form.format(WORDS[material][0])) for prefix in PREFIXES]
