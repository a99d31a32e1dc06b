"""The jobs that this Blender knows: the only state that changes.

`poll` is a plain function: an application timer calls it, and `wait` does where timers do not
run. No reference into Blender's data is kept between two calls.
"""

from ..job import LIVE_TAKE, Job, Kind, Rendering
from .delivery import place
from .pictures import load_pictures, thumbnail
from .polling import INTERVAL, ensure_polling, poll, wait
from .queue import (
    add,
    attach_jobs,
    close,
    follow_file,
    footage_of,
    forget,
    go_on,
    leave,
    move,
    new_job,
    pause,
    resume,
    watch,
)
from .standby import drop as drop_standby
from .state import (
    current_job,
    engine,
    job_of,
    jobs_of,
    last_finished,
    newest_first,
    rates,
    refresh_engine,
    state,
    waiting_jobs,
)
from .work import cancel, keep

__all__ = [
    "INTERVAL", "LIVE_TAKE", "Job", "Kind", "Rendering", "add", "attach_jobs", "cancel", "close",
    "current_job", "drop_standby", "engine", "ensure_polling", "follow_file", "footage_of",
    "forget", "go_on", "job_of", "jobs_of", "keep", "last_finished", "leave", "load_pictures",
    "move", "new_job", "newest_first", "pause", "place", "poll", "rates", "refresh_engine",
    "resume", "state", "thumbnail", "wait", "waiting_jobs", "watch",
]  # fmt: skip
