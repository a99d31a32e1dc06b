"""How a host gives a job to Flamenco's manager, watches it there and cancels it.

The manager's HTTP interface is version 3, as its own description says. Every answer that is not the
expected one becomes a sentence. Knows nothing of Blender. Standard library only.
"""

from __future__ import annotations

import json
import platform
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from ..contract import files
from ..contract.events import Fault
from ..contract.job import JobSpec, Stage
from ..contract.tasks import FARM, TaskVerb, restyled_numbers
from .status import JobReader, Phase, Status

JOB_TYPE = "strip-stylizer"  # the manager's name for strip_stylizer.js
OLDEST = (3, 8)
TIMEOUT = 10.0  # seconds
MANY_FRAMES = 2000  # from which on several machines are faster than one
MANY_TARGETS = 3
MOST_BYTES = 16 * 2**20
WATCH_SECONDS = 3.0
MOST_COMPLETED = 20  # looks, in which another computer's files must be seen
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is in this network
READ_SECONDS = 0.05  # of computing, for what a task that failed said
STAGES = {
    TaskVerb.CHECK: Stage.FRAMES,
    TaskVerb.PREPARE: Stage.MASKS,
    TaskVerb.DECOMPOSE: Stage.DECOMPOSITION,
    TaskVerb.STYLIZE: Stage.STYLIZATION,
    TaskVerb.RENDER: Stage.RENDER,
    TaskVerb.ASSEMBLE: Stage.RENDER,
}


class Unsent(Exception):
    """The farm does not do what was asked; the text says why and what to do, without full stop."""


class Outdated(Unsent):
    """The job type is another one than when it was last looked at."""


class Unknown(Unsent):
    """The manager knows nothing of this name."""


@dataclass(frozen=True)
class FarmJob:
    """Which job of which manager."""

    address: str
    id: str


@dataclass(frozen=True)
class Answer:
    """What a manager last said of a job: its status, and each task's status by name."""

    status: str = ""
    tasks: dict[str, str] = field(default_factory=dict)
    trouble: str = ""  # why there is nothing newer
    count: int = 0
    completed: int = 0  # how often in a row it was said that all is done


