"""What the views are compared with: texts, a picture, and what to avoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..contract.job import TargetTexts
from ..contract.settings import EMBEDDED, StylizationSettings
from ..contract.words.concepts import Colour
from ..contract.words.mean_colours import mean_colour_of_texts
from ..contract.words.surroundings import surroundings_of_texts
from .encoder import Encoder
from .picture import read_picture
from .texts import embed_text, unit

LEANING = 0.1  # cosine of a text with its surroundings from which on they are avoided
CLOSER = 0.5  # side of the picture's parts that close views are compared with


@dataclass(frozen=True)
class Targets:
    """Everything that a stylization is led by, embedded once; all embeddings have length 1."""

    global_texts: Tensor | None  # [P, E], behind each prefix
    local_texts: Tensor | None  # [Q, E]
    picture: Tensor | None  # [2, E]: the whole of it, and its parts
    picture_share: float
    avoid: Tensor | None  # [R, E]
    colour: Colour | None = None  # of what the texts name, RGB in [0, 1], where it has one

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the directions [E] of global and of local views, behind random prefixes.

        TDS, sec. 6.3. A picture without texts has no prefixes; a number is drawn for it, too, so
        that what else a step draws does not depend on that.
        """
        drawn = []
        for texts in (self.global_texts, self.local_texts):
            prefix = int(torch.randint(1 if texts is None else len(texts), (), generator=generator))
            drawn.append(None if texts is None else texts[prefix])
        return self._mix(drawn[0], 0), self._mix(drawn[1], 1)

    def average(self) -> tuple[Tensor, Tensor]:
        """Return the directions [E] of global and of local views over all prefixes."""
        kinds = (self.global_texts, self.local_texts)
        means = [None if texts is None else unit(texts.mean(0)) for texts in kinds]
        return self._mix(means[0], 0), self._mix(means[1], 1)

    def _mix(self, text: Tensor | None, kind: int) -> Tensor:
        picture = None if self.picture is None else self.picture[kind]
        if picture is None or text is None:
            only = text if picture is None else picture
            assert only is not None, "neither a text nor a picture"
            return only
        return unit((1 - self.picture_share) * text + self.picture_share * picture)


def embed_targets(texts: TargetTexts, encoder: Encoder, settings: StylizationSettings) -> Targets:
    """Embed all that ``texts`` names, once for the whole stylization.

    With the embedded encoder, the usual surroundings of an animal are avoided, too, where the
    direction of a text leans towards them.
    Raises EngineError (MEDIA_UNREADABLE) where its picture cannot be read.
    """
    whole = texts.global_text.strip() or texts.local_text.strip()
    close = texts.local.strip()

    def embed_one(text: str, prefixes: int) -> Tensor:
        return embed_text(text, encoder, prefixes=prefixes, strip_articles=settings.strip_articles)

    picture, share = None, 0.0
    if texts.picture:
        picture = _embed_picture(read_picture(texts.picture), encoder)
        share = texts.picture_share if whole else 1.0
    counts = settings.global_prefixes, settings.local_prefixes
    global_texts = embed_one(whole, counts[0]) if whole else None
    local_texts = embed_one(close, counts[1]) if close else None
    avoided = [embed_one(texts.avoid, counts[1])] if texts.avoid.strip() else []
    if settings.avoid_surroundings and settings.encoder == EMBEDDED:
        around = [embed_one(text, counts[1]) for text in surroundings_of_texts(texts)]
        led = [each for each in (global_texts, local_texts) if each is not None]
        avoided += [each for each in around if any(_cosine(each, one) > LEANING for one in led)]
    return Targets(
        global_texts,
        local_texts,
        picture,
        share,
        torch.cat(avoided) if avoided else None,
        None if texts.picture else mean_colour_of_texts(texts),
    )


def _cosine(one: Tensor, other: Tensor) -> float:
    """Return the cosine of the means of two texts' directions [P, E]."""
    return float(unit(one.mean(0)) @ unit(other.mean(0)))


@torch.no_grad()
def _embed_picture(picture: np.ndarray, encoder: Encoder) -> Tensor:
    """Return the embeddings [2, E] of the whole picture and of its parts."""
    pixels = torch.from_numpy(picture).to(encoder.mean.device).permute(2, 0, 1).float() / 255
    height, width = pixels.shape[1:]
    side = min(height, width)
    part = max(1, round(CLOSER * side))
    crops = [((height - side) // 2, (width - side) // 2, side)]
    crops += [
        (round(row * (height - part)), round(column * (width - part)), part)
        for row in (0.0, 0.5, 1.0)
        for column in (0.0, 0.5, 1.0)
    ]
    views = [_resize(pixels[:, y : y + s, x : x + s], encoder.size) for y, x, s in crops]
    embeddings = unit(encoder.embed_images(torch.stack(views)))
    return torch.stack([embeddings[0], unit(embeddings[1:].mean(0))])


def _resize(pixels: Tensor, size: int) -> Tensor:
    scaled = functional.interpolate(pixels[None], (size, size), mode="bilinear", antialias=True)
    return scaled[0].clamp(0, 1)
