"""CLIP as two functions, texts and pictures to embeddings. The only file that knows open_clip.

Which model and whose weights is one string: ``embedded`` for the small encoder that comes with the
engine, or an open_clip model with a weights tag or a weights file (see `load_encoder`).
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ..contract.events import EngineError, Fault, Report
from ..contract.settings import StylizationSettings
from . import precision, weight_files
from .vision import lean
from .weight_files import EMBEDDED, EMBEDDED_MODEL

WEIGHTS_HINT = (
    "Download them first, in the extension's preferences or with `python -m engine.weights`, name "
    'a local file ("ViT-B-32:/path/to/weights.safetensors"), or choose the CLIP model "embedded".'
)
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
# What open_clip lets through where a file is not what the model's name says.
UNREADABLE = (
    OSError, RuntimeError, ValueError, KeyError, AssertionError,
    pickle.UnpicklingError, SafetensorError,
)  # fmt: skip


class Encoder(nn.Module):
    """A frozen CLIP model: gradients reach the pictures, never the weights.

    ``size`` is the side S of the pictures that it sees, ``context_length`` the number of tokens
    that it reads, ``views_at_once`` how many pictures it holds for the way back; 0: any number.
    """

    def __init__(self, model: nn.Module, tokenizer: Any) -> None:
        super().__init__()
        seen: dict[str, Any] = library().get_model_preprocess_cfg(model)
        self.model: Any = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.size: int = _side(seen["size"])
        self.context_length: int = tokenizer.context_length
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(seen["mean"]).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(seen["std"]).reshape(3, 1, 1))
        self.eye = lean(self.model.visual, self.mean, self.deviation)  # None: as open_clip has it
        self._tower: precision.Tower = self._plain if self.eye is None else self.eye.forward
        self.views_at_once = 0
        if self.eye is not None:
            self.model.visual = nn.Identity()  # its weights are in the lean tower

    def tune(self, settings: StylizationSettings, report: Report) -> None:
        """Make the image tower as fast as this device allows, for a step of ``settings``."""
        self.views_at_once = settings.views_at_once
        if self.eye is None:
            return
        self.eye.to(self.mean.device)
        tower = precision.fastest(self.eye, settings.precision, self.size, report)
        if tower is not self.eye:
            self.eye.cpu()  # a gigabyte of graphics memory
        views = settings.views.global_views + settings.views.local_views
        views *= settings.frames_per_step
        self.views_at_once = settings.views_at_once or precision.views_that_fit(tower, self.size)
        self._tower = tower.forward
        whole = not 0 < self.views_at_once < views
        if settings.graphs and whole:
            self._tower = precision.recorded(tower, views, self.size)

    @torch.no_grad()
    def embed_texts(self, texts: list[str]) -> Tensor:
        """Return the embeddings of ``texts``, [n, E]; what is over ``context_length`` is cut."""
        tokens = self.tokenizer(texts).to(self.mean.device)
        with self._autocast():
            return self.model.encode_text(tokens).float()

    def embed_images(self, images: Tensor) -> Tensor:
        """Return the embeddings of ``images`` [V, 3, S, S] in [0, 1], as [V, E]."""
        assert images.shape[1:] == (3, self.size, self.size), f"images {tuple(images.shape)}"
        return precision.in_portions(self._tower, images, self.views_at_once)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens ``text`` takes, the two at its ends included."""
        inner = getattr(self.tokenizer, "tokenizer", None)
        return len(inner(text).input_ids) if inner else len(self.tokenizer.encode(text)) + 2

    def _plain(self, images: Tensor) -> Tensor:
        """Embed ``images`` by open_clip's own tower."""
        with self._autocast():
            seen = (images - self.mean) / self.deviation
            return self.model.encode_image(seen).float()

    def _autocast(self) -> torch.autocast:
        device = self.mean.device.type
        half = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.autocast(device, dtype=torch.bfloat16, enabled=half)


