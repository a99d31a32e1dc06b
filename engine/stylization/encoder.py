"""CLIP as two functions, texts and pictures to embeddings. The only file that knows open_clip.

Which model and whose weights is one string: ``embedded`` for the small encoder that comes with the
engine, a folder, or an open_clip model with a weights tag or a weights file (see `load_encoder`).
"""

from __future__ import annotations

import logging
import pickle
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ..contract.events import EngineError, Fault, Report
from ..contract.settings import OFFERED_WEIGHTS, StylizationSettings
from ..device import at_once
from . import precision, weight_files, weight_formats, weight_states
from .vision import LeanConvolutions, lean
from .weight_files import EMBEDDED, HUB_FILES

WEIGHTS_HINT = (
    "Download them first, in the extension's preferences or with `python -m engine.weights`, name "
    'a local file ("ViT-B-32:/path/to/weights.safetensors"), or choose the CLIP model "embedded".'
)
# What open_clip's table says of how a tag's pictures are prepared.
SEEN = ("mean", "std", "interpolation", "resize_mode")
# What comes through where a file is damaged within, or is not what the model's name says.
UNREADABLE = (
    OSError, RuntimeError, ValueError, LookupError, AssertionError, TypeError, AttributeError,
    EOFError, pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, SafetensorError,
)  # fmt: skip
NO_ENTRY: Mapping[str, Any] = MappingProxyType({})


class Encoder(nn.Module):
    """A frozen CLIP model: gradients reach the pictures, never the weights.

    ``size`` is the side S of the pictures that it sees, ``context_length`` the number of tokens
    that it reads, ``views_at_once`` how many pictures it holds for the way back; 0: any number.
    """

    def __init__(self, model: nn.Module, tokenizer: Any) -> None:
        super().__init__()
        preprocessing: dict[str, Any] = library().get_model_preprocess_cfg(model)
        self.model: Any = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.size: int = _side(preprocessing["size"])
        self.context_length: int = tokenizer.context_length
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(preprocessing["mean"]).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(preprocessing["std"]).reshape(3, 1, 1))
        # None where the network is open_clip's own.
        self.lean_tower = lean(self.model.visual, self.mean, self.deviation)
        self._tower: precision.Tower = (
            self._plain if self.lean_tower is None else self.lean_tower.forward
        )
        self.views_at_once = 0
        if self.lean_tower is not None:
            self.model.visual = nn.Identity()  # its weights are in the lean tower

    def tune(self, settings: StylizationSettings, report: Report) -> None:
        """Make the image tower as fast as this device allows, for a step of ``settings``."""
        views = settings.views.global_views + settings.views.local_views
        views *= settings.frames_per_step
        self.views_at_once = _fewer(settings.views_at_once, views)
        if self.lean_tower is None:
            return
        self.lean_tower.to(self.mean.device)
        tower = precision.fastest(self.lean_tower, settings.precision, self.size, report)
        if tower is not self.lean_tower:
            self.lean_tower.cpu()  # a gigabyte of graphics memory
        fitting = settings.views_at_once or precision.views_that_fit(tower, self.size)
        self.views_at_once = _fewer(fitting, views)
        self._tower = tower.forward
        if not 0 < self.views_at_once < views:
            self._tower = precision.cuda_graph_of(tower, views, self.size)

    @torch.no_grad()
    def embed_texts(self, texts: list[str]) -> Tensor:
        """Return the embeddings of ``texts``, [n, E]; what is over ``context_length`` is cut."""
        tokens = self.tokenizer(texts).to(self.mean.device)
        with self._autocast():
            return self.model.encode_text(tokens).float()

    def embed_images(self, images: Tensor) -> Tensor:
        """Return the embeddings of ``images`` [V, 3, S, S] in [0, 1], as [V, E]."""
        assert images.shape[1:] == (3, self.size, self.size), f"images {tuple(images.shape)}"
        return precision.in_chunks(self._tower, images, self.views_at_once)

    def embed_places(self, images: Tensor) -> Tensor:
        """Return the embedding of each place of ``images`` [V, 3, H, W] in [0, 1], [V, E, h, w].

        Only of the embedded encoder's kind of tower, whose embedding of a picture is their mean.
        """
        assert isinstance(self.lean_tower, LeanConvolutions), "a tower without places"
        return self.lean_tower.places(images)

    def embed_layers(self, images: Tensor) -> list[Tensor]:
        """Return features of ``images`` [V, 3, H, W] in [0, 1], of strides 8 and 16, [V, C, h, w].

        Only of the embedded encoder's kind of tower; sides are multiples of 32.
        """
        assert isinstance(self.lean_tower, LeanConvolutions), "a tower without places"
        return self.lean_tower.layers(images)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens ``text`` takes, the two at its ends included."""
        inner = getattr(self.tokenizer, "tokenizer", None)
        return len(inner(text).input_ids) if inner else len(self.tokenizer.encode(text)) + 2

    def _plain(self, images: Tensor) -> Tensor:
        """Embed ``images`` by open_clip's own tower."""
        with self._autocast():
            normalized = (images - self.mean) / self.deviation
            return self.model.encode_image(normalized).float()

    def _autocast(self) -> torch.autocast:
        device = self.mean.device.type
        half = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.autocast(device, dtype=torch.bfloat16, enabled=half)


