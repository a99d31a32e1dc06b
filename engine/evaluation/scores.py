"""From the scores that raters send back to the means and deviations of the paper's Table 1."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..contract.events import EngineError, Fault
from .study import QUESTIONS

NAMES = tuple(str(question["name"]) for question in QUESTIONS)


@dataclass
class Method:
    """What one method was given: by question all scores of all raters and videos."""

    videos: set[str] = field(default_factory=set)
    scores: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in NAMES})


def read_scores(files: Sequence[Path], key_file: Path) -> dict[str, Method]:
    """Return the scores of each method, in the order of their names.

    ``files`` are what raters saved, ``key_file`` what `write_study` left beside its page. Raises
    EngineError (BAD_JOB) with a sentence where a file is of another study, incomplete or there
    twice.
    """
    key = _object(key_file)
    if not isinstance(key.get("videos"), dict) or "study" not in key:
        raise _refusal(key_file, "is no key of a study", "Name the .key.json beside the study.")
    methods = {entry["method"]: Method() for entry in key["videos"].values()}
    raters: dict[str, Path] = {}
    for path in files:
        ratings = _object(path)
        if ratings.get("study") != key["study"]:
            raise _refusal(path, "is of another study than the key", "Name the key of its study.")
        rater = str(ratings.get("rater"))
        if rater in raters:
            raise _refusal(path, f"is of the same rater as {raters[rater]}", "Name it only once.")
        raters[rater] = path
        _add(path, ratings, key["videos"], methods)
    return dict(sorted(methods.items()))


def _add(
    path: Path,
    ratings: Mapping[str, Any],
    videos: Mapping[str, Mapping[str, Any]],
    methods: Mapping[str, Method],
) -> None:
    given = ratings.get("scores")
    if not isinstance(given, dict) or set(given) != set(videos):
        count = len(given) if isinstance(given, dict) else 0
        raise _refusal(
            path, f"has scores of {count} videos, and the study has {len(videos)}",
            "Ask the rater to finish the page and to save the scores again.",
        )  # fmt: skip
    for name, entry in videos.items():
        method = methods[entry["method"]]
        method.videos.add(name)
        for question in NAMES:
            score = given[name].get(question) if isinstance(given[name], dict) else None
            if type(score) is not int or not 1 <= score <= 5:
                raise _refusal(
                    path, f"gives {name} {json.dumps(score)} for {question}, not 1 to 5",
                    "Ask the rater to save the scores again.",
                )  # fmt: skip
            method.scores[question].append(score)


def markdown(methods: Mapping[str, Method]) -> str:
    """Return the table: mean and sample standard deviation of each question's scores."""
    head = ["method", *(str(question["text"]) for question in QUESTIONS), "videos", "raters"]
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for name, method in methods.items():
        cells = [_summary(method.scores[question]) for question in NAMES]
        count = len(method.videos)
        raters = len(method.scores[NAMES[0]]) // count
        lines.append(f"| {name} | {' | '.join(cells)} | {count} | {raters} |")
    return "\n".join(lines) + "\n"


def facts(methods: Mapping[str, Method]) -> dict[str, Any]:
    """Return the same for a JSON file; ``deviation`` is null where there is one score."""
    return {
        name: {
            question: {
                "mean": statistics.mean(scores),
                "deviation": statistics.stdev(scores) if len(scores) > 1 else None,
                "scores": len(scores),
            }
            for question, scores in method.scores.items()
        }
        for name, method in methods.items()
    }


def _summary(scores: Sequence[int]) -> str:
    mean = f"{statistics.mean(scores):.2f}"
    return f"{mean} ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else mean


def _object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _refusal(path, f"cannot be read: {error}", "Name files of a study.") from error
    if not isinstance(data, dict):
        raise _refusal(path, "holds no scores", "Name the files that the raters saved.")
    return data


def _refusal(path: Path, what: str, hint: str) -> EngineError:
    return EngineError(Fault.BAD_JOB, f"{path} {what}.", hint)
