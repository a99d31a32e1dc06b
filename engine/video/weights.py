"""Trained networks of torchvision from weights that are at hand; nothing is downloaded in a job.

torchvision is asked for only here and only when a setting wants one of its networks. Its weights
are where `engine.weights` has put them, or where torch itself keeps them.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ..contract import variables
from ..contract.events import EngineError, Fault

DIGEST = 8  # hexadecimal digits of a file's sha256 that torchvision puts at the end of its name


def load_network(name: str, models: tuple[str, ...], device: torch.device | str, **named: Any):
    """Return the network ``name`` with its weights, frozen, on ``device``.

    ``name`` and ``models`` as for `weights_file`; ``named`` go to the builder of the network.
    Raises EngineError ENVIRONMENT, BAD_JOB or WEIGHTS_UNAVAILABLE.
    """
    file = weights_file(name, models)
    model = name.partition(":")[0]
    network = _torchvision().models.get_model(model, weights=None, **named)
    try:
        network.load_state_dict(_state(file))
    except Exception as error:  # torch names many kinds; all mean that the file is another's
        raise EngineError(
            Fault.WEIGHTS_UNAVAILABLE,
            f"The weights {file} do not fit {model}: {str(error).splitlines()[0]}",
            "Name the weights file of this very network.",
        ) from error
    return network.to(device).eval().requires_grad_(False)


def weights_file(name: str, models: tuple[str, ...]) -> Path:
    """Return the file with the weights ``name``, which is on this computer.

    ``name`` is "MODEL:TAG" for weights that were downloaded before, or "MODEL:FILE" for a file in
    the same format (pth or safetensors). MODEL is one of ``models``.
    Raises EngineError ENVIRONMENT, BAD_JOB or WEIGHTS_UNAVAILABLE.
    """
    model, _, weights = name.partition(":")
    if model not in models:
        raise EngineError(
            Fault.BAD_JOB,
            f'"{model}" is no network for this; there is {" and ".join(models)}.',
            f"Name one of them and its weights, such as {models[0]}:/path/to/weights.pth.",
        )
    return Path(weights) if Path(weights).is_file() else _path_of(model, weights)


def published_addresses(model: str) -> dict[str, str]:
    """Return the address of the weights file of each tag of ``model``. Raises EngineError."""
    return {tag.name: tag.url for tag in _torchvision().models.get_model_weights(model)}


def source(model: str, tag: str) -> tuple[str, str]:
    """Return the address of the weights ``tag`` of ``model`` and how their sha256 begins.

    Raises EngineError ENVIRONMENT or WEIGHTS_UNAVAILABLE.
    """
    tags = published_addresses(model)
    if tag not in tags:
        raise EngineError(
            Fault.WEIGHTS_UNAVAILABLE,
            f'"{tag}" is neither a file nor a weights tag of {model}, which has: '
            f"{', '.join(tags)}.",
            f"Name one of its tags, or a file: {model}:/path/to/weights.pth.",
        )
    digest = tags[tag].rpartition(".")[0].rpartition("-")[2]
    assert len(digest) == DIGEST and int(digest, 16) >= 0, tags[tag]
    return tags[tag], digest


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


def _path_of(model: str, tag: str) -> Path:
    """Return the downloaded file of a tag of ``model``."""
    name = source(model, tag)[0].rpartition("/")[2]
    downloads = os.environ.get(variables.WEIGHTS)
    places = [Path(downloads) / f"{model}--{tag}"] if downloads else []
    for place in (*places, Path(torch.hub.get_dir()) / "checkpoints"):
        if (place / name).is_file():
            return place / name
    raise EngineError(
        Fault.WEIGHTS_UNAVAILABLE,
        f'The weights "{tag}" of {model} are not on this computer ({name} is missing).',
        f"Download them in the preferences or with `python -m engine.weights {model}:{tag}`, or "
        f"name the file that you have: {model}:/path/to/weights.pth.",
    )


def _state(file: Path) -> dict[str, torch.Tensor]:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    return torch.load(file, map_location="cpu", weights_only=True)
