"""Results of a long computation, kept as they come, so that a stopped or killed job goes on.

For what is computed before the first step of a training: flow, matches, rounds of a solve. Each
save writes a file of its own with what is new since the last one, behind a sha256 sum; what
follows a damaged file is computed again. Does without torch.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .contract import files, seals

SECONDS = 10.0  # between two saves

Arrays = Sequence[Any]  # numpy arrays, or tensors of any device
Compute = Callable[[int], Iterable[Arrays]]


class PartialResults:
    """The results of one computation below ``folder``, by name; without one nothing is kept.

    ``seconds`` are the most that a kill may cost, beside the result that is being computed.
    """

    def __init__(self, folder: Path | None, *, seconds: float = SECONDS) -> None:
        self.folder = folder
        self.seconds = seconds
        self._kept: dict[str, list[tuple[list[np.ndarray], Any]]] | None = None  # until it is read
        self._new: list[tuple[str, Arrays, Any]] = []
        self._begun: set[str] = set()
        self._files = 0
        self._saved_at = time.monotonic()

    def each(
        self, name: str, compute: Compute, random: np.random.Generator | None = None
    ) -> Iterator[Arrays]:
        """Yield all results ``name``, each one or several arrays.

        Those that are kept come first, then what ``compute(number)`` yields from that number on.
        ``random`` is the generator that it draws from, which goes on where it was.
        """
        if self.folder is None or name in self._begun:  # once more, after a failure
            yield from compute(0)
            return
        self._begun.add(name)
        if self._kept is None:
            self._kept = self._read(self.folder)
        kept = self._kept.pop(name, [])
        for arrays, state in kept:
            if random is not None:
                random.bit_generator.state = state
            yield arrays
        for arrays in compute(len(kept)):
            state = None if random is None else random.bit_generator.state
            self._new.append((name, arrays, state))
            if time.monotonic() - self._saved_at >= self.seconds:
                self.save()
            yield arrays

    def once(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the only result ``name``."""

        def compute_from(number: int) -> Iterator[Arrays]:
            if number == 0:
                yield compute()

        (arrays,) = self.each(name, compute_from)
        return arrays

    def save(self) -> None:
        """Keep what is new; raises OSError."""
        if self.folder is None or not self._new:
            return
        buffer = seals.digested_buffer()
        listed = [[name, len(arrays), state] for name, arrays, state in self._new]
        _write(buffer, np.frombuffer(json.dumps(listed).encode(), np.uint8))
        for _, arrays, _ in self._new:
            for each in arrays:
                _write(buffer, each.cpu().numpy() if hasattr(each, "cpu") else np.asarray(each))
        files.private_folder(self.folder)
        seals.write_digested(self.folder / f"{self._files:05d}", buffer)
        self._files += 1
        self._new.clear()
        self._saved_at = time.monotonic()

    def remove(self) -> None:
        """Forget all that is kept: the computation is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._new.clear()

    def _read(self, folder: Path) -> dict[str, list[tuple[list[np.ndarray], Any]]]:
        """Return what earlier runs kept, up to the first file that is not what they wrote."""
        kept = defaultdict(list)
        while (path := folder / f"{self._files:05d}").is_file():
            try:
                buffer = seals.read_digested(path)
            except (OSError, files.Refusal):
                break
            for name, count, state in json.loads(_read(buffer).tobytes()):
                kept[name].append(([_read(buffer) for _ in range(count)], state))
            self._files += 1
        for path in folder.glob("[0-9]*"):
            if int(path.name) >= self._files:  # what follows cannot be gone on with
                path.unlink()
        return kept


UNSAVED = PartialResults(None)


def _write(buffer: Any, array: np.ndarray) -> None:
    np.save(buffer, array, allow_pickle=False)


def _read(buffer: Any) -> np.ndarray:
    return np.load(buffer, allow_pickle=False)
