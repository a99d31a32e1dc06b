"""The command line: ``python -m engine stylize FOOTAGE --global-text T --out DIR`` and more.

Parses and dispatches; the work is elsewhere. Heavy modules are imported by the verb that needs
them, so that the first words come at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import commands
from .contract.events import EngineError, Stopped
from .contract.files import MOST_PIXELS
from .contract.job import Blend, Stage
from .contract.settings import PRESET_NAMES
from .contract.tasks import TaskVerb
from .memory import keep_freed_memory

EXPERIMENT_NAMES = (
    *("varied", "examples", "specificity", "prefixes", "ablation", "wording", "texts", "baseline"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 bad usage, 130 stopped."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))  # read when it is loaded
    keep_freed_memory()
    options = parser().parse_args(arguments)
    try:
        return commands.perform(options)
    except EngineError as error:
        print(f"error: {error.message}\n{error.hint}", file=sys.stderr)
        return commands.exit_code(error)
    except (KeyboardInterrupt, Stopped):
        return commands.EXIT_STOPPED
    except BrokenPipeError:
        return 1


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(
        prog="python -m engine",
        description="Restyles an object in a video from a text.",
        epilog="Exit codes: 0 finished, 1 failed, 2 bad usage, 130 stopped.",
    )
    verbs = top.add_subparsers(required=True, metavar="VERB")
    _add_stylize(verbs)
    _add_run(verbs, "run", commands.run, "run the job in a job folder, or go on with it")
    _add_run(verbs, "rehearse", commands.rehearse, "the same events and files, with no work")
    _add_stage(verbs)
    _add_farm(verbs)
    wait = verbs.add_parser("wait", help="get ready, then run the job named on standard input")
    _add_cache(wait)
    wait.set_defaults(run=commands.wait)
    check = verbs.add_parser("check", help="devices, versions and weights of this environment")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.add_argument(
        "--encoder", action="append", default=[], metavar="MODEL:TAG or FILE", dest="encoders",
        help="look at these weights too; repeatable",
    )  # fmt: skip
    check.set_defaults(run=commands.check)
    settings = verbs.add_parser("settings", help="every setting with its default, range and help")
    settings.add_argument("--preset", choices=PRESET_NAMES, help="values of this preset")
    settings.add_argument("--markdown", action="store_true", help="print docs/settings.md")
    settings.set_defaults(run=commands.settings)
    remedies = verbs.add_parser("remedies", help="what each fault means and what to do")
    remedies.add_argument("--markdown", action="store_true", help="print docs/remedies.md")
    remedies.set_defaults(run=commands.remedies)
    knows = verbs.add_parser("knows", help="what the embedded encoder knows; how it reads a text")
    knows.add_argument("text", nargs="?", default="", metavar="TEXT", help="how is this read?")
    knows.add_argument("--local", action="store_true", help="read it as a detail text")
    knows.set_defaults(run=commands.knows)
    sheet = verbs.add_parser("sheet", help="contact sheet and before-after movie of finished jobs")
    sheet.add_argument("jobs", nargs="+", type=Path, metavar="JOB", help="job folders")
    sheet.add_argument("--out", type=Path, required=True, help="folder to write into")
    sheet.set_defaults(run=commands.sheet)
    _add_sweep(verbs)
    _add_layers(verbs)
    _add_evaluate(verbs)
    return top


def _add_sweep(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("sweep", help="texts, seeds and strengths, from a job's layers")
    verb.add_argument("job", type=Path, metavar="JOB", help="the folder of a job")
    verb.add_argument(
        "--texts", action="append", required=True, metavar="TEXT",
        help="what the object in front becomes; repeatable",
    )  # fmt: skip
    verb.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="looks of each text, from JOB's seed on"
    )
    verb.add_argument(
        "--strengths", default="1", metavar="S,...", help="each look at these, 0 to 1 (default: 1)"
    )
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="a job folder")
    _add_cache(verb)
    verb.set_defaults(run=commands.sweep, quiet=False)


def _add_layers(verbs: argparse._SubParsersAction) -> None:
    top = verbs.add_parser("layers", help="a job's layers as files, and changes by hand")
    own = top.add_subparsers(required=True, metavar="export|apply")
    export = own.add_parser("export", help="write the layer package of a job: DIR/layers")
    export.add_argument("--plates", action="store_true", help="the frames as pictures too")
    export.add_argument("--mattes", action="store_true", help="alpha of each layer as PNG too")
    export.add_argument("--st-maps", action="store_true", help="ST-maps too, and the way back")
    export.add_argument("--checkerboard", action="store_true", help="checks on the objects too")
    export.add_argument("--live", action="store_true", help="pictures for Blender's sequencer too")
    export.set_defaults(run=commands.export_layers)
    apply = own.add_parser("apply", help="the job again with one more change by hand")
    made = apply.add_mutually_exclusive_group(required=True)
    made.add_argument("--atlas", type=Path, metavar="FILE", help="an atlas of the package, painted")
    made.add_argument("--picture", type=Path, metavar="FILE", help="a picture on the surface")
    made.add_argument("--painted", type=Path, metavar="FILE", help="a frame, painted")
    made.add_argument(
        "--grade", metavar="RED,GREEN,BLUE", help="the layer's light times these; see --saturation"
    )
    made.add_argument("--blur", type=float, metavar="PX", help="the layer blurred by PX")
    made.add_argument("--remove", action="store_true", help="the object covered by what is behind")
    made.add_argument("--matte", action="store_true", help="where the layer is, white on black")
    _add_pins(made)
    made.add_argument("--plain", action="store_true", help="without any change by hand")
    apply.add_argument(
        "--before", type=Path, metavar="FILE",
        help="the atlas or frame as it was; without it the footage's frame",
    )  # fmt: skip
    apply.add_argument("--stylized", action="store_true", help="the atlas is a stylized one")
    apply.add_argument("--frame", type=int, default=0, metavar="N", help="counted from 0")
    apply.add_argument(
        "--corners", metavar="X,Y,X,Y,X,Y,X,Y",
        help="where the picture's corners lie, upper left first, clockwise, in pixels",
    )  # fmt: skip
    apply.add_argument(
        "--layer", type=int, metavar="N",
        help="number of the object, from 0 in front; -1: the background (default: of an atlas the "
        "first, else what lies there)",
    )  # fmt: skip
    apply.add_argument("--saturation", type=float, default=1.0, help="1: as it is, 0: grey")
    apply.add_argument("--blend", choices=[each.value for each in Blend], default="over")
    apply.add_argument("--opacity", type=float, default=1.0, metavar="PART", help="0 to 1")
    apply.set_defaults(run=commands.apply_edit)
    for verb in (export, apply):
        verb.add_argument("job", type=Path, metavar="JOB", help="the folder of a job")
        verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="a job folder")
        verb.set_defaults(quiet=False)
        _add_cache(verb)


def _add_evaluate(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("evaluate", help="the paper's experiments: tables and contact sheets")
    verb.add_argument(
        "footage", nargs="?", type=Path, metavar="FOOTAGE", help="a movie or a folder of images"
    )
    verb.add_argument(
        "--experiment", action="extend", type=_experiments, default=[], metavar="NAME,...",
        dest="experiments", help=f"{', '.join(EXPERIMENT_NAMES)}; repeatable (default: all)",
    )  # fmt: skip
    verb.add_argument("--thing", default="object", help='what the object is: "swan"')
    verb.add_argument(
        "--materials", action="extend", type=_parts, default=[], metavar="TEXT,...",
        help='"zebra fur,gold"; repeatable (default: the paper\'s texts)',
    )  # fmt: skip
    verb.add_argument(
        "--texts", type=Path, metavar="FILE",
        help="JSON with other texts for examples, specificity and wording; see docs/engine.md",
    )  # fmt: skip
    verb.add_argument(
        "--compare", action="append", default=[], metavar="NAME=FOLDER",
        help="another method's frames, in FOLDER/TEXT for each text; repeatable",
    )  # fmt: skip
    verb.add_argument(
        "--judge", action="append", default=[], metavar="MODEL:FILE",
        help="who names the materials, not the job's own encoder: an open_clip model and its "
        "weights, or python:MODULE:NAME with a function name_material",
    )  # fmt: skip
    verb.add_argument(
        "--frames-alone", type=int, default=8, metavar="N",
        help="frames of the experiment baseline (default: %(default)s)",
    )  # fmt: skip
    _add_object(verb)
    _add_settings(verb, "draft")
    verb.add_argument("--out", type=Path, metavar="DIR", help="folder to write tables into")
    _add_cache(verb)
    _add_study(verb)
    verb.set_defaults(run=commands.evaluate)


def _add_study(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--study", type=Path, metavar="DIR", help="write a page on which people score the videos"
    )
    verb.add_argument(
        "--of", nargs="+", action="extend", type=Path, default=[], metavar="DIR",
        help="the study's videos: folders that evaluate wrote with --out (default: this --out)",
    )  # fmt: skip
    verb.add_argument(
        "--study-seed", type=int, metavar="N", help="numbers the videos (default: drawn anew)"
    )
    verb.add_argument(
        "--scores", nargs="+", action="extend", type=Path, default=[], metavar="FILE",
        help="print mean and deviation of what raters of a study saved",
    )  # fmt: skip
    verb.add_argument("--key", type=Path, metavar="FILE", help="the key beside that study")


def _parts(text: str) -> list[str]:
    """Read a list with commas, not with blanks: those would take FOOTAGE for one of its items."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _experiments(text: str) -> list[str]:
    for name in (names := _parts(text)):
        if name not in EXPERIMENT_NAMES:
            known = ", ".join(EXPERIMENT_NAMES)
            raise argparse.ArgumentTypeError(f"there is no {name}; there are: {known}")
    return names


