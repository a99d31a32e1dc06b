"""What each verb of the command line does. Prints; imports torch only where it is needed."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import platform
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Collection
from pathlib import Path

from . import faults, manifest, rehearsal, requests, terminal
from .contract import codec, files, settings_table, variables
from .contract import remedies as remedy_table
from .contract.events import (
    Cancelled,
    EngineError,
    Event,
    Failed,
    Fault,
    Hello,
    Stopped,
)
from .contract.folder import EXIT_UNHEARD, JobFolder
from .contract.job import (
    PROTOCOL,
    JobSpec,
    LayerFiles,
    Stage,
)
from .contract.settings import OFFERED_WEIGHTS, Settings, preset
from .contract.tasks import Task, TaskFolder, TaskVerb
from .contract.words import listing
from .contract.words.concepts import load_vocabulary
from .contract.words.reading import read
from .reporter import LOCK_SECONDS, Reporter
from .workspace import Cache, default_cache, explain_failures

USAGE_FAULTS = (Fault.BAD_JOB,)
# Of a task: no other machine could do it either.
TASK_FAULTS = (
    *USAGE_FAULTS, Fault.MEDIA_UNREADABLE, Fault.FOOTAGE_TOO_SHORT, Fault.MASKS_UNREADABLE,
    Fault.OBJECT_NOT_FOUND,
)  # fmt: skip
EXIT_FAILED, EXIT_USAGE, EXIT_STOPPED = 1, 2, 130


def exit_code(error: EngineError, refused: Collection[Fault] = USAGE_FAULTS) -> int:
    """Return 2 for a request that cannot be served as it is, 1 for work that failed."""
    return EXIT_USAGE if error.fault in refused else EXIT_FAILED


def perform(options: argparse.Namespace) -> int:
    """Do what the command line asks for; of torchrun's processes the first does, others help."""
    if variables.TORCHRUN not in os.environ:
        return options.run(options)
    from .stylization import helper

    with helper.together() as is_first:
        if is_first:
            return options.run(options)
        helper.serve()
    return 0


def stylize(options: argparse.Namespace) -> int:
    """Write a job folder and run it."""
    return _begin(requests.from_options(options), options)


def run(options: argparse.Namespace) -> int:
    """Run the job in a job folder, or go on with it."""
    return _perform(JobFolder(options.job.absolute()), options, _real_work(options.cache))


def wait(options: argparse.Namespace) -> int:
    """Get ready, then run the job that is named; without one there is nothing to do."""
    from .standby import next_job

    options.job, options.quiet, options.until = next_job(), True, None
    return 0 if options.job is None else run(options)


def rehearse(options: argparse.Namespace) -> int:
    """Say and write what a job would, without work."""
    return _perform(JobFolder(options.job.absolute()), options, rehearsal.rehearse)


def stage(options: argparse.Namespace) -> int:
    """Do one task of a job, whose other tasks other machines may do at the same time."""
    job = JobFolder(options.job.absolute())
    job.read_spec()  # before a folder is made below it
    task = Task(TaskVerb(options.task), options.target, options.frames, options.candidate)
    cache = Cache((options.cache or job.path / "cache").absolute())

    def work(spec: JobSpec, report: Reporter) -> None:
        from .farm import tasks

        tasks.run(task, job, cache, report)

    return _perform(task.folder(job), options, work, lock_seconds=math.inf, refused=TASK_FAULTS)


def farm(options: argparse.Namespace) -> int:
    """Do a job in tasks by several processes of this computer."""
    from .farm import local

    job = JobFolder(options.job.absolute())
    cache = (options.cache or job.path / "cache").absolute()
    gpus = local.count_gpus()
    return local.run(job, cache, workers=options.workers or max(2, gpus), gpus=gpus)


def check(options: argparse.Namespace) -> int:
    """Print devices, versions and weights, and whether the encoders that are here see."""
    from . import device
    from .stylization import encoder, self_test

    chosen = device.choose("automatic")
    there = encoder.available((*OFFERED_WEIGHTS, *options.encoders))
    weights, sentences = self_test.run_self_tests(there, chosen)
    facts = {
        "engine": manifest.version(),
        "protocol": PROTOCOL,
        "python": platform.python_version(),
        "versions": manifest.versions(),
        "device": codec.to_json(device.describe(chosen)),
        "weights": weights,
        "eyesight": sentences,
        "computation": device.prove(chosen),
    }
    if options.json:
        print(json.dumps(facts))
    else:
        terminal.print_facts(facts)
    whole = "missing" not in facts["versions"].values() and facts["weights"]["embedded"] == "ready"
    return 0 if whole else EXIT_FAILED


def settings(options: argparse.Namespace) -> int:
    """Print every setting."""
    values = preset(options.preset) if options.preset else Settings()
    text = settings_table.markdown() if options.markdown else settings_table.plain(values) + "\n"
    print(text, end="")
    return 0


def remedies(options: argparse.Namespace) -> int:
    """Print what each fault means and what to do about it."""
    if options.markdown:
        print(remedy_table.markdown(), end="")
        return 0
    for fault, (what, remedy) in remedy_table.REMEDIES.items():
        print(f"{fault.value}: {what}\n    {remedy}")
    return 0


