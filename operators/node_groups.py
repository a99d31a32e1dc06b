"""Node trees that rebuild frames from a layer package: in strips, and in a scene's compositor.

Colours are display codes until the end, as `engine.contract.layers.EQUATION` has them.
"""

from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.layers import LayerPackage, PackageLayer

TREE = "CompositorNodeTree"
OLD_NAMES = {
    "ShaderNodeMix": "CompositorNodeMixRGB",
    "ShaderNodeMath": "CompositorNodeMath",
    "ShaderNodeCombineXYZ": "CompositorNodeCombineXYZ",
    "ShaderNodeSeparateXYZ": "CompositorNodeSeparateXYZ",
    "ShaderNodeValue": "CompositorNodeValue",
}
DISPLAY, LINEAR = "sRGB", "Linear Rec.709"
DATA = "Non-Color"
STEP = 260  # between the columns of nodes


class Builder:
    """Adds nodes to a tree from left to right and links them."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.made = 0

    def node(self, kind: str, *inputs: Any, name: str = "", **options: Any) -> Any:
        """Add a node and return its first output; ``inputs`` are outputs, values, or None.

        ``options`` are menus among its inputs or, as in Blender before 5.0, properties of the node;
        what a version does not know is left out.
        """
        try:
            node = self.tree.nodes.new(kind)
        except RuntimeError:  # Blender before 5.0 knows some of them by another name
            node = self.tree.nodes.new(OLD_NAMES[kind])
        node.location = (self.made * STEP, 0)
        self.made += 1
        if name:
            node.name = node.label = name
        for key, value in options.items():
            menu = key.replace("_", " ").title()
            if menu in node.inputs:
                node.inputs[menu].default_value = value
            elif key in node.bl_rna.properties and not node.bl_rna.properties[key].is_readonly:
                setattr(node, key, value)
        usable = [each for each in node.inputs if each.enabled and not each.is_unavailable]
        for socket, value in zip(usable, inputs, strict=False):
            self.feed(socket, value)
        seen = [each for each in node.outputs if each.enabled and not each.is_unavailable]
        return seen[0] if seen else node

    def feed(self, socket: Any, value: Any) -> None:
        """Link an output to an input, or give it a value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif value is not None:
            socket.default_value = value

    def math(self, operation: str, first: Any, second: Any) -> Any:
        """Compute with two numbers."""
        return self.node("ShaderNodeMath", first, second, operation=operation)

    def mix(
        self, blend: str, first: Any, second: Any, part: Any = 1.0, *, clamp: bool = False
    ) -> Any:
        """Compute with two colours, as far as ``part`` says."""
        return self.node(
            "ShaderNodeMix", part, first, second, data_type="RGBA", blend_type=blend,
            clamp_result=clamp, use_clamp=clamp,
        )  # fmt: skip

    def number(self, name: str, value: float) -> Any:
        """Add a number that a person turns."""
        output = self.node("ShaderNodeValue", name=name)
        output.default_value = value
        return output

    def channels(self, colour: Any) -> list[Any]:
        """Take red, green, blue and alpha apart."""
        return list(self.node("CompositorNodeSeparateColor", colour).node.outputs)

    def read(self, atlas: Any, u: Any, v: Any) -> Any:
        """Read a picture at u and v, bilinearly, its rim going on outside."""
        uv = self.node("ShaderNodeCombineXYZ", u, v, 1.0)
        return self.node(
            "CompositorNodeMapUV", atlas, uv, interpolation="Bilinear", extension_x="Extend",
            extension_y="Extend", filter_type="ANISOTROPIC",
        )  # fmt: skip

    def image(self, image: Any, **options: Any) -> Any:
        """Show an image; its colours become display codes whatever its own space is."""
        shown = self.node("CompositorNodeImage", image=image, **options)
        straight = self.node("CompositorNodePremulKey", shown, **TO_STRAIGHT)
        return self.convert(straight, LINEAR, DISPLAY)

    def convert(self, colour: Any, before: str, after: str) -> Any:
        """Convert a colour from one space to another."""
        return self.node(
            "CompositorNodeConvertColorSpace", colour, from_color_space=before,
            to_color_space=after,
        )  # fmt: skip


TO_STRAIGHT = {"type": "To Straight", "mapping": "PREMUL_TO_STRAIGHT"}


def load_atlas(path: Path) -> Any:
    """Load an atlas as colours that are not multiplied by what any frame sees of them."""
    image = bpy.data.images.load(str(path), check_existing=True)
    image.colorspace_settings.name = DISPLAY
    image.alpha_mode = "NONE"
    return image