class Manager:
    """The manager at an address such as ``http://farm:8080``."""

    def __init__(self, address: str) -> None:
        address = address.strip().rstrip("/")
        if not address:
            raise Unsent("No farm is known: write its manager's address into the preferences")
        self.address = address if "://" in address else f"http://{address}"
        if not self.address.startswith(("http://", "https://")):
            raise Unsent(f"{address} is no address of a farm's manager: it begins with http://")

    def check_version(self) -> str:
        """Return the manager's version; raises Unsent where it is none that is known."""
        try:
            found = self._ask("version")
        except Unknown as error:
            raise Unsent(self._no_manager) from error
        version = str(found.get("shortversion", ""))
        numbers = re.match(r"(\d+)\.(\d+)", version)
        if not numbers:
            raise Unsent(self._no_manager)
        major, minor = int(numbers[1]), int(numbers[2])
        if major != OLDEST[0] or minor < OLDEST[1]:
            raise Unsent(
                f"The manager at {self.address} is Flamenco {version}: version 3.8 or a later "
                "one of version 3 is needed"
            )
        return version

    def shared_folder(self) -> Path:
        """Return the storage that all workers share, as this computer sees it.

        Raises Unsent where it is not there.
        """
        found = self._ask(f"configuration/shared-storage/users/{platform.system().lower()}")
        location = str(found.get("location", ""))
        if not location or not Path(location).is_dir():
            raise Unsent(
                f"The farm's shared storage {location or '(none)'} is not on this computer: mount "
                "it there, or let the manager's two-way variables name where it is"
            )
        return Path(location)

    def send(self, spec: JobSpec, folder: Path, *, title: str, frames: int) -> FarmJob:
        """Let the manager check a job and take it. Raises Unsent.

        A job type that has changed in between is looked at once more.
        """
        try:
            made = self._submit(spec, folder, title, frames)
        except Outdated:
            made = self._submit(spec, folder, title, frames)
        return FarmJob(self.address, str(made.get("id", "")))

    def look_at(self, job: str) -> Answer:
        """Return how a job stands. Raises Unsent."""
        facts = self._ask(f"jobs/{job}")
        tasks = self._ask(f"jobs/{job}/tasks").get("tasks") or []
        known = {str(each.get("name")): str(each.get("status")) for each in tasks}
        return Answer(str(facts.get("status", "")), known)

    def set_status(self, job: str, status: str, reason: str) -> None:
        """Ask for another status: ``cancel-requested`` or ``requeueing``. Raises Unsent."""
        self._ask(f"jobs/{job}/setstatus", {"status": status, "reason": reason})

    def _submit(self, spec: JobSpec, folder: Path, title: str, frames: int) -> dict[str, Any]:
        """Let the job be checked and taken, with the job type as it is now."""
        try:
            etag = self._ask(f"jobs/type/{JOB_TYPE}").get("etag", "")
        except Unknown as error:
            raise Unsent(
                f"The manager at {self.address} has no job type {JOB_TYPE}: copy "
                "engine/farm/strip_stylizer.js into its folder scripts and start it again"
            ) from error
        request = {
            "name": title, "type": JOB_TYPE, "type_etag": etag, "priority": 50,
            "submitter_platform": platform.system().lower(),
            "settings": settings_of(spec, folder, frames),
        }  # fmt: skip
        self._ask("jobs/check", request)
        return self._ask("jobs", request)

    @property
    def _no_manager(self) -> str:
        return f"What answers at {self.address} is no manager of Flamenco: check the address"

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the manager answers as JSON, {} where it says nothing. Raises Unsent."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.address}/api/v3/{path}", data, {"Content-Type": "application/json"}
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                content = answer.read(MOST_BYTES)
            found = json.loads(content) if content.strip() else {}
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from error
        except (ValueError, RecursionError) as error:
            raise Unsent(self._no_manager) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unsent(
                f"The farm's manager at {self.address} cannot be reached ({reason}): check the "
                "address in the preferences, and whether it runs"
            ) from error
        if not isinstance(found, dict):
            raise Unsent(self._no_manager)
        return found

    def _refusal(self, error: urllib.error.HTTPError) -> Unsent:
        with error:
            try:
                found = json.loads(error.read(MOST_BYTES))
                said = files.one_line(found["message"])
            except (ValueError, RecursionError, LookupError, TypeError, OSError, HTTPException):
                said = str(error.reason)
        if error.code == 412:
            return Outdated(
                "The farm's job type changes while the job is sent: wait until its manager has "
                "been set up, then send the job again"
            )
        if error.code == 404:
            return Unknown(f"The farm's manager does not know this ({said}): it may be deleted")
        if error.code == 422:
            return Unsent("The job on the farm is over already, or not far enough for this")
        if error.code in (429, 503):
            return Unsent("The farm's manager is busy: try again in a minute")
        return Unsent(f"The farm's manager refuses ({error.code}): {said.rstrip('.')}")


def settings_of(spec: JobSpec, folder: Path, frames: int) -> dict[str, Any]:
    """Return the settings of the job type for a request that lies in ``folder``.

    Each task starts a process, which reads its libraries: a short job is done sooner by one
    machine (docs/scale.md).
    """
    restyled = restyled_numbers(spec)
    candidates = spec.settings.stylization.candidates
    return {
        "job_folder": str(folder), "objects": len(spec.objects), "frames": frames,
        "restyled": ",".join(map(str, restyled)), "candidates": candidates,
        "divide": not 0 < frames < MANY_FRAMES or candidates * len(restyled) >= MANY_TARGETS,
    }  # fmt: skip