def knows(options: argparse.Namespace) -> int:
    """Print what the embedded encoder knows, or how it reads a text."""
    vocabulary = load_vocabulary()
    if options.text:
        reading = read(options.text, vocabulary, local=options.local)
        print(listing.describe_reading(reading, vocabulary))
    else:
        print(listing.plain(vocabulary))
    return 0


def sheet(options: argparse.Namespace) -> int:
    """Write the contact sheet and the before-after movie of finished jobs."""
    from .evaluation.sheet import write_sheet

    jobs, out = [JobFolder(job.absolute()) for job in options.jobs], options.out.absolute()
    with explain_failures(out):
        written = write_sheet(jobs, out)
    for path in written:
        print(path)
    return 0


def export_layers(options: argparse.Namespace) -> int:
    """Write the layer package of a job, whose stages are found in the cache."""
    wanted = LayerFiles(
        plates=options.plates, mattes=options.mattes, st_maps=options.st_maps,
        checkerboard=options.checkerboard, live=options.live,
    )  # fmt: skip
    spec = JobFolder(options.job.absolute()).read_spec()
    return _begin(dataclasses.replace(spec, until=None, layers=wanted), options)


def sweep(options: argparse.Namespace) -> int:
    """Try texts, seeds and strengths on a job's layers, which are found in the cache."""
    spec = JobFolder(options.job.absolute()).read_spec()
    return _begin(requests.with_sweep(spec, options), options)


def apply_edit(options: argparse.Namespace) -> int:
    """Run a job again with one more change by hand, or with none at all."""
    spec = JobFolder(options.job.absolute()).read_spec()
    return _begin(requests.with_edit(spec, options), options)


def evaluate(options: argparse.Namespace) -> int:
    """Run experiments, write the page of a study, or read its scores."""
    from . import evaluating

    return evaluating.evaluate(options)


def _begin(spec: JobSpec, options: argparse.Namespace) -> int:
    """Write a job folder and run it."""
    folder = JobFolder(options.out.absolute())
    with explain_failures(folder.path):
        _make_room(folder, spec)
        folder.write_spec(spec)
    return _perform(folder, options, _real_work(options.cache))


def _make_room(folder: JobFolder, spec: JobSpec) -> None:
    """Move what bears our names into ``earlier/``, unless it is this very request's."""
    try:
        if folder.spec.exists() and folder.read_spec() == spec:
            return
    except EngineError:
        pass  # a request that cannot be read is not this one
    there = [path for path in folder.files() if path.exists()]
    if there:
        earlier = folder.path / "earlier" / time.strftime("%Y-%m-%d-%H%M%S")
        earlier.mkdir(parents=True)
        for path in there:
            shutil.move(path, earlier / path.name)


Work = Callable[[JobSpec, Reporter], None]


def _real_work(cache: Path | None) -> Work:
    def work(spec: JobSpec, report: Reporter) -> None:
        from . import pipeline

        pipeline.run(spec, Cache((cache or default_cache()).absolute()), report)

    return work


def _perform(
    folder: JobFolder,
    options: argparse.Namespace,
    work: Work,
    *,
    lock_seconds: float = LOCK_SECONDS,
    refused: Collection[Fault] = USAGE_FAULTS,
) -> int:
    bar = terminal.Bar(quiet=options.quiet)
    with Reporter(folder, listen=bar.show, lock_seconds=lock_seconds) as report:
        _obey_signals(report)
        try:
            report.say(Hello(manifest.version(), PROTOCOL, os.getpid()))
            spec = folder.read_spec()
            if getattr(options, "until", None):
                spec = dataclasses.replace(spec, until=Stage(options.until))
            if not options.quiet:  # a host that asks for quiet has cleared an old request itself
                folder.stop.unlink(missing_ok=True)
                folder.pause.unlink(missing_ok=True)
            work(spec, report)
        except (Stopped, KeyboardInterrupt):
            return _say_last(report, bar, Cancelled(resumable=True), EXIT_STOPPED)
        except Exception as error:
            known = faults.explained_error(error, folder.path)
            _write_log(folder)
            last = Failed(known.fault, known.message, known.hint)
            return _say_last(report, bar, last, exit_code(known, refused))
    if not options.quiet and not isinstance(folder, TaskFolder):
        frames = folder.sweep if spec.sweep else folder.layers if spec.layers else folder.result
        print(f"Frames: {frames}" if spec.until is None else f"Done: {spec.until.value}")
    return 0


def _obey_signals(report: Reporter) -> None:
    """The first signal asks for a stop at the next step, the second one ends what is going on."""

    def obey(*_: object) -> None:
        if report.stop_requested:
            raise KeyboardInterrupt
        report.request_stop()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), obey)


def _say_last(report: Reporter, bar: terminal.Bar, event: Event, code: int) -> int:
    """Say how the job ended and return the exit code, another one where that cannot be written."""
    try:
        report.say(event)
    except (EngineError, OSError) as error:
        bar.show(event)
        print(f"error: {error}", file=sys.stderr)
        return EXIT_UNHEARD
    return code


def _write_log(folder: JobFolder) -> None:
    """Add the traceback to the log; each line begins with a bar, whatever a message holds."""
    lines = traceback.format_exc().split("\n")
    text = "".join(f"| {files.one_line(line)}\n" for line in lines)
    try:
        files.append(folder.log, text.encode())
    except OSError as error:
        print(f"engine.log cannot be written: {error}", file=sys.stderr)
