"""Masks that somebody gives: a folder of images or a movie, matched with the job's frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import Footage, FootageKind, MaskKind, ObjectMask
from .frames import Video, footage_length, footage_names, is_movie
from .images import image_names
from .labels import Reading, read_picture, reading_of
from .movies import PLAIN, Pixels, movie_frames
from .probing import movie_facts

ASPECT_SLACK = 0.01  # how far the shape of a mask may be from the footage's, beside one pixel
BORDER_SHARE = 0.75  # of a frame's border that is white where masks are probably inverted
INVERTED_AREA = 0.5  # of the frame that is white then, at least


@dataclass(frozen=True)
class MaskPictures:
    """The pictures of a mask source and the frames that each belongs to.

    ``read`` gives the pixels of all that are used, in the order of ``frames``.
    """

    read: Callable[[], Iterator[np.ndarray]]
    frames: tuple[tuple[int, ...], ...]


def read_masks(
    mask: ObjectMask, footage: Footage, video: Video, report: Report
) -> tuple[np.ndarray, np.ndarray]:
    """Return masks uint8 [T, H, W] at the working size, and of which frames they are known [T].

    Raises EngineError MASKS_UNREADABLE, and Stopped.
    """
    count, height, width = video.frames.shape[:3]
    source = Path(mask.path)
    masks, known = np.zeros((count, height, width), np.uint8), np.zeros(count, bool)
    try:
        pictures = mask_pictures(source, footage, count, report)
        reading = reading_of(_stoppable(pictures.read(), report))
        _check_label(reading, mask.label, source)
        for step, pixels in enumerate(_stoppable(pictures.read(), report)):
            _check_shape(pixels, video.source_size, source)
            seen = cv2.resize(
                reading.mask(pixels, mask.label), (width, height), interpolation=cv2.INTER_AREA
            )
            frames = list(pictures.frames[step])
            masks[frames] = 255 - seen if mask.inverted else seen
            known[frames] = True
            report.progress(step + 1, len(pictures.frames))
    except EngineError as error:
        if error.fault is not Fault.MEDIA_UNREADABLE:  # the system's, not the masks'
            raise
        raise EngineError(Fault.MASKS_UNREADABLE, error.message, error.hint) from error
    if not known.all():
        report.warning(
            f"{known.sum()} of {count} frames have a mask in {source}; nothing is known of the "
            "others.",
            "An empty mask says that the object is not in a frame.",
        )
    if not mask.inverted:
        _warn_of_inverted(masks[known], report)
    return masks, known


def mask_pictures(source: Path, footage: Footage, count: int, report: Report) -> MaskPictures:
    """Return the pictures in ``source`` that belong to the job's ``count`` frames.

    Raises EngineError where they cannot be matched.
    """
    if is_movie(source):
        pixels = Pixels(4) if movie_facts(source).has_alpha else PLAIN
        length = sum(1 for _ in movie_frames(source, (), pixels))
        chosen = _by_count(length, footage, count)
        if chosen is None:
            raise _mismatch(source, f"{length} frames", count)
        return MaskPictures(
            lambda: movie_frames(source, chosen, pixels), tuple((index,) for index in range(count))
        )
    names = image_names(source) if source.is_dir() else ()
    if not names:
        raise EngineError(
            Fault.MASKS_UNREADABLE,
            f"The mask folder {source} " + ("has no image." if source.is_dir() else "is missing."),
            "Choose a folder with one mask image for each frame, white on black, or a movie.",
        )
    belonging: dict[str, list[int]] = {}
    for index, name in enumerate(_chosen_files(source, names, footage, count, report=report)):
        if name is not None:
            belonging.setdefault(name, []).append(index)
    return MaskPictures(
        lambda: (read_picture(source / name) for name in belonging),
        tuple(map(tuple, belonging.values())),
    )


def _chosen_files(
    folder: Path, names: Sequence[str], footage: Footage, count: int, *, report: Report
) -> Sequence[str | None]:
    """Say which of ``names`` is the mask of each of the job's ``count`` frames.

    Names decide, then the last number in them, then how many there are.
    """
    frames = footage_names(footage) if footage.kind is FootageKind.IMAGES else ()
    wanted = [frames[index] for index in footage.indices or range(len(frames))] if frames else []
    shared: Sequence[str | None] = ()
    for key in (_stem, _number):
        keyed = {key(name): name for name in names}
        asked = [key(name) for name in wanted]
        if None in keyed or len(keyed) < len(names) or not keyed.keys() & set(asked):
            continue
        matched = [keyed.get(each) for each in asked]
        if keyed.keys() <= {key(name) for name in frames} or None not in matched:
            return matched
        shared = shared or matched
    chosen = _by_count(len(names), footage, count)
    if chosen is not None:
        if shared:
            report.warning(
                f"The masks in {folder} are numbered unlike the frames, from {names[0]} on; they "
                "are taken in order, since there is one for each.",
                "Name the masks like the images of the footage where that is wrong.",
            )
        return [names[index] for index in chosen]
    if any(shared):
        return shared
    numbered = _by_frame_number(names, footage, count)
    if numbered is None:
        raise _mismatch(folder, f"{len(names)} images", count)
    return numbered


def _by_count(length: int, footage: Footage, count: int) -> Sequence[int] | None:
    """Match by order: one picture for each frame of the job, or of the whole footage."""
    if length == count:
        return range(count)
    if footage.indices and length == footage_length(footage):
        return footage.indices
    return None


def _by_frame_number(
    names: Sequence[str], footage: Footage, count: int
) -> Sequence[str | None] | None:
    """Match masks of some frames of a movie by the number in their names, from 0 or from 1."""
    keyed = {_number(name): name for name in names}
    if footage.kind is not FootageKind.MOVIE or None in keyed or len(keyed) < len(names):
        return None
    length = footage_length(footage) if footage.indices else count
    numbers = [number for number in keyed if number is not None]
    first = 0 if 0 in numbers else 1 if length in numbers else None
    if first is None or max(numbers) >= length + first:
        return None
    return [keyed.get(index + first) for index in footage.indices or range(count)]


def _stem(name: str) -> str:
    return Path(name).stem


def _number(name: str) -> int | None:
    digits = re.findall(r"\d+", Path(name).stem)
    return int(digits[-1]) if digits else None


def _mismatch(source: Path, has: str, count: int) -> EngineError:
    return EngineError(
        Fault.MASKS_UNREADABLE,
        f"{source} has {has} of masks, but the job has {count} frames, and no mask is named or "
        "numbered like a frame.",
        "Give one mask for each frame, or name the masks like the images of the footage.",
    )


def _check_label(reading: Reading, label: int, source: Path) -> None:
    """Raise MASKS_UNREADABLE where it is open, or impossible, which object is meant."""
    listed = ", ".join(map(str, reading.labels))
    if label == 0 and len(reading.labels) > 1:
        raise EngineError(
            Fault.MASKS_UNREADABLE,
            f"The masks in {source} show {len(reading.labels)} objects: {listed}.",
            f"Say which one is meant by its number, such as --masks DIR:{reading.labels[0]}, or in "
            "the panel below Found By.",
        )
    if label and label not in reading.labels:
        holds = f"only {listed}" if reading.labels else "one object without a number"
        raise EngineError(
            Fault.MASKS_UNREADABLE,
            f"The masks in {source} show no object {label}, but {holds}.",
            "Choose another number, or 0 for the only object.",
        )


def _check_shape(pixels: np.ndarray, source_size: tuple[int, int], source: Path) -> None:
    """Raise MASKS_UNREADABLE where a mask is not of the footage's shape: it would be distorted."""
    height, width = pixels.shape[:2]
    across, down = source_size
    if abs(width - height * across / down) <= max(1.0, across / down) + ASPECT_SLACK * width:
        return
    turned = abs(height - width * across / down) <= max(1.0, across / down) + ASPECT_SLACK * height
    raise EngineError(
        Fault.MASKS_UNREADABLE,
        f"A mask of {source} is {width} x {height} px, but the footage {across} x {down} px: "
        + ("it is turned." if turned else "another shape."),
        "Give masks of the footage's shape; their size may be another one.",
    )


