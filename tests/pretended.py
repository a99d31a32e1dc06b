"""A pretended second device, so that mixed devices are found where there is only a processor.

Within `pretending` tensors on `DEVICE` are wrappers of plain ones. Each operation looks where its
tensors are and raises `Mixed` where a GPU would. Two things are less strict than CUDA: a tensor
made like another (`zeros_like`, `new_zeros`) is always beside it, and whatever torch computes
without dispatch, such as ``from_numpy``, is not seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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
CROSSING = {aten._to_copy.default, aten.copy_.default}
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

    def __init__(self, plain: Tensor) -> None:
        pass

    @property
    def device(self) -> torch.device:
        return DEVICE

    @property
    def is_cpu(self) -> bool:
        return False

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a tensor on the device cannot be read as numpy")

    __array__ = numpy

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def cpu(self) -> Tensor:
        return aten._to_copy(self, device=HERE)

    def new_tensor(self, data: Any, dtype: Any = None, device: Any = None) -> Tensor:
        return torch.tensor(data, dtype=dtype or self.dtype).to(device or DEVICE)

    def quantile(self, q: Any, dim: int | None = None, **named: Any) -> Tensor:
        """Give the quantile, without gradients: torch's own makes plain tensors on the way."""
        return Elsewhere(self.plain.detach().quantile(q, dim, **named))

    def __repr__(self) -> str:
        return f"Elsewhere({self.plain!r})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Be saved as a plain tensor, as a checkpoint is read on the CPU."""
        return (torch.Tensor.clone, (self.plain.detach(),))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            copied = self.detach().clone()
            if isinstance(self, torch.nn.Parameter):
                copied = torch.nn.Parameter(copied, requires_grad=False)
            memo[id(self)] = copied.requires_grad_(self.requires_grad)
        return memo[id(self)]

    @classmethod
    def __torch_dispatch__(cls, operation: Any, _: Any, args: Any = (), named: Any = None) -> Any:
        return _computed(operation, args, named or {})


class _Watching(TorchDispatchMode):
    """Sees the operations that make a tensor on the device from none."""

    def __torch_dispatch__(self, operation: Any, _: Any, args: Any = (), named: Any = None) -> Any:
        return _computed(operation, args, named or {})


def _computed(operation: Any, args: Any, named: dict[str, Any]) -> Any:
    """Compute ``operation`` on the plain tensors; its result is where a GPU would have it."""
    elsewhere = [x for x in tree.tree_leaves((args, named)) if isinstance(x, Elsewhere)]
    if elsewhere and operation not in CROSSING:
        _check(operation, args, named)
    to_device = bool(elsewhere)
    if named.get("device") is not None:
        # What torch itself asks for beside a wrapper is the wrapper's own place, which is here.
        beside = elsewhere and operation.overloadpacket.__name__.startswith("new_")
        beside = beside or (elsewhere and operation.overloadpacket.__name__.endswith("_like"))
        to_device = bool(beside) or torch.device(named["device"]) == DEVICE
        if to_device and named.get("generator") is not None:
            raise Mixed(f"{operation}: a generator on the CPU")
        named = named | {"device": HERE}
    if operation is aten.copy_.default:
        to_device = isinstance(args[0], Elsewhere)
    plain = tree.tree_map_only(Elsewhere, lambda x: x.plain, (args, named))
    result = operation(*plain[0], **plain[1])
    if not to_device:
        return result
    wrapped = tree.tree_map_only(Tensor, _wrapped, result)
    return return_and_correct_aliasing(operation, args, named, wrapped) if elsewhere else wrapped


def _wrapped(result: Tensor) -> Elsewhere:
    return result if isinstance(result, Elsewhere) else Elsewhere(result)


def _check(operation: Any, args: Any, named: dict[str, Any]) -> None:
    """Raise Mixed where a GPU could not compute this; some of the tensors are on it."""
    leaves = tree.tree_leaves((args, named))
    if any(isinstance(x, torch.Generator) for x in leaves):
        raise Mixed(f"{operation}: a generator on the CPU")
    if operation in INDEXING:
        numbers = True
        here = [x for x in tree.tree_leaves((args[0], args[2:3])) if _is_here(x)]
        wrong = _is_here(args[0])
    else:
        numbers = torch.Tag.pointwise in operation.tags or operation in FILLING
        here = [x for x in leaves if _is_here(x)]
        wrong = False
    if wrong or any(x.dim() > 0 or not numbers for x in here):
        shapes = [(type(x).__name__, tuple(x.shape)) for x in leaves if isinstance(x, Tensor)]
        raise Mixed(f"{operation}: {shapes}")


def _is_here(value: Any) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Elsewhere)


@contextlib.contextmanager
def pretending() -> Iterator[None]:
    """Pretend `DEVICE` within, and let the engine choose it; everything is put back after."""
    swapping = torch.__future__.get_swap_module_params_on_conversion()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "to", _moving(torch.Tensor.to))
        patch.setattr(torch, "tensor", _making(torch.tensor))
        patch.setattr(devices, "choose", lambda wanted: DEVICE)
        patch.setattr(devices, "describe", lambda device: DeviceChosen("meta", "pretended", 0))
        patch.setattr(Encoder, "_autocast", lambda encoder: contextlib.nullcontext())
        # Wrappers cannot be given other values in place, as modules do with their parameters.
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            with _Watching():
                yield
        finally:
            torch.__future__.set_swap_module_params_on_conversion(swapping)


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
        return aten._to_copy(tensor, dtype=dtype, device=device)

    return to


def _making(plain_tensor: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return ``torch.tensor`` that can make a wrapper; torch's own fills it without dispatch."""

    def tensor(data: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
        return plain_tensor(data, dtype=dtype).to(device or HERE)

    return tensor
