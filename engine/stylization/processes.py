"""A training by several processes: each renders and encodes its share of every step's views.

``torchrun --nproc-per-node N -m engine ...`` starts them. The first does the job: it alone reads
and writes files, says what happens, draws, and moves the parameters. The others wait for its
orders, see `helper`. An order to take part in a step brings the parameters and the random state,
so a helper has no state of its own: what is saved is that of one process.

Each has the embeddings of all views, but gradients through its own alone. So the sum of their
gradients is the gradient of the one loss (as in Goyal et al. 2017, but for losses that do not
fall apart into views).
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import torch
from torch import Tensor, distributed, nn

from .. import device as devices
from ..contract.events import EngineError, Fault
from ..contract.settings import StylizationSettings

PATIENCE = datetime.timedelta(days=7)  # helpers wait while the first prepares, or is paused
END_HINT = "Read what it said above, then run the same command again: the job goes on."


class Order(IntEnum):
    """What the first process asks the helpers for."""

    END = 0
    BEGIN = 1
    STEP = 2


@dataclass(frozen=True)
class Share:
    """Which views of a frame a process has: every ``count``-th one from ``rank`` on."""

    rank: int = 0
    count: int = 1

    @property
    def views(self) -> slice:
        """The numbers of the views."""
        return slice(self.rank, None, self.count)

    def of(self, settings: StylizationSettings) -> StylizationSettings:
        """Return ``settings`` with no more views than this process has.

        Raises EngineError (BAD_JOB) where one process would have none.
        """
        if self.count == 1:
            return settings
        total = settings.views.global_views + settings.views.local_views
        if total < self.count:
            message = f"A step has {total} views of a frame, fewer than the {self.count} processes."
            hint = f"Start at most {total} (torchrun --nproc-per-node), or raise the views."
            raise EngineError(Fault.BAD_JOB, message, hint)
        own = len(range(total)[self.views])
        return replace(settings, views=replace(settings.views, global_views=0, local_views=own))

    def gather(self, own: Tensor, total: int) -> Tensor:
        """Return the embeddings of all ``total`` views [F, V, E] from each process's ``own``.

        Gradients go to ``own`` [F, v, E] alone.
        """
        if self.count == 1:
            return own
        whole = own.new_zeros(len(own), total, own.shape[2])
        whole[:, self.views] = own.detach()
        with _explain_failure():
            distributed.all_reduce(whole)
        numbers = torch.arange(total, device=own.device)[self.views]
        return whole.index_copy(1, numbers, own)

    def once(self, term: Tensor) -> Tensor:
        """Return a term that every process computes whole: only the first one's has a gradient."""
        return term if self.rank == 0 else term.detach()


ALONE = Share()


class Processes:
    """All processes of a training; ``share`` is that of this one. A single one until `join`."""

    def __init__(self) -> None:
        self.share = ALONE
        self._in_step = False

    def join(self) -> None:
        """Meet the other processes that torchrun has started; each takes a GPU of its own."""
        own_gpus = devices.take_gpu(
            int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
        )
        has_nccl = own_gpus and distributed.is_nccl_available()
        backend = "cpu:gloo,cuda:nccl" if has_nccl else "gloo"
        with _explain_failure():
            distributed.init_process_group(backend, timeout=PATIENCE)
        self.share = Share(distributed.get_rank(), distributed.get_world_size())

    def leave(self) -> None:
        """Send the helpers home. They find it out themselves where a step was broken off."""
        with contextlib.suppress(EngineError):
            if self.share.rank == 0 and not self._in_step:
                self._send(Order.END)
        distributed.destroy_process_group()
        self.share = ALONE

    def begin(self, inputs: Any) -> None:
        """Let the helpers get ready for a training of ``inputs``, whose tensors are on the CPU."""
        if self.share.count > 1:
            self._send(Order.BEGIN)
            with _explain_failure():
                distributed.broadcast_object_list([inputs], device=torch.device("cpu"))

    @contextlib.contextmanager
    def step(self, atlas: nn.Module, generator: torch.Generator) -> Iterator[None]:
        """Take one step together: within, this process computes the gradient of its share.

        After it ``atlas`` has the gradient of all views. Raises EngineError where another process
        has ended, or memory runs out: what is divided cannot begin again in smaller chunks.
        """
        if self.share.count == 1:
            yield
            return
        self._send(Order.STEP, generator)
        self._in_step = True
        self.send_state(atlas)
        try:
            yield
        except RuntimeError as error:
            if not devices.is_out_of_memory(error):
                raise
            message = "The memory of a GPU was not enough for this process's share of the views."
            hint = "Lower the working size or the views at once, or start more processes."
            raise EngineError(Fault.OUT_OF_MEMORY, message, hint) from error
        self.sum_gradients(atlas)
        self._in_step = False

    def receive(self, generator: torch.Generator) -> tuple[Order, Any]:
        """Wait for an order; returns it with the inputs that belong to `Order.BEGIN`.

        The state of ``generator`` becomes the first process's.
        """
        message = self._message(Order.END, generator)
        with _explain_failure():
            distributed.broadcast(message, 0)
            order = Order(int(message[0]))
            if order is Order.BEGIN:
                inputs: list[Any] = [None]
                distributed.broadcast_object_list(inputs, device=torch.device("cpu"))
                return order, inputs[0]
        if order is Order.STEP:
            generator.set_state(message[1:].clone())
        return order, None

    def send_state(self, atlas: nn.Module) -> None:
        """Give ``atlas`` the state that it has in the first process."""
        tensors = [each for each in atlas.state_dict().values() if each.is_floating_point()]
        packed = torch.cat([each.detach().flatten() for each in tensors])
        with _explain_failure():
            distributed.broadcast(packed, 0)
        if self.share.rank:
            parts = packed.split([each.numel() for each in tensors])
            with torch.no_grad():
                for each, part in zip(tensors, parts, strict=True):
                    each.copy_(part.reshape(each.shape))

    def sum_gradients(self, atlas: nn.Module) -> None:
        """Give the parameters of ``atlas`` the sum of all processes' gradients."""
        moving = [each for each in atlas.parameters() if each.requires_grad]
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in moving]
        packed = torch.cat([each.flatten() for each in gradients])
        with _explain_failure():
            distributed.all_reduce(packed)
        parts = packed.split([each.numel() for each in moving])
        for each, part in zip(moving, parts, strict=True):
            each.grad = part.reshape(each.shape).clone()

    def _send(self, order: Order, generator: torch.Generator | None = None) -> None:
        with _explain_failure():
            distributed.broadcast(self._message(order, generator or torch.Generator()), 0)

    @staticmethod
    def _message(order: Order, generator: torch.Generator) -> Tensor:
        """Return ``order`` and a random state as bytes."""
        return torch.cat([torch.tensor([int(order)], dtype=torch.uint8), generator.get_state()])


@contextlib.contextmanager
def _explain_failure() -> Iterator[None]:
    """Say what it means that the processes cannot speak to each other any more."""
    try:
        yield
    except RuntimeError as error:
        message = f"Another process of this job has ended or cannot be reached ({error})."
        raise EngineError(Fault.CRASHED, message, END_HINT) from error


PROCESSES = Processes()
