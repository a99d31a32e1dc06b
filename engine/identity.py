"""Names what a job reads by its content, so that a moved or copied file is recognised.

These are the inputs of the stage keys: equal content, equal name.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from .contract.codec import to_json
from .contract.events import EngineError, Fault
from .contract.job import Edit, Footage, FootageKind, MaskKind, ObjectMask, TargetTexts
from .stylization.weight_files import EMBEDDED, embedded_file
from .video.frames import footage_names
from .workspace import Names


def of_footage(footage: Footage, names: Names) -> tuple[str, ...]:
    """Name the footage.

    Images are named in the order in which they are shown, however the request lists them.
    Raises EngineError where a file is not there.
    """
    if footage.premultiplied:
        return ("premultiplied", *of_footage(replace(footage, premultiplied=False), names))
    path = Path(footage.path)
    try:
        if footage.kind is FootageKind.MOVIE:
            return (names.of_file(path), ",".join(map(str, footage.indices)))
        listed = footage_names(footage)
        digests = [names.of_file(path / name) for name in listed]
        if any(index not in range(len(listed)) for index in footage.indices):
            return (*digests, "beyond the end")  # reading the frames says so in a sentence
        return tuple(digests[index] for index in footage.indices or range(len(listed)))
    except OSError as error:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The media file {error.filename} cannot be read: {error.strerror}.",
            "Put the file back, or point the strip to where it is now.",
        ) from error


def of_mask(mask: ObjectMask, footage: Footage, names: Names) -> tuple[str, ...]:
    """Name where the masks come from, with the strokes that correct them."""
    source = Path(mask.path)
    if mask.kind is MaskKind.FILES and source.exists():
        content = names.of_folder(source) if source.is_dir() else names.of_file(source)
        chosen = ",".join(map(str, footage.indices))
        files = footage_names(footage) if footage.kind is FootageKind.IMAGES else ()
        return (json.dumps(to_json(replace(mask, path=content))), ",".join(files), chosen)
    searched = mask.kind not in (MaskKind.FILES, MaskKind.DETECTOR)
    encoder = (of_encoder(EMBEDDED, names),) if searched else ()
    return (json.dumps(to_json(mask)), *encoder)


def of_texts(texts: TargetTexts, names: Names) -> str:
    """Name what to become."""
    picture = Path(texts.picture)
    if texts.picture and picture.is_file():
        texts = replace(texts, picture=names.of_file(picture))
    return json.dumps(to_json(texts), ensure_ascii=False)


def of_edit(edit: Edit, names: Names) -> str:
    """Name a change by hand: its pictures by their content."""
    found = {
        name: names.of_file(Path(path))
        for name, path in (("path", edit.path), ("before", edit.before))
        if path and Path(path).is_file()
    }
    return json.dumps(to_json(replace(edit, **found)), ensure_ascii=False)


def of_encoder(name: str, names: Names) -> str:
    """Name the weights that guide a job: a local file by its content."""
    if name == EMBEDDED:
        return names.of_file(embedded_file())
    if Path(name).is_dir():
        return names.of_folder(Path(name))
    weights = Path(name.partition(":")[2])
    return names.of_file(weights) if weights.is_file() else name
