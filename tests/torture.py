"""Strikes whole jobs on the smallest footage, and looks what they leave: `make torture`.

A child of this process, with all libraries read, runs the engine's command line. A strike counts
what it opens, renames, removes, writes and syncs below the job and the cache, and at one of these,
or at a moment, kills it or lets the system fail. Then the job is run again, and what it leaves is
compared, byte by byte, with what a job leaves that nobody touched.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import errno
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.client.status import JobReader
from engine.contract.folder import JobFolder
from engine.contract.job import Stage
from tests.synthetic import moving_sprite

SETTINGS = (
    "frames.longest_side=64", "decomposition.grid.steps=4", "decomposition.grid.atlas_size=64",
    "stylization.steps=4", "stylization.views.local_views=1", "stylization.snapshot_every=2",
)  # fmt: skip
WRITES = ("write", "fsync", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "open for writing")
FAILURES = {
    "ENOSPC": (errno.ENOSPC, ("write", "fsync", "open for writing", "os.mkdir")),
    "EIO": (errno.EIO, (*WRITES, "open")),
    "EMFILE": (errno.EMFILE, ("open", "open for writing")),
    "EROFS": (errno.EROFS, WRITES),
}
RIGHT_NAMES = {
    "ENOSPC": {"disk_full"},
    "EIO": {"disk_failed", "media_unreadable", "weights_unavailable"},
    "EMFILE": {"too_many_files", "media_unreadable", "weights_unavailable"},
    "EROFS": {"folder_unwritable"},
}
STAGES = ("start", "frames", "flow", "masks", "decomposition", "stylization", "render", "result")
CACHED = STAGES[1:6]
MOST_KILLS = 4  # of one job
MOST_MISSED = 50  # moments after the end of a job, of one stage
MOST_SECONDS = 60  # for one changed file; the machine may be busy
UNHEARD = "exit status 74"


@dataclass
class Strike:
    """Something that befalls a job: at its ``at``-th operation, or after ``seconds``.

    Both count from the beginning of ``stage``, where one is named.
    """

    at: int = 0
    seconds: float = 0.0
    failure: str = ""  # "" kills
    lasts: bool = False  # all later operations of the kind fail, too
    stage: str = ""


def install(strike: Strike, places: tuple[str, ...], counts: collections.Counter[str]) -> None:
    """Let ``strike`` befall this process as soon as it works below ``places``.

    ``counts`` get the number of operations of each stage.
    """
    write, fsync = os.write, os.fsync
    number, kinds = FAILURES.get(strike.failure, (0, (*WRITES, "open")))

    def begins(stage: str) -> None:
        counts[stage] = 0
        if strike.seconds and strike.stage in (stage, ""):
            signal.setitimer(signal.ITIMER_REAL, strike.seconds)

    def happens(kind: str) -> None:
        if kind not in kinds:
            return
        stage = next(reversed(counts))
        counts[stage] += 1
        count = counts[stage] if strike.stage else sum(counts.values())
        if count < strike.at or (count > strike.at and not strike.lasts) or not strike.at:
            return
        if strike.stage not in (stage, ""):
            return
        if not strike.failure:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(number, os.strerror(number))

    def hear(event: str, arguments: tuple) -> None:
        if not arguments or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        if not os.fsdecode(arguments[0]).startswith(places):
            return
        if event == "open":
            writes = arguments[2] & (os.O_WRONLY | os.O_RDWR) if arguments[2] else 0
            happens("open for writing" if writes else "open")
        elif event in WRITES:
            happens(event)

    def written(number: int, data: bytes) -> int:
        if number > 2:
            happens("write")
        return write(number, data)

    def synced(number: int) -> None:
        happens("fsync")
        fsync(number)

    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    begins("start")
    _announce_stages(begins)
    sys.addaudithook(hear)
    os.write, os.fsync = written, synced


def _announce_stages(begins: Callable[[str], None]) -> None:
    """Let ``begins`` hear of each stage of this process, and of the writing of the result."""
    from engine import results
    from engine.reporter import Reporter

    plain_stage, plain_publish = Reporter.stage, results.publish

    def stage(report: Reporter, stage: Stage, *, reused: bool) -> Any:
        begins(stage.value)
        return plain_stage(report, stage, reused=reused)

    def publish(*arguments: Any) -> None:
        begins("result")
        plain_publish(*arguments)

    Reporter.stage, results.publish = stage, publish


class Field:
    """Where jobs are struck: footage, what an untouched job left, and a table of what was seen."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place, self.chance = place, random.Random(seed)
        self.rows: collections.Counter[tuple[str, str]] = collections.Counter()
        self.wrong: list[str] = []
        moving_sprite(frames=4, width=80, height=48).write(place / "footage")
        self.whole = self.new("whole")
        code = self.run(self.whole, Strike())
        assert code == 0, f"an untouched job ended with {code}: {self.log(self.whole)}"
        self.expected = digests(self.whole)
        self.operations = json.loads((self.whole / "counts").read_text())
        taken = json.loads((self.whole / "job" / "report.json").read_text())["seconds"]
        self.seconds = {stage: 0.01 + taken.get(stage, 0.05) for stage in STAGES}

    def new(self, name: str) -> Path:
        """Return a folder of its own for a job and its cache."""
        shutil.rmtree(self.place / name, ignore_errors=True)
        (self.place / name).mkdir()
        return self.place / name

    def copy(self, name: str) -> Path:
        """Return a copy of the untouched job with its cache."""
        shutil.rmtree(self.place / name, ignore_errors=True)
        return Path(shutil.copytree(self.whole, self.place / name))

    def before(self, stage: str) -> Path:
        """Return a copy of the untouched job as it was before ``stage``."""
        there = self.copy("killed")
        undone = CACHED[CACHED.index(stage) :] if stage in CACHED else CACHED[len(CACHED) :]
        for each in CACHED if stage == "start" else undone:
            for folder in there.glob(f"cache/{each}-*"):
                shutil.rmtree(folder)
        if stage == "start":
            shutil.rmtree(there / "job")
        return there

    def start(self, there: Path, strike: Strike | None = None, prepare: Callable = int) -> int:
        """Start the job in ``there`` in a child and return the child's number."""
        footage = self.place / "footage"
        words = ["stylize", str(footage / "frames"), "--masks", str(footage / "masks")]
        words += ["--global-text", "gold", "--preset", "draft"]
        words += ["--out", str(there / "job"), "--cache", str(there / "cache")]
        for setting in SETTINGS:
            words += ["--set", setting]
        child = os.fork()
        if child:
            return child
        code, counts = 99, collections.Counter[str]()
        try:
            os.setsid()
            for number in (1, 2):
                os.dup2(os.open(there / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
            prepare()
            if strike is not None:
                install(strike, (str(there / "job"), str(there / "cache")), counts)
            from engine.__main__ import main

            code = main(words)
            (there / "counts").write_text(json.dumps(counts))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def run(self, there: Path, strike: Strike | None = None, prepare: Callable = int) -> int:
        """Run the job and return its exit code, negative for a signal, -1000 where it hung."""
        child, end = self.start(there, strike, prepare), time.monotonic() + 900
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -1000

    def log(self, there: Path) -> str:
        """Return the end of what a job printed."""
        return (there / "said").read_text(errors="replace")[-600:]

    def expect(self, row: str, there: Path, what: str, *, seen: str = "same bytes") -> None:
        """Run the job in ``there`` to its end and compare what it leaves."""
        code = self.run(there)
        if code == 0 and digests(there) == self.expected:
            self.rows[row, seen] += 1
        else:
            self.rows[row, "WRONG"] += 1
            self.wrong.append(f"{row}: {what}: exit {code}: {self.log(there)}")


def digests(there: Path) -> dict[str, str]:
    """Return the digests of the finished stages and of the frames."""
    found = [*there.glob("cache/[a-z]*-*/**/*"), *there.glob("job/result/*")]
    return {
        str(path.relative_to(there)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.is_file()
    }


def kills(field: Field, count: int) -> None:
    """Kill jobs in each stage as often, at operations and at moments, then let them end.

    Three of four kills are spread evenly over the operations of their stage. A killed job that is
    run again may be killed again, in the same stage.
    """
    for number, stage in enumerate(STAGES):
        share = count // len(STAGES) + (number < count % len(STAGES))
        done, missed = 0, 0
        while done < share and missed < MOST_MISSED:
            there, struck = field.before(stage), []
            while done < share and len(struck) < MOST_KILLS:
                strike = _strike(field, stage, (done + field.chance.random()) / share)
                code = field.run(there, strike)
                if code == 0:  # it had ended before
                    missed += 1
                    break
                struck.append(f"{strike.at or strike.seconds}:{code}")
                if code != -signal.SIGKILL:
                    field.wrong.append(f"kill in {stage} {struck}: {code}: {field.log(there)}")
                done += 1
                how = "an operation" if strike.at else "a moment"
                field.rows[f"kill in {stage}, at {how}", "killed"] += 1
            if struck:
                field.expect(f"jobs killed in {stage}, run to their end", there, str(struck))


def _strike(field: Field, stage: str, place: float) -> Strike:
    """Return a kill at ``place`` in [0, 1) among the operations of ``stage``, or at a moment."""
    if field.chance.random() < 0.25:
        return Strike(seconds=field.chance.uniform(0.001, field.seconds[stage]), stage=stage)
    return Strike(at=1 + int(place * field.operations[stage]), stage=stage)


def failures(field: Field, count: int) -> None:
    """Let the system fail at one operation, for once or from then on; then run the job again."""
    for number in range(count):
        failure = list(FAILURES)[number % len(FAILURES)]
        strike = Strike(field.chance.randrange(1, 200), 0, failure, field.chance.random() < 0.5)
        there = field.new("failed")
        code = field.run(there, strike)
        status = JobReader(there / "job").read_to_end()
        seen = status.fault.value if status.fault else f"exit status {code}"
        if code == 0:
            seen = "no harm" if digests(there) == field.expected else "WRONG RESULT"
        row = f"{failure}, {'lasting' if strike.lasts else 'once'}"
        field.rows[row, seen] += 1
        if seen not in {*RIGHT_NAMES[failure], "no harm", UNHEARD, "exit status 1"}:
            field.wrong.append(f"{row} at {strike.at}: {seen}: {field.log(there)}")
        field.expect(f"{failure}, run again", there, f"at {strike.at}")


def damage(field: Field, count: int) -> None:
    """Harm one cached file and run the job: it must notice, and make the stage again."""
    for _ in range(count):
        there = field.copy("damaged")
        path = field.chance.choice(sorted(p for p in there.glob("cache/*-*/**/*") if p.is_file()))
        how = field.chance.choice(["emptied", "halved", "zeroed", "removed", "one bit", "longer"])
        data = bytearray(path.read_bytes())
        if how == "one bit":
            data[field.chance.randrange(len(data))] ^= 1 << field.chance.randrange(8)
        data = {"emptied": b"", "halved": data[: len(data) // 2], "zeroed": bytes(len(data)),
                "longer": data + b"\0"}.get(how, data)  # fmt: skip
        path.write_bytes(data)
        if how == "removed":
            path.unlink()
        name = str(path.relative_to(there))
        field.expect(f"cached file {how}", there, name, seen="healed, same bytes")
        told = JobReader(there / "job").read_to_end().warnings
        if not any("made again" in message for message, _ in told):
            field.wrong.append(f"{name} {how}: nothing was said: {told}")


def checkpoints(field: Field, count: int) -> None:
    """Harm the checkpoint of a killed training."""
    tries = 0
    while tries < count:
        there = field.new("checkpoint")
        field.run(there, Strike(at=field.chance.randrange(60, 160)))
        found = list(there.glob("cache/.*.part/checkpoint.pt"))
        if not found:
            continue
        tries += 1
        data = bytearray(found[0].read_bytes())
        data[field.chance.randrange(len(data))] ^= 1 << field.chance.randrange(8)
        found[0].write_bytes(data)
        field.expect("a bit of a checkpoint flipped", there, found[0].parent.name)


def together(field: Field, count: int) -> None:
    """Several jobs at once: on one cache, and two engines on one folder; some sleep meanwhile."""
    for number in range(count):
        there, other = field.new("together"), field.new("beside")
        (other / "cache").symlink_to(there / "cache")
        (there / "cache").mkdir(mode=0o700)
        shifted = [0, 86400, -86400][number % 3]

        def shift(by: int = shifted) -> None:
            clock = time.time
            time.time = lambda: clock() + by

        children = [field.start(there), field.start(other, prepare=shift)]
        time.sleep(field.chance.uniform(0.05, 1.5))
        os.kill(children[0], signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(children[0], signal.SIGCONT)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        same = [digests(each) == field.expected for each in (there, other)]
        good = codes == [0, 0] and same[0]
        field.rows[
            "two jobs on a cache, one asleep, clock shifted", "same bytes" if good else "WRONG"
        ] += 1
        if not good:
            field.wrong.append(f"together {codes} {same}: {field.log(there)} {field.log(other)}")
        twice = field.new("twice")
        children = [field.start(twice), field.start(twice)]
        codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
        good = codes in ([0, 1], [0, 0]) and digests(twice) == field.expected
        seen = "one refused" if codes == [0, 1] else "one after the other"
        field.rows["two engines on a folder", seen if good else "WRONG"] += 1
        if not good:
            field.wrong.append(f"twice {codes}: {field.log(twice)}")


def fuzz(field: Field, seconds: float) -> None:
    """Change bytes of requests, events, images and movies, and read them, for so many seconds."""
    from engine.contract.events import EngineError
    from engine.video.images import read_image, write_png
    from engine.video.movie_writer import write_movie
    from engine.video.movies import movie_frames

    there = field.new("fuzz")
    picture = next((field.place / "footage" / "frames").iterdir())
    frame = read_image(picture)
    write_png(there / "a.png", frame)
    write_movie(there / "a.mp4", [frame] * 3, 24.0)
    kinds: dict[str, tuple[bytes, str, Callable[[Path], object]]] = {
        "job.json": ((field.whole / "job" / "job.json").read_bytes(), "job.json",
                     lambda path: JobFolder(path.parent).read_spec()),
        "events.jsonl": ((field.whole / "job" / "events.jsonl").read_bytes(), "events.jsonl",
                         lambda path: JobReader(path.parent).read_to_end()),
        "image": ((there / "a.png").read_bytes(), "b.png", read_image),
        "movie": ((there / "a.mp4").read_bytes(), "b.mp4",
                  lambda path: list(movie_frames(path, ()))),
    }  # fmt: skip
    for kind, (whole, name, read) in kinds.items():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = bytearray(whole)
            for _ in range(field.chance.choice([1, 2, 8, 64])):
                data[field.chance.randrange(len(data))] = field.chance.randrange(256)
            if field.chance.random() < 0.2:
                del data[field.chance.randrange(len(data)) :]
            (there / name).write_bytes(data)
            began = time.monotonic()
            try:
                read(there / name)
                field.rows[f"fuzzed {kind}", "read"] += 1
            except EngineError:
                field.rows[f"fuzzed {kind}", "refused in a sentence"] += 1
            except Exception as error:
                field.rows[f"fuzzed {kind}", "WRONG"] += 1
                field.wrong.append(f"fuzzed {kind}: {type(error).__name__}: {error}")
            if time.monotonic() - began > MOST_SECONDS:
                field.wrong.append(f"fuzzed {kind}: took {time.monotonic() - began:.0f} s")


def tell(field: Field) -> None:
    """Print what was seen by now as a table, and what was wrong."""
    print("\n| What happened | What was seen | Times |\n| --- | --- | --- |")
    for (row, seen), times in sorted(field.rows.items()):
        print(f"| {row} | {seen} | {times} |")
    for each in field.wrong:
        print(json.dumps(each))
    sys.stdout.flush()


def main() -> int:
    """Strike jobs as the options say and print a table; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    for name, count in (("kills", 300), ("failures", 120), ("damage", 200), ("checkpoints", 20),
                        ("together", 6), ("fuzz", 10)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # with more threads sums are added in another order
    import torch

    torch.set_num_threads(1)
    from engine import pipeline, restyling  # noqa: F401
    from engine.stylization import encoder

    encoder.library()
    place = Path(tempfile.mkdtemp(prefix="torture-"))
    field = Field(place, options.seed)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):  # what was seen by then is told
        for strike in (kills, damage, checkpoints, together, failures, fuzz):
            if wanted := getattr(options, strike.__name__):
                started = time.monotonic()
                try:
                    strike(field, wanted)
                finally:
                    print(f"{strike.__name__}: {time.monotonic() - started:.0f} s")
                    tell(field)
    shutil.rmtree(place, ignore_errors=True)
    return 1 if field.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
