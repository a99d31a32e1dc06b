"""The four networks of Kasten et al. 2021, with the released sizes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Linear layers with ReLU between and tanh at the end; ``octaves`` of the input, if any."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        layers: int,
        width: int = 256,
        octaves: int = 0,
        skips: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.octaves, self.skips = octaves, skips
        encoded = 2 * octaves * inputs if octaves else inputs
        self.layers = nn.ModuleList()
        for number in range(layers):
            entering = encoded if number == 0 else width + (encoded if number in skips else 0)
            self.layers.append(nn.Linear(entering, outputs if number == layers - 1 else width))

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, outputs] in [-1, 1] of ``x`` [N, inputs]."""
        if self.octaves:
            waves = [2.0**k * math.pi * x for k in range(self.octaves)]
            x = torch.cat([f(wave) for wave in waves for f in (torch.sin, torch.cos)], 1)
        again = x.detach()  # as released: no gradient to the mappings through the skips
        for number, layer in enumerate(self.layers):
            if number:
                x = torch.relu(x)
            if number in self.skips:
                x = torch.cat([x, again], 1)
            x = layer(x)
        return torch.tanh(x)


class Nets(nn.Module):
    """Both mappings, alpha, and the colours of both atlases."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping1 = Net(3, 2, layers=6)
        self.mapping2 = Net(3, 2, layers=4)
        self.opacity = Net(3, 1, layers=8, octaves=5)
        self.texture = Net(2, 3, layers=8, octaves=10, skips=(4, 7))

    def alpha(self, points: Tensor) -> Tensor:
        """Return alpha in [0.001, 0.991], [N, 1]."""
        return 0.99 * 0.5 * (self.opacity(points) + 1) + 0.001

    def front(self, uv: Tensor) -> Tensor:
        """Return the foreground's colours [N, 3] at ``uv`` in [-1, 1]."""
        return 0.5 * (self.texture(0.5 * uv + 0.5) + 1)

    def back(self, uv: Tensor) -> Tensor:
        """Return the background's colours [N, 3] at ``uv`` in [-1, 1]."""
        return 0.5 * (self.texture(0.5 * uv - 0.5) + 1)
