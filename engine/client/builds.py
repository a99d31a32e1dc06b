"""Which build of PyTorch fits this computer: chosen from the driver, or as the user says.

The lock file pins the package index's own build, hash by hash. Where that build is right it is
taken; every other one comes from PyTorch's own index, which uv knows, as ``--torch-backend``.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# The locked build is made for CUDA 13, which drivers from this one on can run.
LOCKED_NEEDS_DRIVER = 580
BUILDS = ("automatic", "locked", "cuda", "rocm", "xpu", "mps", "cpu")
DRIVER_FILE = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Computer:
    """What decides which build fits: system, processor, and the NVIDIA driver, 0 without one."""

    system: str
    machine: str
    driver: int = 0
    amd: bool = False


def this_computer() -> Computer:
    """Look at this computer; takes a moment where nvidia-smi must be asked."""
    return Computer(
        sys.platform, platform.machine().lower(), nvidia_driver(), Path("/dev/kfd").exists()
    )


def nvidia_driver() -> int:
    """Return the major version of the NVIDIA driver, 0 where there is none."""
    try:
        text = DRIVER_FILE.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"Module[^\n]*?\s(\d{3,})\.\d", text)
        return int(found[1]) if found else 0
    except OSError:
        return _driver_from_tool()


def _driver_from_tool() -> int:
    flags = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
    line = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=10, check=False, **flags
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.match(r"(\d+)\.", done.stdout.strip())
    return int(found[1]) if done.returncode == 0 and found else 0


def backend(build: str, computer: Computer) -> str:
    """Return what uv is told as ``--torch-backend``; empty for the build that is locked.

    ``build`` is one of `BUILDS`. Raises ValueError with a sentence where it cannot be had.
    """
    if build == "locked":
        return ""
    if build == "automatic":
        return _automatic(computer)
    if build == "mps":
        if computer.system != "darwin":
            raise ValueError("The MPS build is for Apple computers: choose Automatic")
        return ""  # the package index's build for macOS has it
    if computer.system == "darwin":
        raise ValueError(f"There is no {build.upper()} build for macOS: choose Automatic")
    if build == "cuda":
        return "" if _locked_has_cuda(computer) else "auto"
    if build == "rocm":
        if computer.system != "linux":
            raise ValueError("The ROCm build is for Linux: choose Automatic")
        return "rocm7.2"
    return build


def _automatic(computer: Computer) -> str:
    if computer.system == "darwin":
        return ""
    if computer.driver:
        return "" if _locked_has_cuda(computer) else "auto"
    return "auto" if computer.amd else "cpu"


def _locked_has_cuda(computer: Computer) -> bool:
    return computer.system == "linux" and computer.driver >= LOCKED_NEEDS_DRIVER


def words(build: str, computer: Computer) -> str:
    """Say what an installation will get on this computer, for the panel."""
    try:
        chosen = backend(build, computer)
    except ValueError as error:
        return str(error)
    if chosen == "cpu":
        return "PyTorch for the processor"
    if chosen in ("", "auto") and computer.driver:
        return f"PyTorch with CUDA, for the NVIDIA driver {computer.driver}"
    if computer.system == "darwin":
        return "PyTorch with MPS"
    names = {"": "PyTorch as locked", "auto": "PyTorch for this driver"}
    return names.get(chosen, f"PyTorch with {chosen}")
