"""How many machines a day of shots needs, from measured stage times: a small simulation.

    python -m benchmarks.farm --shots 10000 --profile draft

Shots come at random moments of the day. Each is one job: either one process does all of it, or its
tasks are given to whichever machine is free, as Flamenco does (`engine/farm`). Every process pays
for its start. A process may fail, and is then begun again; what tasks had finished before is kept.
Prints a table, a row for each division and number of machines. Standard library only.
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass, field
from statistics import median, quantiles

DAY = 86400.0
BLOCK = 8
CHECK_SECONDS = 5.0  # a process that reads no libraries: start-up-and-threads.md


@dataclass(frozen=True)
class Profile:
    """Seconds of one machine for one shot, and GB on the disk; where they were measured."""

    frames: int
    prepare: float
    decompose: float
    stylize: float
    render: float  # a frame
    start: float  # of a process
    layers_gb: float
    text_gb: float
    source: str


# On an H200. Of a divided render the last task, which writes and measures all frames, does this.
LAST_SHARE = 0.5  # farm-day.md
PROFILES = {
    "draft": Profile(
        50, 1.1, 8.1, 4.8, 8.7 / 50, 19.0, 0.122, 0.037, "gpu-operations-and-waits.md"
    ),
    "standard": Profile(
        70, 2.8, 9.9, 49.8, 8.7 / 50, 19.0, 0.122 * 70 / 50, 0.037 * 70 / 50,
        "decomposition-clips-768-h200.md, stylization-vit-l-14-h200.md",
    ),
}  # fmt: skip


@dataclass
class Shot:
    """One job: how many of its tasks are left in each of its steps."""

    came: float
    steps: list[list[float]] = field(default_factory=list)  # seconds of the tasks of each step
    open: int = 0


def whole(profile: Profile, reused: bool) -> list[list[float]]:
    """Return the steps of a shot that one process does."""
    made = 0.0 if reused else profile.prepare + profile.decompose
    return [[profile.start + made + profile.stylize + profile.render * profile.frames]]


def divided(profile: Profile, reused: bool, *, chunk: int) -> list[list[float]]:
    """Return the steps of a shot in tasks."""
    size = -(-chunk // BLOCK) * BLOCK
    counts = [min(size, profile.frames - first) for first in range(0, profile.frames, size)]
    early = [] if reused else [[profile.prepare], [profile.decompose]]
    steps = [*early, [profile.stylize], [profile.render * (1 - LAST_SHARE) * n for n in counts]]
    steps.append([profile.render * LAST_SHARE * profile.frames])
    check = min(profile.start, CHECK_SECONDS)
    return [[check], *([profile.start + each for each in step] for step in steps)]


def simulate(
    shots: list[Shot], machines: int, *, failures: float, seed: int
) -> tuple[list[float], float]:
    """Return the seconds from coming to done of each shot, and the busy share of the machines.

    ``failures`` is the chance that a task fails and is done again. Tasks are done in the order of
    their shots.
    """
    chance = random.Random(seed)
    events: list[tuple[float, int, int, float]] = []  # when, tie-break, shot, seconds of a task
    waiting: list[tuple[int, int, float]] = []
    took, busy, free, now = [], 0.0, machines, 0.0
    for index, shot in enumerate(shots):
        heapq.heappush(events, (shot.came, index, index, -1.0))
    count = len(shots)
    while events:
        now, _, index, seconds = heapq.heappop(events)
        shot = shots[index]
        if seconds >= 0:
            free += 1
            if chance.random() < failures:
                count += 1
                heapq.heappush(waiting, (index, count, seconds))
            else:
                shot.open -= 1
        if shot.open == 0:
            if not shot.steps:
                took.append(now - shot.came)
            else:
                step = shot.steps.pop(0)
                shot.open = len(step)
                for each in step:
                    count += 1
                    heapq.heappush(waiting, (index, count, each))
        while free and waiting:
            number, _, length = heapq.heappop(waiting)
            free, busy, count = free - 1, busy + length, count + 1
            heapq.heappush(events, (now + length, count, number, length))
    return took, busy / (machines * max(DAY, now))


def main() -> None:
    """Print the table."""
    options = _options()
    profile = PROFILES[options.profile]
    start = profile.start if options.start is None else options.start
    facts = {**vars(profile), "start": start}
    if options.frames:
        ratio = options.frames / profile.frames
        grown = ("prepare", "decompose", "layers_gb", "text_gb")
        facts |= {name: facts[name] * ratio for name in grown} | {"frames": options.frames}
    profile = Profile(**facts)
    print(f"{options.shots} shots of {profile.frames} frames a day, {options.profile}; a process "
          f"starts in {start:g} s; {options.reuse:.0%} are another text for known footage; "
          f"{options.failures:.1%} of the processes fail\n")  # fmt: skip
    print("| division | machine h | machines | busy | median | 95 % done in |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in ("one process a shot", "tasks"):
        _print_rows(name, profile, options)
    new = options.shots * (1 - options.reuse)
    layers, texts = new * profile.layers_gb, options.shots * profile.text_gb
    print(f"\nCache of a day: {layers:.0f} GB of layers, {texts:.0f} GB of looks and frames.")


def _print_rows(name: str, profile: Profile, options: argparse.Namespace) -> None:
    def shots() -> list[Shot]:
        chance = random.Random(options.seed)
        moments = sorted(chance.uniform(0, DAY) for _ in range(options.shots))
        made = []
        for moment in moments:
            reused = chance.random() < options.reuse
            steps = whole(profile, reused) if name != "tasks" else divided(
                profile, reused, chunk=options.chunk
            )  # fmt: skip
            made.append(Shot(moment, steps))
        return made

    hours = sum(sum(map(sum, shot.steps)) for shot in shots()) / 3600
    least = int(hours / 24 / (1 - options.failures)) + 1
    for machines in options.machines or sorted({least, round(least * 1.5) + 1}):
        took, busy = simulate(shots(), machines, failures=options.failures, seed=options.seed)
        late = quantiles(took, n=20)[-1]
        print(f"| {name} | {hours:.0f} | {machines} | {busy:.0%} | {median(took):.0f} s "
              f"| {late:.0f} s |")  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shots", type=int, default=10_000, help="a day")
    parser.add_argument("--profile", choices=PROFILES, default="draft")
    parser.add_argument("--frames", type=int, default=0, help="of a shot (default: as measured)")
    parser.add_argument("--start", type=float, help="seconds of a process's start")
    parser.add_argument("--reuse", type=float, default=0.5, help="share of known footage")
    parser.add_argument("--failures", type=float, default=0.01, help="share of failing processes")
    parser.add_argument("--chunk", type=int, default=48, help="frames of a render task")
    parser.add_argument("--machines", type=int, nargs="*", help="default: least, and half more")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
