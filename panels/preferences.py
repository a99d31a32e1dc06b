"""The preferences: engine, device, network, behaviour, output and storage. No account."""

from typing import Any

import bpy

from ..operators import folders, session, setting_up, sizes, storage, weights
from ..operators.languages import say
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


def _refresh_engine(self: Any, context: Any) -> None:
    session.refresh_engine()


class STRIPSTYLIZER_AP_preferences(bpy.types.AddonPreferences):
    """What holds for all files"""

    bl_idname = folders.PACKAGE

    # engine
    python_path: bpy.props.StringProperty(
        name="Python",
        description="A Python that has the engine's packages; empty for the installed engine",
        subtype="FILE_PATH",
        update=_refresh_engine,
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
        description="Most graphics memory in GB that a job may take; 0 for no limit",
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
    keep_ready: bpy.props.BoolProperty(
        name="Keep Engine Ready",
        description="After a job an engine waits for the next one, which begins some seconds "
        "sooner; it takes about 800 MB of memory, and none of the graphics card",
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
        options=folders.RELATIVE,
    )
    workspace: bpy.props.StringProperty(
        name="Workspace",
        description="Folder for jobs, cache and the engine; empty for a folder of your own",
        subtype="DIR_PATH",
        update=_refresh_engine,
    )

    def draw(self, context: Any) -> None:
        """Show the engine's state, then what can be chosen, by subject."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        draw_engine(layout, self)
        for title, icon, names in SECTIONS:
            header, body = layout.panel(f"strip_stylizer_{title.lower()}", default_closed=True)
            header.label(text=title, icon=icon)
            if body is None:
                continue
            for name in names:
                body.prop(self, name)
            if title == "Network":
                draw_network(body)
            if title == "Storage":
                draw_storage(body)


SECTIONS = (
    ("Engine", "PREFERENCES", ("torch_build", "device", "memory_limit_gb", "python_path")),
    ("Network", "INTERNET", ("index_url", "extra_index", "ca_bundle")),
    (
        "Behaviour",
        "TOOL_SETTINGS",
        (
            "pause_while_rendering",
            "keep_running",
            "keep_ready",
            "import_when_finished",
            "show_timeline_bar",
            "jobs_at_once",
        ),
    ),
    ("Output", "OUTPUT", ("output_folder",)),
    ("Storage", "DISK_DRIVE", ("workspace",)),
)


def draw_engine(layout: Any, preferences: Any) -> None:
    """Show whether there is an engine, what it is, and what can be done with it."""
    box = layout.box()
    setup = session.state.setup
    state = session.engine()
    if setup is not None and not setup.ended:
        row = box.row(align=True)
        row.progress(text=setup.label, factor=setup.fraction)
        row.operator("strip_stylizer.engine_cancel", text="", icon="X")
        return
    icon = "CHECKMARK" if state == "ready" else "ERROR"
    box.label(text=say("Engine: {state}", state=state), icon=icon, translate=False)
    if setup is not None:
        for sentence in (*setup.notes, f"{setup.purpose}: {setup.error}" if setup.error else ""):
            if sentence:
                sidebar.draw_text(box, f"{sentence}.", icon="INFO")
    if state == "ready":
        draw_facts(box)
        draw_ready_buttons(box)
    else:
        draw_missing_buttons(box, preferences)


def draw_ready_buttons(box: Any) -> None:
    """Show what can be done with an engine."""
    row = box.row(align=True)
    row.operator("strip_stylizer.engine_verify", text="Verify")
    row.operator("strip_stylizer.engine_repair", text="Repair")
    row.operator("strip_stylizer.engine_uninstall", text="Uninstall")
    row = box.row(align=True)
    row.operator("strip_stylizer.weights_download")
    row.operator("strip_stylizer.engine_folder")
    row = box.row(align=True)
    for name, label, _ in weights.NETWORKS:
        row.operator("strip_stylizer.network_download", text=label).network = name


def draw_missing_buttons(box: Any, preferences: Any) -> None:
    """Show how to get an engine, and what it costs."""
    chosen = preferences.torch_build
    box.label(text=sizes.what_comes(chosen), translate=False)
    row = box.row(align=True)
    going_on = session.engine() == "incomplete"
    row.operator(
        "strip_stylizer.engine_install",
        text="Continue Installation" if going_on else "Install Engine",
        icon="IMPORT",
    )
    row.operator("strip_stylizer.engine_install_folder", text="From Folder", icon="FILE_FOLDER")
    row = box.row(align=True)
    row.operator("strip_stylizer.engine_choose", text="Use an Existing Python")
    row.operator("strip_stylizer.engine_folder")


def draw_network(layout: Any) -> None:
    """Say whether Blender may go online."""
    reason = setting_up.offline_reason()
    layout.label(text=reason or "Online access is allowed", icon="INTERNET_OFFLINE" if reason
                 else "INTERNET")  # fmt: skip
    if reason and not bpy.app.online_access_override:
        layout.prop(bpy.context.preferences.system, "use_online_access")


def draw_storage(layout: Any) -> None:
    """Show what is where, how large it was when it was measured, and what can be deleted."""
    found = session.state.storage
    layout.label(text=str(folders.workspace()), icon="FILE_FOLDER", translate=False)
    for name, title, kind in storage.PARTS:
        if found.get(name):
            row = layout.row()
            row.label(text=title)
            row.label(text=sizes.in_words(found[name]))
            if kind:
                row.operator("strip_stylizer.storage_clean", text="", icon="TRASH").what = kind
            else:
                row.label(text="", icon="BLANK1")
    row = layout.row(align=True)
    row.operator("strip_stylizer.storage_measure", icon="FILE_REFRESH")
    row.operator("strip_stylizer.workspace_open", icon="FILE_FOLDER")


def draw_facts(layout: Any) -> None:
    """Show what the last check found out."""
    setup = session.state.setup
    facts = setup.facts if setup is not None else {}
    if not facts:
        return
    device = facts.get("device") or {}
    name = device.get("name") or device.get("kind", "unknown")
    layout.label(text=say("Device: {name}", name=name), translate=False)
    versions = facts.get("versions") or {}
    shown = [
        f"{name} {versions[name]}" for name in ("torch", "open_clip_torch") if name in versions
    ]
    layout.label(text=", ".join(shown), translate=False)
    for name, sentence in (facts.get("eyesight") or {}).items():
        icon = "HIDE_OFF" if sentence.startswith("sees") else "ERROR"
        sidebar.draw_text(layout, f"{name} {sentence}.", icon=icon)


CLASSES = (STRIPSTYLIZER_AP_preferences,)