def _warn_of_inverted(masks: np.ndarray, report: Report) -> None:
    """Say where ``masks`` [N, H, W] are white all around, as what lies behind an object is."""
    if not len(masks):
        return
    solid = masks > 127
    border = np.concatenate([solid[:, [0, -1]], solid[:, :, [0, -1]].swapaxes(1, 2)], axis=2)
    share, area = (float(np.median(part.mean(axis=(1, 2)))) for part in (border, solid))
    if share >= BORDER_SHARE and area >= INVERTED_AREA:
        report.warning(
            f"The masks are white on {share:.0%} of a typical frame's border, so they may be "
            "inverted.",
            "Where the object is black in them, choose Inverted (--invert-masks).",
        )


def _stoppable(pictures: Iterator[np.ndarray], report: Report) -> Iterator[np.ndarray]:
    for pixels in pictures:
        if report.stopping():
            raise Stopped
        yield pixels


def check_there(mask: ObjectMask) -> None:
    """Raise EngineError MASKS_UNREADABLE where ``mask`` comes from files that are not there."""
    try:
        if mask.kind is not MaskKind.FILES or Path(mask.path).exists():
            return
        reason = "is not there"
    except OSError as error:
        reason = f"cannot be looked at: {error.strerror}"
    raise EngineError(
        Fault.MASKS_UNREADABLE,
        f"{mask.path} {reason}.",
        "Choose the folder or movie with the masks again.",
    )
