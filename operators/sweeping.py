"""Sweeps: several texts, seeds and strengths tried at once, and takes from what was found."""

import dataclasses
from typing import Any

import bpy

from ..engine.client.status import Phase
from ..engine.contract.codec import to_json
from ..engine.contract.job import JobSpec, Sweep
from ..engine.contract.settings import replace_setting
from ..engine.contract.sweeps import SHEET_FILE, Cell, read_cells, request_of
from ..engine.contract.words.choice import with_encoder
from . import folders, layers, painting, properties, requests, session, starting, strips, targets
from .jobs import JobOperator
from .objects import TAKES_LINES

WIDTH = 480  # of the dialog, px


def cells_of(job: session.Job) -> tuple[Cell, ...]:
    """Return the cells of a finished sweep, the best first; its list is read once."""
    if job.cells is None:
        job.cells = read_cells(job.folder.sweep)
    return job.cells


def sweep_of(strip: Any) -> session.Job | None:
    """Return the last finished sweep of a source strip, or of a take's, None without one."""
    return session.last_finished(layers.source_of(strip), session.Kind.SWEEP)


def is_finished(job: session.Job) -> bool:
    """Is a job a sweep that has its cells?"""
    return job.kind is session.Kind.SWEEP and job.status.phase is Phase.FINISHED


class STRIPSTYLIZER_OT_sweep(starting.StartOperator, bpy.types.Operator):
    """Try several texts, seeds and strengths on one frame, to choose takes from"""

    bl_idname = "strip_stylizer.sweep"
    bl_label = "Sweep Texts"
    bl_options = {"REGISTER"}

    texts: bpy.props.StringProperty(
        name="Texts", description="What the object in front becomes; one a line, or with ; between"
    )
    seeds: bpy.props.IntProperty(
        name="Seeds", description="Looks of each text, from the strip's seed on",
        default=2, min=1, max=16,
    )  # fmt: skip
    strengths: bpy.props.StringProperty(
        name="Strengths", description="Each look at these, from 0 to 1, with ; between", default="1"
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask what is to be tried; begin with the strip's own text."""
        if not self.texts:
            found = requests.draft_of(strips.active_strip(context)).targets
            self.texts = found[0].global_text if found else ""
        return context.window_manager.invoke_props_dialog(self, width=WIDTH)

    def draw(self, context: Any) -> None:
        """Show the texts as lines where Blender can."""
        column = self.layout.column()
        if TAKES_LINES:
            column.textbox(self, "texts", initial_visible_lines=4)
        else:
            column.prop(self, "texts")
        column.prop(self, "seeds")
        column.prop(self, "strengths")

    def start(self, context: Any) -> list[session.Job]:
        """Start the job."""
        strip = starting.checked_strip(context)
        facts = properties.of(strip)
        targets.ensure(facts)
        settings = replace_setting(
            requests.settings_of(facts), "stylization.candidates", self.seeds
        )  # the encoder is chosen for all texts, not for the strip's own
        draft = dataclasses.replace(self._request(requests.draft_of(strip)), settings=settings)
        draft = with_encoder(draft, folders.weights())
        requests.check_objects(strip, draft)
        requests.check_words(draft)
        return [starting.begin(strip.id_data, strip, draft, kind=session.Kind.SWEEP)]

    def _request(self, draft: JobSpec) -> JobSpec:
        texts = tuple(dict.fromkeys(self._parts(self.texts.replace("\n", ";"))))
        if not texts:
            raise strips.Unusable("Write at least one text that says what the object becomes")
        try:
            strengths = tuple(dict.fromkeys(map(float, self._parts(self.strengths))))
        except ValueError:
            strengths = ()
        if not strengths:
            raise strips.Unusable("Write the strengths as numbers with ; between them: 0.5; 1")
        return dataclasses.replace(draft, sweep=Sweep(texts, strengths))

    @staticmethod
    def _parts(text: str) -> list[str]:
        return [part.strip() for part in text.split(";") if part.strip()]


class SweepOperator(JobOperator):
    """What operators on a finished sweep share; without a name it is the active strip's."""

    reason = "There is no finished sweep: sweep texts first"

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No sweep of this file may have ended."""
        is_any = any(map(is_finished, session.state.jobs.values()))
        return "" if is_any else "There is no finished sweep: sweep texts first"

    def find(self, context: Any) -> session.Job | None:
        """Return the sweep meant."""
        strip = strips.active_strip(context)
        if self.job or strip is None:
            return super().find(context)
        return sweep_of(strip)

    def fits(self, job: session.Job) -> bool:
        """Has it its cells?"""
        return is_finished(job)


class STRIPSTYLIZER_OT_sweep_show(SweepOperator, bpy.types.Operator):
    """Show the contact sheet of the sweep in an Image Editor, the best first"""

    bl_idname = "strip_stylizer.sweep_show"
    bl_label = "Show Sweep"
    bl_options = {"REGISTER"}

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Load it and show it."""
        try:
            job.folder.check()
            path = str(job.folder.sweep / SHEET_FILE)
            image = bpy.data.images.load(path, check_existing=True)
        except (OSError, RuntimeError) as error:
            self.report({"ERROR"}, f"{error}".rstrip(".\n") + ".")
            return {"CANCELLED"}
        painting.show(context, image, mode="VIEW")
        return {"FINISHED"}


class STRIPSTYLIZER_OT_sweep_take(SweepOperator, starting.StartOperator, bpy.types.Operator):
    """Make a take of this cell of the sweep; only rendering is left to be done"""

    bl_idname = "strip_stylizer.sweep_take"
    bl_label = "Make Take of Sweep"
    bl_options = {"REGISTER"}

    cell: bpy.props.IntProperty(
        name="Cell", description="Which one, counted from 1, the best first", default=1, min=1
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no engine, or no finished sweep."""
        return starting.without_engine() or super().why_disabled(context)

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Start the take, and wait for it where that is asked for."""
        self.job = job.id
        return starting.StartOperator.execute(self, context)

    def start(self, context: Any) -> list[session.Job]:
        """Start the job whose stages but the last one are those of the sweep."""
        job = session.state.jobs[self.job]
        cells, source = cells_of(job), strips.find(job.place)
        if source is None:
            raise strips.Unusable(f"The strip {job.place.strip} is gone: sweep another one")
        if self.cell > len(cells) or job.spec is None:
            raise strips.Unusable(f"There is no cell {self.cell}: the sweep has {len(cells)}")
        chosen = cells[self.cell - 1]
        spec = request_of(job.spec, chosen)
        made = session.add(
            source.id_data, source, spec, draft=spec, output=starting.output_of(""),
            recipe=recipe_with(job.recipe, spec, chosen.text),
            place=dataclasses.replace(job.place, blend=bpy.data.filepath),
        )  # fmt: skip
        return [made]


def recipe_with(recipe: dict, spec: JobSpec, text: str) -> dict:
    """Return what a take of the request ``spec`` remembers, from the ``recipe`` of its sweep."""
    words = {"global_text": text, "local_text": ""}
    objects = [*recipe.get("objects", ())]
    background = recipe.get("background", {})
    if objects:
        objects[0] = {**objects[0], **words}
    else:
        background = {**background, **words}
    kept = {name: value for name, value in recipe.items() if name not in ("job", "take")}
    changed = {"objects": objects, "background": background, "settings": to_json(spec.settings)}
    return {**kept, **changed, **words, "title": spec.title}


CLASSES = (STRIPSTYLIZER_OT_sweep, STRIPSTYLIZER_OT_sweep_show, STRIPSTYLIZER_OT_sweep_take)
