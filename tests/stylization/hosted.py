"""Files as the hosts of CLIP weights give them, of networks that are tiny but of the same build."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.stylization.encoder import SEEN, Encoder

SIZE = 32
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}
VISION = {
    "ViT": {"image_size": SIZE, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "RN": {"image_size": SIZE, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
}
FORMATS = ("safetensors", "bin", "archive")
NAMES = {
    "safetensors": "open_clip_model.safetensors",
    "bin": "open_clip_pytorch_model.bin",
    "archive": "Model.pt",
}


def shrink(model: str, monkeypatch) -> None:
    """Let open_clip build a tiny network of the same family under the name ``model``."""
    kind = "RN" if model.startswith("RN") else "ViT"
    small = {"embed_dim": 24, "vision_cfg": VISION[kind], "text_cfg": TEXT}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, model, small)


def network(model: str, tag: str, seed: int = 0) -> nn.Module:
    """Return a network with random weights as the ones behind ``tag`` compute, half exact."""
    entry = open_clip.get_pretrained_cfg(model, tag)
    torch.manual_seed(seed)
    made = open_clip.create_model(
        model,
        force_quick_gelu=entry.get("quick_gelu", False),
        force_preprocess_cfg={name: entry[name] for name in SEEN},
    ).eval()
    for name, tensor in made.state_dict().items():
        if tensor.is_floating_point():
            spread = 0.1 * torch.randn_like(tensor)  # no weight is 0 or 1, so that none is idle
            spread = spread.abs() if name.endswith("running_var") else spread
            tensor.copy_((tensor + spread).half())
    return made


def encoder_of(made: nn.Module, model: str) -> Encoder:
    """Return what a job would have with the very network that was saved."""
    return Encoder(copy.deepcopy(made), open_clip.get_tokenizer(model))


def save(made: nn.Module, kind: str, folder: Path, half: bool = True) -> Path:
    """Write the weights of a network as hosts do, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAMES[kind]
    state = {name: _stored(tensor, half) for name, tensor in made.state_dict().items()}
    if kind == "safetensors":
        save_file(state, path)
    elif kind == "bin":
        torch.save(state, path)
    else:
        torch.jit.save(archive(made, half), path)
    return path


def archive(made: nn.Module, half: bool = True) -> torch.jit.ScriptModule:
    """Return a network as OpenAI publishes it: traced, with three numbers beside the weights."""
    whole = copy.deepcopy(made)
    marks = {"input_resolution": SIZE, "context_length": 77, "vocab_size": 49408}
    for name, value in marks.items():
        delattr(whole, name) if hasattr(whole, name) else None
        whole.register_buffer(name, torch.tensor(value))
    example = torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 77, dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(whole, example, check_trace=False)
    return traced.half() if half else traced


def _stored(tensor: Tensor, half: bool) -> Tensor:
    return tensor.half() if half and tensor.is_floating_point() else tensor.contiguous()