def _fewer(usual: int, views: int) -> int:
    """Return how many of ``views`` are held at a time where ``usual`` are else; 0 is all."""
    return usual if at_once.part == 1 else at_once(usual or views)


def load_encoder(name: str, device: torch.device | str) -> Encoder:
    """Return the encoder ``name`` on ``device``; nothing is downloaded.

    ``name`` is "embedded", "MODEL" (its "openai" weights), "MODEL:TAG", "MODEL:/path/to/weights"
    (safetensors, what torch.save wrote, or a TorchScript archive), or a folder in the format of
    open_clip's hub. Weights trained by OpenAI need
    QuickGELU: a tag and OpenAI's own archives bring it along, for another file take the model's
    "-quickgelu" name. Raises EngineError (WEIGHTS_UNAVAILABLE) where the weights cannot be had.
    """
    if name == EMBEDDED:
        encoder = _load_folder(weight_files.embedded_folder())
    elif Path(name).is_dir():
        encoder = _load_folder(Path(name).absolute())
    else:
        model, _, weights = name.partition(":")
        encoder = _load_model(model, weights or "openai")
    return encoder.to(device)


def available(names: tuple[str, ...] = OFFERED_WEIGHTS) -> dict[str, str]:
    """Return "ready" for the encoders that will load, else what is wrong, by name.

    Of the embedded encoder, of ``names``, and of all that was downloaded. Looks only at this
    computer.
    """
    found = {EMBEDDED: "ready"}
    try:
        weight_files.embedded_folder()
    except EngineError as error:
        found[EMBEDDED] = error.message
    for name in dict.fromkeys((*names, *weight_files.all_downloaded())):
        model, _, tag = name.partition(":")
        file = _file_of(model, tag, library().get_pretrained_cfg(model, tag))
        found[name] = "not downloaded" if file is None else weight_formats.problem(file) or "ready"
    return found


def _file_of(model: str, tag: str, entry: Mapping[str, Any]) -> Path | None:
    """Return the file that ``tag`` names: itself, downloaded by us, or before by open_clip."""
    if there := Path(tag) if Path(tag).is_file() else weight_files.downloaded_weights(model, tag):
        return there
    from huggingface_hub import try_to_load_from_cache

    repository, names = _hub_files(entry)
    for name in names:
        if isinstance(kept := try_to_load_from_cache(repository, name), str):
            return Path(kept)
    name = entry.get("url", "").rpartition("/")[2]
    kept = Path("~/.cache/clip").expanduser() / name
    return kept if name and kept.is_file() else None


