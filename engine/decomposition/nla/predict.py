"""The networks' outputs at samples, and the loss terms; each network is evaluated once.

One call with all points costs less than one call per neighbour. Knows no weights or schedules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..coordinates import (
    Extent,
    to_background_quadrant,
    to_foreground_quadrant,
    uv_step,
)
from ..model import Networks
from . import losses
from .samples import Samples

# Where the colours are needed, and where alpha is.
COLOURED = ("here", "right", "below")
BLENDED = (*COLOURED, "forward", "backward")


@dataclass(frozen=True)
class Prediction:
    """What the networks say, by place: the names are those of `Samples`."""

    uv_foreground: dict[str, Tensor]  # [N, 2] each
    uv_background: dict[str, Tensor]
    alpha: dict[str, Tensor]  # [N, 1] each
    foreground: dict[str, Tensor]  # [N, 3] each, at the `COLOURED` places
    background: dict[str, Tensor]

    def colour(self, place: str) -> Tensor:
        """Return the blend [N, 3] of the two layers at a `COLOURED` place."""
        alpha = self.alpha[place]
        return alpha * self.foreground[place] + (1 - alpha) * self.background[place]


def predict(networks: Networks, samples: Samples) -> Prediction:
    """Ask all networks about ``samples`` and their neighbours."""
    places = {name: getattr(samples, name) for name in BLENDED}
    mapped = dict(places)
    if samples.far_right is not None and samples.far_below is not None:
        mapped |= {"far_right": samples.far_right, "far_below": samples.far_below}
    uv_foreground = _ask(networks.foreground, mapped)
    uv_background = _ask(networks.background, mapped)
    positions = {f"foreground {n}": to_foreground_quadrant(uv_foreground[n]) for n in COLOURED}
    positions |= {f"background {n}": to_background_quadrant(uv_background[n]) for n in COLOURED}
    colours = _ask(networks.atlas, positions)
    return Prediction(
        uv_foreground=uv_foreground,
        uv_background=uv_background,
        alpha=_ask(networks.alpha, places),
        foreground={name: colours[f"foreground {name}"] for name in COLOURED},
        background={name: colours[f"background {name}"] for name in COLOURED},
    )


def loss_terms(
    seen: Prediction, samples: Samples, extent: Extent, *, far: float
) -> dict[str, Tensor]:
    """Return every term that counts, named as in `NlaWeights`.

    ``far`` is the distance in pixels of the far neighbours, if the samples have them.
    """
    uv_f, uv_b, alpha = seen.uv_foreground, seen.uv_background, seen.alpha
    pixel = uv_step(1, extent)
    valid = (samples.valid_forward, samples.valid_backward)
    terms = {
        "reconstruction": losses.reconstruction(seen.colour("here"), samples.colour),
        "gradient": losses.gradient(
            seen.colour("right") - seen.colour("here"),
            seen.colour("below") - seen.colour("here"),
            samples.difference_x,
            samples.difference_y,
            samples.inside_x,
            samples.inside_y,
        ),
        "sparsity": losses.sparsity(alpha["here"], seen.foreground["here"]),
        "rigidity": losses.rigidity(uv_f["here"], uv_f["right"], uv_f["below"], step=pixel)
        + losses.rigidity(uv_b["here"], uv_b["right"], uv_b["below"], step=pixel),
        "flow": losses.flow(*_along_flow(uv_f), *valid, alpha["here"], step=pixel)
        + losses.flow(*_along_flow(uv_b), *valid, 1 - alpha["here"], step=pixel),
        "alpha_flow": losses.alpha_flow(*_along_flow(alpha), *valid),
        "bootstrap": losses.bootstrap(alpha["here"], samples.mask, samples.known),
    }
    if "far_right" in uv_f:
        for name, uv in (("foreground", uv_f), ("background", uv_b)):
            terms[f"global_rigidity_{name}"] = losses.global_rigidity(
                uv["here"], uv["far_right"], uv["far_below"], step=uv_step(far, extent)
            )
    return terms


def _along_flow(values: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    return values["here"], values["forward"], values["backward"]


def _ask(network: Callable[[Tensor], Tensor], places: Mapping[str, Tensor]) -> dict[str, Tensor]:
    answers = network(torch.cat(list(places.values())))
    sizes = [len(points) for points in places.values()]
    return dict(zip(places, answers.split(sizes), strict=True))
