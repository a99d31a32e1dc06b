"""How a text is read: what the object is, what it is to look like, and what means nothing.

The forms of the paper and their like: "swan with cactus skin", "boat made of dark walnut wood",
"red brick bear", "zebra fur on a dog", "bear in the style of Van Gogh".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .concepts import Concept, Kind, Span, Vocabulary
from .parts import weighted_parts

LISTS = frozenset(("and", "or", ","))
# After these comes a look; after the weak ones it may also be a thing that the object has.
HAS = frozenset(("with", "has", "have", "having", "of"))
WEAK = LISTS | (HAS - {"of"}) | {"wearing", "wears", "in", "on"}
STRONG = frozenset(("of", "from", "by", "like", "as", "into", "to", "over"))
# They make a connector strong ("covered in") and mean nothing alone ("snow covered house").
PARTICIPLES = frozenset(
    (
        *("made", "built", "carved", "covered", "wrapped", "dressed", "painted", "turned"),
        *("style", "styled", "decorated", "filled"),
    )
)
PLACES = frozenset(("on", "over"))  # "zebra fur on a dog"
OBJECTS = (Kind.THING, Kind.SUBJECT)


@dataclass(frozen=True)
class Reading:
    """What a text says: things that the object is, looks, colours, and words without meaning."""

    subjects: tuple[Concept, ...] = ()
    looks: tuple[Concept, ...] = ()
    colours: tuple[Concept, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def has_look(self) -> bool:
        """Does the text say what anything is to look like?"""
        return bool(self.looks or self.colours)


@dataclass
class _Phrase:
    """Words between two connectors; ``link`` are the connectors before it."""

    link: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


@dataclass
class _Found:
    """What was read so far.

    ``described`` are colours before an object, ``beside`` things that it has or looks like.
    """

    subjects: list[Concept] = field(default_factory=list)
    looks: list[Concept] = field(default_factory=list)
    colours: list[Concept] = field(default_factory=list)
    described: list[Concept] = field(default_factory=list)
    beside: list[Concept] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def take_looks(self, spans: Sequence[Span]) -> None:
        """Note what stands where a look is said."""
        for span in spans:
            concept = span.concept
            if concept is None or not concept.has_look:
                self.unknown.append(span.text)
            elif concept.kind is Kind.COLOUR:
                self.colours.append(concept)
            else:
                self.looks.append(concept)


def read(text: str, vocabulary: Vocabulary, *, local: bool = False) -> Reading:
    """Read one text without weights.

    Where it names one thing only, that is the look of a ``local`` text, of any other one the
    object. A colour before the object says what it is, where the look follows: "white swan with
    cactus skin".
    """
    phrases = _phrases(vocabulary.spans(text), vocabulary)
    if _look_comes_first(phrases):
        phrases = [_Phrase([], phrases[1].spans), _Phrase(["of"], phrases[0].spans)]
    head, tail = _Found(), _Found()
    local_list = local and all(LISTS.issuperset(phrase.link) for phrase in phrases[1:])
    for place, phrase in enumerate(phrases):
        if place and (tail.looks or tail.beside or not LISTS.issuperset(phrase.link)):
            _read_look(phrase, vocabulary, tail)
        else:
            _read_object(phrase, vocabulary, head, is_listed=place > 0 or local_list)
    return _decide(head, tail, local)


def read_parts(text: str, vocabulary: Vocabulary, *, local: bool = False) -> list[Reading]:
    """Read each of a text's weighted parts, see `read`."""
    return [read(part, vocabulary, local=local) for part, _ in weighted_parts(text)]


