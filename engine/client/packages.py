"""Which files an installation consists of, and whether they are the ones that were locked.

uv resolves the packages for one computer into a ``pylock.toml`` with the address, size and hash of
every file. What that file says of a package must agree with our own lock file; only PyTorch and
what comes with it may differ, where the user's graphics driver wants another build of it.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from ..contract.files import one_line, read_json

FAMILY = (
    "torch", "torchvision", "triton", "pytorch-triton", "intel-", "nvidia-", "cuda-", "tcmlib",
    "umf", "dpcpp", "mkl", "tbb", "onemkl", "oneccl", "impi",
)  # fmt: skip
SHA256 = "[0-9a-f]+"
LIST_NAME = "strip-stylizer-packages.json"


class Unfit(Exception):
    """The packages cannot be used; the message is a sentence for the user."""


@dataclass(frozen=True)
class File:
    """One file to download: ``size`` is in bytes, 0 where nobody says.

    ``sha256`` is in hexadecimal, or the first digits of it where no more are known.
    """

    name: str
    version: str
    url: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name that the file has on the disk; raises Unfit where the address gives none."""
        name = unquote(urlsplit(self.url).path).replace("\\", "/").rpartition("/")[2]
        if not re.fullmatch(r"\w[\w.+!~ -]*", name):
            raise Unfit(f"{one_line(without_secret(self.url)[0])} is no address of a package")
        return name


def of_the_family(name: str) -> bool:
    """Does this package belong to PyTorch, so that its build depends on the driver?"""
    return any(name == one or (one.endswith("-") and name.startswith(one)) for one in FAMILY)


def locked_hashes(lock: Path) -> dict[str, set[str]]:
    """Return the sha256 sums that our lock file allows, by package."""
    hashes: dict[str, set[str]] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([a-z0-9._-]+)==", line):
            name = found[1]
            hashes.setdefault(name, set())
        elif found := re.match(r"\s+--hash=sha256:([0-9a-f]{64})", line):
            hashes[name].add(found[1])
    return hashes


def constraints(lock: Path) -> str:
    """Return the pinned versions of all packages that do not depend on the driver.

    PyTorch may be older than the locked one, because not every build exists of every version.
    """
    lines = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"(([a-z0-9._-]+)==([^\s;\\]+))", line):
            if not of_the_family(found[2]):
                lines.append(found[1])
            elif found[2] in ("torch", "torchvision"):
                lines.append(f"{found[2]}<={found[3]}")
    return "\n".join(lines) + "\n"


def read_pylock(pylock: Path) -> list[File]:
    """Return the files that uv chose; raises Unfit where a package has no built file."""
    files = []
    for package in tomllib.loads(pylock.read_text(encoding="utf-8")).get("packages", []):
        wheels = package.get("wheels", [])
        if not wheels:
            raise Unfit(f"There is no built file of {package['name']} for this computer")
        wheel = wheels[0]
        url = wheel.get("url") or (pylock.parent / wheel["path"]).resolve().as_uri()
        files.append(
            File(package["name"], package.get("version", ""), url, wheel.get("size", 0),
                 wheel["hashes"]["sha256"])
        )  # fmt: skip
    return files


def unknown_files(files: list[File], hashes: dict[str, set[str]], *, any_torch: bool) -> list[str]:
    """Return the names of files that our lock file does not know."""
    return [
        file.file_name
        for file in files
        if file.sha256 not in hashes.get(file.name, set())
        and not (any_torch and of_the_family(file.name))
    ]


def write_list(folder: Path, files: list[File], facts: dict) -> Path:
    """Write what is in a folder of packages, so that another computer can install from it."""
    path = folder / LIST_NAME
    content = facts | {"files": [asdict(file) | {"file": file.file_name} for file in files]}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


def read_list(folder: Path) -> tuple[list[File], dict]:
    """Read what `write_list` wrote; raises Unfit where the folder is none of ours."""
    try:
        content = read_json(folder / LIST_NAME)
        entries = content.pop("files")
        names = ("name", "version", "url", "size", "sha256")
        found = [File(*(entry[name] for name in names)) for entry in entries]
        for file in found:
            if not (re.fullmatch(r"[\w.-]+", file.name) and re.fullmatch(SHA256, file.sha256)):
                raise ValueError
        return found, content
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unfit(
            f"{folder} is no offline folder of this extension: make one with Make Offline Folder "
            "on a computer that is online"
        ) from error


def requirements(folder: Path, files: list[File]) -> str:
    """Return the requirements that install exactly these files from ``folder``, hashes included."""
    return "".join(
        f"{file.name} @ {(folder / file.file_name).as_uri()} --hash=sha256:{file.sha256}\n"
        for file in files
    )


def without_secret(url: str) -> tuple[str, dict[str, str]]:
    """Return an address without its user and password, and the header that says them instead."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    token = base64.b64encode(unquote(user).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": f"Basic {token}"}
