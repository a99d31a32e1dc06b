"""Frames that another method made of the same footage and texts, to be measured beside ours.

A method brings a folder with one folder for each text, ``FOLDER/TEXT`` or
``FOLDER/EXPERIMENT/TEXT``, named as the table names the variant, or as its job folder is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..contract.events import EngineError, Fault
from ..contract.job import Footage
from ..video.frames import footage_length, source_frames
from ..video.images import image_names, read_rgb
from .experiments import OURS, Experiment, file_name

# By experiment and variant the frames of each method that has some, in their order.
OtherFrames = Mapping[tuple[str, str], Mapping[str, Sequence[Path]]]


def named_folders(options: Iterable[str]) -> dict[str, Path]:
    """Read ``NAME=FOLDER`` of each option. Raises EngineError (BAD_JOB) with a sentence."""
    found: dict[str, Path] = {}
    for option in options:
        name, equals, folder = (part.strip() for part in option.partition("="))
        path = Path(folder)
        if not (name and equals and folder):
            raise _refusal(f"--compare {option} is not NAME=FOLDER", "Give it a name and a folder.")
        if name in found or name.split(",")[0] == OURS:
            raise _refusal(f"Two methods are called {name}", "Give each a name of its own.")
        if not path.is_dir():
            raise _refusal(f"The folder {path} of {name} is not there", "Name the folder's path.")
        found[name] = path
    return found


def other_frames(
    methods: Mapping[str, Path], experiments: Sequence[Experiment], footage: Footage
) -> OtherFrames:
    """Return the frames of ``methods`` for every variant of ``experiments`` that has some.

    Variants that edit each frame alone have none. Raises EngineError (BAD_JOB) where a method has
    nothing for any variant, or where number or size of its frames differ from the footage's.
    """
    found: dict[tuple[str, str], dict[str, Sequence[Path]]] = {}
    if not methods:
        return found
    count = len(footage.indices) or footage_length(footage)
    height, width = next(iter(source_frames(footage))).shape[:2]
    for method, folder in methods.items():
        expected = []
        for each in experiments:
            for variant in each.variants:
                places = _places(folder, each.name, variant.name)
                place = next((place for place in places if place.is_dir()), None)
                if place and not variant.per_frame:
                    frames = _frames_of(method, place, count, (width, height))
                    found.setdefault((each.name, variant.name), {})[method] = frames
                expected.append(file_name(variant.name))
        if not any(method in frames for frames in found.values()):
            raise _refusal(
                f"{folder} holds no folder of frames for any text of {method}",
                f"There may be: {', '.join(dict.fromkeys(expected))}.",
            )
    return found


def _places(folder: Path, experiment: str, variant: str) -> list[Path]:
    """Return where the frames may be; the name itself only where it is one folder's name."""
    names = [file_name(variant)]
    if not set(variant) & set('/\\:*?"<>|'):
        names.append(variant)
    return [place / name for place in (folder / experiment, folder) for name in names]


def _frames_of(method: str, place: Path, count: int, size: tuple[int, int]) -> list[Path]:
    frames = [place / name for name in image_names(place)]
    if len(frames) != count:
        raise _refusal(
            f"{method} has {len(frames)} frames in {place}, the footage has {count}",
            "Give one image for each frame, or choose the same frames with --frames.",
        )
    for path in frames:
        height, width = read_rgb(path).shape[:2]
        if (width, height) != size:
            raise _refusal(
                f"{path} is {width} x {height} px, the footage is {size[0]} x {size[1]} px",
                f"Bring the frames of {method} to the footage's size.",
            )
    return frames


def _refusal(message: str, hint: str) -> EngineError:
    return EngineError(Fault.BAD_JOB, f"{message}.", hint)
