"""Settings of the decomposition, of both engines."""

from __future__ import annotations

from dataclasses import dataclass

from .declaring import section, setting, weight


@dataclass(frozen=True)
class NlaWeights:
    """Weights of the terms of the `mlp` engine."""

    reconstruction: float = weight(
        5000.0, "Reconstruction", "Colour of the blend", paper="NLA: 5000"
    )
    gradient: float = weight(
        1000.0, "Gradient", "Colour differences to neighbours", paper="NLA: 1000"
    )
    sparsity: float = weight(
        1000.0, "Sparsity", "Foreground is black where it is not seen", paper="NLA: 1000"
    )
    rigidity: float = weight(1.0, "Rigidity", "Mappings keep local shape", paper="NLA: 1")
    global_rigidity_foreground: float = weight(
        5.0, "Global Rigidity, Foreground", "Mapping keeps shape over 100 pixels", paper="NLA: 5"
    )
    global_rigidity_background: float = weight(
        50.0, "Global Rigidity, Background", "Mapping keeps shape over 100 pixels", paper="NLA: 50"
    )
    flow: float = weight(5.0, "Flow", "Mappings follow the optical flow", paper="NLA: 5")
    alpha_flow: float = weight(
        49.0, "Alpha Flow", "Alpha follows the optical flow", paper="NLA: 49"
    )
    bootstrap: float = weight(2000.0, "Bootstrap", "Alpha starts from the masks", paper="NLA: 2000")


@dataclass(frozen=True)
class NlaSettings:
    """The paper-faithful decomposition: four networks, random points (engine `mlp`)."""

    steps: int = setting(
        400_000,
        "Steps",
        "Optimiser steps",
        low=1,
        high=2_000_000,
        advanced=False,
        paper="NLA: 400000",
    )
    points: int = setting(
        10_000, "Points", "Points drawn in each step", low=16, high=1_000_000, paper="NLA: 10000"
    )
    pretrain_rounds: int = setting(
        100,
        "Pre-Training",
        "Passes over all frames that fit the mappings to the identity",
        low=0,
        high=1000,
        paper="NLA: 100",
    )
    learning_rate: float = setting(
        1e-4, "Learning Rate", "Step size of Adam", low=1e-7, high=1.0, paper="NLA: 1e-4"
    )
    bootstrap_steps: int = setting(
        10_000,
        "Bootstrap Steps",
        "Steps in which alpha is tied to the masks",
        low=0,
        high=2_000_000,
        paper="NLA: 10000",
    )
    global_rigidity_steps: int = setting(
        5_000,
        "Global Rigidity Steps",
        "Steps in which global rigidity counts",
        low=0,
        high=2_000_000,
        paper="NLA: 5000",
    )
    width: int = setting(
        256,
        "Width",
        "Neurons in each layer of the networks; fewer are faster and see less detail",
        low=8,
        high=1024,
        paper="NLA: 256",
    )
    atlas_size: int = setting(
        1000,
        "Atlas Size",
        "Side of the atlas pictures; the networks themselves have no size",
        low=64,
        high=4096,
        unit="texels",
        paper="NLA: 1000",
    )
    weights: NlaWeights = section(NlaWeights)


@dataclass(frozen=True)
class GridSettings:
    """The fast decomposition: registration, textures, control points (engine `grid`)."""

    steps: int = setting(
        300,
        "Steps",
        "Optimiser steps after the registration; beyond 70 frames more in proportion",
        low=0,
        high=100_000,
        advanced=False,
    )
    atlas_size: int = setting(
        512, "Atlas Size", "Side of the foreground's texture", low=64, high=4096, unit="texels"
    )


@dataclass(frozen=True)
class DecompositionSettings:
    """Splitting the video into a foreground and a background atlas."""

    engine: str = setting(
        "grid",
        "Engine",
        "grid: seconds to minutes. mlp: Layered Neural Atlases as published, hours",
        choices=("grid", "mlp"),
        advanced=False,
    )
    seed: int = setting(
        -1,
        "Seed of the Layers",
        "-1: that of the job. New Take keeps the first one's, so that layers are not made again",
        low=-1,
        high=2**31 - 1,
    )
    grid: GridSettings = section(GridSettings)
    mlp: NlaSettings = section(NlaSettings)
