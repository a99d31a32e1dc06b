"""The panel of a stylized strip: what it was made from, and the other takes of its source."""

from typing import Any

import bpy

from ..operators import properties, session, snapshots, strips
from ..operators.languages import say
from . import job_view
from .sidebar import SidebarPanel
from .words import action, draw_text

STEPS_SHOWN = 20
COLUMNS = 5
GALLERY_COLUMNS = 2
CANDIDATE_SCALE = 5.0


class STRIPSTYLIZER_PT_take(SidebarPanel, bpy.types.Panel):
    """Recipe and takes of a stylized strip"""

    bl_idname = "STRIPSTYLIZER_PT_take"
    bl_label = "Take"
    bl_order = 1

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is a stylized strip active?"""
        strip = strips.active_strip(context)
        return strip is not None and bool(properties.of(strip).result_of)

    def draw(self, context: Any) -> None:
        """Show takes, recipe, and what can be done with them."""
        strip = strips.active_strip(context)
        draw_takes(self.layout, strip)
        draw_recipe(self.layout, strips.recipe_of(strip))
        job = session.job_of(strip)
        if job is not None and job.spec is not None and snapshots.candidates_of(job):
            draw_snapshots(self.layout, job)
        column = self.layout.column(align=True)
        column.operator("strip_stylizer.new_take", icon="DUPLICATE")
        column.operator("strip_stylizer.pins_follow", icon="PINNED")
        column.operator("strip_stylizer.reuse_settings", icon="COPYDOWN")
        column.operator("strip_stylizer.copy_recipe", icon="COPY_ID")
        column.operator("strip_stylizer.take_as_source", icon="FORWARD")
        column.operator("strip_stylizer.layers_export", icon="EXPORT")
        if job is not None:
            action(column, "reveal", job, icon="FILE_FOLDER")


def draw_takes(layout: Any, strip: Any) -> None:
    """Show which take this is, with the buttons to the others and to the source."""
    takes, shown = strips.results_of(strip), strips.shown_take(strip)
    seen = say("Source is shown")
    if shown:
        seen = say("Take {number} of {count}", number=strips.number_of(shown), count=len(takes))
    row = layout.row(align=True)
    row.operator("strip_stylizer.take_step", text="", icon="TRIA_LEFT").step = -1
    icon = "HIDE_OFF" if shown else "HIDE_ON"
    compare = {"text": seen, "icon": icon, "translate": False, "depress": bool(shown)}
    row.operator("strip_stylizer.compare", **compare)
    row.operator("strip_stylizer.take_step", text="", icon="TRIA_RIGHT").step = 1


def draw_recipe(layout: Any, recipe: dict) -> None:
    """Show texts, seed, preset and source."""
    box = layout.box().column(align=True)
    for text in texts_of(recipe):
        draw_text(box, text)
    settings = recipe.get("settings", {})
    render = settings.get("render", {})
    words = [say(str(recipe.get("preset", "")).capitalize())]
    words.append(say("seed {number}", number=settings.get("seed", 0)))
    if render.get("candidate"):
        words.append(say("candidate {number}", number=render["candidate"]))
    if render.get("snapshot"):
        words.append(say("step {number}", number=render["snapshot"]))
    box.label(text=", ".join(filter(None, words)), translate=False)
    source = say("Source: {name}").format(name=recipe.get("strip", "?"))
    box.label(text=source, translate=False)


def texts_of(recipe: dict) -> list[str]:
    """Return a line for each text of a recipe; where there are several objects with their names."""
    objects = [item for item in (*recipe.get("objects", ()), recipe.get("background", {})) if item]
    described = [item for item in objects if item.get("global_text") or item.get("local_text")]
    if len(described) > 1:
        return [
            f"{item['name']}: {item['global_text'] or item['local_text']}" for item in described
        ]
    texts = recipe.get("global_text", ""), recipe.get("local_text", "")
    return [text for text in texts if text]


# --- snapshots and candidates --------------------------------------------------------------------


def draw_snapshots(layout: Any, job: session.Job) -> None:
    """Let the user choose another saved state or candidate; pressed is what there is a take of."""
    found = snapshots.candidates_of(job)
    header, body = layout.panel("strip_stylizer_snapshots")
    header.label(text="Candidates and Snapshots" if len(found) > 1 else "Snapshots")
    if body is None:
        return
    made, (number, step) = snapshots.takes_of(job), snapshots.shown_by(job)
    if len(found) > 1:
        draw_candidates(body, job, found, set(made), number)
    shown = next((each for each in found if each.number == number), found[0])
    column = body.column(align=True)
    column.label(text="After step")
    grid = column.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, align=True)
    for choice in (*some_of(shown.snapshots, last=shown.steps), 0):
        text = str(choice or shown.steps)
        draw_choice(grid, (number, choice), text, set(made), is_shown=choice == step)
    source = strips.find(job.place)
    under_way = session.current_job(source) if source is not None else None
    if under_way is not None and not under_way.status.ended:
        job_view.draw_running(body, under_way)


def draw_candidates(body: Any, job: session.Job, found: Any, made: set, number: int) -> None:
    """Show a picture of each candidate with its button below it, the best first."""
    gallery = body.grid_flow(row_major=True, columns=GALLERY_COLUMNS, even_columns=True)
    for each in found:
        column = gallery.column(align=True)
        picture = job.status.previews.get(f"candidate_{each.number}")
        if picture and not bpy.app.background:
            icon = session.thumbnail(str(job.folder.path / picture), movie=False)
            column.template_icon(icon_value=icon, scale=CANDIDATE_SCALE)
        text = f"{each.number}: {each.score:.3f}"
        draw_choice(column, (each.number, 0), text, made, is_shown=each.number == number)


def draw_choice(
    layout: Any, choice: tuple[int, int], text: str, made: set, *, is_shown: bool
) -> None:
    """Show one button; what the active take shows cannot be pressed."""
    cell = layout.row(align=True)
    cell.enabled = not is_shown
    button = cell.operator("strip_stylizer.snapshot_render", text=text, depress=choice in made)
    button.candidate, button.snapshot = choice


def some_of(steps: tuple[int, ...], *, last: int) -> list[int]:
    """Return at most `STEPS_SHOWN` steps evenly, without the last one."""
    earlier = [step for step in steps if step != last]
    every = -(-len(earlier) // STEPS_SHOWN) or 1
    return earlier[::-1][::every][::-1]


CLASSES = (STRIPSTYLIZER_PT_take,)
