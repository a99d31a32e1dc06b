"""The networks of Layered Neural Atlases: two mappings, alpha, and the atlas' colours.

They know points, uv and colours; nothing of videos, losses or training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .coordinates import alpha_of_signed


def fourier_features(values: Tensor, frequencies: int) -> Tensor:
    """Return sin and cos of 2^k pi ``values`` for k below ``frequencies``: [N, 2 F D] from [N, D].

    The values themselves are not among the features (NLA, positional encoding).
    """
    octaves = torch.pi * 2.0 ** torch.arange(frequencies, device=values.device)  # [F]
    angles = (values[:, None, :] * octaves[:, None]).flatten(1)  # [N, F D]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class MappingNetwork(nn.Module):
    """Maps a point to uv of one layer (NLA, M_f with six linear layers and M_b with four)."""

    def __init__(self, *, layers: int, width: int = 256) -> None:
        super().__init__()
        self.linears = _linears([3, *[width] * (layers - 1), 2])

    def forward(self, points: Tensor) -> Tensor:
        """Return uv in [-1, 1], [N, 2], of ``points`` [N, 3]."""
        return _through(self.linears, points).tanh()


class AlphaNetwork(nn.Module):
    """Gives the foreground's opacity at a point (NLA, M_alpha)."""

    def __init__(self, *, layers: int = 8, width: int = 256, frequencies: int = 5) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.linears = _linears([6 * frequencies, *[width] * (layers - 1), 1])

    def forward(self, points: Tensor) -> Tensor:
        """Return alpha in [0.001, 0.991], [N, 1], of ``points`` [N, 3]."""
        features = fourier_features(points, self.frequencies)
        return alpha_of_signed(_through(self.linears, features).tanh())


class AtlasNetwork(nn.Module):
    """Gives the colours of both atlases, each in its own quadrant of [-1, 1]^2 (NLA, A).

    The encoded position enters again at the linear layers ``skips``. With ``detached_skips`` (as
    in the code that NLA's authors released, though not in their text) no gradient returns to the
    position on that way: colours move the mappings through the first layer alone. It is the
    default because the published weights of the losses were tuned with it.
    """

    def __init__(
        self,
        *,
        width: int = 256,
        depth: int = 8,
        frequencies: int = 10,
        skips: Sequence[int] = (4, 7),
        detached_skips: bool = True,
    ) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.skips = tuple(skips)
        self.detached_skips = detached_skips
        encoded = 4 * frequencies
        entering = [encoded] + [width + encoded * (i in self.skips) for i in range(1, depth)]
        leaving = [width] * (depth - 1) + [3]
        self.linears = nn.ModuleList(map(nn.Linear, entering, leaving))

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> AtlasNetwork:
        """Return the network whose weights are ``state``; its shape is read from the weights."""
        entering = [tensor.shape[1] for tensor in state.values() if tensor.dim() == 2]
        width = state["linears.0.bias"].shape[0]
        skips = [i for i, size in enumerate(entering) if i > 0 and size > width]
        network = cls(width=width, depth=len(entering), frequencies=entering[0] // 4, skips=skips)
        network.load_state_dict(dict(state))
        return network

    def forward(self, positions: Tensor) -> Tensor:
        """Return colours in [0, 1], [N, 3], at ``positions`` [N, 2] of the shared plane."""
        return self.colours(self.features(positions))

    def features(self, positions: Tensor) -> Tensor:
        """Return the input features [N, F] of ``positions`` [N, 2]."""
        return fourier_features(positions, self.frequencies)

    def colours(self, features: Tensor) -> Tensor:
        """Return colours in [0, 1], [N, 3], where the features [N, F] are these."""
        again = features.detach() if self.detached_skips else features
        hidden = features
        for index, linear in enumerate(self.linears):
            if index > 0:
                hidden = hidden.relu_()  # in place: fresh memory costs a processor a tenth
            if index in self.skips:
                hidden = torch.cat([hidden, again], dim=1)
            hidden = linear(hidden)
        return (hidden.tanh() + 1) / 2


def atlas_colours(network: AtlasNetwork, uv: Tensor) -> Tensor:
    """Return the foreground atlas' colours [..., 3] at ``uv`` [..., 2] as in `Layers`."""
    colours = network(uv.reshape(-1, 2))
    return colours.reshape(*uv.shape[:-1], 3)


class Networks(nn.Module):
    """The four networks of one decomposition."""

    def __init__(self, *, width: int = 256, frequencies: int = 10) -> None:
        super().__init__()
        self.foreground = MappingNetwork(layers=6, width=width)
        self.background = MappingNetwork(layers=4, width=width)
        self.alpha = AlphaNetwork(width=width)
        self.atlas = AtlasNetwork(width=width, frequencies=frequencies)


def seeded_networks(seed: int, *, width: int = 256, frequencies: int = 10) -> Networks:
    """Return networks whose first weights depend on ``seed`` alone, on the CPU.

    ``frequencies`` are those of the atlas.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Networks(width=width, frequencies=frequencies)


def atlas_frequencies(longest_side: int) -> int:
    """Return how many octaves the atlas of a video of this size has: 10 from 768 pixels on.

    The finest wave of the paper's ten has 3.75 pixels of a 768 pixel video. Of a smaller video it
    would have less than one: what it adds is then noise that moves the mappings.
    """
    return max(1, min(10, round(math.log2(longest_side / 0.75))))


def _linears(sizes: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(entering, leaving) for entering, leaving in pairwise(sizes))


def _through(linears: nn.ModuleList, values: Tensor) -> Tensor:
    for index, linear in enumerate(linears):
        values = linear(values.relu() if index > 0 else values)
    return values
