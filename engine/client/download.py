"""Downloading large files: goes on where it was stopped, checks sizes and hashes, counts bytes.

For packages and for CLIP weights alike. Standard library only.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..contract import seals
from .packages import File, Unfit, without_secret

CHUNK = 2**20
TRIES = 5
TIMEOUT = 60.0
REPORT_EVERY = 0.25


class Meter:
    """Counts bytes and writes them, with the speed, where the host can read them."""

    def __init__(self, path: Path | None, total: int) -> None:
        self.path, self.total, self.done = path, total, 0
        self.name, self.written, self.started = "", 0.0, time.monotonic()
        self.fetched = 0

    def begin(self, name: str) -> None:
        """Name the file that is fetched now."""
        self.name = name
        self.write()

    def there(self, size: int) -> None:
        """Count bytes that were on the disk already."""
        self.done += size

    def advance(self, size: int) -> None:
        """Count bytes that came."""
        self.done += size
        self.fetched += size
        if time.monotonic() - self.written > REPORT_EVERY:
            self.write()

    def write(self) -> None:
        """Write the state in one move."""
        self.written = time.monotonic()
        if self.path is None:
            return
        speed = self.fetched / max(self.written - self.started, 0.001)
        facts = {"name": self.name, "done": self.done, "total": self.total, "speed": speed}
        part = self.path.with_name(self.path.name + ".part")
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(self.path)


def fetch_all(files: list[File], folder: Path, progress: Path | None = None) -> None:
    """Download files into ``folder``; those that are there already are only checked.

    Raises Unfit with a sentence where a file cannot be had or is not what its hash says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    meter = Meter(progress, sum(file.size for file in files))
    for file in files:
        meter.begin(f"{file.name} {file.version}".strip())
        fetch(file, folder / file.file_name, meter)
    meter.write()


def fetch(file: File, target: Path, meter: Meter) -> None:
    """Download one file, from where an earlier try has come to; it gets its name when it is whole.

    Raises Unfit with a sentence.
    """
    if target.is_file():
        if file.sha256 and seals.digest(target, follows=True).startswith(file.sha256):
            meter.there(target.stat().st_size)
            return
        target.unlink()
    part = target.with_name(target.name + ".part")
    if not _whole(part, file):
        _with_retries(file, part, meter)
    else:
        meter.there(part.stat().st_size)
    found = seals.digest(part, follows=True)
    if not found.startswith(file.sha256):
        part.unlink()
        raise Unfit(
            f"{file.file_name} is not the file that was expected (its sha256 is {found[:12]}..., "
            f"not {file.sha256[:12]}...): try again, or ask who runs your network's proxy"
        )
    part.replace(target)


def _whole(part: Path, file: File) -> bool:
    return part.is_file() and file.size > 0 and part.stat().st_size == file.size


def _with_retries(file: File, part: Path, meter: Meter) -> None:
    """Try several times; each try goes on where the last one stopped."""
    base = meter.done
    for remaining in reversed(range(TRIES)):
        meter.done = base
        before = part.stat().st_size if part.is_file() else 0
        try:
            _download(file, part, meter)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # more is there than the file has
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code not in (408, 429):
                raise Unfit(f"{host_of(file)} refused {file.file_name}: {error.code} "
                            f"{error.reason}") from error  # fmt: skip
            reason: object = error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
        came = part.stat().st_size if part.is_file() else 0
        if remaining == 0:
            raise Unfit(
                f"{file.file_name} could not be downloaded from {host_of(file)} ({reason}): check "
                "the network and the proxy, then continue; nothing that came is lost"
            )
        time.sleep(0.2 if came > before else (TRIES - remaining) * 0.5)


def _download(file: File, part: Path, meter: Meter) -> None:
    there = part.stat().st_size if part.is_file() else 0
    url, headers = without_secret(file.url)
    if there:
        headers["Range"] = f"bytes={there}-"
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(_Redirects)
    with opener.open(request, timeout=TIMEOUT) as answer:
        goes_on = there > 0 and answer.status == 206
        meter.there(there if goes_on else 0)
        with part.open("ab" if goes_on else "wb") as output:
            while chunk := answer.read(CHUNK):
                output.write(chunk)
                meter.advance(len(chunk))
    came = part.stat().st_size
    if file.size and came < file.size:
        raise OSError(f"the connection ended after {came} of {file.size} bytes")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to other hosts, too, but without the password for the first one."""

    def redirect_request(self, req: Any, *rest: Any) -> urllib.request.Request | None:
        new = super().redirect_request(req, *rest)
        if new is not None and urlsplit(new.full_url)[:2] != urlsplit(req.full_url)[:2]:
            new.remove_header("Authorization")
        return new


def host_of(file: File) -> str:
    """Return where a file comes from, without any secret."""
    host = without_secret(file.url)[0].split("//", 1)[-1].split("/", 1)[0]
    return host or "the folder"


def room_for(size: int, folder: Path) -> int:
    """Return how many bytes the disk with ``folder`` lacks for ``size`` more, 0 where they fit."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return max(0, size - shutil.disk_usage(there).free)
