"""What each fault means and what to do about it; ``docs/remedies.md`` is made from this."""

from __future__ import annotations

from .events import Fault

REMEDIES: dict[Fault, tuple[str, str]] = {
    Fault.BAD_JOB: (
        "The request cannot be served as it is: a field is misspelt, missing, or out of range.",
        "The message names the path of the field, such as `job.settings.seed`. "
        "`python -m engine settings` lists every setting with its range.",
    ),
    Fault.MEDIA_UNREADABLE: (
        "The footage, or one image of it, is missing or cannot be decoded.",
        "Put the file back or relink the strip. A damaged movie can often be repaired by "
        "rendering it to images once.",
    ),
    Fault.FOOTAGE_TOO_SHORT: (
        "There are fewer than two frames: nothing moves, so no layers can be told apart.",
        "Use a longer part of the strip.",
    ),
    Fault.MASKS_UNREADABLE: (
        "Masks are missing, cannot be decoded, show several objects, or do not fit the footage by "
        "name, number or shape.",
        "Give one mask for each frame, or masks named like the footage's images. Of labels say "
        "which object is meant: `--masks DIR:2`.",
    ),
    Fault.OBJECT_NOT_FOUND: (
        "The masks are empty or cover everything, or no object could be found.",
        "Draw a box around the object on a frame where it is seen well, or give masks, "
        "white on black.",
    ),
    Fault.WEIGHTS_UNAVAILABLE: (
        "The CLIP weights are not on this computer, their file is damaged, or it does not fit the "
        "model.",
        "Download them once, name a local weights file (`--encoder ViT-L-14:FILE`), or use the "
        "embedded encoder (`--encoder embedded`, preset Draft).",
    ),
    Fault.DEVICE_UNAVAILABLE: (
        "The device that the settings name is not there.",
        "Set the device to automatic, or install the driver.",
    ),
    Fault.OUT_OF_MEMORY: (
        "The memory of the GPU or of the computer was not enough, on a GPU also in the smallest "
        "chunks.",
        "Lower the working size or the number of views, or close other programs. The job goes on "
        "from its last checkpoint.",
    ),
    Fault.DIVERGED: (
        "The optimisation left the numbers that can be computed with.",
        "Lower the learning rate or set the weights back to their defaults.",
    ),
    Fault.DISK_FULL: (
        "There is no room left to write.",
        "Free some space and run the job again: what was finished is kept.",
    ),
    Fault.DISK_FAILED: (
        "The disk could not be read or written, or what was on it went away.",
        "Check the disk and its connection, or choose another one. What was finished is checked "
        "before it is used again.",
    ),
    Fault.TOO_MANY_FILES: (
        "The system lets the engine open no more files.",
        "Close other programs, or raise the limit of open files (`ulimit -n`).",
    ),
    Fault.FOLDER_IN_USE: (
        "Another engine works in the same job folder.",
        "Wait until it has ended, or stop it; a job of its own works beside it.",
    ),
    Fault.FOLDER_UNWRITABLE: (
        "The engine may not write in this folder.",
        "Choose another folder or change its rights.",
    ),
    Fault.ENVIRONMENT: (
        "The engine's Python environment is missing, incomplete or of another version.",
        "Install the engine from the panel, or name an environment in the preferences.",
    ),
    Fault.CRASHED: (
        "The engine's process ended without a last word: it was killed, ran out of memory, or a "
        "driver crashed.",
        "Run the job again: it goes on from its last checkpoint. The end of engine.log tells more.",
    ),
    Fault.UNEXPECTED: (
        "Something that nobody foresaw.",
        "engine.log in the job folder has the details; please report it.",
    ),
}


def markdown() -> str:
    """Return the whole of ``docs/remedies.md``."""
    lines = ["# Remedies", "", "Made by `python -m engine remedies --markdown`.", ""]
    for fault, (what, remedy) in REMEDIES.items():
        lines += [f"## `{fault.value}`", "", what, "", f"**What to do:** {remedy}", ""]
    return "\n".join(lines)
