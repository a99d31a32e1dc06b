"""Pictures of jobs and strips for the panels. Each is loaded once; drawing only looks them up."""

from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from ...engine.contract import files
from ..job import Job
from .state import state

FRAME, ATLAS = "frame", "atlas"
SHOWN = {
    FRAME: ("sweep", "frame", "reconstruction", "mask"),
    ATLAS: ("stylized_atlas", "atlas"),
}


def collection() -> Any:
    """Return Blender's collection of our pictures."""
    if state.pictures is None:
        state.pictures = bpy.utils.previews.new()
    return state.pictures


def show_newest(job: Job) -> None:
    """Load the job's newest pictures where there is a window to show them."""
    if not bpy.app.background and job.pictures_seen != job.status.preview_count:
        load_pictures(job)


def load_pictures(job: Job) -> None:
    """Let ``job.icons`` be what frame and atlas look like by now."""
    job.pictures_seen = job.status.preview_count
    for place, names in SHOWN.items():
        name = next((name for name in names if name in job.status.previews), "")
        file = job.folder.preview / f"{name}.png"
        if not name or not _is_plain(file):
            continue
        start = f"{job.id}-{place}-"
        for old in [name for name in collection() if name.startswith(start)]:
            del collection()[old]
        picture = collection().load(f"{start}{job.pictures_seen}", str(file), "IMAGE")
        job.icons[place] = picture.icon_id


def _is_plain(file: Path) -> bool:
    """Is it a picture in the job folder itself?"""
    try:
        files.check_plain(file.parent)
        files.check_plain(file)
    except OSError:
        return False
    return file.is_file()


def thumbnail(path: str, *, movie: bool) -> int:
    """Return the icon of a media file; Blender itself reads the file in the background."""
    if path not in state.thumbnails:
        picture = collection().load(f"thumbnail-{path}", path, "MOVIE" if movie else "IMAGE")
        state.thumbnails[path] = picture.icon_id
    return state.thumbnails[path]
