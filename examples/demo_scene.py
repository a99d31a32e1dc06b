"""The demo's footage, rendered by Blender itself: a painted duck glides past a tiled wall.

Needs Blender's Python (4.2 or newer) and nothing else; Cycles renders it on the processor. Where
the duck is on each frame is rendered, too, as masks.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from pathlib import Path

import bpy
from mathutils import Matrix, Vector

SIZE = (480, 270)
FRAMES = 24

# Parts of the bird: centre, radii, pitch in degrees. It looks along X and is two units long.
BIRD = (
    ((0.00, 0.00, 0.55), (0.95, 0.60, 0.50), 0),
    ((0.50, 0.00, 0.62), (0.52, 0.50, 0.50), -10),
    ((-0.80, 0.00, 0.78), (0.62, 0.36, 0.20), 24),
    ((-1.18, 0.00, 1.02), (0.26, 0.14, 0.07), 40),
    ((-0.15, 0.40, 0.68), (0.80, 0.22, 0.32), 8),
    ((-0.15, -0.40, 0.68), (0.80, 0.22, 0.32), 8),
    ((0.76, 0.00, 1.08), (0.30, 0.28, 0.50), 10),
    ((0.94, 0.00, 1.52), (0.38, 0.31, 0.33), 0),
)
BILL = (
    ((1.36, 0.00, 1.46), (0.30, 0.17, 0.075), 8),
    ((1.32, 0.00, 1.40), (0.24, 0.14, 0.05), 4),
)
EYES = (
    ((1.13, 0.235, 1.64), (0.055, 0.055, 0.055), 0),
    ((1.13, -0.235, 1.64), (0.055, 0.055, 0.055), 0),
)


def make_clip(folder: Path, *, frames: int = FRAMES, samples: int = 6) -> tuple[Path, Path]:
    """Render the clip; return the folder of its frames and the folder of its masks.

    What is in these folders already is not rendered again.
    """
    pictures, masks = folder / "frames", folder / "masks"
    if min(count(pictures), count(masks)) >= frames:
        return pictures, masks
    pictures.mkdir(parents=True, exist_ok=True)
    masks.mkdir(parents=True, exist_ok=True)
    scene, bird = make_scene()
    for index in range(frames):
        pose(scene, bird, index / (frames - 1))
        render_picture(scene, pictures / f"{index:05d}.png", samples, seed=index)
        render_mask(scene, bird, masks / f"{index:05d}.png")
    return pictures, masks


def count(folder: Path) -> int:
    """Return how many frames are in a folder."""
    return len(list(folder.glob("?????.png")))


def pose(scene: bpy.types.Scene, bird: bpy.types.Object, time: float) -> None:
    """Put bird and camera where they are at ``time``, 0 to 1: the one glides, the other pans."""
    eased = time * time * (3 - 2 * time)
    bird.location = (-0.75 + 1.05 * eased, 0.0, 0.012 * math.sin(4 * math.pi * time) - 0.035)
    bird.rotation_euler = (
        math.radians(2.0) * math.sin(2 * math.pi * time),
        math.radians(2.5) * math.sin(4 * math.pi * time + 1),
        math.radians(-30 + 16 * time),
    )
    eye = Vector((-0.55 + 1.0 * time, -6.9, 1.85))
    look_at(scene.camera, eye, Vector((eye.x * 0.75, 0.0, 0.92)))


# --- rendering -----------------------------------------------------------------------------------


def render_picture(scene: bpy.types.Scene, path: Path, samples: int, *, seed: int) -> None:
    """Render one frame as it is seen."""
    scene.cycles.samples, scene.cycles.seed = samples, seed
    scene.cycles.use_denoising = True
    scene.render.film_transparent = False
    scene.render.image_settings.color_mode = "RGB"
    render(scene, path)


def render_mask(scene: bpy.types.Scene, bird: bpy.types.Object, path: Path) -> None:
    """Render where the bird is, white on black."""
    others = [obj for obj in scene.objects if obj.type == "MESH" and bird not in (obj, obj.parent)]
    for other in others:
        other.is_holdout = True
    scene.view_layers[0].material_override = bpy.data.materials["Bill"]
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.render.film_transparent = True
    scene.render.image_settings.color_mode = "RGBA"
    render(scene, path)
    for other in others:
        other.is_holdout = False
    scene.view_layers[0].material_override = None
    write_alpha(path)


def render(scene: bpy.types.Scene, path: Path) -> None:
    """Render the scene's 3D view into a PNG file."""
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True, scene=scene.name)


