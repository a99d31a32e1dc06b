"""The commands of an installation that are ours: ``python -m engine.client.verbs VERB``.

They run in a process of their own, so that hashing and downloading gigabytes stops nobody.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
from pathlib import Path

from . import download, packages
from .environment import LOCK, Environment, size_of

UNPACKED_FACTOR = 2.0
ENGINE_FOLDERS = ("environment", "environment.partial", "environment.old", "packages", "python")


def constrain(options: argparse.Namespace) -> None:
    """Write which versions are pinned whatever the build of PyTorch."""
    options.out.write_text(packages.constraints(LOCK), encoding="utf-8")


def fetch(options: argparse.Namespace) -> None:
    """Download what uv chose, and write what is to be installed."""
    files = packages.read_pylock(options.pylock)
    _refuse_unknown(files, any_torch=options.build != "locked")
    locked = not packages.unknown_files(files, packages.locked_hashes(LOCK), any_torch=False)
    build = "locked" if locked else options.build
    total = sum(file.size for file in files)
    there = size_of(options.folder)
    unpacked = total * UNPACKED_FACTOR if options.install_list else 0
    lacking = download.room_for(int(max(0, total - there) + unpacked), options.folder)
    if lacking:
        raise packages.Unfit(
            f"The disk with {options.folder} lacks {lacking / 1e9:.1f} GB: free some space or "
            "choose another workspace in the preferences"
        )
    download.fetch_all(files, options.folder, options.progress)
    packages.write_list(options.folder, files, this_kind() | {"build": build})
    if options.install_list:
        _write_install_list(options, files)


def accept(options: argparse.Namespace) -> None:
    """Check that an offline folder is for this computer, and write what is to be installed."""
    files, facts = packages.read_list(options.folder)
    for name, mine in this_kind().items():
        if facts.get(name) != mine:
            raise packages.Unfit(
                f"This folder was made for {name} {facts.get(name, 'unknown')}, here is {mine}: "
                "make it on a computer with the same system and the same Blender"
            )
    is_chosen = options.build not in ("automatic", "locked")  # by the user, not by the folder
    if facts.get("build") != "locked" and not is_chosen:
        raise packages.Unfit(
            f"The folder holds PyTorch's build {facts.get('build', 'unknown')}, whose files this "
            "extension cannot check: if you trust who made it, choose that kind of build as "
            "PyTorch Build in the preferences (--build) and install from the folder again"
        )
    _refuse_unknown(files, any_torch=is_chosen)
    missing = [file.file_name for file in files if not (options.folder / file.file_name).is_file()]
    if missing:
        raise packages.Unfit(f"The folder lacks {len(missing)} files, the first is {missing[0]}")
    _write_install_list(options, files)


def finish(options: argparse.Namespace) -> None:
    """Give the environment its name, and forget the downloaded packages."""
    there = Environment(options.folder)
    build = options.build
    if (there.packages / packages.LIST_NAME).is_file():
        build = packages.read_list(there.packages)[1].get("build", build)
    facts = {"build": build, "bytes": size_of(there.partial), **this_kind()}
    there.finish(options.version, **facts)
    shutil.rmtree(there.packages, ignore_errors=True)


def remove(options: argparse.Namespace) -> None:
    """Delete folders, one after the other."""
    for folder in options.folders:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise packages.Unfit(f"{folder} cannot be deleted: close what uses it and try again")


def sizes(workspace: Path) -> dict[str, int]:
    """Return how many bytes each folder of a workspace takes."""
    try:
        return {path.name: size_of(path) for path in sorted(workspace.iterdir()) if path.is_dir()}
    except FileNotFoundError:
        return {}


def this_kind() -> dict[str, str]:
    """Return what must agree between computers that share packages."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"system": sys.platform, "machine": platform.machine().lower(), "Python": python}


def _refuse_unknown(files: list[packages.File], *, any_torch: bool) -> None:
    unknown = packages.unknown_files(files, packages.locked_hashes(LOCK), any_torch=any_torch)
    if unknown:
        raise packages.Unfit(
            f"{unknown[0]} is not among the files that this extension was made with"
            + (f", nor are {len(unknown) - 1} more" if len(unknown) > 1 else "")
            + ": check the package index in the preferences"
        )


def _write_install_list(options: argparse.Namespace, files: list[packages.File]) -> None:
    text = packages.requirements(options.folder, files)
    options.install_list.write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.client.verbs", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    for verb in (constrain, fetch, accept, finish):
        sub = verbs.add_parser(verb.__name__, help=verb.__doc__)
        sub.set_defaults(run=verb)
        for name in ("--out", "--pylock", "--folder", "--install-list", "--progress"):
            sub.add_argument(name, type=Path)
        for name in ("--version", "--build"):
            sub.add_argument(name, default="")
    removal = verbs.add_parser("remove", help=remove.__doc__)
    removal.add_argument("folders", nargs="+", type=Path)
    removal.set_defaults(run=remove)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; a failure is one sentence, the last line that is printed."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except packages.Unfit as error:
        print(error)
        return 1
    except OSError as error:
        print(f"{error.strerror or error}: {error.filename or 'no file named'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
