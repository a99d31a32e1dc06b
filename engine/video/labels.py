"""What the pixels of mask pictures mean: white on black, an alpha channel, or labels of objects.

Data sets for segmentation (DAVIS, YouTube-VOS) write the number of an object into its pixels, or a
colour of a palette that stands for it. Which it is can only be told from all pictures together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .images import read_image

LEAST_SHARE = 0.001  # of a picture that must be transparent, and opaque, to make alpha the mask
COLOURED = 8  # levels of 255 between the channels of a colour: less is a codec's rounding
MOST_LABELS = 32  # objects in one video; soft edges have more levels than that
FEW_LEVELS = 8  # so few without white, whatever their values, are labels too
VOID = 255  # what data sets write where an object's border is not judged
WHITE = 65535
PNG_PALETTE = 3  # the kind of colour in the header of a PNG


@dataclass(frozen=True)
class Reading:
    """How to read all mask pictures of a set. ``labels`` are the objects' numbers, or empty.

    ``colours`` maps colours 0xRRGGBB to those numbers. ``most`` is the level that means object.
    """

    alpha: bool = False
    scaled: bool = True
    most: int = WHITE
    step: int = 1
    labels: tuple[int, ...] = ()
    colours: tuple[tuple[int, int], ...] = ()

    def mask(self, pixels: np.ndarray, label: int) -> np.ndarray:
        """Return where the object ``label`` is (0: the only one), uint8 [H, W].

        ``pixels`` are those of `read_picture`.
        """
        if not self.labels:
            levels = _levels(pixels[..., 3:] if self.alpha else pixels[..., :3], self.scaled)
            share = levels.max(axis=2).astype(np.float32) / self.most
            return np.rint(np.minimum(share, 1.0) * 255.0).astype(np.uint8)
        wanted = label or self.labels[0]
        if self.colours:
            codes = [code for code, number in self.colours if number == wanted]
            return np.isin(_codes(_without_transparent(pixels)), codes) * np.uint8(255)
        levels = _levels(_without_transparent(pixels), self.scaled)
        return (levels.max(axis=2) == wanted * self.step) * np.uint8(255)


def read_picture(path: Path) -> np.ndarray:
    """Return the pixels of a mask picture, [H, W, C] of the file's own kind of number.

    Of a PNG with a palette of colours they are the palette's numbers. Raises EngineError
    MEDIA_UNREADABLE.
    """
    pixels = read_image(path, depth=None)
    palette = _palette(path)
    if palette is None or pixels.shape[2] < 3 or (palette == palette[:, :1]).all():
        return pixels
    codes = _codes(pixels)
    used, places = np.unique(codes, return_inverse=True)
    if len(used) > MOST_LABELS + 2:  # a picture, not labels
        return pixels
    numbers = {int(code): index for index, code in reversed(list(enumerate(_codes(palette))))}
    found = np.array([numbers.get(int(code), 0) for code in used], np.uint8)
    return found[places].reshape(*codes.shape, 1)


def reading_of(pictures: Iterable[np.ndarray]) -> Reading:
    """Return how ``pictures``, those of `read_picture`, are to be read."""
    survey = _Survey()
    for pixels in pictures:
        survey.add(pixels)
    return survey.reading()


@dataclass
class _Survey:
    """What occurs in any of the pictures."""

    greys: np.ndarray = field(default_factory=lambda: np.zeros(WHITE + 1, bool))
    codes: np.ndarray = field(default_factory=lambda: np.zeros(2**24, bool))
    coloured: bool = False
    fractions: bool = False
    clear: float = 0.0
    opaque: float = 0.0

    def add(self, pixels: np.ndarray) -> None:
        """Note one picture."""
        if pixels.dtype not in (np.uint8, np.uint16):
            self.fractions |= bool((pixels != np.rint(pixels)).any())
        if pixels.shape[2] == 4:
            clear = float((pixels[..., 3] <= _most_of(pixels) / 2).mean())
            self.clear, self.opaque = max(self.clear, clear), max(self.opaque, 1.0 - clear)
        seen = _without_transparent(pixels)
        if seen.shape[2] == 3:
            wide = _eight_bit(seen).astype(np.int16)
            self.coloured |= bool((wide.max(axis=2) - wide.min(axis=2) > COLOURED).any())
        self.codes[_codes(seen)] = True
        self.greys[_levels(seen, scaled=False).max(axis=2)] = True

    def reading(self) -> Reading:
        """Decide: labels where there are few values, else alpha, else brightness."""
        alpha = min(self.clear, self.opaque) >= LEAST_SHARE
        values = np.flatnonzero(self.greys)
        step = 257 if not (values % 257).any() else 1
        numbers = [int(value) // step for value in values if value]
        most = 255 if numbers and step == 1 and max(numbers) <= 255 else WHITE
        labels, colours = [], {}
        if not self.fractions and self.greys[0]:
            labels = _labels(numbers, VOID if step == 257 else WHITE)
        if self.coloured:
            colours = _number_colours([int(code) for code in np.flatnonzero(self.codes) if code])
            labels = sorted(set(colours.values()))
        if labels and not (alpha and len(labels) == 1):
            return Reading(
                scaled=False, step=step, labels=tuple(labels), colours=tuple(colours.items())
            )
        return Reading(alpha) if alpha or self.fractions else Reading(scaled=False, most=most)


def _labels(numbers: list[int], white: int) -> list[int]:
    """Return which of the ``numbers`` above 0 are labels: none of a plain or a soft mask."""
    others = [number for number in numbers if number not in (white, VOID)]
    if white not in numbers and 0 < len(numbers) <= FEW_LEVELS:
        return others or numbers
    return others if others and max(others) <= MOST_LABELS else []


def _number_colours(codes: list[int]) -> dict[int, int]:
    """Number colours 0xRRGGBB as the palette of VOC and DAVIS does, else in ascending order."""
    codes = [code for code in codes if code not in (0xFFFFFF, _voc_colour(VOID))]
    if not codes or len(codes) > MOST_LABELS:
        return {}
    known = {_voc_colour(number): number for number in range(1, VOID)}
    if all(code in known for code in codes):
        return {code: known[code] for code in codes}
    return {code: place + 1 for place, code in enumerate(codes)}


def _voc_colour(number: int) -> int:
    """Return the colour 0xRRGGBB of a label in the PASCAL VOC palette (Everingham et al. 2010)."""
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    return channels[0] << 16 | channels[1] << 8 | channels[2]


def _palette(path: Path) -> np.ndarray | None:
    """Return the palette of a PNG that has one, uint8 [N, 3]."""
    with path.open("rb") as file:
        head = file.read(33)
        if head[1:4] != b"PNG" or len(head) < 33 or head[25] != PNG_PALETTE:
            return None
        while len(chunk := file.read(8)) == 8:
            size, name = struct.unpack(">I4s", chunk)
            if name == b"PLTE":
                return np.frombuffer(file.read(size - size % 3), np.uint8).reshape(-1, 3)
            file.seek(size + 4, 1)
    return None


def _without_transparent(pixels: np.ndarray) -> np.ndarray:
    """Return the colours, black where less than half opaque."""
    if pixels.shape[2] < 4:
        return pixels
    opaque = pixels[..., 3:] > _most_of(pixels) / 2
    return np.where(opaque, pixels[..., :3], np.zeros((), pixels.dtype))


def _levels(pixels: np.ndarray, scaled: bool) -> np.ndarray:
    """Return levels uint16: 8 bits widened, other numbers from 0 to 1 where ``scaled``."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * 257
    if pixels.dtype == np.uint16:
        return pixels
    numbers = np.nan_to_num(pixels) * (WHITE if scaled else 1)
    return np.rint(np.clip(numbers, 0, WHITE)).astype(np.uint16)


def _eight_bit(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else (_levels(pixels, True) // 257).astype(np.uint8)


def _codes(colours: np.ndarray) -> np.ndarray:
    """Return colours [..., 1 or 3 or 4] as numbers 0xRRGGBB, int32 [...]."""
    wide = _eight_bit(colours[..., :3]).astype(np.int32)
    return wide[..., 0] << 16 | wide[..., wide.shape[-1] // 2] << 8 | wide[..., -1]


def _most_of(pixels: np.ndarray) -> float:
    return float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1.0