def _add_object(verb: argparse.ArgumentParser) -> None:
    found = verb.add_mutually_exclusive_group()
    found.add_argument(
        "--masks", metavar="DIR[:NUMBER]",
        help="a folder or movie of masks, white on black, or of labels of which NUMBER is meant",
    )  # fmt: skip
    found.add_argument("--box", metavar="FRAME,X,Y,W,H", help="a box on one frame, in pixels")
    found.add_argument(
        "--object-name", nargs="?", const="", metavar="NAME",
        help="what the embedded encoder knows so: dog, car; without NAME the thing in the text",
    )  # fmt: skip
    found.add_argument("--detect", metavar="CLASS", help="what a detector calls so: dog, person")
    found.add_argument("--auto", action="store_true", help="what moves is the object (default)")
    verb.add_argument("--invert-masks", action="store_true", help="the object is black in --masks")
    for option, what in (("--stroke", "on the object"), ("--not-stroke", "beside the object")):
        verb.add_argument(
            option, action="append", default=[], metavar="FRAME:X,Y,X,Y,...:RADIUS",
            dest=f"{option.strip('-').replace('-', '_')}s",
            help=f"paint a stroke {what}, in pixels; repeatable, corrects the other ways too",
        )  # fmt: skip


def _add_pins(verb: argparse._ActionsContainer) -> None:
    verb.add_argument(
        "--pin", action="append", default=[], metavar="'FRAME:X,Y FRAME:X,Y ...'", dest="pins",
        help="one spot of the object in two frames or more, in pixels: corrects where its texture "
        "slides, from the first one on; repeatable",
    )  # fmt: skip


