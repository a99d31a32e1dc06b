"""Sizes of files and downloads as people say them."""

import functools

from ..engine.client import builds


@functools.cache
def computer() -> builds.Computer:
    """Look at this computer once; drawing asks again and again."""
    return builds.this_computer()


def what_comes(build: str) -> str:
    """Say what an installation downloads and how much room it takes, measured on Linux."""
    words = builds.words(build, computer())
    is_small = "CPU" in words or "processor" in words
    sizes = "0.3 GB to download, 1.4 GB" if is_small else "3.2 GB to download, 6 GB"
    return f"{words}: about {sizes} on the disk"


def in_words(size: float) -> str:
    """Say a number of bytes as people do."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
