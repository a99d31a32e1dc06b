"""Trained networks of torchvision from weights that are at hand; nothing is downloaded in a job.

torchvision is asked for only here and only when a setting wants one of its networks.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ..contract.events import EngineError, Fault


def load_network(name: str, models: tuple[str, ...], device: torch.device | str, **named: Any):
    """Return the network ``name`` with its weights, frozen, on ``device``.

    ``name`` is "MODEL:TAG" for weights that torch has kept before, or "MODEL:FILE" for a file in
    the same format (pth or safetensors). MODEL is one of ``models``; ``named`` go to its builder.
    Raises EngineError ENVIRONMENT, BAD_JOB or WEIGHTS_UNAVAILABLE.
    """
    torchvision = _torchvision()
    model, _, weights = name.partition(":")
    if model not in models:
        raise EngineError(
            Fault.BAD_JOB,
            f'"{model}" is no network for this; there is {" and ".join(models)}.',
            f"Name one of them and its weights, such as {models[0]}:/path/to/weights.pth.",
        )
    file = Path(weights) if Path(weights).is_file() else _kept(torchvision, model, weights)
    network = torchvision.models.get_model(model, weights=None, **named)
    try:
        network.load_state_dict(_state(file))
    except Exception as error:  # torch names many kinds; all mean that the file is another's
        raise EngineError(
            Fault.WEIGHTS_UNAVAILABLE,
            f"The weights {file} do not fit {model}: {str(error).splitlines()[0]}",
            "Name the weights file of this very network.",
        ) from error
    return network.to(device).eval().requires_grad_(False)


def class_names(model: str) -> tuple[str, ...]:
    """Return the names of the classes that a detector knows, by number; 0 is none."""
    enum = _torchvision().models.get_model_weights(model)
    return tuple(next(iter(enum)).meta["categories"])


def _torchvision() -> ModuleType:
    try:
        import torchvision
    except ImportError as error:
        raise EngineError(
            Fault.ENVIRONMENT,
            "Detecting objects and RAFT flow need torchvision, which is not installed.",
            "Install the engine again from the panel, or find the object and the flow otherwise.",
        ) from error
    return torchvision


def _kept(torchvision: ModuleType, model: str, tag: str) -> Path:
    """Return the file that torch keeps for a tag of ``model``."""
    tags = {entry.name: entry.url for entry in torchvision.models.get_model_weights(model)}
    if tag not in tags:
        raise EngineError(
            Fault.WEIGHTS_UNAVAILABLE,
            f'"{tag}" is neither a file nor a weights tag of {model}, which has: '
            f"{', '.join(tags)}.",
            f"Name one of its tags, or a file: {model}:/path/to/weights.pth.",
        )
    file = Path(torch.hub.get_dir()) / "checkpoints" / tags[tag].rpartition("/")[2]
    if not file.is_file():
        raise EngineError(
            Fault.WEIGHTS_UNAVAILABLE,
            f'The weights "{tag}" of {model} are not on this computer ({file} is missing).',
            "Put the file there, or name it where it is: " + f"{model}:/path/to/weights.pth.",
        )
    return file


def _state(file: Path) -> dict[str, torch.Tensor]:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    return torch.load(file, map_location="cpu", weights_only=True)
