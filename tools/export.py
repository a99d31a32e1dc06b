"""Writes the encoder as the files that the engine loads with plain open_clip."""

import hashlib
import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

from tools import colours, silhouettes
from tools.captions import NEGATIVE_WORDS
from tools.image_stage import ImageSettings, Sorter
from tools.materials import MATERIALS

NAME = "strip-stylizer-embedded"
FOLDER = Path("engine/stylization/embedded")


def configuration(settings: ImageSettings) -> dict:
    """open_clip's description of the model."""
    return {
        "embed_dim": settings.embedding,
        "vision_cfg": {"image_size": settings.side, "layers": list(settings.layers),
                       "width": settings.width, "patch_size": None},
        "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 48, "heads": 4,
            "layers": 2},
    }  # fmt: skip


def empty_clip(settings: ImageSettings, folder: Path, model: Sorter):
    """A CLIP with the image tower of stage one and a new text tower, and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(configuration(settings), indent=2) + "\n"
    (folder / f"{NAME}.json").write_text(text)
    open_clip.add_model_config(folder / f"{NAME}.json")
    clip = open_clip.create_model(NAME).eval()
    tower: Any = clip.visual
    tower.load_state_dict(model.tower.state_dict())
    tower.requires_grad_(False)
    return clip, open_clip.get_tokenizer(NAME)


def knowledge(checksum: str) -> dict:
    """What the encoder knows, for the people and programs that choose words."""
    return {
        "materials": {material.name: list(material.words) for material in MATERIALS},
        "colours": [word for words in colours.WORDS.values() for word in words],
        "objects": [word for words in silhouettes.WORDS.values() for word in words],
        "negatives": {name: list(words) for name, words in NEGATIVE_WORDS.items()},
        "sha256": checksum,
    }


def export(clip, folder: Path) -> str:
    """Write weights in half precision and knows.json; returns the weights' SHA-256."""
    state = {name: value.half() if value.dtype.is_floating_point else value
             for name, value in clip.state_dict().items()}  # fmt: skip
    file = folder / f"{NAME}.safetensors"
    part = file.with_suffix(".part")
    save_file({name: value.contiguous() for name, value in state.items()}, part)
    part.chmod(0o644)
    part.replace(file)
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "knows.json").write_text(json.dumps(knowledge(checksum), indent=1) + "\n")
    return checksum


def load(folder: Path = FOLDER):
    """The exported encoder and its tokenizer, as the engine would load them."""
    open_clip.add_model_config(folder / f"{NAME}.json")
    weights = str(folder / f"{NAME}.safetensors")
    clip = open_clip.create_model(NAME, pretrained=weights).eval()
    return clip.requires_grad_(False), open_clip.get_tokenizer(NAME)


@torch.no_grad()
def embed_texts(clip, tokenizer, texts: list[str]) -> torch.Tensor:  # [n, E]
    """Unit embeddings of sentences."""
    return torch.nn.functional.normalize(clip.encode_text(tokenizer(texts)), dim=-1)
