"""The request: one object that holds all that influences a result.

What is not in a `JobSpec` does not influence the result. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .settings import Settings

PROTOCOL = 1


class Stage(Enum):
    """The six stages of a job, in the order in which they run."""

    FRAMES = "frames"
    FLOW = "flow"
    MASKS = "masks"
    DECOMPOSITION = "decomposition"
    STYLIZATION = "stylization"
    RENDER = "render"


class FootageKind(Enum):
    """What the footage's path names."""

    MOVIE = "movie"
    IMAGES = "images"


class MaskKind(Enum):
    """Where the coarse object mask comes from."""

    AUTOMATIC = "automatic"
    BOX = "box"
    FILES = "files"


@dataclass(frozen=True)
class Footage:
    """What the strip shows: media files and which of their frames.

    ``path`` is a movie file or a folder of images. ``files`` are the names of the images in that
    folder, empty for every image in the order of their names. ``indices`` chooses frames of the
    movie or of ``files``, in display order and with repetitions where a frame is held; empty for
    all of them.
    """

    kind: FootageKind
    path: str
    files: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()
    frames_per_second: float = 24.0


@dataclass(frozen=True)
class Box:
    """A rectangle around the object on one frame.

    ``frame`` counts the job's frames from 0; the rest is in pixels of the footage at its own
    size, from the top left corner.
    """

    frame: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ObjectMask:
    """How to find the object.

    FILES: ``path`` is a folder of mask images, white on black, one for each frame of the job or
    named like the footage's images. BOX: ``box``. AUTOMATIC: what moves against the background.
    """

    kind: MaskKind = MaskKind.AUTOMATIC
    path: str = ""
    box: Box | None = None


@dataclass(frozen=True)
class TargetTexts:
    """What the object should become; an empty ``local_text`` means the global one."""

    global_text: str
    local_text: str = ""

    @property
    def local(self) -> str:
        """The text for close views."""
        return self.local_text or self.global_text


@dataclass(frozen=True)
class JobSpec:
    """The whole request."""

    footage: Footage
    texts: TargetTexts
    mask: ObjectMask = field(default_factory=ObjectMask)
    settings: Settings = field(default_factory=Settings)
    protocol: int = PROTOCOL
