"""How CLIP's image tower computes on this device: precision, graphs, and how many views at once.

On a processor everything stays in single precision. What is faster elsewhere is tried, and kept
only where it works and its gradients agree.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from .. import device as devices
from ..contract.events import Report
from .vision import LeanTransformer, convert

KINDS = {"bfloat16": torch.bfloat16, "half": torch.float16}
AGREEMENT = 0.98  # least cosine of a fast tower's gradients with those in single precision
PROBES = 2  # pictures that are compared
SAVED_PER_VALUE = 16  # values that one token of one block keeps for the way back, by its width
ROOM = 0.5  # part of the free memory that views may take

Tower = Callable[[Tensor], Tensor]


def fastest(tower: nn.Module, wanted: str, size: int, report: Report) -> nn.Module:
    """Return ``tower`` in the precision ``wanted``, or the nearest one that computes the same.

    Warns where a precision was asked for by name and its gradients do not agree.
    """
    device = next(tower.buffers()).device
    if device.type != "cuda" or wanted == "single" or not isinstance(tower, LeanTransformer):
        return tower
    knows = torch.cuda.is_bf16_supported(including_emulation=False)
    names = [wanted] if wanted in KINDS else ["bfloat16", "half"][0 if knows else 1 :]
    for name in names:
        candidate = convert(tower, KINDS[name])
        cosine = agreement(tower, candidate, size, device)
        if cosine >= AGREEMENT:
            return candidate
        if wanted in KINDS:
            report.warning(
                f"In {name} precision the CLIP model's slopes agree by {cosine:.3f} only; it "
                "computes in single precision.",
                "Leave the precision on automatic, or expect the same result more slowly.",
            )
    return tower


def agreement(exact: Tower, fast: Tower, size: int, device: torch.device | str) -> float:
    """Return the cosine between the gradients of two towers at the same random pictures."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(PROBES, 3, 8, 8, generator=generator)
    pictures = functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1).to(device)
    wanted: Tensor | None = None
    gradients = []
    for tower in (exact, fast):
        images = pictures.clone().requires_grad_()
        embeddings = tower(images)
        if wanted is None:
            turned = torch.rand(embeddings.shape[1], generator=generator) - 0.5
            wanted = turned.to(embeddings)
        loss = functional.cosine_similarity(embeddings.mean(0), wanted, dim=0)
        gradients.append(torch.autograd.grad(loss, images)[0].flatten())
    return float(functional.cosine_similarity(gradients[0], gradients[1], dim=0).nan_to_num(-1.0))


def in_chunks(tower: Tower, images: Tensor, at_once: int) -> Tensor:
    """Return the embeddings of ``images`` [V, 3, S, S], holding ``at_once`` views at a time.

    The loss needs all embeddings before any gradient, so on the way back each chunk is computed
    again (gradient caching, Gao et al. 2021): the gradients are the same.
    """
    if not 0 < at_once < len(images):
        return tower(images)
    parts = images.split(at_once)
    if not images.requires_grad:
        return torch.cat([tower(part) for part in parts])
    return torch.cat([_again(tower, part) for part in parts])


def _again(tower: Tower, images: Tensor) -> Tensor:
    return checkpoint(tower, images, use_reentrant=False, preserve_rng_state=False)


def views_that_fit(tower: nn.Module, size: int) -> int:
    """Return how many views of ``size`` pixels the device holds for the way back; 0: any number."""
    device = next(tower.buffers()).device
    if device.type != "cuda" or not isinstance(tower, LeanTransformer):
        return 0
    width, tokens = tower.places.shape[1], tower.places.shape[0]
    value = tower.places.element_size()
    each = len(tower.blocks) * tokens * width * SAVED_PER_VALUE * value + 3 * size**2 * 4
    return max(1, int(ROOM * devices.free_memory(device) / each))


def cuda_graph_of(tower: nn.Module, views: int, size: int) -> Tower:
    """Return ``tower`` as a CUDA graph for ``views`` pictures; as a function where that cannot be.

    Another number of pictures, or pictures that need no gradients, go through the tower itself.
    """
    device = next(tower.buffers()).device
    if device.type != "cuda":
        return tower.forward
    sample = torch.rand(views, 3, size, size, device=device, requires_grad=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of streams: it is warmed up on another
            graph = torch.cuda.make_graphed_callables(tower.forward, (sample,))
    except (RuntimeError, NotImplementedError):
        torch.cuda.synchronize(device)
        return tower.forward

    def replay(images: Tensor) -> Tensor:
        if images.shape != sample.shape or not images.requires_grad:
            return tower(images)
        # The next replay writes over the graph's own output.
        embeddings: Tensor = graph(images)  # type: ignore[assignment]
        return embeddings.clone()

    return replay
