"""Byte-pair merges for the words that the encoder knows, in the form of CLIP's own tokenizer.

CLIP's table has 48,894 merges, most of them for words that this encoder does not know; its table
of embeddings alone would be larger than the rest of the model.
"""

import gzip
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from open_clip.tokenizer import bytes_to_unicode

FILE = "merges.txt.gz"
END = "</w>"  # CLIP's mark of a word's last token
SPECIAL = 2  # tokens at the start and at the end of a text


def learn_merges(words: Mapping[str, int], count: int) -> list[tuple[str, str]]:
    """Return up to ``count`` merges of the most frequent neighbours, the first learned first.

    ``words`` says how often each word counts (Sennrich et al. 2016).
    """
    parts: dict[str, tuple[str, ...]] = {word: (*word[:-1], word[-1] + END) for word in words}
    merges: list[tuple[str, str]] = []
    pairs: Counter[tuple[str, str]] = Counter()
    holding: dict[tuple[str, str], set[str]] = {}
    for word, own in parts.items():
        for pair in pairwise(own):
            pairs[pair] += words[word]
            holding.setdefault(pair, set()).add(word)
    while len(merges) < count and pairs:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        if pairs[best] <= 0:
            break
        merges.append(best)
        for word in list(holding[best]):
            for pair in pairwise(parts[word]):
                pairs[pair] -= words[word]
                holding[pair].discard(word)
            parts[word] = _merged(parts[word], best)
            for pair in pairwise(parts[word]):
                pairs[pair] += words[word]
                holding.setdefault(pair, set()).add(word)
        del pairs[best]
    return merges


def write_merges(merges: list[tuple[str, str]], folder: Path) -> int:
    """Write ``merges`` as `open_clip.tokenizer` reads them; returns how many tokens there are."""
    text = "\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)])
    # Without a time, so that equal merges are equal files.
    (folder / FILE).write_bytes(gzip.compress(text.encode(), mtime=0))
    return 2 * len(bytes_to_unicode()) + len(merges) + SPECIAL


def _merged(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while at < len(parts):
        if parts[at : at + 2] == pair:
            found.append(parts[at] + parts[at + 1])
            at += 2
        else:
            found.append(parts[at])
            at += 1
    return tuple(found)
