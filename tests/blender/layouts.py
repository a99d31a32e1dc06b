"""A layout that records what a panel draws, and refuses what Blender's own would refuse."""

import bpy

FUNCTIONS = bpy.types.UILayout.bl_rna.functions


class Recorder:
    """Takes the calls of a draw function; ``lines`` holds all texts, ``operators`` all buttons.

    ``translated`` holds the texts that Blender puts into the language of the interface.
    """

    def __init__(self, top=None):
        object.__setattr__(self, "top", top or self)
        if top is None:
            object.__setattr__(self, "lines", [])
            object.__setattr__(self, "operators", [])
            object.__setattr__(self, "shown", [])
            object.__setattr__(self, "translated", [])

    def __setattr__(self, name, value):
        assert name in bpy.types.UILayout.bl_rna.properties, name

    def __getattr__(self, name):
        assert name in FUNCTIONS or name in ("panel", "introspect"), name

        def call(*given, **named):
            check(name, named)
            return self.record(name, given, named)

        return call

    def record(self, name, given, named):
        top = self.top
        if "text" in named:
            assert isinstance(named["text"], str)
            top.lines.append(named["text"])
            if named.get("translate", True):
                top.translated.append(named["text"])
        if name == "operator":
            return self.button(given[0])
        if name in ("prop", "textbox"):
            group, attribute = given
            assert attribute in group.bl_rna.properties, attribute
            top.shown.append(attribute)
        if name == "progress":
            assert 0.0 <= named["factor"] <= 1.0
        if name == "panel":
            return Recorder(top), Recorder(top)
        return Recorder(top)

    def button(self, idname):
        module, _, name = idname.partition(".")
        kind = getattr(getattr(bpy.ops, module), name).get_rna_type()
        self.top.operators.append(name)
        return Button(kind)


class Button:
    """The properties of an operator's button."""

    def __init__(self, kind):
        object.__setattr__(self, "kind", kind)

    def __setattr__(self, name, value):
        assert name in self.kind.properties, name


def check(name, named):
    """Is every keyword one of this Blender's, and every icon there?"""
    if name == "panel":
        return
    known = {item.identifier for item in FUNCTIONS[name].parameters}
    assert set(named) <= known, (name, set(named) - known)
    if "icon" in named:
        icons = FUNCTIONS["label"].parameters["icon"].enum_items
        assert named["icon"] in icons, named["icon"]
