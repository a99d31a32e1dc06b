"""Writes the encoder as a folder that plain open_clip loads: ``local-dir:`` of its hub's format."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.contract.words.concepts import Vocabulary
from training import captions, tokens
from training.base import DEVIATION, MEAN
from training.robust import Student
from training.scenes import SIDE
from training.text import TextSettings

FOLDER = Path("engine/stylization/embedded")
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"
USUAL = 4  # how often a word of a surface counts beside that of a thing, for the merges


def configuration(settings: TextSettings, vocabulary_size: int) -> dict[str, Any]:
    """Return open_clip's description of the model."""
    model = {
        "embed_dim": settings.width,
        "vision_cfg": {
            "timm_model_name": "tf_efficientnet_lite0", "timm_model_pretrained": False,
            "timm_pool": "avg", "timm_proj": "linear", "timm_proj_bias": True, "image_size": SIDE,
        },
        "text_cfg": {
            "context_length": settings.context, "vocab_size": vocabulary_size,
            "width": settings.width, "heads": settings.width // 60, "layers": 1, "mlp_ratio": 1.0,
        },
    }  # fmt: skip
    seen = {"mean": [MEAN] * 3, "std": [DEVIATION] * 3, "interpolation": "bilinear"}
    return {"model_cfg": model, "preprocess_cfg": seen}


def word_counts(vocabulary: Vocabulary) -> Counter[str]:
    """Return how much each word of the captions counts."""
    counts: Counter[str] = Counter()
    for concept in vocabulary.concepts.values():
        weight = USUAL if concept.is_surface else 1
        for words in concept.words:
            for word in words.split():
                counts[word] += weight
    for form in (*captions.SURFACES, *captions.OBJECTS, *captions.STREWN, *captions.PREFIXES):
        for word in form.replace("{look}", "").replace("{thing}", "").replace("{}", "").split():
            counts[word.lower()] += USUAL
    return counts


def begin(
    student: Student, axes: Tensor, vocabulary: Vocabulary, settings: TextSettings, folder: Path
) -> tuple[Any, Any]:
    """Return the model with the image tower of ``student`` and a new text tower, and its tokenizer.

    ``axes`` [E, F] lead from centred features to embeddings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    merges = tokens.learn_merges(word_counts(vocabulary), settings.merges)
    size = tokens.write_merges(merges, folder)
    text = json.dumps(configuration(settings, size), indent=2) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    model: Any = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    fill_image_tower(model.visual, student, axes)
    return model, tokenizer_of(folder)


def tokenizer_of(folder: Path) -> Any:
    """Return the tokenizer of an exported folder."""
    return open_clip.get_tokenizer(f"local-dir:{folder}", bpe_path=str(folder / tokens.FILE))


@torch.no_grad()
def fill_image_tower(visual: Any, student: Student, axes: Tensor) -> None:
    """Copy the folded network of ``student`` into open_clip's tower, which is not folded."""
    _unfold(student.network, visual.trunk)
    visual.head.proj.weight.copy_(axes)
    visual.head.proj.bias.copy_(-axes @ student.centre)


def _unfold(folded: nn.Module, plain: nn.Module) -> None:
    """Copy convolutions with their offsets into convolutions and normalisations that change nothing
    else."""
    names = list(plain._modules)
    for first, second in zip(names, [*names[1:], ""], strict=False):
        own, other = getattr(folded, first, None), getattr(plain, first)
        if isinstance(other, nn.Conv2d):
            norm = getattr(plain, second)
            assert isinstance(own, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            assert own.bias is not None and norm.running_mean is not None
            assert norm.running_var is not None
            other.weight.copy_(own.weight)
            norm.weight.fill_(1.0)
            norm.bias.copy_(own.bias)
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0 - norm.eps)
        elif own is not None and not isinstance(other, nn.BatchNorm2d):
            _unfold(own, other)


def write(model: Any, folder: Path, facts: dict[str, Any]) -> str:
    """Write the weights in half precision, with ``facts`` beside them; returns their SHA-256."""
    state = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous()
        for name, value in model.state_dict().items()
    }
    part = (folder / WEIGHTS).with_suffix(".part")
    save_file(state, part)
    part.chmod(0o644)
    part.replace(folder / WEIGHTS)
    checksum = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    known = {"sha256": checksum, **facts}
    (folder / "facts.json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return checksum


def settings_of(*settings: Any) -> dict[str, Any]:
    """Return dataclasses of settings as one dictionary, for the facts."""
    return {type(each).__name__: asdict(each) for each in settings}