def _add_settings(verb: argparse.ArgumentParser, default: str) -> None:
    verb.add_argument("--preset", choices=PRESET_NAMES, default=default)
    verb.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", dest="assignments",
        help="change one setting; see the verb settings",
    )  # fmt: skip
    verb.add_argument(
        "--encoder", metavar="MODEL[:TAG or FILE]", help="embedded, or an open_clip model"
    )
    verb.add_argument("--frames", metavar="FIRST:LAST", help="only these frames, counted from 0")


def _add_stylize(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("stylize", help="restyle an object in a movie or a folder of images")
    verb.add_argument("footage", type=Path, metavar="FOOTAGE", help="a movie or a folder of images")
    verb.add_argument("--global-text", default="", help="the whole object: Swan with cactus skin")
    verb.add_argument("--local-text", default="", help="its surface: cactus skin")
    verb.add_argument("--avoid", default="", metavar="TEXT", help="what it should not look like")
    verb.add_argument("--picture", type=Path, metavar="FILE", help="a picture to look like")
    verb.add_argument(
        "--picture-share", type=float, default=0.5, metavar="PART",
        help="how much the picture counts beside the texts, 0 to 1 (default: %(default)s)",
    )  # fmt: skip
    verb.add_argument("--background-text", default="", help="what lies behind all objects")
    verb.add_argument("--background-local-text", default="", help="its surface")
    verb.add_argument(
        "--object", action="append", default=[], type=Path, metavar="FILE", dest="objects",
        help="one more object, behind those before it: JSON with texts and mask",
    )  # fmt: skip
    _add_object(verb)
    _add_pins(verb)
    _add_settings(verb, "standard")
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="the job folder")
    _add_cache(verb)
    verb.set_defaults(run=commands.stylize, quiet=False)


