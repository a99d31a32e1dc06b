"""Settings of the stylization."""

from __future__ import annotations

from dataclasses import dataclass

from .declaring import section, setting, weight
from .views import ViewsSettings


@dataclass(frozen=True)
class StylizationWeights:
    """Weights of the terms of the stylization."""

    global_similarity: float = weight(
        1.0, "Global Text", "Views of the whole object match the global text", paper="TDS: 1"
    )
    local_similarity: float = weight(
        1.0, "Local Text", "Close views match the local text", paper="TDS: 1"
    )
    temporal: float = weight(
        1.0,
        "Temporal",
        "Frames near in time look nearer to CLIP than frames far away",
        paper="TDS: varies, eq. 4",
    )
    sparsity: float = weight(
        1.0, "Sparsity", "No colour where the object is not seen", paper="TDS: varies, eq. 5"
    )
    avoid: float = weight(
        0.5, "Avoid", "Views do not match what the object should not look like, where that is given"
    )
    unevenness: float = weight(
        0.0, "Unevenness", "Each part of the object has its share of all colours"
    )


@dataclass(frozen=True)
class StylizationSettings:
    """Finetuning the foreground's atlas until CLIP agrees with the texts."""

    encoder: str = setting(
        "ViT-L-14:openai",
        "CLIP Model",
        "automatic, embedded, or an open_clip model with a weights tag or file: ViT-L-14:openai, "
        "ViT-B-32:/path/to/weights.safetensors; or a folder that open_clip saved",
        advanced=False,
        paper="TDS: ViT-L/14",
    )
    steps: int = setting(
        2000, "Steps", "Optimiser steps", low=1, high=100_000, advanced=False, paper="TDS: 2000"
    )
    atlas: str = setting(
        "network",
        "Atlas Form",
        "network: the paper's colour network, finetuned. "
        "texture: a picture with natural structure, lit by the footage's own light",
        choices=("network", "texture"),
    )
    frames_per_step: int = setting(
        3, "Frames per Step", "Frames drawn in each step", low=1, high=16, paper="TDS: 3"
    )
    learning_rate: float = setting(
        1e-4, "Learning Rate", "Step size of Adam", low=1e-7, high=1.0, paper="TDS: 1e-4"
    )
    decay: float = setting(
        0.9, "Decay", "Factor on the learning rate", low=0.01, high=1.0, paper="TDS: 0.9"
    )
    decay_every: int = setting(
        200, "Decay Every", "Steps between two decays", low=1, high=100_000, paper="TDS: 200"
    )
    global_prefixes: int = setting(
        8,
        "Global Prefixes",
        'Texts are shown to CLIP as "a photo of a ..." in this many forms',
        low=0,
        high=8,
        paper="TDS: 8",
    )
    local_prefixes: int = setting(
        8,
        "Local Prefixes",
        'Texts are shown to CLIP as "a photo of a ..." in this many forms',
        low=0,
        high=8,
        paper="TDS: 8",
    )
    temporal_sigma: float = setting(
        5.0,
        "Temporal Sigma",
        "Width of the Gaussian that weighs a frame triplet by its span",
        low=0.1,
        high=1000.0,
        unit="frames",
        paper="TDS: 5",
    )
    temporal_literal: bool = setting(
        False,
        "Literal Temporal Weight",
        "Weigh triplets by the Gaussian density as printed, whose peak is 0.4 / sigma, and draw "
        "frames uniformly",
        paper="TDS: eq. 4",
    )
    sparsity_norm: str = setting(
        "squared",
        "Sparsity Norm",
        "squared: mean squared norm of the colours. plain: mean norm as printed",
        choices=("squared", "plain"),
        paper="TDS: eq. 5; NLA: squared",
    )
    sparsity_everywhere: bool = setting(
        False,
        "Sparsity Everywhere",
        "Paint and count pixels of the box in which the object is not seen at all, too",
        paper="TDS: eq. 5",
    )
    view_average: str = setting(
        "raw",
        "View Average",
        "raw: mean embedding of a frame's views. weakest: mean of the views' own losses, in which "
        "the views that match least count most",
        choices=("raw", "weakest"),
        paper="TDS: eq. 1, raw",
    )
    strip_articles: bool = setting(
        True,
        "Strip Articles",
        'Drop the "a" of a text behind a prefix, so that no "a photo of a A swan" arises',
        paper="TDS: not said",
    )
    avoid_surroundings: bool = setting(
        True,
        "Avoid Surroundings",
        "Views do not match the grass in which an animal stands whose fur is wanted, where the "
        "text leans to it; embedded encoder",
    )
    candidates: int = setting(
        1,
        "Candidates",
        "Looks made from one decomposition, each with a seed of its own; CLIP puts them in order",
        low=1,
        high=16,
        advanced=False,
    )
    precision: str = setting(
        "automatic",
        "Precision",
        "How the CLIP model computes on a GPU; automatic: the fastest whose gradients agree with "
        "single precision",
        choices=("automatic", "single", "bfloat16", "half"),
    )
    views_at_once: int = setting(
        0,
        "Views at Once",
        "How many views CLIP holds in memory together; fewer need less memory, are slower and "
        "give the same result. 0: as many as fit",
        low=0,
        high=1024,
    )
    distillation_steps: int = setting(
        1000,
        "Distillation Steps",
        "Steps that fit the colour network to the atlas where the decomposition gives a picture",
        low=1,
        high=100_000,
    )
    snapshot_every: int = setting(
        100, "Snapshot Every", "Steps between two saved states", low=1, high=100_000
    )
    views: ViewsSettings = section(ViewsSettings)
    weights: StylizationWeights = section(StylizationWeights)
