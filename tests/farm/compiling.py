"""Compiles the job type as a manager does, in a JavaScript engine, with a stand-in of `author`."""

import json
from pathlib import Path

from py_mini_racer import MiniRacer

SCRIPT = Path(__file__).parents[2] / "engine" / "farm" / "strip_stylizer.js"
STAND_IN = Path(__file__).with_name("author.js")


def _engine():
    engine = MiniRacer()
    for path in (STAND_IN, SCRIPT):
        engine.eval(path.read_text(encoding="utf-8"))
    return engine


def job_type():
    """Return what the script says of itself."""
    return json.loads(_engine().eval("JSON.stringify(JOB_TYPE)"))


def compile_job(**settings):
    """Return the tasks of a job; settings that are not given have the type's defaults."""
    defaults = {
        each["key"]: each["default"] for each in job_type()["settings"] if "default" in each
    }
    return json.loads(_engine().eval(f"compiled({json.dumps({**defaults, **settings})})"))