def load_encoder(name: str, device: torch.device | str) -> Encoder:
    """Return the encoder ``name`` on ``device``.

    ``name`` is "embedded", "MODEL" (its "openai" weights), "MODEL:TAG" or "MODEL:/path/to/weights"
    (safetensors or pt). Weights trained by OpenAI need QuickGELU: a tag brings it along, for a
    file take the model's "-quickgelu" name. Only a named tag can lead to a download.
    Raises EngineError (WEIGHTS_UNAVAILABLE) where the weights cannot be had.
    """
    if name == EMBEDDED:
        encoder = _load_embedded()
    else:
        model, _, weights = name.partition(":")
        encoder = _load_model(model, weights or "openai")
    return encoder.to(device)


def available(names: tuple[str, ...] = ("ViT-L-14:openai",)) -> dict[str, str]:
    """Say whether the weights of the embedded encoder and of ``names`` are at hand.

    Looks only at this computer; nothing is downloaded.
    """
    found = {EMBEDDED: "ready"}
    try:
        _load_embedded()
    except EngineError as error:
        found[EMBEDDED] = error.message
    for name in names:
        model, _, tag = name.partition(":")
        there = weight_files.downloaded(model, tag) or _is_cached(
            library().get_pretrained_cfg(model, tag)
        )
        found[name] = "ready" if there else "not downloaded"
    return found


def _is_cached(entry: dict[str, Any]) -> bool:
    """Has open_clip downloaded the weights of its table's ``entry`` before? Jobs never do."""
    from huggingface_hub import try_to_load_from_cache

    repository, _, file = entry.get("hf_hub", "").rpartition("/")
    wanted = [file] if file else HUB_FILES
    if repository and any(
        isinstance(try_to_load_from_cache(repository, name), str) for name in wanted
    ):
        return True
    name = entry.get("url", "").rpartition("/")[2]
    return bool(name) and (Path("~/.cache/clip").expanduser() / name).is_file()


def weights_source(model: str, tag: str) -> tuple[str, str, str]:
    """Return repository, address and sha256 of a tag's weights, from open_clip's own table.

    Each is empty where the table does not say it. Raises EngineError where there is no such tag.
    """
    entry = library().get_pretrained_cfg(model, tag)
    if not entry:
        tags = ", ".join(library().list_pretrained_tags_by_model(model)) or "none"
        message = f'"{tag}" is no weights tag of {model}, which has: {tags}.'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    url = entry.get("url", "")
    sums = [part for part in url.split("/") if len(part) == 64]
    return entry.get("hf_hub", "").rstrip("/"), url, sums[0] if sums else ""


def _load_embedded() -> Encoder:
    weights = weight_files.embedded()
    if EMBEDDED_MODEL not in library().list_models():
        library().add_model_config(weights.with_name(f"{EMBEDDED_MODEL}.json"))
    return _create(EMBEDDED_MODEL, str(weights))


def _load_model(model: str, weights: str) -> Encoder:
    if model not in library().list_models():
        message = f'open_clip has no model "{model}".'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    if Path(weights).is_file():
        return _create(model, weights)
    entry = library().get_pretrained_cfg(model, weights)
    if not entry:
        tags = ", ".join(library().list_pretrained_tags_by_model(model)) or "none"
        message = f'"{weights}" is neither a file nor a weights tag of {model}, which has: {tags}.'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    quick_gelu = bool(entry.get("quick_gelu"))
    if there := weight_files.downloaded(model, weights):
        return _create(model, str(there), quick_gelu=quick_gelu)
    if not _is_cached(entry):
        message = f'The weights "{weights}" of CLIP model {model} are not on this computer.'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    return _create(model, weights, quick_gelu=quick_gelu)


def _create(model: str, weights: str, *, quick_gelu: bool = False) -> Encoder:
    try:
        network = library().create_model(model, pretrained=weights, force_quick_gelu=quick_gelu)
        tokenizer = library().get_tokenizer(model)
    except UNREADABLE as error:
        message = f'CLIP model {model} could not be built from "{weights}": {_first_line(error)}'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT) from error
    return Encoder(network, tokenizer)


def library() -> Any:
    """Import open_clip when it is needed: that takes seconds, which masks alone can save.

    An engine that waits for a job takes them before.
    """
    import open_clip

    return open_clip


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _side(size: int | tuple[int, int] | list[int]) -> int:
    return size if isinstance(size, int) else min(size)
