"""A page on which people score videos without knowing which method made them (the paper's Table 1).

One folder without network: ``index.html`` and the videos under names that tell nothing. Which video
is whose stands in a key beside the folder, which stays with the organiser.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..contract.events import EngineError, Fault
from ..video.images import image_names, read_rgb
from ..video.movie_writer import write_movie

PAGE = Path(__file__).with_name("study.html")
# Table 1 asks how realistic a video is and how well it matches its text, from 1 to 5.
QUESTIONS = (
    {
        "name": "realism",
        "text": "How realistic is the video?",
        "lowest": "not at all",
        "highest": "like filmed",
    },
    {
        "name": "text",
        "text": "How well does the object match this text?",
        "shows_text": True,
        "lowest": "not at all",
        "highest": "perfectly",
    },
)


@dataclass(frozen=True)
class Video:
    """One video of a study: whose it is, what its text is, and the folder of its frames."""

    method: str
    text: str
    experiment: str
    frames: Path
    frames_per_second: float


def find_videos(folders: Sequence[Path], experiments: Sequence[str]) -> list[Video]:
    """Return the videos of ``experiments`` that the tables in ``folders`` tell of.

    ``folders`` are what earlier evaluations wrote. Raises EngineError (BAD_JOB) where one of them
    has none.
    """
    found = []
    for folder in folders:
        videos = [each for name in experiments for each in _videos_of(folder, name)]
        if not videos:
            raise EngineError(
                Fault.BAD_JOB,
                f"{folder} holds no video of the experiment {' or '.join(experiments)}.",
                "Name folders that `evaluate FOOTAGE --out DIR` wrote, and its experiments with "
                "--experiment.",
            )
        found += videos
    return found


def _videos_of(folder: Path, experiment: str) -> list[Video]:
    table = folder / f"{experiment}.json"
    if not table.is_file():
        return []
    return [
        Video(
            entry["method"], entry["text"], experiment,
            folder / entry["frames"], entry["frames_per_second"],
        )
        for entry in json.loads(table.read_text(encoding="utf-8")).get("videos", [])
    ]  # fmt: skip


def write_study(videos: Sequence[Video], out: Path, seed: int | None = None) -> Path:
    """Write the page of a study into the new folder ``out``; returns the path of its key.

    The videos are numbered in an order that ``seed`` gives, or one that is drawn. Each rater sees
    them in an order of its own. Raises EngineError where ``out`` is there, or frames are missing.
    """
    key_file = out.with_name(f"{out.name}.key.json")
    for path in (out, key_file):
        if path.exists():
            raise EngineError(
                Fault.BAD_JOB,
                f"{path} is there already, and its raters may be at work.",
                "Name another folder for this study, or move the earlier one away.",
            )
    for video in videos:
        if not (video.frames.is_dir() and image_names(video.frames)):
            raise EngineError(
                Fault.MEDIA_UNREADABLE,
                f"The frames in {video.frames} are gone.",
                "Run the evaluation again that made them, then write the study.",
            )
    seed = secrets.randbits(32) if seed is None else seed
    order = list(videos)
    random.Random(seed).shuffle(order)
    named = {f"video-{number:02d}": video for number, video in enumerate(order, start=1)}
    key = {
        "seed": seed,
        "videos": {
            name: {**asdict(video), "frames": str(video.frames)} for name, video in named.items()
        },
    }
    study = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
    _write_page(named, study, out)
    text = json.dumps({"study": study, **key}, indent=1, ensure_ascii=False)
    key_file.write_text(text, encoding="utf-8")
    return key_file


def _write_page(named: dict[str, Video], study: str, out: Path) -> None:
    """Write ``index.html`` and the videos; ``out`` appears when all of it is there."""
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, video in named.items():
        frames = (read_rgb(video.frames / each) for each in image_names(video.frames))
        write_movie(part / f"{name}.mp4", frames, video.frames_per_second)
    shown = [
        {"name": name, "file": f"{name}.mp4", "text": video.text} for name, video in named.items()
    ]
    facts = {"study": study, "questions": QUESTIONS, "videos": shown}
    embedded = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
    page = PAGE.read_text(encoding="utf-8").replace("__STUDY__", embedded)
    (part / "index.html").write_text(page, encoding="utf-8")
    part.replace(out)
