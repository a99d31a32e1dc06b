"""Every number and choice that a user can adjust, declared once.

From these dataclasses come Blender's properties, the checks of the codec, the command line's
``--set``, ``docs/settings.md``, the stage keys and the presets. Nothing here knows how a value
is used. ``paper`` says where a default comes from: NLA is Kasten et al. 2021, TDS is
Loeschcke et al. 2022 (*Text-Driven Stylization of Video Objects*).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


def setting(
    default: Any,
    label: str,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
    advanced: bool = True,
    paper: str = "",
) -> Any:
    """Declare one setting: a dataclass field that carries all that is known about it.

    ``low`` and ``high`` are inclusive. Settings that are not ``advanced`` are shown up front.
    """
    metadata = {
        "label": label,
        "help": help,
        "low": low,
        "high": high,
        "choices": choices,
        "unit": unit,
        "advanced": advanced,
        "paper": paper,
    }
    return field(default=default, metadata=metadata)


def weight(default: float, label: str, help: str, *, paper: str = "") -> Any:
    """Declare the weight of one loss term; 0 switches the term off."""
    return setting(default, label, help, low=0.0, high=1e6, paper=paper)


def section(kind: type) -> Any:
    """Declare a nested group of settings."""
    return field(default_factory=kind)


@dataclass(frozen=True)
class FramesSettings:
    """How the footage is decoded for the work in between; the result has the footage's size."""

    longest_side: int = setting(
        768,
        "Working Size",
        "Longest side of the pictures that the engine works on",
        low=64,
        high=4096,
        unit="px",
        advanced=False,
        paper="NLA: 768",
    )


@dataclass(frozen=True)
class FlowSettings:
    """Optical flow between neighbouring frames."""

    quality: str = setting(
        "medium",
        "Flow Quality",
        "fast, medium: DIS flow, on the processor. raft: a trained network, best on a GPU; "
        "its weights must be on this computer",
        choices=("fast", "medium", "raft"),
    )
    raft: str = setting(
        "raft_large:C_T_SKHT_V2",
        "RAFT Weights",
        "raft_large or raft_small, a colon, and a tag whose weights are on this computer or a file",
    )
    consistency: float = setting(
        1.0,
        "Consistency",
        "A flow vector counts where going forth and back misses by less than this",
        low=0.1,
        high=10.0,
        unit="px",
        paper="NLA: 1",
    )


