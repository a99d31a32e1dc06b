"""Finished frames in blocks, which machines render apart and one puts together.

A block is an artifact of the cache like any other: made under a lock, sealed, found again under
the key of all that it is made from. So any division of the frames among machines gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from .. import device as devices
from ..contract.events import Stopped
from ..contract.job import Footage, Stage
from ..contract.tasks import BLOCK
from ..render import Part, stylized_frames
from ..reporter import Reporter
from ..restyling import Restyling
from ..stages import CachedArtifact
from ..video.frames import whole_frames
from ..video.images import encode_png, read_image, with_straight_alpha
from ..workspace import stage_key

FRAME_NAME = "{:06d}.png"


@dataclass(frozen=True)
class Blocks:
    """The blocks of a job of ``count`` frames that ``parts`` make up."""

    rest: Restyling
    parts: Sequence[Part]
    count: int
    report: Reporter

    def starts(self, first: int, last: int) -> list[int]:
        """Return where the blocks begin that hold the frames from ``first`` to ``last``."""
        last = min(last, self.count - 1)
        return [*range(first // BLOCK * BLOCK, last + 1, BLOCK)]

    def make(self, first: int, last: int) -> list[Path]:
        """Render the frames from ``first`` to ``last`` that are not there; return their folders."""
        stages, starts = self.rest.stages, self.starts(first, last)
        folders = []
        for index, start in enumerate(starts):
            with self.report.share(index, len(starts)):
                folders.append(stages.beside(Stage.RENDER, self._artifact(start)))
        return folders

    def read(self, source: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the finished frame of each frame of ``source``; the blocks must be there."""
        folders = self.make(0, self.count - 1)
        for number, _ in enumerate(source):
            yield read_image(folders[number // BLOCK] / FRAME_NAME.format(number), None)

    def _artifact(self, start: int) -> CachedArtifact[Path]:
        end = min(start + BLOCK, self.count)
        keys = self.rest.stages.keys
        inputs = [*keys[Stage.FRAMES], *keys[Stage.MASKS], *keys[Stage.DECOMPOSITION]]
        key = stage_key(Stage.RENDER, f"frames {start}:{end}", self.rest.render_key(), *inputs)

        def make(folder: Path) -> None:
            devices.within_memory(lambda: self._write(folder, start, end), self.report)

        return CachedArtifact(key, make, lambda folder: folder)

    def _write(self, folder: Path, start: int, end: int) -> None:
        spec, depth = self.rest.spec, self.rest.depth
        source = frames_between(spec.footage, start, end, count=self.count, depth=depth)
        frames = stylized_frames(
            source, self.parts, spec.settings.render, device=self.rest.device, start=start
        )
        for number, frame in enumerate(frames, start):
            if self.report.stopping():
                raise Stopped
            (folder / FRAME_NAME.format(number)).write_bytes(encode_png(frame))
            self.report.progress(number + 1 - start, end - start)


def frames_between(
    footage: Footage, start: int, end: int, *, count: int, depth: int
) -> Iterator[np.ndarray]:
    """Yield the frames from ``start`` to before ``end`` of ``count`` as the render wants them.

    They are as `whole_frames` gives them among all others, with straight alpha. The footage's
    first frame is always read: whether it has alpha counts for all.
    """
    indices = footage.indices or tuple(range(count))
    chosen = replace(footage, indices=(indices[0], *indices[start:end]))
    for frame in islice(whole_frames(chosen, depth), 1, None):
        is_premultiplied = footage.premultiplied and frame.shape[2] == 4
        yield with_straight_alpha(frame) if is_premultiplied else frame
