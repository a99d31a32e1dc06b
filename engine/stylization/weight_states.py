"""Weights files to tensors by name, whatever their format; nothing in a file is ever run.

OpenAI publishes CLIP as TorchScript archives: programs with their weights. ``torch.jit.load`` would
compile and partly run such a program, and torch counts that as running a stranger's code. But an
archive is a zip with a pickle that lists modules and tensors, and with the tensors' numbers. So
the list is read here with an unpickler that knows four words, and the program stays unread.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from .weight_formats import Format, examine

# Numbers beside the weights that every archive of OpenAI holds, and no other file.
MARKS_OF_OPENAI = ("input_resolution", "context_length", "vocab_size")
KINDS = {
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def read(path: Path) -> tuple[dict[str, Tensor], bool]:
    """Return the tensors of a weights file by name, and whether OpenAI's archive holds them.

    OpenAI's networks compute with QuickGELU; of another file only its origin tells that. Raises
    EngineError (WEIGHTS_UNAVAILABLE) as `weight_formats.examine`, and what torch, safetensors,
    pickle and zipfile raise of a file that is damaged within.
    """
    kind = examine(path)
    if kind is Format.SAFETENSORS:
        found: Any = load_file(path)
    elif kind is Format.ARCHIVE:
        found = _in_archive(path)
    else:
        mapped = kind is Format.TORCH
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]  # a checkpoint of open_clip's own training
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) for t in found.values()):
        raise ValueError("it does not hold tensors by name")
    state = {name.removeprefix("module."): tensor for name, tensor in found.items()}
    marks = [state.pop(name, None) for name in MARKS_OF_OPENAI]
    return state, all(mark is not None for mark in marks)


def _in_archive(path: Path) -> dict[str, Tensor]:
    """Return parameters and buffers of a TorchScript archive by their dotted names."""
    with zipfile.ZipFile(path) as archive:
        folder = archive.namelist()[0].partition("/")[0]
        with archive.open(f"{folder}/data.pkl") as file:
            module = _Reader(file, archive, folder).load()
    found: dict[str, Tensor] = {}
    _collect(module, "", found)
    return found


class _Module:
    """What stands for every class of an archive: the attributes that were saved, no behaviour."""

    attributes: Mapping[str, Any] = MappingProxyType({})

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("a module of the archive has no attributes by name")
        self.attributes = state


class _Reader(pickle.Unpickler):
    """Unpickles modules and tensors of one archive; every other word is refused."""

    def __init__(self, file: Any, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self.archive, self.folder = archive, folder
        self.storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a word of the pickle stands for; nothing is imported."""
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in KINDS:
            return KINDS[name]
        if module == "torch.jit._pickle" and name.startswith("build_"):
            return list  # of numbers or tensors, typed
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        raise pickle.UnpicklingError(f"the archive holds {module}.{name}, which is no weight")

    def persistent_load(self, pid: Any) -> Tensor:
        """Return the numbers of one storage; their checksum is compared."""
        _, kind, key, *_ = pid
        if key not in self.storages:
            numbers = bytearray(self.archive.read(f"{self.folder}/data/{key}"))
            empty = torch.empty(0, dtype=kind)
            self.storages[key] = torch.frombuffer(numbers, dtype=kind) if numbers else empty
        return self.storages[key]


def _tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    return storage.as_strided(size, stride, offset)


def _collect(module: _Module, prefix: str, found: dict[str, Tensor]) -> None:
    for name, value in module.attributes.items():
        if isinstance(value, Tensor):
            found[prefix + name] = value
        elif isinstance(value, _Module):
            _collect(value, f"{prefix}{name}.", found)
