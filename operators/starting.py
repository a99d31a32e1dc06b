"""How a job starts: what forbids it, what must be rendered first, and waiting for its result."""

import dataclasses
from pathlib import Path
from typing import Any

import bpy

from ..engine.client.status import Phase
from ..engine.contract import codec
from ..engine.contract.job import JobSpec
from . import folders, mattes, outlook, properties, requests, session, strips, targets
from .explaining import ExplainedOperator
from .objects import why_no_source


class StartOperator(ExplainedOperator):
    """What all operators that start jobs share: sentences instead of tracebacks, and waiting."""

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when the result is there; without a window it is always so",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be nothing to stylize, or no engine."""
        return why_not(context)

    def execute(self, context: Any) -> set[str]:
        """Start the jobs; without a window, or where asked for, wait for their results."""
        try:
            jobs = self.start(context)
        except (strips.Unusable, codec.Refusal) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        except OSError as error:
            self.report({"ERROR"}, f"The workspace cannot be written: {error}.")
            return {"CANCELLED"}
        bpy.ops.ed.undo_push(message=self.bl_label)
        if not (self.wait or bpy.app.background):
            return {"FINISHED"}
        for job in jobs:
            job.must_arrive = True
        for job in jobs:
            session.wait(job)
        return self.report_failures([job for job in jobs if not is_done(job)])

    def report_failures(self, failures: list[session.Job]) -> set[str]:
        """Report what did not succeed."""
        if not failures:
            return {"FINISHED"}
        self.report({"ERROR"}, " ".join(job.sentence for job in failures))
        return {"CANCELLED"}


def begin(
    scene: Any,
    strip: Any,
    draft: JobSpec,
    *,
    output: str = "",
    kind: session.Kind = session.Kind.STYLIZE,
    recipe: dict | None = None,
) -> session.Job:
    """Start a job for what ``draft`` asks for, after what must be rendered first.

    ``recipe`` is what its take remembers, without it what the strip asks for. Raises Unusable,
    Refusal or OSError.
    """
    outlook.check_room(strip, draft)
    footage, renderings = session.footage_of(scene, strip), mattes.wanted_renderings(strip)
    if footage is None:
        requests.check_mask_counts(draft, strip)
        renderings = (session.Rendering(), *renderings)
    else:
        draft = requests.complete(draft, footage) if not renderings else draft_with(draft, footage)
    spec = None if renderings else draft
    return session.add(
        scene, strip, spec, draft=draft, output=output, kind=kind, renderings=renderings,
        recipe=recipe_of(properties.of(strip)) if recipe is None else recipe,
    )  # fmt: skip


def recipe_of(facts: Any) -> dict:
    """Return what a strip asks for beside the engine's settings, as plain values."""
    background = targets.background_of(facts)
    return {
        "objects": [targets.to_values(item) for item in targets.objects_of(facts)],
        "background": targets.to_values(background) if background else {},
        "preset": facts.preset,
    }


def without_texts(recipe: dict) -> dict:
    """Return a recipe whose objects stay as they are."""
    blank = {"global_text": "", "local_text": "", "avoid": "", "picture": ""}

    def without_its_texts(item: dict) -> dict:
        return {name: blank.get(name, value) for name, value in item.items()}

    objects = [without_its_texts(item) for item in recipe["objects"]]
    return {**recipe, "objects": objects, "background": without_its_texts(recipe["background"])}


def draft_with(draft: JobSpec, footage: Any) -> JobSpec:
    """Return the request with its footage, while masks are still to be rendered."""
    return dataclasses.replace(draft, footage=footage)


def output_of(folder: str) -> str:
    """Return the folder for finished frames, '' for the workspace.

    A folder beside a file that was never saved is nowhere: then it is the workspace too.
    """
    chosen = folder or folders.preference("output_folder", "")
    if not chosen or (chosen.startswith("//") and not bpy.data.filepath):
        return ""
    return str(Path(bpy.path.abspath(chosen)).absolute())


def is_done(job: session.Job) -> bool:
    """Has the job done all that was asked for?"""
    finished = job.status.phase is Phase.FINISHED
    return finished and (job.arrived or not job.kind.makes_strip)


def checked_strip(context: Any) -> Any:
    """Return the active strip, which polling has found; raises Unusable where its media are not."""
    strip = strips.active_strip(context)
    assert strip is not None
    requests.check_strip(strip)
    return strip


def why_not(context: Any) -> str:
    """Say why nothing can be stylized now and what to do about it; or ''."""
    if strips.sequencer_scene(context) is None:
        return "Choose a scene in the sequencer's header first"
    return why_no_source(strips.active_strip(context)) or without_engine()


def without_engine() -> str:
    """Say that there is no engine and what to do about it; or ''."""
    ready = session.engine() == "ready"
    return "" if ready else "Install the engine in the panel or in the preferences"