@dataclass(frozen=True)
class MasksSettings:
    """How an object is found when its masks are not given."""

    grabcut_rounds: int = setting(
        5, "GrabCut Rounds", "Rounds of GrabCut on frames with a box or strokes", low=1, high=20
    )
    motion_threshold: float = setting(
        1.0,
        "Motion Threshold",
        "How far a pixel must move against the background to count as object, "
        "in multiples of the background's own scatter",
        low=0.1,
        high=20.0,
    )
    detector: str = setting(
        "maskrcnn_resnet50_fpn_v2:COCO_V1",
        "Detector Weights",
        "maskrcnn_resnet50_fpn_v2 or maskrcnn_resnet50_fpn, a colon, and a tag whose weights are "
        "on this computer or a file",
    )
    detector_score: float = setting(
        0.5,
        "Detector Score",
        "How sure the detector must be of an object",
        low=0.05,
        high=1.0,
    )


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
    warm_start: bool = setting(
        False,
        "Warm Start",
        "Begin with the mapping that the grid engine registers, not with the identity",
        paper="NLA: off",
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
class GridWeights:
    """Weights of the terms of the `grid` engine."""

    reconstruction: float = weight(1.0, "Reconstruction", "Colour of the blend")
    gradient: float = weight(0.5, "Gradient", "Colour differences to neighbours")
    rigidity: float = weight(1.0, "Rigidity", "Stiffness of the mapping's control points")
    flow: float = weight(1.0, "Flow", "The mapping follows flow and tracks")
    bootstrap: float = weight(0.1, "Bootstrap", "Alpha stays near the masks")
    alpha_flow: float = weight(0.1, "Alpha Flow", "Alpha follows the optical flow")
    alpha_smoothness: float = weight(0.01, "Alpha Smoothness", "Total variation of alpha")
    gain: float = weight(0.002, "Gain", "Keeps the gain small and smooth")


@dataclass(frozen=True)
class GridSettings:
    """The fast decomposition: registration, textures, control points (engine `grid`)."""

    steps: int = setting(
        600,
        "Steps",
        "Optimiser steps after the registration; beyond 70 frames more in proportion",
        low=0,
        high=100_000,
        advanced=False,
    )
    atlas_size: int = setting(
        512, "Atlas Size", "Side of the foreground's texture", low=64, high=4096, unit="texels"
    )
    knot_spacing: float = setting(
        8.0, "Knot Spacing", "Distance of the control points", low=2.0, high=128.0, unit="px"
    )
    gain: bool = setting(True, "Gain", "Explain changing light by a smooth gain in each frame")
    weights: GridWeights = section(GridWeights)


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
    grid: GridSettings = section(GridSettings)
    mlp: NlaSettings = section(NlaSettings)


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
    directional: float = weight(
        0.0,
        "Direction",
        "What changes in the views is what changes from the neutral text to the target text",
    )
    structure: float = weight(
        0.0, "Structure", "Light and dark stay where the footage has them on the object"
    )
    chroma: float = weight(0.0, "Chroma", "Keeps colours from drifting away from grey without need")
    smoothness: float = weight(0.0, "Smoothness", "Total variation of the stylized atlas")


@dataclass(frozen=True)
class ViewsSettings:
    """The crops that CLIP sees, and how they are augmented."""

    global_views: int = setting(
        2, "Global Views", "Views of the whole object, in each frame", low=1, high=64
    )
    local_views: int = setting(6, "Local Views", "Close views, in each frame", low=1, high=64)
    global_scale_low: float = setting(
        0.9,
        "Global Scale, Least",
        "Smallest global crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 0.9",
    )
    global_scale_high: float = setting(
        1.0,
        "Global Scale, Most",
        "Largest global crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 1.0",
    )
    local_scale_low: float = setting(
        0.1,
        "Local Scale, Least",
        "Smallest local crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 0.1",
    )
    local_scale_high: float = setting(
        0.5,
        "Local Scale, Most",
        "Largest local crop, as part of the box's area",
        low=0.01,
        high=1.0,
        paper="TDS: 0.5",
    )
    aspect_low: float = setting(
        0.8, "Aspect, Least", "Narrowest crop", low=0.1, high=1.0, paper="TDS: 0.8"
    )
    aspect_high: float = setting(
        1.2, "Aspect, Most", "Widest crop", low=1.0, high=10.0, paper="TDS: 1.2"
    )
    coverage: float = setting(
        1 / 3,
        "Coverage",
        "Part of a local view that the object must fill",
        low=0.0,
        high=1.0,
        paper="TDS: 1/3",
    )
    perspective_chance: float = setting(
        0.5,
        "Perspective Chance",
        "How often a view is seen from a side",
        low=0.0,
        high=1.0,
        paper="TDS: 0.5",
    )
    perspective_low: float = setting(
        0.1, "Perspective, Least", "Weakest distortion", low=0.0, high=0.9, paper="TDS: 0.1"
    )
    perspective_high: float = setting(
        0.5, "Perspective, Most", "Strongest distortion", low=0.0, high=0.9, paper="TDS: 0.5"
    )
    background_removal: float = setting(
        0.5,
        "Background Removal",
        "How often a view has a black background",
        low=0.0,
        high=1.0,
        paper="TDS: 0.5",
    )
    margin: float = setting(
        0.1,
        "Margin",
        "Room around the object's box, as part of its longer side",
        low=0.0,
        high=1.0,
        paper="TDS: small",
    )
    scale_of: str = setting(
        "area",
        "Scale Means",
        "Whether a crop's scale is a part of the box's area or of its sides",
        choices=("area", "side"),
        paper="TDS: not said",
    )
    coverage_of: str = setting(
        "view",
        "Coverage Means",
        "view: so much of the view is object. object: so much of the object is in the view",
        choices=("view", "object"),
        paper="TDS: view in sec. 3.3, object in sec. 6.2",
    )
    keep_whole: bool = setting(
        True,
        "Keep Whole",
        "Global views always hold the whole object. Off: cut out of the box as printed, which cuts "
        "long objects",
        paper="TDS: sec. 3.3",
    )
    hard_removal: bool = setting(
        False,
        "Hard Removal",
        "Remove the background where alpha is under one half instead of by alpha",
        paper="TDS: sec. 6.2",
    )
    shared_coins: bool = setting(
        False,
        "Shared Chances",
        "All views of one frame are seen from a side, or on black, together",
        paper="TDS: not said",
    )
    union_box: bool = setting(
        False,
        "One Box",
        "One box around the object for the whole video instead of one for each frame",
        paper="TDS: not said",
    )
    native_size: bool = setting(
        False,
        "Native Size",
        "Paint the object at the working size instead of at the size that CLIP needs",
        paper="TDS: 432 x 768 frames",
    )
    noise: float = setting(
        0.0,
        "View Noise",
        "Strongest noise added to a view, so that a small CLIP model is not led by fine patterns",
        low=0.0,
        high=0.5,
    )


@dataclass(frozen=True)
class StylizationSettings:
    """Finetuning the foreground's atlas until CLIP agrees with the texts."""

    encoder: str = setting(
        "ViT-L-14:openai",
        "CLIP Model",
        "embedded, or an open_clip model with a weights tag or file: ViT-L-14:openai, "
        "ViT-B-32:/path/to/weights.safetensors",
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
        "palette: a few colours mixed by a network, shaded by the footage's own light",
        choices=("network", "palette"),
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
        "Weigh triplets by the Gaussian density as printed, and draw frames uniformly",
        paper="TDS: eq. 4",
    )
    temporal_twice: bool = setting(
        False,
        "Temporal Weight Twice",
        "Multiply a triplet by the Gaussian twice, as eq. 4 and eq. 6 together print it",
        paper="TDS: eq. 4, 6",
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
        "raw: mean embedding of a frame's views. unit: mean of embeddings of length 1. "
        "each: mean of the views' own losses. weakest: likewise, but the views that match least "
        "count most",
        choices=("raw", "unit", "each", "weakest"),
        paper="TDS: eq. 1, raw",
    )
    pool_frames: bool = setting(
        False,
        "Pool Frames",
        "One mean embedding for the views of all frames of a step instead of one for each frame",
        paper="TDS: eq. 1 names no frame",
    )
    strip_articles: bool = setting(
        True,
        "Strip Articles",
        'Drop the "a" of a text behind a prefix, so that no "a photo of a A swan" arises',
        paper="TDS: not said",
    )
    neutral_text: str = setting(
        "thing",
        "Neutral Text",
        "What the object is before, for the term Direction: the change from it to the target "
        "text counts",
    )
    candidates: int = setting(
        1,
        "Candidates",
        "Looks made from one decomposition, each with a seed of its own; CLIP puts them in order",
        low=1,
        high=16,
        advanced=False,
    )
    patience: int = setting(
        0,
        "Patience",
        "End after so many steps without a better score on views that are kept aside, and take "
        "the best; 0 always does all steps",
        low=0,
        high=100_000,
        unit="steps",
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
    graphs: bool = setting(
        True, "CUDA Graphs", "Replay CLIP's work on an NVIDIA GPU as one recording"
    )
    palette_colours: int = setting(
        4, "Palette Colours", "Colours that the palette atlas mixes", low=2, high=16
    )
    palette_trials: int = setting(
        5,
        "Palette Trials",
        "First looks that are tried for an eighth of the steps; the best goes on",
        low=1,
        high=19,
    )
    palette_candidates: int = setting(
        96, "Palette Candidates", "Random palettes tried before the first step", low=1, high=4096
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


DEEP_FORMATS = ("png16", "exr", "prores")  # hold more than 8 bits


@dataclass(frozen=True)
class RenderSettings:
    """Writing the finished frames."""

    composite: str = setting(
        "residual",
        "Blend",
        "residual: the footage plus what the stylization changed. "
        "blend: the stylized atlas over the footage",
        choices=("residual", "blend"),
    )
    strength: float = setting(
        1.0,
        "Strength",
        "From the footage's look (0) to the full style (1)",
        low=0.0,
        high=1.0,
        advanced=False,
    )
    keep_detail: float = setting(
        0.0,
        "Keep Detail",
        "Lay the footage's fine light and dark over the style: folds, feathers, grain",
        low=0.0,
        high=1.0,
        advanced=False,
    )
    candidate: int = setting(
        0, "Candidate", "Which candidate is shown; 0: the best", low=0, high=16, advanced=False
    )
    snapshot: int = setting(
        0,
        "Snapshot",
        "The saved state after about this step is shown; 0: the last",
        low=0,
        high=100_000,
        unit="step",
    )
    foreground_only: bool = setting(
        False, "Object Only", "Write the object alone, with an alpha channel", advanced=False
    )
    format: str = setting(
        "png",
        "File Format",
        "png, png16, exr: one image for each frame, of 8, 16 and half float 16 bits. "
        "ffv1, prores: one movie, lossless or ProRes 4444. All keep alpha",
        choices=("png", "png16", "exr", "ffv1", "prores"),
        advanced=False,
    )


@dataclass(frozen=True)
class Settings:
    """All settings of a job."""

    seed: int = setting(
        0, "Seed", "The same seed gives the same result", low=0, high=2**31 - 1, advanced=False
    )
    device: str = setting(
        "automatic",
        "Device",
        "Where the engine computes",
        choices=("automatic", "cuda", "xpu", "mps", "cpu"),
    )
    frames: FramesSettings = section(FramesSettings)
    flow: FlowSettings = section(FlowSettings)
    masks: MasksSettings = section(MasksSettings)
    decomposition: DecompositionSettings = section(DecompositionSettings)
    stylization: StylizationSettings = section(StylizationSettings)
    render: RenderSettings = section(RenderSettings)


PRESET_NAMES = ("draft", "standard", "fine", "paper")

PRESET_HELP = {
    "draft": "A first look within minutes, also without a GPU: small pictures, embedded encoder",
    "standard": "Good quality on a GPU: CLIP ViT-L/14",
    "fine": "Best quality on a GPU: larger pictures, more steps",
    "paper": "The two papers to the letter; hours on a GPU",
}

# Differences from the defaults above, as `path: value`.
PRESETS: dict[str, dict[str, Any]] = {
    "draft": {
        "frames.longest_side": 256,
        "decomposition.grid.steps": 200,
        "decomposition.grid.atlas_size": 256,
        "decomposition.mlp.steps": 2_000,
        "decomposition.mlp.points": 2_000,
        "decomposition.mlp.pretrain_rounds": 4,
        "stylization.encoder": "embedded",
        "stylization.steps": 150,
        "stylization.atlas": "palette",
        "stylization.learning_rate": 3e-3,
        "stylization.view_average": "weakest",
        "stylization.views.global_views": 1,
        "stylization.views.local_views": 5,
        "stylization.views.local_scale_low": 0.03,
        "stylization.views.local_scale_high": 0.25,
        "stylization.views.noise": 0.03,
        "stylization.weights.global_similarity": 0.5,
        "stylization.weights.sparsity": 0.0,
        "stylization.weights.chroma": 0.16,
        "stylization.snapshot_every": 50,
    },
    "standard": {"stylization.steps": 1000},
    "fine": {
        "frames.longest_side": 1024,
        "decomposition.grid.steps": 1500,
        "decomposition.grid.atlas_size": 1024,
    },
    "paper": {
        "decomposition.engine": "mlp",
        "stylization.temporal_literal": True,
        "stylization.temporal_twice": True,
        "stylization.sparsity_norm": "plain",
        "stylization.sparsity_everywhere": True,
        "stylization.strip_articles": False,
        "stylization.views.hard_removal": True,
        "stylization.views.native_size": True,
        "render.composite": "blend",
    },
}


def replaced(settings: Any, path: str, value: Any) -> Any:
    """Return ``settings`` with the setting at the dotted ``path`` replaced.

    Raises KeyError with the whole path where there is no such setting.
    """
    head, _, rest = path.partition(".")
    names = {item.name for item in dataclasses.fields(settings)}
    if head not in names:
        raise KeyError(path)
    if rest:
        current = getattr(settings, head)
        if not dataclasses.is_dataclass(current):
            raise KeyError(path)
        value = replaced(current, rest, value)
    return dataclasses.replace(settings, **{head: value})


def preset(name: str) -> Settings:
    """Return the settings of the preset ``name``; raises KeyError where there is none."""
    settings = Settings()
    for path, value in PRESETS[name].items():
        settings = replaced(settings, path, value)
    return settings