def _add_run(verbs: argparse._SubParsersAction, name: str, run: object, help: str) -> None:
    verb = verbs.add_parser(name, help=help)
    verb.add_argument("job", type=Path, metavar="JOB", help="a folder with job.json")
    verb.add_argument("--quiet", action="store_true", help="no progress bar")
    verb.add_argument(
        "--until", choices=[stage.value for stage in Stage], help="the last stage to do"
    )
    _add_cache(verb)
    verb.set_defaults(run=run)


def _add_stage(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("stage", help="one task of a job that several machines share")
    verb.add_argument("task", choices=[each.value for each in TaskVerb], help="what is to be done")
    verb.add_argument("job", type=Path, metavar="JOB", help="a folder with job.json")
    verb.add_argument(
        "--object", type=int, metavar="N", dest="target",
        help="only this object, from 0 in front; -1: the background (default: all)",
    )  # fmt: skip
    verb.add_argument(
        "--candidate", type=int, metavar="K", help="train only this one, from 1 (default: all)"
    )
    verb.add_argument(
        "--frames", type=_frame_range, metavar="FIRST:LAST", help="render only these, from 0"
    )
    verb.add_argument("--quiet", action="store_true", help="no progress")
    verb.add_argument(
        "--cache", type=Path, metavar="DIR", help="where stages are kept (default: JOB/cache)"
    )
    verb.set_defaults(run=commands.stage, until=None)


def _add_farm(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("farm", help="a job in tasks, by several processes of this computer")
    verb.add_argument("job", type=Path, metavar="JOB", help="a folder with job.json")
    verb.add_argument(
        "--workers", type=_positive, metavar="N",
        help="tasks at a time (default: one for each graphics card, at least 2)",
    )  # fmt: skip
    verb.add_argument(
        "--cache", type=Path, metavar="DIR", help="where stages are kept (default: JOB/cache)"
    )
    verb.set_defaults(run=commands.farm)


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of processes such as 2")
    return int(text)


def _frame_range(text: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text} is no range of frames such as 0:15")
    return int(first), int(last)


def _add_cache(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--cache", type=Path, metavar="DIR", help="where finished stages are kept for reuse"
    )


if __name__ == "__main__":
    sys.exit(main())
