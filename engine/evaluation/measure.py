"""Gathers what the metrics need while the frames are written, and computes them at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ..contract.job import TargetTexts
from ..decomposition.layers import Layers, reconstruct, reconstruct_without_gain
from ..render import Part
from ..stylization.encoder import Encoder
from ..stylization.similarity import embed_objects
from ..video.clip import Clip
from ..video.images import eight_bit, over_black
from ..video.masks import Masks
from . import drift, metrics


class Measuring:
    """The metrics of one job; frames pass through it one by one at the footage's own size."""

    def __init__(self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part]) -> None:
        masks = clip.masks
        self._frames = clip.video.frames
        self._flow = clip.flow
        self._parts = [part for part in parts if part.atlas is not None]
        changes = [part.layers.alpha for part in parts if part.is_changed]
        self._given = bool(masks) and all(each.given for each in masks)
        self._known = np.logical_and.reduce([each.known for each in masks] or [[False]])
        self._alpha = sum(each.alpha for each in layers).clamp(0, 1)  # type: ignore[union-attr]
        self._object = self._objects(masks)
        changed = sum(changes)
        touched = np.asarray(changed) > 0.02
        self._grown = metrics.dilate(touched | self._object & ~self._unchanged_objects(parts))
        self._inside = np.asarray(changed) > 0.5
        self._background = metrics.BackgroundError()
        self._small: list[np.ndarray] = []
        self._layers = layers
        self._pictures: dict[int, np.ndarray] = {}  # what drift is measured in
        self._waiting: deque[np.ndarray] = deque()  # frames of the footage, 8 bit

    def _objects(self, masks: Sequence[Masks]) -> np.ndarray:
        """Return where an object is, bool [T, H, W]; alpha says it where no mask does."""
        shown = self._alpha.numpy() > 0.5
        if not masks:
            return shown
        known = np.broadcast_to(self._known, len(shown))
        shown[known] = np.maximum.reduce([each.masks for each in masks])[known] > 127
        return shown

    def _unchanged_objects(self, parts: Sequence[Part]) -> np.ndarray:
        """Return where an object is that stays as it is."""
        alphas = [part.layers.alpha.numpy() for part in parts if not part.is_changed]
        return sum(alphas, np.zeros(self._alpha.shape, np.float32)) > 0.5

    def watch(self, source: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass the footage on, keeping the frames that are being worked on."""
        for index, frame in enumerate(source):
            shown = over_black(eight_bit(frame))
            self._waiting.append(shown)
            if drift.is_sampled(index):
                self._pictures[index] = drift.sampled_picture(shown)
            yield frame

    def add(self, result: np.ndarray) -> None:
        """Take the next finished frame, uint8 [H, W, 3] or [H, W, 4]."""
        source = self._waiting.popleft()
        if result.shape[2] == 4:
            alpha = result[..., 3:].astype(np.float32) / 255
            result = (result[..., :3] * alpha + source * (1 - alpha)).round()
            result = result.astype(np.uint8)
        index = len(self._small)
        height, width = result.shape[:2]
        grown = cv2.resize(
            self._grown[index].astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
        )
        self._background.add(result, source, grown == 0)
        working = self._frames.shape[2], self._frames.shape[1]
        self._small.append(cv2.resize(result, working, interpolation=cv2.INTER_AREA))

    def metrics(self, encoder: Encoder | None, targets: Sequence[TargetTexts]) -> dict[str, Any]:
        """Return all numbers of ``report.json``; see the functions in `metrics`.

        What compares with a text, and what measures a mapping, is that of the first target;
        ``targets`` has it for each. Without an encoder there are no targets.
        """
        alpha = self._alpha.numpy()
        found = {
            **self._likeness_to_source(),
            "alpha_leak": metrics.alpha_leak(alpha, self._object),
            "mask_iou": None,
            "background_psnr": self._background.psnr(),
        }
        if self._given:
            known = np.broadcast_to(self._known, len(alpha))
            found["mask_iou"] = metrics.mask_iou(alpha[known], self._object[known])
        found |= self._stability(self._inside)
        likenesses = [
            self._likeness(encoder, texts, part.layers.alpha) | self._mapping_scores(part)
            for texts, part in zip(targets, self._parts, strict=True)
            if encoder is not None
        ]
        first = likenesses[0] if likenesses else {}
        numbers = {name: _round(value) for name, value in (found | first).items()}
        each = [{name: _round(value) for name, value in item.items()} for item in likenesses]
        return {**numbers, "targets": each}

    def _mapping_scores(self, part: Part) -> dict[str, float | int | None]:
        uv, visible = part.layers.uv.numpy(), part.layers.alpha.numpy() > 0.5
        return drift.mapping_scores(self._pictures, uv, visible)

    def _likeness_to_source(self) -> dict[str, float]:
        where = torch.from_numpy(self._object)
        found = {}
        for ending, rebuilt in (("", reconstruct), ("_no_gain", reconstruct_without_gain)):
            for name, part in (("psnr", None), ("psnr_object", where)):
                source = (torch.from_numpy(metrics.unit(frame)) for frame in self._frames)
                found[name + ending] = metrics.psnr(rebuilt(self._layers), source, part)
        return found

    def _stability(self, inside: np.ndarray) -> dict[str, float]:
        source, result = self._frames, np.stack(self._small)
        facts = self._flow.forward, self._flow.forward_valid
        return {
            "warp_error": metrics.warp_error(result, *facts),
            "warp_error_source": metrics.warp_error(source, *facts),
            "warp_error_object": metrics.warp_error(result, *facts, inside),
            "warp_error_object_source": metrics.warp_error(source, *facts, inside),
        }

    def _likeness(
        self, encoder: Encoder, texts: TargetTexts, alpha: Tensor
    ) -> dict[str, float | int | None]:
        before = embed_objects(encoder, torch.from_numpy(self._frames), alpha)
        after = embed_objects(encoder, torch.from_numpy(np.stack(self._small)), alpha)
        text = encoder.embed_texts([texts.global_text])[0].cpu() if texts.global_text else None
        return {
            "text_similarity_before": None
            if text is None
            else metrics.text_similarity(before, text),
            "text_similarity_after": None if text is None else metrics.text_similarity(after, text),
            "frame_consistency": metrics.frame_consistency(after),
            "frame_consistency_source": metrics.frame_consistency(before),
        }


def _round(value: float | Tensor | None) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return float(f"{float(value):.5g}")
