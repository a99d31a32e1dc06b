"""The request: one object that holds all that influences a result.

What is not in a `JobSpec` does not influence the result. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from .settings import Settings

PROTOCOL = 2
ANYTHING = "anything"  # a detector's class that stands for all that it knows


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
    STROKES = "strokes"
    FILES = "files"
    DETECTOR = "detector"
    NAME = "name"


@dataclass(frozen=True)
class Footage:
    """What the strip shows: media files and which of their frames.

    ``path`` is a movie file or a folder of images. ``files`` are the names of the images in that
    folder, empty for every image in the order of their names. ``indices`` chooses frames of the
    movie or of ``files``, in display order and with repetitions where a frame is held; empty for
    all of them. ``premultiplied``: the colours of the media are multiplied by their alpha.
    """

    kind: FootageKind
    path: str
    files: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()
    frames_per_second: float = 24.0
    premultiplied: bool = False


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
class Stroke:
    """A brush stroke over one frame, on the object or on what is not the object.

    ``frame`` counts the job's frames from 0; ``points`` are x, y, x, y, ... along the stroke, with
    ``radius``, in pixels of the footage at its own size, from the top left corner.
    """

    frame: int
    points: tuple[float, ...]
    radius: float
    is_object: bool = True


@dataclass(frozen=True)
class ObjectMask:
    """How to find the object.

    FILES: ``path`` is a folder of mask images, white on black, one for each frame of the job or
    named or numbered like the footage's images, or a movie; ``label`` is the object's number where
    they label several, 0 for the only one; ``inverted`` says that the object is black.
    BOX: ``box``. STROKES: ``strokes``, on any number of frames.
    DETECTOR: the objects that a trained detector calls ``class_name`` ("person", "dog", or
    `ANYTHING`); where there are several, the one that lasts longest. NAME: what looks most like
    ``class_name`` to the embedded encoder; empty for the thing that its texts name.
    AUTOMATIC: what moves against the background, unless ``settings.masks.finder`` says otherwise.
    """

    kind: MaskKind = MaskKind.AUTOMATIC
    path: str = ""
    box: Box | None = None
    strokes: tuple[Stroke, ...] = ()
    class_name: str = ""
    label: int = 0
    inverted: bool = False


@dataclass(frozen=True)
class TargetTexts:
    """What an object or the background should become.

    An empty ``local_text`` means the global one. ``avoid`` says what it should not look like.
    ``picture`` is a picture to look like, beside the texts or, where both texts are empty, in
    their place; ``picture_share`` is how much it counts beside them, 0 to 1.
    """

    global_text: str = ""
    local_text: str = ""
    avoid: str = ""
    picture: str = ""
    picture_share: float = 0.5

    @property
    def local(self) -> str:
        """The text for close views."""
        return self.local_text or self.global_text

    @property
    def empty(self) -> bool:
        """Is there nothing to become?"""
        return not (self.global_text.strip() or self.local_text.strip() or self.picture)


@dataclass(frozen=True)
class Pin:
    """One spot of an object, pointed at in two frames or more.

    ``frames`` count the job's frames from 0, each at most once; ``points`` are x, y, x, y, ..., one
    for each of them, in pixels of the footage at its own size, from the top left corner. The first
    frame shows where the spot lies on the atlas: there the mapping stays as it is.
    """

    frames: tuple[int, ...]
    points: tuple[float, ...]


@dataclass(frozen=True)
class TargetObject:
    """One object of the footage: how it is found and what it becomes.

    With empty texts it stays as it is and only hides what lies behind it. ``pins`` correct where
    its atlas lies in the frames.
    """

    texts: TargetTexts = field(default_factory=TargetTexts)
    mask: ObjectMask = field(default_factory=ObjectMask)
    name: str = ""
    pins: tuple[Pin, ...] = ()


class EditKind(Enum):
    """What was changed by hand."""

    ATLAS = "atlas"
    PICTURE = "picture"
    FRAME = "frame"
    GRADE = "grade"
    BLUR = "blur"
    REMOVAL = "removal"
    MATTE = "matte"

    @property
    def has_picture(self) -> bool:
        """Is it made from a file?"""
        return self in (EditKind.ATLAS, EditKind.PICTURE, EditKind.FRAME)


class Blend(Enum):
    """How a picture is laid over what it covers."""

    OVER = "over"
    MULTIPLY = "multiply"
    SCREEN = "screen"


EDIT_NAMES = {
    EditKind.ATLAS: "edited atlas",
    EditKind.PICTURE: "placed picture",
    EditKind.FRAME: "painted frame",
    EditKind.GRADE: "graded layer",
    EditKind.BLUR: "blurred layer",
    EditKind.REMOVAL: "removed layer",
    EditKind.MATTE: "matte",
}
BACKGROUND = -1  # the layer behind all objects
ANY = -2  # the layer, or layers, that lie where the edit does


@dataclass(frozen=True)
class Edit:
    """A change by hand to one layer, which follows the layer's surface through all frames.

    ATLAS: ``path`` is an atlas of the layer package after it was painted on, ``before`` the same
    one as it was; ``stylized`` tells that it is a stylized one. PICTURE: the picture ``path`` lies
    on the frame ``frame``, its upper left, upper right, lower right and lower left corner at
    ``corners`` (x, y, x, y, ... in pixels of the footage at its own size, from the top left
    corner). FRAME: ``path`` is the frame ``frame`` after it was painted on, ``before`` the same
    one as it was; without it the footage's own. ``frame`` counts the job's frames from 0.

    GRADE: the layer's light times ``factor`` (red, green, blue), as colourful as ``saturation``
    says. BLUR: the layer is blurred by ``radius`` px of the footage. REMOVAL: the object is covered
    by the background, as other frames show it. MATTE: the frames are the layer's alpha, white.

    ``layer`` is the number of the object, counted from 0 at the front; `BACKGROUND` is what is
    behind all of them. `ANY`: of a frame each layer that was painted on, of a picture the one in
    front at its middle, of mattes all objects.
    """

    kind: EditKind
    path: str = ""
    before: str = ""
    layer: int = 0
    frame: int = 0
    corners: tuple[float, ...] = ()
    blend: Blend = Blend.OVER
    opacity: float = 1.0
    stylized: bool = False
    factor: tuple[float, ...] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    radius: float = 0.0
    enabled: bool = True


@dataclass(frozen=True)
class LayerFiles:
    """What a layer package is to hold beside the atlases.

    ``frames``: all planes of each frame. ``plates``: what they make up, a picture for each frame.
    ``mattes``: alpha as PNG of 16 bit. ``st_maps``: uv as ST-maps of their own, and the way back.
    ``checkerboard``: a movie of checks that lie on the atlas of each object. ``live``: the planes
    as pictures of three or four channels, as Blender's sequencer reads them.
    """

    frames: bool = True
    plates: bool = False
    mattes: bool = False
    st_maps: bool = False
    checkerboard: bool = False
    live: bool = False


@dataclass(frozen=True)
class Sweep:
    """What is tried from one decomposition, on the object in front or, without one, behind all.

    Each of ``texts`` is that object's text once, with as many seeds as there are candidates, and
    is shown at each of ``strengths``, 0 to 1.
    """

    texts: tuple[str, ...]
    strengths: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class JobSpec:
    """The whole request.

    ``objects`` are ordered from front to back. ``background`` is what lies behind all of them;
    with no objects it is the whole frame. ``edits`` are laid over what texts have made, the first
    one first. ``until`` is the last stage that is done, None for all. With ``layers`` the job
    leaves a layer package as well; with a ``sweep`` it leaves that in place of frames.
    """

    footage: Footage
    objects: tuple[TargetObject, ...] = ()
    background: TargetTexts = field(default_factory=TargetTexts)
    settings: Settings = field(default_factory=Settings)
    until: Stage | None = None
    edits: tuple[Edit, ...] = ()
    layers: LayerFiles | None = None
    sweep: Sweep | None = None
    protocol: int = PROTOCOL

    @property
    def stylizes(self) -> bool:
        """Does the job come to the stylization?"""
        return self.until in (None, Stage.STYLIZATION, Stage.RENDER)

    @property
    def needs_texts(self) -> bool:
        """Would there be nothing to do without a text?"""
        return self.stylizes and not self.shown_edits and self.layers is None

    @property
    def needs_encoder(self) -> bool:
        """Is something restyled from texts or a picture?"""
        return self.stylizes and bool(self.targets)

    @property
    def shown_edits(self) -> tuple[Edit, ...]:
        """The edits that are not switched off."""
        return tuple(each for each in self.edits if each.enabled)

    @property
    def targets(self) -> tuple[TargetTexts, ...]:
        """What is restyled, in order: objects with texts, then the background if it has some.

        Of a sweep all that any of its texts restyles.
        """
        if self.sweep is not None:
            each = [self.with_front_text(text).targets for text in self.sweep.texts]
            return tuple(dict.fromkeys(texts for targets in each for texts in targets))
        found = (*(item.texts for item in self.objects), self.background)
        return tuple(texts for texts in found if not texts.empty)

    def with_front_text(self, text: str) -> JobSpec:
        """Return the request for frames in which the object in front becomes ``text``.

        Without an object it is the background; what to avoid, and a picture, stay.
        """
        if not self.objects:
            changed = replace(self.background, global_text=text, local_text="")
            return replace(self, background=changed, sweep=None)
        first, *others = self.objects
        changed = replace(first.texts, global_text=text, local_text="")
        return replace(self, objects=(replace(first, texts=changed), *others), sweep=None)

    @property
    def title(self) -> str:
        """What the job is called in one line: its texts and edits."""
        texts = [
            texts.global_text.strip() or texts.local_text.strip() or texts.picture
            for texts in self.targets
        ]
        return ", ".join([*texts, *(EDIT_NAMES[each.kind] for each in self.shown_edits)])


def single(
    footage: Footage,
    texts: TargetTexts,
    mask: ObjectMask | None = None,
    settings: Settings | None = None,
) -> JobSpec:
    """Return the request for one object."""
    target = TargetObject(texts, mask or ObjectMask())
    return JobSpec(footage, (target,), settings=settings or Settings())
