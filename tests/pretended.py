"""A pretended second device, so that mixed devices are found where there is only a processor.

Within `pretending` tensors on `DEVICE` are wrappers of plain ones. Each operation looks where its
tensors are and raises `Mixed` where CUDA would. One thing is less strict: what is made like a
wrapper (`zeros_like`, `new_zeros`) is one. Other threads do not see the pretence.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as tree
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

from engine import device as devices
from engine.contract.events import DeviceChosen
from engine.stylization.encoder import Encoder

DEVICE = torch.device("meta")  # a name that torch knows and the engine does not
HERE = torch.device("cpu")
aten: Any = torch.ops.aten
# CUDA lets indices lie on the CPU.
INDEXING = {
    aten.index.Tensor, aten.index_put.default, aten.index_put_.default,
    aten._index_put_impl_.default, aten._unsafe_index.Tensor, aten._unsafe_index_put.default,
}  # fmt: skip
# Beside operations on each element these take a single number from the CPU.
FILLING = {aten.fill_.Tensor, aten.masked_fill.Tensor, aten.masked_fill_.Tensor}


class Mixed(RuntimeError):
    """Tensors of both devices in one operation."""


class Elsewhere(Tensor):
    """A tensor on the pretended device; ``plain`` has its values."""

    plain: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, plain: Tensor) -> Elsewhere:
        made = torch.Tensor._make_wrapper_subclass(
            cls, plain.size(), strides=plain.stride(), storage_offset=plain.storage_offset(),
            dtype=plain.dtype, device=HERE, requires_grad=plain.requires_grad,
        )  # fmt: skip
        made.plain = plain
        return made

    @property
    def device(self) -> torch.device:
        return DEVICE

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a tensor on the device cannot be read as numpy")

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def cpu(self) -> Tensor:
        return self.to(HERE)

    def new_tensor(self, data: Any, dtype: Any = None, device: Any = None) -> Tensor:
        return torch.tensor(data, dtype=dtype or self.dtype).to(device or DEVICE)

    def quantile(self, q: float) -> Tensor:
        """Give the quantile, without gradients: torch's own makes plain tensors on the way."""
        return Elsewhere(self.plain.detach().quantile(q))

    def __repr__(self) -> str:
        return f"Elsewhere({self.plain!r})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Be saved as a plain tensor, as a checkpoint is read on the CPU."""
        return (torch.Tensor.clone, (self.plain.detach(),))

    @classmethod
    def __torch_dispatch__(cls, operation: Any, _: Any, args: Any = (), named: Any = None) -> Any:
        return _computed(operation, args, named or {})


class _Watching(TorchDispatchMode):
    """Sees the operations that make a tensor on the device from none."""

    def __torch_dispatch__(self, operation: Any, _: Any, args: Any = (), named: Any = None) -> Any:
        return _computed(operation, args, named or {})


def _computed(operation: Any, args: Any, named: dict[str, Any]) -> Any:
    """Compute ``operation`` on the plain tensors; its result is where a GPU would have it."""
    values = list(_flat((*args, *named.values())))
    to_device = elsewhere = any(isinstance(x, Elsewhere) for x in values)
    plain = {name: _plain(value) for name, value in named.items()}
    if named.get("device") is not None:
        name = operation.overloadpacket.__name__
        # What torch itself asks for beside a wrapper is the wrapper's own place, which is here.
        beside = elsewhere and (name.startswith("new_") or name.endswith("_like"))
        to_device = beside or torch.device(named["device"]) == DEVICE
        plain["device"] = HERE
    if operation is aten.copy_.default:
        to_device = isinstance(args[0], Elsewhere)
    elif operation is not aten._to_copy.default and to_device:
        _check(operation, args, values)
    result = operation(*_plain(args), **plain)
    for traffic in _watched:
        traffic.note(operation, args, values, to_device)
    if not to_device:
        return result
    wrapped = tree.tree_map_only(Tensor, Elsewhere, result)
    return return_and_correct_aliasing(operation, args, named, wrapped) if elsewhere else wrapped


@dataclass
class Traffic:
    """What a device was asked for, and how often the CPU had to wait for it."""

    operations: Counter[str] = field(default_factory=Counter)  # computed there; no mere views
    carried: Counter[tuple[int, ...]] = field(default_factory=Counter)  # shapes, by `devices.send`
    waits: Counter[str] = field(default_factory=Counter)  # copies to it and back, numbers read
    sending: bool = False

    def note(self, operation: Any, args: Any, values: list[Any], to_device: bool) -> None:
        """Count one operation on ``args``, whose result is where ``to_device`` says."""
        name = operation.overloadpacket.__name__
        there = any(isinstance(x, Elsewhere) for x in values)
        copied = {aten._to_copy.default: args[:1], aten.copy_.default: args[1:2]}
        for origin in copied.get(operation, ()):
            if isinstance(origin, Elsewhere) == to_device:
                continue
            if self.sending:
                self.carried[tuple(origin.shape)] += 1
            else:
                self.waits[name] += 1
            return
        if there and _must_be_known(operation, args):
            self.waits[name] += 1
        is_view = operation.is_view or operation is aten._unsafe_view.default
        if (there or to_device) and not is_view:
            self.operations[name] += 1


