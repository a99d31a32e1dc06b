"""Stylized atlases as files."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file, save

from ..contract import files, seals
from .atlas import StylizedAtlas
from .network import NetworkAtlas
from .shading import ShadingStatistics
from .texture import LearnedTexture

WEIGHTS_FILE = "stylized_atlas.safetensors"
FACTS_FILE = "stylized_atlas.json"
FORMS = {kind.form: kind for kind in (NetworkAtlas, LearnedTexture)}  # by `settings.atlas`


def save_atlas(atlas: StylizedAtlas, folder: Path) -> None:
    """Write ``atlas`` into ``folder``, as it is rendered."""
    atlas = atlas.for_inference()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / seals.SEAL).unlink(missing_ok=True)  # what is half written has none
    tensors = {name: t.detach().cpu().contiguous() for name, t in atlas.state_dict().items()}
    files.write_bytes(folder / WEIGHTS_FILE, save(tensors))
    files.write_text(folder / FACTS_FILE, json.dumps(atlas.facts(), indent=2))
    seals.seal(folder, (WEIGHTS_FILE, FACTS_FILE))


def load_atlas(folder: Path) -> StylizedAtlas:
    """Read what `save_atlas` wrote, onto the CPU."""
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    mapped = load_file(folder / WEIGHTS_FILE)
    # Copied: the file may be written again, and Windows does not move a folder with a mapped file.
    tensors = {name: tensor.clone() for name, tensor in mapped.items()}
    statistics = ShadingStatistics(**facts["statistics"])
    return FORMS[facts["form"]].from_files(facts, tensors, statistics)
