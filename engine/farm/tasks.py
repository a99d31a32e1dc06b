"""What each task of a job does, on whatever machine (`contract.tasks`).

Each goes through the stages of a job as far as it needs, and finds in the cache what other tasks
have made: so any order of tasks gives the bits of one machine's job. Only what a task is for is
divided; what is missing of the stages before, it makes itself.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import choices
from ..client.status import JobReader
from ..contract import files
from ..contract.codec import Refusal, job_from_json, to_json
from ..contract.events import EngineError, Fault, Finished, Stopped
from ..contract.folder import JobFolder, with_paths
from ..contract.job import BACKGROUND, JobSpec, Stage
from ..contract.locks import Lock
from ..contract.tasks import FARM, Task, TaskVerb
from ..pipeline import EarlyStages
from ..reporter import Reporter
from ..video.clip import Clip
from ..video.frames import expected_count, source_frames
from ..video.images import encode_png
from ..workspace import Cache, explain_failures

if TYPE_CHECKING:
    from ..decomposition.layers import Layers
    from .blocks import Blocks

DECIDED = "decided.json"
LOCK_PAUSE = 0.1  # seconds


def run(task: Task, job: JobFolder, cache: Cache, report: Reporter) -> None:
    """Do one task of the job. Raises EngineError, and Stopped."""
    started = time.monotonic()
    if task.verb is TaskVerb.ASSEMBLE:
        report.encode_png = encode_png
    spec = decide_once(job, report)
    _check_task(task, spec)
    count = _WORK[task.verb](task, EarlyStages(spec, cache, report))
    report.say(Finished(count, round(time.monotonic() - started, 3)))


def decide_once(job: JobFolder, report: Reporter) -> JobSpec:
    """Return the request with nothing left open, as the first task of the job decided it.

    What weights a machine has would else decide on that machine (`choices.decide`). The decision is
    kept in the job folder for as long as the request stays. Raises EngineError and Stopped.
    """
    kept = job.path / FARM / DECIDED
    try:
        content = files.read_bytes(job.spec)
        name = hashlib.sha256(content).hexdigest()
        with explain_failures(job.path):
            files.private_folder(kept.parent)
            lock = Lock(kept.with_suffix(".lock"))
            while not lock.take():
                if report.stopping():
                    raise Stopped
                time.sleep(LOCK_PAUSE)
            try:
                spec = _read_decided(kept, name)
                if spec is None:
                    spec = choices.decide(job_from_json(json.loads(content)), report)
                    text = json.dumps({"request": name, "spec": to_json(spec)}, indent=1)
                    files.write_text(kept, text)
            finally:
                lock.free()
    except (Refusal, ValueError) as error:
        hint = "Write a new job from the panel."
        raise EngineError(Fault.BAD_JOB, f"{job.spec}: {error}.", hint) from error
    return with_paths(spec, lambda path: str(job.path.absolute() / path))


def _read_decided(path: Path, name: str) -> JobSpec | None:
    """Return what was decided for the request called ``name``, None where nothing was."""
    try:
        kept = files.read_json(path)
        return job_from_json(kept["spec"]) if kept["request"] == name else None
    except (OSError, Refusal, LookupError, TypeError):
        return None


def _check_task(task: Task, spec: JobSpec) -> None:
    """Raise EngineError (BAD_JOB) where the job has no such task."""
    _check_candidate(task, spec.settings.stylization.candidates)
    targets = {None, *range(len(spec.objects))}
    if not spec.background.empty:
        targets.add(BACKGROUND)
    if task.target not in targets:
        message = f"The job has {len(spec.objects)} objects; {task.target} is none of them."
        hint = "Objects are counted from 0; -1 is the background of a job that has a text for it."
        raise EngineError(Fault.BAD_JOB, message, hint)
    if spec.sweep is not None:
        message = "The job is a sweep, which one machine makes."
        hint = "Run it there: python -m engine run JOB."
        raise EngineError(Fault.BAD_JOB, message, hint)
    if spec.until not in (None, Stage.RENDER):
        message = f"The job ends with the stage {spec.until.value}: there is nothing to divide."
        hint = "Run it on one machine: python -m engine run JOB."
        raise EngineError(Fault.BAD_JOB, message, hint)


def _check_candidate(task: Task, made: int) -> None:
    """Raise EngineError (BAD_JOB) where ``task`` names none of the ``made`` candidates."""
    if task.candidate is None:
        return
    if task.verb is not TaskVerb.STYLIZE:
        message = f"The task {task.verb.value} has no candidates."
        raise EngineError(Fault.BAD_JOB, message, "Leave out --candidate; stylize has them.")
    if not 1 <= task.candidate <= made:
        message = f"The job makes {made} candidate(s); {task.candidate} is none of them."
        hint = f"Choose one from 1 to {made}, or raise stylization.candidates in the job."
        raise EngineError(Fault.BAD_JOB, message, hint)


def _check(task: Task, early: EarlyStages) -> int:
    """Refuse what no machine could do, as far as the request and single frames tell."""
    footage = early.spec.footage
    choices.check_length(early.spec, early.report)
    for _ in source_frames(footage):
        break
    return expected_count(footage)


def _prepare(task: Task, early: EarlyStages) -> int:
    """Make frames, flow and masks."""
    return len(_clip(early).video.frames)


def _decompose(task: Task, early: EarlyStages) -> int:
    """Separate the layers of one object, or of all."""
    clip, rest = _clip(early), early.restyling
    artifacts = rest.layer_artifacts(clip)
    chosen = artifacts if task.target is None else [artifacts[task.target]]
    rest.stages.all(Stage.DECOMPOSITION, chosen)
    return len(clip.video.frames)


def _stylize(task: Task, early: EarlyStages) -> int:
    """Restyle one object, the background, or all; one without a text is done already.

    A single candidate is kept apart, where who makes the whole finds it.
    """
    clip, rest = _clip(early), early.restyling
    sources = rest.sources(rest.decomposition(clip))
    artifacts = rest.atlas_artifacts(clip, sources, candidate=task.candidate)
    wanted = artifacts if task.target is None else {task.target}
    rest.stages.all(
        Stage.STYLIZATION, [each for number, each in artifacts.items() if number in wanted]
    )
    return len(clip.video.frames)


def _render(task: Task, early: EarlyStages) -> int:
    """Render some frames, or all; a layer package is written at the end, by one machine."""
    clip, rest = _clip(early), early.restyling
    count = len(clip.video.frames)
    if early.spec.layers is None:
        blocks, _ = _blocks(early, clip)
        with rest.stages.announce(Stage.RENDER, [rest.render_key()], reused=False):
            blocks.make(*(task.frames or (0, count - 1)))
    return count


def _assemble(task: Task, early: EarlyStages) -> int:
    """Put the frames together where the host looks for them, with the report of the whole job."""
    report, clip = early.report, _clip(early)
    rest = early.restyling
    rest.load_encoder()
    blocks, layers = _blocks(early, clip)
    _repeat_warnings(report)
    if early.spec.layers is not None:
        rest.write_layers(clip, layers, blocks.parts)
    else:
        metrics = rest.write(clip, layers, blocks.parts, lambda source, _: blocks.read(source))
        rest.publish(metrics)
    return len(clip.video.frames)


def _clip(early: EarlyStages) -> Clip:
    video = early.frames()
    return early.clip(video, early.flow(video))


def _repeat_warnings(report: Reporter) -> None:
    """Say once more what the other tasks warned of: their words belong to the job's report."""
    for folder in sorted((report.folder.path / FARM).iterdir()):
        if not folder.is_dir():
            continue
        for message, hint in JobReader(folder).read_to_end().warnings:
            report.warning(message, hint)


def _blocks(early: EarlyStages, clip: Clip) -> tuple[Blocks, list[Layers]]:
    """Return the job's frames in blocks, none of them rendered yet, and the layers."""
    from .blocks import Blocks  # torch comes here: seconds

    rest = early.restyling
    layers = rest.decomposition(clip)
    layers, parts = rest.apply_pins(clip, layers, rest.stylization(clip, layers))
    parts = rest.apply_edits(clip, layers, parts)
    parts = rest.with_flow_residuals(clip, parts)
    return Blocks(rest, parts, len(clip.video.frames), early.report), layers


_WORK: dict[TaskVerb, Callable[[Task, EarlyStages], int]] = {
    TaskVerb.CHECK: _check,
    TaskVerb.PREPARE: _prepare,
    TaskVerb.DECOMPOSE: _decompose,
    TaskVerb.STYLIZE: _stylize,
    TaskVerb.RENDER: _render,
    TaskVerb.ASSEMBLE: _assemble,
}