def _hub_files(entry: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the hub's repository of a tag and how its weights may be named, best first."""
    repository, _, file = entry.get("hf_hub", "").rpartition("/")
    return repository, (file,) if file else HUB_FILES if repository else ()


def weights_source(model: str, tag: str) -> tuple[str, tuple[str, ...], str, str]:
    """Return a tag's repository, the names of its file there, and its address and sha256 elsewhere.

    From open_clip's own table; each is empty where that does not say it. Raises EngineError where
    there is no such tag.
    """
    entry = _entry(model, tag)
    url = entry.get("url", "")
    sums = [part for part in url.split("/") if len(part) == 64]
    return *_hub_files(entry), url, sums[0] if sums else ""


def _entry(model: str, tag: str) -> Mapping[str, Any]:
    """Return what open_clip's table says of a tag; raises EngineError where it knows none such."""
    entry = library().get_pretrained_cfg(model, tag)
    if not entry:
        tags = ", ".join(library().list_pretrained_tags_by_model(model)) or "none"
        message = f'"{tag}" is neither a file nor a weights tag of {model}, which has: {tags}.'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    return entry


def _load_folder(folder: Path) -> Encoder:
    merges = folder / weight_files.MERGES
    own: dict[str, Any] = {"bpe_path": str(merges)} if merges.is_file() else {}
    return _create(f"local-dir:{folder}", weight_files.weights_of_folder(folder), **own)


def _load_model(model: str, weights: str) -> Encoder:
    if model not in library().list_models():
        message = f'open_clip has no model "{model}".'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    entry = NO_ENTRY if Path(weights).is_file() else _entry(model, weights)
    file = _file_of(model, weights, entry)
    if file is None:
        message = f'The weights "{weights}" of CLIP model {model} are not on this computer.'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT)
    return _create(model, file, entry)


def _create(
    model: str,
    file: Path,
    entry: Mapping[str, Any] = NO_ENTRY,
    **tokenizer_options: str,
) -> Encoder:
    """Build ``model`` with the weights in ``file``, of which open_clip's table says ``entry``."""
    try:
        state, by_openai = weight_states.read(file)
        with _no_warning_of_random_weights():
            network = library().create_model(
                model,
                load_weights=False,
                pretrained_text=False,
                pretrained_image=False,
                force_quick_gelu=by_openai or bool(entry.get("quick_gelu")),
                force_preprocess_cfg={name: entry[name] for name in SEEN if name in entry},
            )
        _fill(network, state)
        tokenizer = library().get_tokenizer(model, **tokenizer_options)
    except UNREADABLE as error:
        message = f'CLIP model {model} could not be built from "{file}": {_first_line(error)}'
        raise EngineError(Fault.WEIGHTS_UNAVAILABLE, message, WEIGHTS_HINT) from error
    return Encoder(network, tokenizer)


def _fill(network: Any, state: dict[str, Tensor]) -> None:
    """Copy the weights into the network, of whatever precision they are, as open_clip adapts them.

    Raises ValueError where they are those of another network.
    """
    adapt = library().factory
    state = adapt.convert_state_dict(network, state)
    if "positional_embedding" in state and not hasattr(network, "positional_embedding"):
        state = adapt.convert_to_custom_text_state_dict(state)
    own = network.state_dict()
    # Masks and the like, which are computed anew; torch.jit keeps them beside the weights.
    computed = {name for name, _ in network.named_buffers()} - own.keys()
    state = {name: tensor for name, tensor in state.items() if name not in computed}
    for name in ("logit_scale", "logit_bias"):
        if name in state and name in own:
            state[name] = state[name].reshape(own[name].shape)
    adapt.resize_pos_embed(state, network)
    adapt.resize_text_pos_embed(state, network)
    shapes = {name: tensor.shape for name, tensor in own.items()}
    strange = [name for name in own.keys() | state.keys()
               if name not in state or state[name].shape != shapes.get(name)]  # fmt: skip
    if strange:
        raise ValueError(
            f"these are another network's weights: {len(strange)} of {len(own)} do not fit, the "
            f'first is "{min(strange)}"'
        )
    network.load_state_dict(state)


@contextmanager
def _no_warning_of_random_weights() -> Iterator[None]:
    """Keep open_clip from saying that a network has no weights yet, which are filled in next."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


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
