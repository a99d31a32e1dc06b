"""The preferences: engine, device, network, behaviour, output, storage. No account, no telemetry."""

from typing import Any

import bpy

from ..operators import folders, session
from . import sidebar

DEVICES = (
    ("automatic", "Automatic", "A graphics card where there is one, else the processor"),
    ("cuda", "CUDA or ROCm", "An NVIDIA card, or an AMD card with ROCm"),
    ("xpu", "Intel XPU", "An Intel graphics card"),
    ("mps", "Apple MPS", "The graphics part of an Apple processor"),
    ("cpu", "Processor", "No graphics card; slow, works everywhere"),
)
BUILDS = (
    ("automatic", "Automatic", "What fits the graphics driver of this computer"),
    ("locked", "As Locked", "The package index's own build, every file checked by its hash"),
    ("cuda", "CUDA", "For NVIDIA cards; the version is chosen from the driver"),
    ("rocm", "ROCm", "For AMD cards on Linux"),
    ("xpu", "XPU", "For Intel cards"),
    ("mps", "MPS", "For Apple processors"),
    ("cpu", "CPU", "For computers without a graphics card; the smallest download"),
)


def _look_again(self: Any, context: Any) -> None:
    session.refresh_engine()


class STRIPSTYLIZER_AP_preferences(bpy.types.AddonPreferences):
    """What holds for all files"""

    bl_idname = folders.PACKAGE

    # engine
    python_path: bpy.props.StringProperty(
        name="Python",
        description="A Python that has the engine's packages; empty for the installed engine",
        subtype="FILE_PATH",
        update=_look_again,
    )
    torch_build: bpy.props.EnumProperty(
        name="PyTorch Build",
        description="Which build of PyTorch an installation gets",
        items=BUILDS,
    )
    device: bpy.props.EnumProperty(
        name="Device",
        description="What computes, where a strip's settings do not name a device",
        items=DEVICES,
    )
    memory_limit_gb: bpy.props.FloatProperty(
        name="Memory Limit",
        description="Most memory in GB that a job may take on its device; 0 for no limit",
        min=0,
        max=1024,
        precision=1,
    )

    # network
    index_url: bpy.props.StringProperty(
        name="Package Index",
        description="Address of a package index; empty for the usual one",
    )
    extra_index: bpy.props.StringProperty(
        name="Extra Index",
        description="Address of one more package index, or a folder with packages",
    )
    ca_bundle: bpy.props.StringProperty(
        name="Certificates",
        description="A file with the certificates of your network's proxy; empty for the system's",
        subtype="FILE_PATH",
    )

    # behaviour
    pause_while_rendering: bpy.props.BoolProperty(
        name="Pause While Rendering",
        description="Jobs give the graphics card back while Blender renders",
        default=True,
    )
    keep_running: bpy.props.BoolProperty(
        name="Keep Jobs Running",
        description="Jobs go on when Blender is closed; their results come in next time",
        default=True,
    )
    jobs_at_once: bpy.props.IntProperty(
        name="Jobs at Once",
        description="How many jobs compute at the same time; the others wait",
        default=1,
        min=1,
        max=16,
    )
    import_when_finished: bpy.props.BoolProperty(
        name="Import When Finished",
        description="Put a result into the timeline as soon as it is finished",
        default=True,
    )
    show_timeline_bar: bpy.props.BoolProperty(
        name="Progress in the Timeline",
        description="Draw a bar on strips that are being stylized",
        default=True,
    )

    # output and storage
    output_folder: bpy.props.StringProperty(
        name="Output Folder",
        description="Where finished frames go; // is the folder of the .blend file, "
        "empty leaves them in the workspace",
        subtype="DIR_PATH",
    )
    workspace: bpy.props.StringProperty(
        name="Workspace",
        description="Folder for jobs, cache and the engine; empty for a folder of your own",
        subtype="DIR_PATH",
        update=_look_again,
    )

    def draw(self, context: Any) -> None:
        """Show the engine's state and what can be chosen."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        sidebar.draw_engine(layout)
        if session.engine() == "ready":
            row = layout.row()
            row.operator("strip_stylizer.engine_verify")
            row.operator("strip_stylizer.engine_uninstall")
            draw_facts(layout)
        for title, names in SECTIONS:
            header, body = layout.panel(f"strip_stylizer_{title}", default_closed=True)
            header.label(text=title)
            if body is not None:
                for name in names:
                    body.prop(self, name)
        layout.operator("strip_stylizer.workspace_open")


SECTIONS = (
    ("Engine", ("python_path", "torch_build", "device", "memory_limit_gb")),
    ("Network", ("index_url", "extra_index", "ca_bundle")),
    (
        "Behaviour",
        (
            "pause_while_rendering",
            "keep_running",
            "jobs_at_once",
            "import_when_finished",
            "show_timeline_bar",
        ),
    ),
    ("Output", ("output_folder",)),
    ("Storage", ("workspace",)),
)


def draw_facts(layout: Any) -> None:
    """Show what the last check found out."""
    setup = session.state.setup
    facts = setup.facts if setup is not None else {}
    if not facts:
        return
    device = facts.get("device") or {}
    layout.label(text=f"Device: {device.get('name') or device.get('kind', 'unknown')}")
    versions = facts.get("versions") or {}
    layout.label(text=", ".join(f"{name} {number}" for name, number in versions.items()))


CLASSES = (STRIPSTYLIZER_AP_preferences,)