_watched: list[Traffic] = []


@contextlib.contextmanager
def watching() -> Iterator[Traffic]:
    """Count what crosses to the device and back within; only while it is pretended."""
    traffic, plain_sent = Traffic(), devices.send

    def send(tensor: Tensor, device: torch.device) -> Tensor:
        traffic.sending = True
        try:
            return plain_sent(tensor, device)
        finally:
            traffic.sending = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "send", send)
        _watched.append(traffic)
        try:
            yield traffic
        finally:
            _watched.remove(traffic)


def _must_be_known(operation: Any, args: Any) -> bool:
    """Must the CPU know values of the device, or carry indices there, for this operation?"""
    if operation in INDEXING:
        indices = [x for x in _flat(args[1]) if isinstance(x, Tensor)]
        return any(_is_here(x) or x.dtype in (torch.bool, torch.uint8) for x in indices)
    tags = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
    return bool(tags & set(operation.tags))


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the arguments of an operation and those in its lists."""
    for value in values:
        yield from _flat(value) if isinstance(value, (list, tuple)) else (value,)


def _plain(value: Any) -> Any:
    """Return arguments with plain tensors in place of wrappers."""
    if isinstance(value, Elsewhere):
        return value.plain
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(each) for each in value)
    return value


def _check(operation: Any, args: Any, values: list[Any]) -> None:
    """Raise Mixed where a GPU could not compute this, for it cannot reach all of ``values``."""
    numbers = torch.Tag.pointwise in operation.tags or operation in FILLING
    here = [x for x in values if _is_here(x)]
    if operation in INDEXING:
        numbers = not _is_here(args[0])
        here = [x for x in (args[0], *args[2:3]) if _is_here(x)]
    drawn = any(isinstance(x, torch.Generator) for x in values)
    if drawn or any(x.dim() > 0 or not numbers for x in here):
        kinds = [(type(x).__name__, getattr(x, "shape", None)) for x in values]
        raise Mixed(f"{operation}: {kinds}")


def _is_here(value: Any) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Elsewhere)


@contextlib.contextmanager
def pretending() -> Iterator[None]:
    """Pretend `DEVICE` within, and let the engine choose it; everything is put back after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "to", _moving(torch.Tensor.to))
        patch.setattr(torch, "tensor", _making(torch.tensor))
        # A wrapper cannot be given plain values in place, as modules do with their parameters.
        patch.setattr(torch.__future__, "_swap_module_params_on_conversion", True)
        patch.setattr(devices, "choose", lambda wanted: DEVICE)
        patch.setattr(devices, "describe", lambda device: DeviceChosen("meta", "pretended", 0))
        patch.setattr(Encoder, "_autocast", lambda encoder: contextlib.nullcontext())
        with _Watching():
            yield


def _moving(plain_to: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return ``Tensor.to`` that knows where wrappers are; torch's own takes them for plain ones."""

    def to(tensor: Tensor, *args: Any, **named: Any) -> Tensor:
        wanted = [*args, *named.values()]
        like = [x for x in wanted if isinstance(x, Tensor)]
        dtypes = [x.dtype for x in like] + [x for x in wanted if isinstance(x, torch.dtype)]
        places = [x.device for x in like]
        places += [torch.device(x) for x in wanted if isinstance(x, (str, torch.device))]
        device, dtype = (places or [tensor.device])[0], (dtypes or [tensor.dtype])[0]
        if device == tensor.device:
            return plain_to(tensor, dtype)
        return _Crossing.apply(tensor, device, dtype)

    return to


class _Crossing(torch.autograd.Function):
    """A copy on the other device, whose slopes come back; torch's own takes both for the CPU."""

    @staticmethod
    def forward(context: Any, tensor: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
        context.origin = tensor.device, tensor.dtype
        return aten._to_copy(tensor, dtype=dtype, device=device)

    @staticmethod
    def backward(context: Any, slopes: Tensor) -> Any:
        return slopes.to(*context.origin), None, None


def _making(plain_tensor: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return ``torch.tensor`` that can make a wrapper; torch's own fills it without dispatch."""

    def tensor(data: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
        return plain_tensor(data, dtype=dtype).to(device or HERE)

    return tensor
