"""Which weights of CLIP lie on this computer, as far as files alone tell.

Answers at once: needs neither torch nor open_clip. What only open_clip's own table of tags can
say is asked of `encoder`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from ..contract import variables
from ..contract.events import EngineError, Fault
from ..contract.settings import EMBEDDED
from ..contract.words.choice import weights_in
from . import weight_formats

EMBEDDED_FOLDER = Path(__file__).parent / "embedded"
EMBEDDED_WEIGHTS = "open_clip_model.safetensors"
MERGES = "merges.txt.gz"  # of a tokenizer of its own
# As open_clip's hub names a model's files.
HUB_CONFIGURATION = "open_clip_config.json"
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def at_hand(name: str) -> bool:
    """Are the weights of the encoder ``name`` certainly on this computer?

    False where only open_clip can tell. Raises EngineError (WEIGHTS_UNAVAILABLE) where they are
    damaged, and where those of the embedded encoder are missing.
    """
    if name == EMBEDDED:
        embedded_folder()
        return True
    if Path(name).is_dir():
        weight_formats.examine(weights_of_folder(Path(name)))
        return True
    model, _, weights = name.partition(":")
    file = (
        Path(weights) if Path(weights).is_file() else downloaded_weights(model, weights or "openai")
    )
    if file is None:
        return False
    weight_formats.examine(file)
    return True


def embedded_folder() -> Path:
    """Return the folder of the embedded encoder, in the format of open_clip's hub, looked through.

    Raises EngineError (WEIGHTS_UNAVAILABLE) where it is incomplete or damaged.
    """
    hint = "Install the extension again, or choose a CLIP model such as ViT-B-32:openai."
    try:
        facts = json.loads((EMBEDDED_FOLDER / "facts.json").read_text(encoding="utf-8"))
        digest = hashlib.sha256(embedded_file().read_bytes()).hexdigest()
        (EMBEDDED_FOLDER / MERGES).stat()
    except OSError as error:
        message = f"The embedded encoder is not complete: {error.filename} cannot be read."
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, hint) from error
    if digest != facts["sha256"]:
        message = f"The embedded encoder's weights are damaged: sha256 is {digest[:12]}…"
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, hint)
    return EMBEDDED_FOLDER


def embedded_file() -> Path:
    """Return where the embedded encoder's weights are."""
    return EMBEDDED_FOLDER / EMBEDDED_WEIGHTS


def weights_of_folder(folder: Path) -> Path:
    """Return the weights in a folder of the format of open_clip's hub.

    Raises EngineError (WEIGHTS_UNAVAILABLE) where it is none.
    """
    found = [folder / name for name in HUB_FILES if (folder / name).is_file()]
    if found and (folder / HUB_CONFIGURATION).is_file():
        return found[0]
    raise EngineError(
        Fault.WEIGHTS_UNAVAILABLE,
        f'The folder "{folder}" holds no CLIP model.',
        f"It needs {HUB_CONFIGURATION} and {' or '.join(HUB_FILES)}, as open_clip saves a model.",
    )


def downloaded_weights(model: str, tag: str) -> Path | None:
    """Return the weights of a tag that were downloaded with `engine.weights`, None without.

    Of several files it is one that will load, if there is one.
    """
    folder = download_folder()
    found = sorted(folder.glob(f"{model}--{tag}/*")) if folder else []
    whole = [path for path in found if path.suffix != ".part"]
    return min(whole, key=lambda path: bool(weight_formats.problem(path)), default=None)


def all_downloaded() -> list[str]:
    """Return MODEL:TAG of all weights that were downloaded with `engine.weights`."""
    return weights_in(download_folder())


def download_folder() -> Path | None:
    """Return where `engine.weights` puts downloaded weights, None where no host has named it."""
    named = os.environ.get(variables.WEIGHTS)
    return Path(named) if named else None
