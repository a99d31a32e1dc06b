"""What a request leaves to the engine is decided here, before any work, and said.

Layered Neural Atlases take flow and masks from trained networks. A job downloads none: where their
weights are not on this computer, DIS flow and motion serve. Knows nothing of stages.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .contract.events import EngineError, Report
from .contract.job import ANYTHING, FootageKind, JobSpec, MaskKind, ObjectMask, Stage, TargetObject
from .contract.settings import EMBEDDED, replace_setting
from .contract.words.choice import choose_encoder
from .contract.words.recognition import noun_of, seen_as
from .stylization import weight_files
from .video.frames import expected_count

NLA_FRAMES = 70  # the most that Layered Neural Atlases were made for
ELSE_FLOW = "medium"


@dataclass(frozen=True)
class _Network:
    """A network that may serve: what it gives, its names, and what serves without it."""

    gives: str
    name: str
    weights: str
    otherwise: str
    lack: EngineError | None  # why it cannot serve

    def sentence(self) -> str:
        """Say what is used, and why."""
        if self.lack is not None:
            return f"{self.gives} from {self.otherwise}, not {self.name}. {self.lack.message}"
        return f"{self.gives} from {self.name}: its weights {self.weights} are on this computer."


def decide(spec: JobSpec, report: Report) -> JobSpec:
    """Return ``spec`` with nothing left open: encoder, flow, and how objects are found.

    Says which it was, of the encoder where it is not the embedded one. Imports torch only for
    flow and masks.
    """
    spec = dataclasses.replace(spec, objects=tuple(map(_with_name, spec.objects)))
    named, weights = spec.settings.stylization.encoder, weight_files.download_folder()
    choice = choose_encoder(named, spec.targets, weights)
    if choice.encoder not in (named, EMBEDDED):
        report.warning(str(choice.reason), "")
    spec = _with(spec, "stylization.encoder", choice.encoder)
    flow = spec.settings.flow.quality == "automatic"
    masks = spec.settings.masks.finder == "automatic" and any(map(_is_open, spec.objects))
    networks = []
    if flow:
        networks.append(_raft(spec.settings.flow.raft))
        spec = _with(spec, "flow.quality", ELSE_FLOW if networks[-1].lack else "raft")
    if masks:
        networks.append(_detector(spec.settings.masks.detector))
        if networks[-1].lack is None:
            spec = dataclasses.replace(spec, objects=tuple(map(_with_detector, spec.objects)))
    if networks:
        _say(networks, report)
    return _with(spec, "masks.finder", "motion")


def check_length(spec: JobSpec, report: Report) -> None:
    """Warn where Layered Neural Atlases are to take more frames apart than they were made for.

    Raises EngineError MEDIA_UNREADABLE.
    """
    if spec.settings.decomposition.engine != "mlp" or spec.until in _BEFORE_LAYERS:
        return
    count = expected_count(spec.footage)
    if count > NLA_FRAMES:
        is_whole_movie = spec.footage.kind is FootageKind.MOVIE and not spec.footage.indices
        report.warning(
            f"The footage has {'about ' * is_whole_movie}{count} frames; Layered Neural Atlases "
            f"(decomposition.engine mlp) were made for {NLA_FRAMES} at most.",
            f"Take {NLA_FRAMES} frames or fewer, or set decomposition.engine to grid.",
        )


_BEFORE_LAYERS = (Stage.FRAMES, Stage.FLOW, Stage.MASKS)


def _say(networks: list[_Network], report: Report) -> None:
    hints = " ".join(each.lack.hint for each in networks if each.lack is not None)
    report.warning(" ".join(each.sentence() for each in networks), hints)


def _raft(weights: str) -> _Network:
    from .video.raft import MODELS  # torch comes only for those who need it

    otherwise = f"DIS (flow.quality {ELSE_FLOW})"
    return _Network("Flow is", "RAFT", weights, otherwise, _lack(weights, MODELS))


def _detector(weights: str) -> _Network:
    from .video.detector import MODELS

    return _Network("Masks are", "Mask R-CNN", weights, "motion", _lack(weights, MODELS))


def _lack(weights: str, models: tuple[str, ...]) -> EngineError | None:
    """Return why weights cannot be used, None where they can."""
    from .video.weights import weights_file

    try:
        weights_file(weights, models)
    except EngineError as error:
        return error
    return None


def _with_name(item: TargetObject) -> TargetObject:
    """Let an object that is found by name be called as its texts call it, where it has none.

    Raises EngineError (BAD_JOB) where the embedded encoder could not point at it.
    """
    if item.mask.kind is not MaskKind.NAME:
        return item
    name = item.mask.class_name.strip() or noun_of(item.texts)
    seen_as(name)
    return dataclasses.replace(item, mask=dataclasses.replace(item.mask, class_name=name))


def _is_open(item: TargetObject) -> bool:
    return item.mask.kind is MaskKind.AUTOMATIC


def _with_detector(item: TargetObject) -> TargetObject:
    """Let the detector find an object for which nothing is given; its strokes still correct."""
    if not _is_open(item):
        return item
    mask = ObjectMask(MaskKind.DETECTOR, strokes=item.mask.strokes, class_name=ANYTHING)
    return dataclasses.replace(item, mask=mask)


def _with(spec: JobSpec, path: str, value: str) -> JobSpec:
    return dataclasses.replace(spec, settings=replace_setting(spec.settings, path, value))