class Watch:
    """Looks after a job on a farm, in a thread: `answer` is what the manager said last.

    ``request`` is a status and a reason, for which the manager is asked before the first look.
    """

    def __init__(
        self, job: FarmJob, seconds: float = WATCH_SECONDS, request: tuple[str, str] | None = None
    ) -> None:
        self.answer = Answer()
        self._manager, self._job, self._seconds = Manager(job.address), job, seconds
        self._wanted = [request] if request else []
        self._wake, self._over = threading.Event(), False
        threading.Thread(target=self._look, daemon=True).start()

    def ask_for(self, status: str, reason: str) -> None:
        """Let the manager be asked for another status of the job, soon."""
        self._wanted.append((status, reason))
        self._wake.set()

    def end(self) -> None:
        """Look no more."""
        self._over = True
        self._wake.set()

    def _look(self) -> None:
        while not self._over:
            count = self.answer.count + 1
            try:
                while self._wanted:
                    self._manager.set_status(self._job.id, *self._wanted.pop(0))
                found = self._manager.look_at(self._job.id)
                completed = self.answer.completed + 1 if found.status == "completed" else 0
                self.answer = replace(found, count=count, completed=completed)
            except Unknown as error:
                self.answer = Answer("deleted", trouble=f"{error}.", count=count)
            except Unsent as error:
                self.answer = replace(self.answer, trouble=f"{error}.", count=count)
            self._wake.wait(self._seconds)
            self._wake.clear()


def fold_answer(status: Status, answer: Answer, folder: Path) -> Status:
    """Return the status of the job in ``folder`` after what the manager said of it.

    That the job is finished its own events say, not the manager.
    """
    if status.ended:
        return status
    if answer.trouble and (answer.trouble, "") not in status.warnings:
        status = replace(status, warnings=(*status.warnings, (answer.trouble, "")))
    match answer.status:
        case "failed":
            return _failure(status, answer, folder)
        case "canceled":
            return replace(status, phase=Phase.CANCELLED, seconds_left=None)
        case "completed" if answer.completed > MOST_COMPLETED:
            return replace(
                status, phase=Phase.FAILED, fault=Fault.DISK_FAILED,
                message=f"The farm has done the job, but its result is not seen in {folder}.",
                hint="Check that the shared storage is mounted here, then resume the job.",
            )  # fmt: skip
        case "deleted":
            return replace(
                status, phase=Phase.FAILED, fault=Fault.UNEXPECTED, message=answer.trouble,
                hint="Send the strip to the farm again.",
            )  # fmt: skip
        case "paused":
            status = replace(status, paused=True)
        case _:
            status = replace(status, paused=False)
    return _progress(status, answer)


def _progress(status: Status, answer: Answer) -> Status:
    """Show the first stage of which not all tasks are done."""
    verbs = {name: TaskVerb(name.partition("-")[0]) for name in answer.tasks if _is_ours(name)}
    for stage in dict.fromkeys(STAGES.values()):
        states = [answer.tasks[name] for name, verb in verbs.items() if STAGES[verb] is stage]
        done = states.count("completed")
        if states and (done < len(states) or stage is Stage.RENDER):
            return replace(status, phase=Phase.RUNNING, stage=stage, step=done, total=len(states))
    return status


def _is_ours(name: str) -> bool:
    return name.partition("-")[0] in {verb.value for verb in TaskVerb}


def _failure(status: Status, answer: Answer, folder: Path) -> Status:
    """Return the failed status in the words of the task that failed, if it left any."""
    names = [name for name, state in answer.tasks.items() if state in ("failed", "soft-failed")]
    for name in filter(_is_ours, names):
        is_last = name == TaskVerb.ASSEMBLE.value
        said = JobReader(folder if is_last else folder / FARM / name).poll(READ_SECONDS)
        if said.phase is Phase.FAILED:
            return replace(
                status, phase=Phase.FAILED, fault=said.fault, message=said.message, hint=said.hint
            )
    which = f"the task {names[0]}" if names else "a task"
    return replace(
        status, phase=Phase.FAILED, fault=Fault.UNEXPECTED,
        message=f"On the farm {which} failed without a word.",
        hint="Its log in the manager's web page tells more.",
    )  # fmt: skip
