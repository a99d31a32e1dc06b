"""The object that a trained detector knows by name: torchvision's Mask R-CNN (He et al. 2017).

One instance is followed through the frames; frames in which it is not detected stay unknown.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import ANYTHING
from ..partial_results import UNSAVED, PartialResults
from .flow import Flow, warp
from .weights import class_names, load_network

MODELS = ("maskrcnn_resnet50_fpn_v2", "maskrcnn_resnet50_fpn")
SHORT_SIDE = 320, 800  # px of the pictures shown to the detector, least and most
SAME = 0.3  # intersection over union from which two detections are one object
PATIENCE = 12  # frames after which an object that is not detected is lost

Instances = list[tuple[float, np.ndarray]]  # score, and probability [H, W], of one frame
Detections = list[Instances]  # of all frames


@dataclass
class Track:
    """One object through time: its masks [H, W] by frame, and their scores summed up."""

    masks: dict[int, np.ndarray] = field(default_factory=dict)
    score: float = 0.0


def detect(
    frames: np.ndarray,
    class_name: str,
    *,
    network: str,
    least_score: float,
    device: torch.device | str,
    report: Report,
    partial: PartialResults = UNSAVED,
) -> Detections:
    """Return what is called ``class_name`` in each of ``frames``, uint8 RGB [T, H, W, 3].

    `ANYTHING` is every class that the detector knows.
    ``network`` is "MODEL:TAG or FILE". Frames that are in ``partial`` are not looked at again.
    Raises EngineError BAD_JOB, ENVIRONMENT or WEIGHTS_UNAVAILABLE, and Stopped.
    """
    number = _number(network.partition(":")[0], class_name)
    side = int(np.clip(min(frames.shape[1:3]), *SHORT_SIDE))
    sizes = {"min_size": side, "max_size": 4 * side, "weights_backbone": None}
    detector = load_network(network, MODELS, device, **sizes)

    def detect_from(first: int) -> Iterator[list[np.ndarray]]:
        for frame in frames[first:]:
            if report.stopping():
                partial.save()
                raise Stopped
            yield _pack(_detections(detector, frame, number, least_score, device))

    found = []
    for packed in partial.each("detections", detect_from):
        found.append(_unpack(packed, frames.shape[1:3]))
        report.progress(len(found), len(frames))
    return found


def longest_track(detections: Detections, flow: Flow) -> Track:
    """Return the object that is detected on most frames, of several the surest one."""
    tracks: list[Track] = []
    expected: list[np.ndarray] = []  # where each track's object should be, [H, W]
    for index, found in enumerate(detections):
        if index:
            expected = [warp(one, flow.backward[index - 1]) for one in expected]
        taken: set[int] = set()
        for score, mask in sorted(found, key=lambda item: -item[0]):
            number = _same(mask, tracks, expected, index, taken)
            if number is None:
                number = len(tracks)
                tracks.append(Track())
                expected.append(mask)
            taken.add(number)
            tracks[number].masks[index] = expected[number] = mask
            tracks[number].score += score
    return max(tracks, key=lambda track: (len(track.masks), track.score), default=Track())


def _same(
    mask: np.ndarray,
    tracks: list[Track],
    expected: list[np.ndarray],
    index: int,
    taken: set[int],
) -> int | None:
    """Say which living track the detection goes on with, if any."""
    overlaps = {
        number: _overlap(mask, expected[number])
        for number, track in enumerate(tracks)
        if number not in taken and index - max(track.masks) <= PATIENCE
    }
    best = max(overlaps, key=lambda number: overlaps[number], default=None)
    return best if best is not None and overlaps[best] > SAME else None


def _overlap(mask: np.ndarray, other: np.ndarray) -> float:
    one, two = mask > 0.5, other > 0.5
    return float((one & two).sum()) / max(1, int((one | two).sum()))


def _number(model: str, class_name: str) -> int | None:
    """Return the number of a class, None for all of them."""
    wanted = class_name.strip().lower()
    if wanted == ANYTHING or model not in MODELS:
        return None  # `load_network` says which models there are
    names = class_names(model)
    if wanted in names[1:] and wanted != "n/a":
        return names.index(wanted)
    known = ", ".join(sorted(name for name in names[1:] if name != "N/A"))
    raise EngineError(
        Fault.BAD_JOB,
        f'The detector does not know "{class_name}".',
        f"It knows: {known}; {ANYTHING} is any of them. Otherwise draw a box, or paint strokes.",
    )


def _pack(instances: Instances) -> list[np.ndarray]:
    """Return scores and probabilities as arrays; these are mostly 0 and take little room so."""
    masks = b"".join(np.ascontiguousarray(mask, np.float32).tobytes() for _, mask in instances)
    scores = np.array([score for score, _ in instances])
    return [scores, np.frombuffer(zlib.compress(masks, 1), np.uint8)]


def _unpack(packed: Sequence[np.ndarray], size: tuple[int, int]) -> Instances:
    """Return what `_pack` got, of pictures of this size."""
    scores, masks = packed
    values = np.frombuffer(zlib.decompress(masks.tobytes()), np.float32).reshape(-1, *size).copy()
    return list(zip(scores.tolist(), values, strict=True))


@torch.inference_mode()
def _detections(
    detector: torch.nn.Module,
    frame: np.ndarray,
    number: int | None,
    least_score: float,
    device: torch.device | str,
) -> Instances:
    picture = torch.from_numpy(np.ascontiguousarray(frame)).to(device).permute(2, 0, 1).float()
    answer = detector([picture / 255.0])[0]
    chosen = answer["scores"] >= least_score
    if number is not None:
        chosen &= answer["labels"] == number
    masks = answer["masks"][chosen, 0].float().cpu().numpy()
    scores = answer["scores"][chosen].tolist()
    return list(zip(scores, masks, strict=True))