def _phrases(spans: Sequence[Span], vocabulary: Vocabulary) -> list[_Phrase]:
    """Part a text at its connectors; "fur of a zebra" is one phrase, as if it were "zebra fur"."""
    phrases: list[_Phrase] = []
    link: list[str] = []
    words: list[Span] = []
    surface: list[Span] = []
    participle: list[str] = []
    for span in [*spans, Span("and")]:
        if span.concept is None and span.text in PARTICIPLES:
            participle = [span.text]
        elif span.concept is None and span.text in WEAK | STRONG:
            if span.text == "of" and all(each.text in vocabulary.surfaces for each in words):
                words, surface = [], [*surface, *words]
            if any(each.concept or each.text not in vocabulary.surfaces for each in words):
                phrases.append(_Phrase(link, [*words, *surface]))
                link, surface = [], []
            link, words, participle = [*link, *participle, span.text], [], []
        elif span.concept or span.text not in vocabulary.filling - vocabulary.surfaces:
            words, participle = [*words, span], []
    return phrases


def _look_comes_first(phrases: list[_Phrase]) -> bool:
    """Is it "zebra fur on a dog" and not "dog on grass"?"""
    if len(phrases) != 2 or not PLACES.intersection(phrases[1].link):
        return False
    first, second = (phrase.spans[-1].concept for phrase in phrases)
    is_look = first is None or first.is_surface
    return is_look and second is not None and second.kind in OBJECTS


def _read_object(
    phrase: _Phrase, vocabulary: Vocabulary, found: _Found, *, is_listed: bool
) -> None:
    """Read a phrase that may name the object, looks before it, or a look alone."""
    spans = _without_surfaces(phrase.spans, vocabulary)
    *before, last = spans
    is_look = len(spans) < len(phrase.spans)  # "zebra fur"
    is_look |= is_listed and last.concept is not None and last.concept.is_surface
    if is_look or last.concept is None or last.concept.kind not in OBJECTS:
        found.take_looks(spans)
        return
    colours = [each for each in before if each.concept and each.concept.kind is Kind.COLOUR]
    found.take_looks([each for each in before if each not in colours])
    found.described += [each.concept for each in colours if each.concept]
    found.subjects.append(last.concept)


def _read_look(phrase: _Phrase, vocabulary: Vocabulary, found: _Found) -> None:
    """Read a phrase after the object: what it is made of, covered with, or has beside it."""
    spans = _without_surfaces(phrase.spans, vocabulary)
    *before, last = spans
    is_weak = WEAK.issuperset(phrase.link) or phrase.link == ["of"]  # "painting of a bear"
    is_weak = is_weak and len(spans) == len(phrase.spans)
    if is_weak and last.concept and not last.concept.is_surface:
        found.take_looks(before)
        may_be_look = last.concept.has_look and not HAS.isdisjoint(phrase.link)
        (found.beside if may_be_look else found.subjects).append(last.concept)
    else:
        found.take_looks(spans)


def _without_surfaces(spans: Sequence[Span], vocabulary: Vocabulary) -> list[Span]:
    """Leave out "fur" and "stripes" where they only say that what precedes them is a look."""
    kept = list(spans[:1])
    for span in spans[1:]:
        before = kept[-1].concept
        after_thing = before is None or before.kind in OBJECTS
        if span.text not in vocabulary.surfaces or (span.concept and not after_thing):
            kept.append(span)
    return kept


def _decide(head: _Found, tail: _Found, local: bool) -> Reading:
    """Decide what could be either: an object or a look."""
    looks, colours = head.looks + tail.looks, head.colours + tail.colours
    subjects, beside = head.subjects + tail.subjects, tail.beside
    if not (tail.looks or tail.colours):
        colours = head.described + colours
    elif forms := [each for each in head.looks if not each.is_surface]:  # "bear statue of gold"
        subjects = forms + subjects
        looks = [each for each in looks if each not in forms]
    if not (looks or colours):  # "bear with jellyfish"
        looks, beside = beside, []
    if not (looks or colours):  # "zebra", and in a local text "jellyfish", too
        looks = [each for each in subjects if each.has_look and (local or each.is_surface)]
        subjects = [each for each in subjects if each not in looks]
    return Reading(
        tuple(_once(subjects + beside)),
        tuple(_once(looks)),
        tuple(_once(colours)),
        tuple(dict.fromkeys(head.unknown + tail.unknown)),
    )


def _once(concepts: list[Concept]) -> list[Concept]:
    return list({concept.name: concept for concept in concepts}.values())