def in_strip(name: str) -> tuple[Any, Builder, Any, Any, Any]:
    """Make a node group for a strip: it, its builder, the inputs Image and Mask, its output."""
    group = bpy.data.node_groups.new(name, TREE)
    for socket in ("Image", "Mask"):
        group.interface.new_socket(socket, in_out="INPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    build = Builder(group)
    build.node("NodeGroupInput")
    given = group.nodes[0].outputs
    result = group.nodes.new("NodeGroupOutput")
    return group, build, given["Image"], given["Mask"], result.inputs["Image"]


def texture_group(name: str, layer: PackageLayer, atlas: Any) -> Any:
    """Return the group that reads a layer's atlas: Image is the picture uv, Mask the light."""
    group, build, image, light, result = in_strip(name)
    u, v, kept, _ = build.channels(image)
    picture = build.image(atlas, name="Atlas")
    lit = build.mix("MULTIPLY", build.read(picture, u, v), light)
    if layer.keep_detail is not None:
        wanted = build.number("Keep Detail", layer.keep_detail)
        power = build.math("POWER", kept, build.math("SUBTRACT", wanted, layer.keep_detail))
        lit = build.mix("MULTIPLY", lit, power)
    build.feed(result, build.node("CompositorNodeSetAlpha", lit, 1.0, **REPLACE_ALPHA))
    place_result(result)
    return group


REPLACE_ALPHA = {"type": "Replace Alpha", "mode": "REPLACE_ALPHA"}
APPLY_ALPHA = {"type": "Apply Mask", "mode": "APPLY"}


def finish_group(name: str, layer: PackageLayer, space: str) -> Any:
    """Return the group that adds the rest and cuts the layer out: Mask is the picture rest.

    ``space`` is that of the footage's colours.
    """
    group, build, image, mask, result = in_strip(name)
    alpha = build.channels(mask)[3]
    rest = build.node("CompositorNodePremulKey", mask, **TO_STRAIGHT)
    if layer.keep_detail is None:
        rest = build.mix("MULTIPLY", rest, build.number("Keep Detail", 1.0))
    colour = build.mix("ADD", image, rest, clamp=True)
    colour = build.convert(colour, space, LINEAR)
    grade = build.node("CompositorNodeRGB", name="Grade")
    grade.default_value = (1.0, 1.0, 1.0, 1.0)
    colour = build.mix("MULTIPLY", colour, grade)
    saturation = build.number("Saturation", 1.0)
    colour = build.node("CompositorNodeHueSat", colour, None, saturation)
    size = build.number("Blur", 0.0)
    both = build.node("ShaderNodeCombineXYZ", size, size)
    cut = build.node("CompositorNodeSetAlpha", colour, alpha, **APPLY_ALPHA)
    blurred = build.node("CompositorNodeBlur", cut, both)
    wide = build.math("MAXIMUM", alpha, build.channels(blurred)[3])
    colour = build.node("CompositorNodePremulKey", blurred, **TO_STRAIGHT)
    soft = build.node("CompositorNodeSetAlpha", colour, wide, **APPLY_ALPHA)
    part = build.math("MINIMUM", size, 1.0)  # a blur of no pixels still touches the rim
    build.feed(result, build.mix("MIX", cut, soft, part))
    place_result(result)
    return group


def place_result(socket: Any) -> None:
    """Put the last node to the right of all others."""
    nodes = socket.node.id_data.nodes
    socket.node.location = (max(node.location.x for node in nodes) + STEP, 0)


def scene_of_layers(name: str, folder: Path, package: LayerPackage, first: int) -> Any:
    """Return a new scene whose compositor rebuilds the frames of a package from ``first`` on."""
    scene = bpy.data.scenes.new(name)
    render, count = scene.render, len(package.frame_files)
    render.resolution_x, render.resolution_y = package.width, package.height
    scene.frame_start, scene.frame_end = first, first + count - 1
    scene.frame_current = first
    scene.view_settings.view_transform = "Standard"
    tree, result = _compositor_of(scene, name)
    build = Builder(tree)
    whole = None
    for layer in package.layers:
        colour = _layer_colour(build, folder, package, layer, first)
        whole = colour if whole is None else build.mix("ADD", whole, colour)
    whole = build.node("CompositorNodeSetAlpha", whole, 1.0, **REPLACE_ALPHA)
    build.feed(result, build.convert(whole, DISPLAY, LINEAR))
    place_result(result)
    return scene


def _compositor_of(scene: Any, name: str) -> tuple[Any, Any]:
    """Return the node tree of a scene's compositor and the input that is shown."""
    if not hasattr(scene, "compositing_node_group"):
        scene.use_nodes = True
        scene.node_tree.nodes.clear()
        return scene.node_tree, scene.node_tree.nodes.new("CompositorNodeComposite").inputs["Image"]
    tree = bpy.data.node_groups.new(name, TREE)
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group = tree
    return tree, tree.nodes.new("NodeGroupOutput").inputs["Image"]


def _layer_colour(
    build: Builder, folder: Path, package: LayerPackage, layer: PackageLayer, first: int
) -> Any:
    """Add the nodes of one layer; return its colours times its alpha, as display codes."""
    planes = bpy.data.images.load(str(folder / package.frame_files[0]), check_existing=True)
    planes.source, planes.colorspace_settings.name = "SEQUENCE", DATA
    build.node(
        "CompositorNodeImage", name=layer.name, image=planes, frame_start=first,
        frame_duration=len(package.frame_files), frame_offset=-1, use_auto_refresh=True,
    )  # fmt: skip
    shown = build.tree.nodes[layer.name]
    shown.layer = layer.name
    separated = build.node("ShaderNodeSeparateXYZ", shown.outputs["UV"]).node.outputs
    u, v, alpha = (separated[axis] for axis in "XYZ")
    atlas = build.image(load_atlas(folder / layer.atlas), name=f"{layer.name} Atlas")
    lit = build.mix("MULTIPLY", build.read(atlas, u, v), shown.outputs["Light"])
    rest = build.mix("MULTIPLY", shown.outputs["Rest"], build.number("Keep Detail", 1.0))
    grade = build.node("CompositorNodeRGB", name=f"{layer.name} Grade")
    grade.default_value = (1.0, 1.0, 1.0, 1.0)
    colour = build.mix("MULTIPLY", build.mix("ADD", lit, rest), grade)
    whole = build.node("CompositorNodeCombineColor", alpha, alpha, alpha, 1.0)
    return build.mix("MULTIPLY", colour, whole)