def write_alpha(path: Path) -> None:
    """Replace a picture by its alpha channel, as grey levels."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    alpha = [round(255 * value) for value in list(image.pixels)[3::4]]
    bpy.data.images.remove(image)
    rows = [bytes(alpha[row * width : (row + 1) * width]) for row in reversed(range(height))]
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = (b"IHDR", header), (b"IDAT", data), (b"IEND", b"")
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    )


# --- the scene -----------------------------------------------------------------------------------


def make_scene() -> tuple[bpy.types.Scene, bpy.types.Object]:
    """Make the scene with wall, floor, lights, camera and bird; return it and the bird."""
    import addon_utils

    addon_utils.enable("cycles", default_set=True)
    scene = bpy.data.scenes.new("Duck")
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.render.use_persistent_data = True
    scene.cycles.max_bounces = 2
    scene.cycles.denoising_prefilter = scene.cycles.denoising_quality = "FAST"
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.35
    make_lights(scene)
    make_surroundings(scene)
    scene.camera = add(scene, "Camera", bpy.data.cameras.new("Camera"))
    scene.camera.data.lens = 50
    return scene, make_bird(scene)


def add(scene: bpy.types.Scene, name: str, data: bpy.types.ID) -> bpy.types.Object:
    """Add an object to the scene."""
    made = bpy.data.objects.new(name, data)
    scene.collection.objects.link(made)
    return made


def look_at(thing: bpy.types.Object, eye: Vector, target: Vector) -> None:
    """Put a camera or a lamp at ``eye`` and turn it to ``target``."""
    thing.location = eye
    thing.rotation_euler = (target - eye).to_track_quat("-Z", "Y").to_euler()


def make_lights(scene: bpy.types.Scene) -> None:
    """A warm window from the left, a cool one from the right, and some light from everywhere."""
    for name, eye, size, watts, colour in (
        ("Key", (-3.6, -3.4, 4.2), 1.6, 420, (1.0, 0.86, 0.68)),
        ("Fill", (4.5, -3.0, 2.2), 3.0, 110, (0.62, 0.78, 1.0)),
        ("Rim", (2.2, 1.6, 3.2), 1.0, 130, (1.0, 0.93, 0.82)),
    ):
        lamp = bpy.data.lights.new(name, "AREA")
        lamp.size, lamp.energy, lamp.color = size, watts, colour
        look_at(add(scene, name, lamp), Vector(eye), Vector((0.0, 0.2, 0.6)))
    scene.world = bpy.data.worlds.new("Room")
    scene.world.use_nodes = True
    background = scene.world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.55, 0.66, 0.85, 1.0)
    background.inputs["Strength"].default_value = 0.35


def make_surroundings(scene: bpy.types.Scene) -> None:
    """A floor of planks and a wall of glazed tiles."""
    floor = add(scene, "Floor", plane_mesh("Floor", 14, 10))
    floor.data.materials.append(planks())
    wall = add(scene, "Wall", plane_mesh("Wall", 14, 7))
    wall.rotation_euler, wall.location = (math.radians(90), 0, 0), (0, 2.3, 3.5)
    wall.data.materials.append(tiles())


def plane_mesh(name: str, width: float, depth: float) -> bpy.types.Mesh:
    """Return a rectangle around the origin."""
    x, y = width / 2, depth / 2
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)], [], [(0, 1, 2, 3)])
    return mesh


def make_bird(scene: bpy.types.Scene) -> bpy.types.Object:
    """Return the bird, one smooth skin over all its parts; bill and eyes are its children."""
    bird = add(scene, "Bird", ellipsoids("Bird", BIRD))
    skin = bird.modifiers.new("Skin", "REMESH")
    skin.mode, skin.voxel_size, skin.use_smooth_shade = "VOXEL", 0.03, True
    soft = bird.modifiers.new("Soft", "SMOOTH")
    soft.factor, soft.iterations = 0.6, 14
    bird.data.materials.append(feathers())
    for name, parts, material in (
        ("Bill", BILL, plain("Bill", (0.95, 0.42, 0.04), 0.35)),
        ("Eyes", EYES, plain("Eyes", (0.008, 0.007, 0.006), 0.08)),
    ):
        part = add(scene, name, ellipsoids(name, parts))
        part.data.materials.append(material)
        part.parent = bird
    return bird


def ellipsoids(name: str, parts: tuple) -> bpy.types.Mesh:
    """Return a mesh of ellipsoids, each given by centre, radii and pitch in degrees."""
    import bmesh

    whole = bmesh.new()
    for centre, radii, pitch in parts:
        turn = Matrix.Rotation(math.radians(pitch), 4, "Y")
        place = Matrix.Translation(centre) @ turn @ Matrix.Diagonal((*radii, 1.0))
        bmesh.ops.create_uvsphere(whole, u_segments=40, v_segments=24, radius=1.0, matrix=place)
    for face in whole.faces:
        face.smooth = True
    mesh = bpy.data.meshes.new(name)
    whole.to_mesh(mesh)
    whole.free()
    return mesh


# --- materials -----------------------------------------------------------------------------------


class Nodes:
    """A material under construction: adds nodes and links by name."""

    def __init__(self, name: str, roughness: float) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]
        self.surface.inputs["Roughness"].default_value = roughness
        self.place = self.add("ShaderNodeTexCoord").outputs["Object"]

    def add(self, kind: str, **values: object) -> bpy.types.Node:
        """Add a node; ``values`` set its inputs, or its properties in lower case."""
        node = self.tree.nodes.new(kind)
        for name, value in values.items():
            spoken = name.replace("_", " ").title()
            if name.islower() and hasattr(node, name):
                setattr(node, name, value)
            elif isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[spoken])
            else:
                node.inputs[spoken].default_value = value
        return node

    def ramp(
        self, factor: bpy.types.NodeSocket, stops: list[tuple[float, tuple]]
    ) -> bpy.types.NodeSocket:
        """Turn a number into a colour; ``stops`` are positions and RGB colours."""
        node = self.add("ShaderNodeValToRGB")
        points = node.color_ramp.elements
        while len(points) < len(stops):
            points.new(0.5)
        for point, (position, colour) in zip(points, stops, strict=True):
            point.position, point.color = position, (*colour, 1.0)
        self.tree.links.new(factor, node.inputs["Fac"])
        return node.outputs["Color"]

    def mix(
        self, first: bpy.types.NodeSocket, second: object, factor: object, blend: str = "MIX"
    ) -> bpy.types.NodeSocket:
        """Blend two colours."""
        node = self.tree.nodes.new("ShaderNodeMix")
        node.data_type, node.blend_type = "RGBA", blend
        for socket, value in ((node.inputs[0], factor), (node.inputs[6], first),
                              (node.inputs[7], second)):  # fmt: skip
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value
        return node.outputs[2]

    def finish(self, colour: bpy.types.NodeSocket) -> bpy.types.Material:
        """Connect the colour to the surface."""
        self.tree.links.new(colour, self.surface.inputs["Base Color"])
        return self.material

    def emboss(self, height: bpy.types.NodeSocket, strength: float) -> None:
        """Give the surface a relief."""
        bump = self.add("ShaderNodeBump", Height=height, Strength=strength, Distance=0.05)
        self.tree.links.new(bump.outputs["Normal"], self.surface.inputs["Normal"])


def plain(name: str, colour: tuple, roughness: float) -> bpy.types.Material:
    """Return a material of one colour."""
    nodes = Nodes(name, roughness)
    nodes.surface.inputs["Base Color"].default_value = (*colour, 1.0)
    return nodes.material


def feathers() -> bpy.types.Material:
    """A drake: speckled body, brown breast, white ring, green head."""
    nodes = Nodes("Feathers", 0.42)
    axes = nodes.add("ShaderNodeSeparateXYZ", Vector=nodes.place)
    cells = nodes.add("ShaderNodeTexVoronoi", Vector=nodes.place, Scale=9.0)
    fine = nodes.add("ShaderNodeTexNoise", Vector=nodes.place, Scale=22.0, Detail=1.0)
    scale = nodes.ramp(
        cells.outputs["Distance"],
        [(0.0, (0.86, 0.80, 0.68)), (0.42, (0.52, 0.43, 0.32)), (0.75, (0.12, 0.085, 0.06))],
    )
    tone = nodes.ramp(fine.outputs["Fac"], [(0.35, (0.55, 0.5, 0.48)), (0.65, (1.0, 1.0, 1.0))])
    body = nodes.mix(scale, tone, 0.55, "MULTIPLY")
    breast = nodes.mix(body, (0.27, 0.085, 0.035, 1.0), band(nodes, axes.outputs["X"], 0.42, 0.62))
    ring = nodes.mix(breast, (0.9, 0.88, 0.82, 1.0), band(nodes, axes.outputs["Z"], 1.03, 1.06))
    green = nodes.ramp(fine.outputs["Fac"], [(0.3, (0.0, 0.07, 0.035)), (0.7, (0.02, 0.3, 0.13))])
    head = nodes.mix(ring, green, band(nodes, axes.outputs["Z"], 1.14, 1.17))
    nodes.emboss(cells.outputs["Distance"], 0.35)
    return nodes.finish(head)


def band(
    nodes: Nodes, value: bpy.types.NodeSocket, low: float, high: float
) -> bpy.types.NodeSocket:
    """Return 0 below ``low`` and 1 above ``high``."""
    node = nodes.tree.nodes.new("ShaderNodeMapRange")
    nodes.tree.links.new(value, node.inputs["Value"])
    node.inputs["From Min"].default_value, node.inputs["From Max"].default_value = low, high
    return node.outputs["Result"]


def planks() -> bpy.types.Material:
    """A floor of oiled wood."""
    nodes = Nodes("Planks", 0.45)
    boards = nodes.add("ShaderNodeTexBrick", Vector=nodes.place, Scale=1.0)
    boards.inputs["Color1"].default_value = (0.34, 0.17, 0.075, 1.0)
    boards.inputs["Color2"].default_value = (0.52, 0.30, 0.14, 1.0)
    boards.inputs["Mortar"].default_value = (0.05, 0.025, 0.012, 1.0)
    boards.inputs["Mortar Size"].default_value = 0.008
    boards.inputs["Brick Width"].default_value = 1.9
    boards.inputs["Row Height"].default_value = 0.42
    stretched = nodes.add("ShaderNodeMapping", Vector=nodes.place, Scale=(1.2, 11.0, 1.0))
    grain = nodes.add(
        "ShaderNodeTexNoise", Vector=stretched.outputs["Vector"], Scale=2.2, Detail=2.0
    )
    shade = nodes.ramp(grain.outputs["Fac"], [(0.32, (0.38, 0.33, 0.3)), (0.68, (1, 1, 1))])
    colour = nodes.mix(boards.outputs["Color"], shade, 0.8, "MULTIPLY")
    return nodes.finish(colour)


def tiles() -> bpy.types.Material:
    """A wall of glazed tiles, each of its own blue."""
    nodes = Nodes("Tiles", 0.3)
    grid = nodes.add("ShaderNodeTexBrick", Vector=nodes.place, Scale=1.0)
    grid.offset, grid.inputs["Mortar Size"].default_value = 0.5, 0.014
    grid.inputs["Color1"].default_value = (0.045, 0.20, 0.27, 1.0)
    grid.inputs["Color2"].default_value = (0.16, 0.42, 0.46, 1.0)
    grid.inputs["Mortar"].default_value = (0.55, 0.52, 0.46, 1.0)
    grid.inputs["Brick Width"].default_value = 0.62
    grid.inputs["Row Height"].default_value = 0.31
    cloud = nodes.add("ShaderNodeTexNoise", Vector=nodes.place, Scale=3.4, Detail=2.0)
    glaze = nodes.ramp(cloud.outputs["Fac"], [(0.3, (0.45, 0.55, 0.6)), (0.7, (1.0, 1.0, 0.95))])
    colour = nodes.mix(grid.outputs["Color"], glaze, 0.85, "MULTIPLY")
    nodes.emboss(grid.outputs["Fac"], -0.3)
    return nodes.finish(colour)


if __name__ == "__main__":
    print(*make_clip(Path(sys.argv[-1]).absolute()))
    sys.stdout.flush()
