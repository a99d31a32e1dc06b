"""The presets: differences from the defaults."""

from __future__ import annotations

import operator
from typing import Any

from .whole import Settings, replace_setting

EMBEDDED = "embedded"  # the encoder that comes with the engine
AUTOMATIC = "automatic"  # the embedded one or a larger one, by the words of the texts
OFFERED_WEIGHTS = ("ViT-L-14:openai", "ViT-B-32:openai")  # what the host proposes to download

PRESET_NAMES = ("draft", "standard", "fine", "paper")

PRESET_HELP = {
    "draft": "A first look within minutes, also without a GPU: small pictures, embedded encoder",
    "standard": "CLIP's large model, 300 steps, for a GPU; tried with another real network, nobody "
    "has seen its pictures with CLIP's own weights yet",
    "fine": "As Standard, with larger pictures and 600 steps; nobody has seen its pictures with "
    "CLIP's own weights yet",
    "paper": "The two papers to the letter, up to 70 frames, hours on a GPU; nobody has seen its "
    "pictures with CLIP's own weights yet",
}

# What leads to clean pictures with a network that was trained on photographs, robust or not; the
# paper's own form, of which Paper is the preset, led such a network to dark speckle.
TEXTURE: dict[str, Any] = {
    "stylization.atlas": "texture",
    "stylization.learning_rate": 0.05,
    "stylization.view_average": "weakest",
    "stylization.views.local_placement": "object",
    "stylization.views.local_scale_low": 0.07,
    "stylization.views.local_scale_high": 0.2,
    "stylization.views.noise": 0.1,
    "stylization.weights.global_similarity": 0.5,
    "stylization.weights.temporal": 0.0,
    "stylization.weights.sparsity": 0.0,
    "stylization.weights.unevenness": 8.0,
    "stylization.weights.avoid": 1.5,
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
        "stylization.encoder": AUTOMATIC,
        "stylization.steps": 250,
        "stylization.frames_per_step": 2,
        "stylization.views.global_views": 1,
        "stylization.views.local_views": 3,
        "stylization.snapshot_every": 100,
        **TEXTURE,
    },
    "standard": {"stylization.steps": 300, **TEXTURE},
    "fine": {
        "frames.longest_side": 1024,
        "decomposition.grid.steps": 600,
        "decomposition.grid.atlas_size": 1024,
        "stylization.steps": 600,
        **TEXTURE,
    },
    "paper": {
        "flow.quality": "automatic",
        "masks.finder": "automatic",
        "decomposition.engine": "mlp",
        "stylization.temporal_literal": True,
        "stylization.weights.temporal": 12.5,  # 5 sqrt(2 pi): the density's peak becomes 1
        "stylization.sparsity_norm": "plain",
        "stylization.sparsity_everywhere": True,
        "stylization.strip_articles": False,
        "stylization.views.hard_removal": True,
        "stylization.views.native_size": True,
        "render.composite": "atlas",
    },
}


def preset(name: str) -> Settings:
    """Return the settings of the preset ``name``; raises KeyError where there is none."""
    settings = Settings()
    for path, value in PRESETS[name].items():
        settings = replace_setting(settings, path, value)
    return settings


def with_embedded_encoder(settings: Settings) -> Settings:
    """Return ``settings`` with the encoder that needs no download, and what suits it.

    It sees small pictures: what of the stylization nobody changed becomes Draft's. In the paper's
    form nothing else changes.
    """
    changed = settings
    others = [preset(name) for name in PRESET_NAMES if name != "draft"]
    suited = {} if settings.stylization.views.native_size else PRESETS["draft"]
    for path, value in suited.items():
        found = operator.attrgetter(path)
        if path.startswith("stylization.") and found(settings) in map(found, others):
            changed = replace_setting(changed, path, value)
    return replace_setting(changed, "stylization.encoder", EMBEDDED)
