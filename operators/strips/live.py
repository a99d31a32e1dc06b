"""A live take: a meta strip of the pictures of a layer package, which Blender's nodes put together.

Each layer is three strips in it: uv is seen, with the light and the rest as masks of its two node
groups. So they move, are trimmed, split and copied together, as strips are.
"""

from pathlib import Path
from typing import Any

from ...engine.contract.layers import LIVE_PICTURES, LayerPackage, PackageLayer
from .. import node_groups
from . import appearance, results
from .results import Gap, Place
from .sequencer import Unusable, add_nodes, node_groups_of, set_length, top_strips

UV, LIGHT, REST = LIVE_PICTURES
LIVE = "live"  # of a recipe: the take is a live one


def insert_live(
    place: Place, folder: Path, package: LayerPackage, *, job_id: str, label: str, recipe: dict
) -> Any:
    """Add the live layers of a package as a meta strip over their source and return it.

    Raises Unusable where the source is gone, no channel is free, or pictures are missing.
    """
    live = [layer for layer in package.layers if layer.live]
    files = {
        (layer.name, kind): results.result_files(folder / package.live / layer.name / kind)
        for layer in live
        for kind in LIVE_PICTURES
    }
    lacking = [name for name, found in files.items() if len(found) != place.length]
    if lacking or not live:
        raise Unusable("The pictures of the layers are not all there: press Live Take again")
    gap = results.gap_over(place, label)
    meta = top_strips(gap.owner).new_meta(gap.name, gap.channel, gap.first)
    pictures = []
    for layer in reversed(live):  # from back to front
        own = {kind: files[layer.name, kind] for kind in LIVE_PICTURES}
        pictures += _layer_strips(meta, folder / package.live / layer.name, own, layer, gap)
        _let_nodes_show(pictures[-3:], layer, folder, _colours_of(gap.source, place))
    set_length(meta, place.length)
    appearance.copy_appearance_to_live(gap.source, meta, pictures, displayed=place.displayed)
    recipe = {**recipe, LIVE: True}
    results.make_take(meta, gap, place, job_id=job_id, recipe=recipe)
    return meta


def _layer_strips(
    meta: Any, folder: Path, files: dict[str, list[str]], layer: PackageLayer, gap: Gap
) -> list[Any]:
    """Add the strips of a layer over those that are there: rest, light, and uv, which is seen."""
    made = []
    for kind in (REST, LIGHT, UV):
        channel = len(meta.strips) + 1
        strip = results.new_image_strip(
            meta,
            f"{layer.name} {kind}",
            folder / kind,
            files[kind],
            channel=channel,
            first=gap.first,
        )
        strip.colorspace_settings.name, strip.alpha_mode = node_groups.DATA, "PREMUL"
        strip.channel, strip.mute, strip.select = channel, kind != UV, False
        strip.blend_type = "ALPHA_OVER"
        made.append(strip)
    return made


def _let_nodes_show(strips: list[Any], layer: PackageLayer, folder: Path, space: str) -> None:
    rest, light, uv = strips
    atlas = node_groups.load_atlas(folder / layer.atlas)
    add_nodes(uv, node_groups.texture_group(f"{layer.name} texture", layer, atlas), light)
    add_nodes(uv, node_groups.finish_group(f"{layer.name} look", layer, space), rest)


def _colours_of(source: Any, place: Place) -> str:
    space = getattr(source, "colorspace_settings", None)
    return space.name if space is not None and place.same_colours else node_groups.DISPLAY


def live_layers(strip: Any) -> list[tuple[str, list[Any]]]:
    """Return name and node groups of each layer of a live take, the nearest first."""
    if strip.type != "META":
        return []
    found = [(each, node_groups_of(each)) for each in top_strips(strip)]
    found.sort(key=lambda item: -item[0].channel)
    return [(each.name.removesuffix(f" {UV}"), groups) for each, groups in found if groups]
