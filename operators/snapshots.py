"""Saved states and candidates of a finished take: which there are, and a new take from another one.

The engine keeps them with the stylization; to show another one only the render is done again.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import bpy

from ..engine.contract import files
from ..engine.contract.codec import to_json
from ..engine.contract.job import JobSpec
from ..engine.contract.settings import replace_setting
from . import session, starting, strips

LOST = "The job of this take is not known here any more: New Take makes another one"


@dataclass(frozen=True)
class Candidate:
    """One result that was made: its number from 1, its score, after which steps it was saved.

    ``steps`` is where its finished atlas was taken from. What was kept early has no score.
    """

    number: int
    score: float | None
    steps: int
    snapshots: tuple[int, ...]


def candidates_of(job: session.Job) -> tuple[Candidate, ...]:
    """Return the candidates of a finished job, the best first; its report is read once.

    Where several targets were restyled the first one's are told: a choice holds for all of them.
    """
    if job.candidates is None:
        job.candidates = _read(job)
    return job.candidates


def _read(job: session.Job) -> tuple[Candidate, ...]:
    try:
        reports = files.read_json(job.folder.report)["candidates"]
        return tuple(
            Candidate(each["candidate"], each["score"], each["steps"], tuple(each["snapshots"]))
            for each in (reports[0] if reports else ())
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ()


def shown_by(job: session.Job) -> tuple[int, int]:
    """Return the candidate and the snapshot that a job's result shows; snapshot 0 is the last."""
    assert job.spec is not None
    found, render = candidates_of(job), job.spec.settings.render
    best = found[0].number if found else 0
    return render.candidate or best, render.snapshot


def takes_of(job: session.Job) -> dict[tuple[int, int], Any]:
    """Return the takes that differ from this job's in the choice only, by candidate, snapshot."""
    source, found = strips.find(job.place), {}
    for take in strips.results_of(source) if source is not None else ():
        other = session.job_of(take)
        if other is not None and _without_choice(other.spec) == _without_choice(job.spec):
            found[shown_by(other)] = take
    return found


def _without_choice(spec: JobSpec | None) -> JobSpec | None:
    if spec is None:
        return None
    settings = replace_setting(spec.settings, "render.candidate", 0)
    return dataclasses.replace(spec, settings=replace_setting(settings, "render.snapshot", 0))


class STRIPSTYLIZER_OT_snapshot_render(starting.StartOperator, bpy.types.Operator):
    """Make a take from another snapshot or candidate of this one; only rendering is done again"""

    bl_idname = "strip_stylizer.snapshot_render"
    bl_label = "Render Snapshot"
    bl_options = {"REGISTER"}

    candidate: bpy.props.IntProperty(
        name="Candidate", description="Which candidate; 0 for the best", min=0, max=16
    )
    snapshot: bpy.props.IntProperty(
        name="Snapshot",
        description="The state after about this step; 0 for the last",
        min=0,
        max=100_000,
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No take may be active whose job is known, or no engine be there."""
        return starting.without_engine() or why_not(strips.active_strip(context))

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask which one, unless the button says so."""
        given = (self.properties.is_property_set(name) for name in ("candidate", "snapshot"))
        if any(given):
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: Any) -> set[str]:
        """Show the take where there is one already, else make it."""
        strip = strips.active_strip(context)
        job = session.job_of(strip)
        assert job is not None
        best = candidates_of(job)[0].number
        take = takes_of(job).get((self.candidate or best, self.snapshot))
        if take is None:
            return super().execute(context)
        strips.show_take(take)
        strips.activate_instead(take, strip)
        return {"FINISHED"}

    def start(self, context: Any) -> list[session.Job]:
        """Start the same job with another choice; it finds all stages but the last one done."""
        job = session.job_of(strips.active_strip(context))
        assert job is not None and job.spec is not None
        source = strips.find(job.place)
        assert source is not None  # polling has found it
        candidate = self._candidate_among(candidates_of(job))
        settings = replace_setting(job.spec.settings, "render.candidate", candidate)
        settings = replace_setting(settings, "render.snapshot", self.snapshot)
        spec = dataclasses.replace(job.spec, settings=settings)
        recipe = {**job.recipe, "settings": to_json(settings)}
        for name in ("job", "take"):
            recipe.pop(name, None)
        made = session.add(
            source.id_data, source, spec, draft=spec, output=starting.output_of(""),
            recipe=recipe, place=dataclasses.replace(job.place, blend=bpy.data.filepath),
        )  # fmt: skip
        made.asked_from = job.id
        return [made]

    def _candidate_among(self, found: tuple[Candidate, ...]) -> int:
        numbers = sorted(each.number for each in found)
        if self.candidate and self.candidate not in numbers:
            there = ", ".join(map(str, numbers))
            raise strips.Unusable(f"There is no candidate {self.candidate}: choose one of {there}")
        return self.candidate if len(numbers) > 1 else 0


def why_not(strip: Any) -> str:
    """Say why no other snapshot of a strip can be rendered, and what to do; or ''."""
    if strip is None or not strips.recipe_of(strip):
        return "Select a stylized strip"
    job = session.job_of(strip)
    if job is None or job.spec is None or not candidates_of(job):
        return LOST
    if strips.find(job.place) is None:
        return "Select a stylized strip whose source is in this file"
    return ""


CLASSES = (STRIPSTYLIZER_OT_snapshot_render,)
