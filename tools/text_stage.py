"""Stage two: a text tower that says where in the finished image space a sentence points."""

import logging
import re
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tools import colours, silhouettes
from tools.bank import Bank
from tools.captions import (
    COLOURS_ONLY,
    PAPER,
    PREFIXES,
    SOME_THING,
    SURFACES,
    THINGS,
    THINGS_ONLY,
    UNKNOWN,
    UNNAMED,
    WORDS,
    caption,
    with_fillers,
)
from tools.image_stage import Sorter
from tools.scenes import Recipe, draw_batch

log = logging.getLogger(__name__)
UNKNOWN_TOKEN = 256  # "!" is in no caption: its row stays zero, as that of every unknown word


@dataclass(frozen=True)
class TextSettings:
    """Everything that decides the weights of the text tower, beside image tower and bank."""

    pictures: int = 12000
    steps: int = 2500
    batch: int = 192
    rate: float = 3e-3
    sharpness: float = 18.0
    seed: int = 2


@torch.no_grad()
def image_features(model: Sorter, bank: Bank, recipe: Recipe, settings: TextSettings, side: int):
    """Embeddings [N, E] of fresh scenes and their labels [N, 3]."""
    rng = np.random.default_rng(settings.seed)
    features, labels = [], []
    for _ in range(settings.pictures // 250):
        pictures, found = draw_batch(rng, bank, recipe, 250, side)
        features.append(model.embed(torch.from_numpy(pictures)))
        labels.append(torch.from_numpy(found))
    return torch.cat(features), torch.cat(labels)


def mentioned(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Which labels [3] a caption names, the others become UNNAMED or SOME_THING.

    Mostly the material, with colour and object by chance; now and then only the other two.
    """
    material, colour, thing = labels
    if rng.random() < 0.3 and (colour >= 0 or thing >= 0):
        if colour >= 0 and thing >= 0:
            kind = rng.random()
            colour, thing = (colour if kind < 0.6 else UNNAMED), (thing if kind > 0.25 else UNNAMED)
        return np.array([UNNAMED, colour, thing])
    colour = colour if colour >= 0 and rng.random() < 0.5 else UNNAMED
    if thing < 0 or rng.random() < 0.15:
        thing = SOME_THING if rng.random() < 0.25 else UNNAMED
    return np.array([material, colour, thing])


def tokens_of(tokenizer, texts: list[str]) -> torch.Tensor:
    """Token rows [n, context]; the mark for an unknown word becomes a token without meaning."""
    return tokenizer([text.replace(UNKNOWN, "!") for text in texts])


def vocabulary(tokenizer) -> torch.Tensor:
    """Every token that a caption may hold, as a mask over the whole table."""
    texts = [word for words in WORDS.values() for word in words] + list(PAPER)
    texts += [word for words in silhouettes.WORDS.values() for word in words]
    texts += [word for words in colours.WORDS.values() for word in words]
    for form in (*PREFIXES, *SURFACES, *THINGS, *COLOURS_ONLY, *THINGS_ONLY):
        texts.append(re.sub(r"{\w*}", "", form))
    known = torch.zeros(tokenizer.vocab_size, dtype=torch.bool)
    known[tokens_of(tokenizer, texts).unique()] = True
    known[UNKNOWN_TOKEN] = False
    return known


def agreement(named: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Which pictures a caption is true of: named [n, 3], labels [m, 3] -> [n, m] of 0 and 1."""
    silent = named[:, None] < 0
    return (silent | (named[:, None] == labels[None])).all(dim=-1).float()


def text_loss(texts, images, scores, named, labels, sharpness: float) -> torch.Tensor:
    """Captions find their pictures, pictures their captions, and both their anchors."""
    logits = sharpness * texts @ images.T
    match = agreement(named, labels)
    forth = (
        -(functional.log_softmax(logits, dim=1) * match / match.sum(1, keepdim=True)).sum(1).mean()
    )
    back = (
        -(functional.log_softmax(logits, dim=0) * match / match.sum(0, keepdim=True)).sum(0).mean()
    )
    total = 0.5 * (forth + back)
    for score, name, weight in zip(scores, named.T, (1, 0.4, 0.4), strict=True):
        if (name >= 0).any():
            total = total + weight * functional.cross_entropy(score[name >= 0], name[name >= 0])
    return total


class Reader(nn.Module):
    """The text tower of a CLIP over a table of only the known words, which makes it fast.

    Row 0 stands for every unknown word and stays zero; `put_back` writes the large table.
    """

    def __init__(self, clip, tokenizer) -> None:
        super().__init__()
        self.known = vocabulary(tokenizer).nonzero().flatten()
        self.rows = torch.zeros(tokenizer.vocab_size, dtype=torch.long)
        self.rows[self.known] = torch.arange(1, len(self.known) + 1)
        self.words = nn.Parameter(
            0.02 * torch.randn(len(self.known), clip.token_embedding.embedding_dim)
        )
        self.clip, self.tokenizer = clip, tokenizer

    def forward(self, texts: list[str]) -> torch.Tensor:  # [n, E]
        """Unit embeddings of sentences."""
        tokens = tokens_of(self.tokenizer, texts)
        ends = tokens.argmax(dim=1)
        tokens = tokens[:, : int(ends.max()) + 1]
        table = functional.pad(self.words, (0, 0, 1, 0))
        length = tokens.shape[1]
        hidden = table[self.rows[tokens]] + self.clip.positional_embedding[:length]
        hidden = self.clip.transformer(hidden, attn_mask=self.clip.attn_mask[:length, :length])
        hidden = self.clip.ln_final(hidden)[torch.arange(len(texts)), ends]
        return functional.normalize(hidden @ self.clip.text_projection, dim=-1)

    @torch.no_grad()
    def put_back(self) -> None:
        """Write the learned rows into the CLIP's own table and zero all others."""
        self.clip.token_embedding.weight.zero_()
        self.clip.token_embedding.weight[self.known] = self.words

    def weights(self) -> list[nn.Parameter]:
        """What stage two trains."""
        names = ("positional_embedding", "transformer", "ln_final", "text_projection")
        return [self.words] + [
            p for name, p in self.clip.named_parameters() if name.startswith(names)
        ]


def train_texts(clip, tokenizer, model: Sorter, features, labels, settings: TextSettings) -> None:
    """Train the text tower of `clip` in place; unknown words keep a row of zeros."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed + 1)
    reader = Reader(clip, tokenizer)
    optimiser = torch.optim.Adam(reader.weights(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, settings.steps, pct_start=0.1
    )
    for step in range(settings.steps):
        chosen = rng.integers(len(features), size=settings.batch)
        named = np.stack([mentioned(rng, labels[i].numpy()) for i in chosen])
        texts = reader([with_fillers(rng, caption(rng, *names)) for names in named])
        loss = text_loss(texts, features[chosen], model.scores(texts), torch.from_numpy(named),
                         labels[chosen], settings.sharpness)  # fmt: skip
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            log.info("text step %d of %d  loss %.3f", step, settings.steps, float(loss.detach()))
    reader.put_back()
