"""Through how many files of the engine the two largest values of a job travel.

The frames of the footage are followed from where the pipeline has them: a function takes them where
a call hands them over as they are, moved to another device or put into a list at most. What is
computed from them, cut out of them, or kept in a record such as `Clip` is another value. Layers
have a type of their own: who takes some says so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAME = {"from_numpy", "to", "cpu", "list", "tuple"}  # calls after which it is the same value
MOST_FILES = {"frames": 18, "layers": 15}

Function = ast.FunctionDef


def is_frames(value: ast.expr) -> bool:
    """Is this expression the footage at the working size, as the clip's record has it?"""
    return isinstance(value, ast.Attribute) and ast.unparse(value).endswith("video.frames")


class Module:
    """The functions of one file, and where the names that it imports come from."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path.relative_to(root)
        package = self.path.parts[:-1]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.functions = {node.name: node for node in tree.body if isinstance(node, Function)}
        self.classes = {
            node.name: {each.name: each for each in node.body if isinstance(each, Function)}
            for node in tree.body
            if isinstance(node, ast.ClassDef)
        }
        self.imported: dict[str, tuple[tuple[str, ...], str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1]
                base += tuple(node.module.split(".")) if node.module else ()
                self.imported |= {
                    each.asname or each.name: (base, each.name) for each in node.names
                }


class Code:
    """All modules below a folder, and which function a call means."""

    def __init__(self, root: Path, room: str) -> None:
        modules = [Module(path, root) for path in sorted((root / room).rglob("*.py"))]
        self.modules = {module.path.with_suffix("").parts: module for module in modules}

    def functions(self) -> Iterator[tuple[Module, dict[str, Function], Function]]:
        """Yield all functions, with their module and the methods beside them."""
        for module in self.modules.values():
            for each in module.functions.values():
                yield module, {}, each
            for methods in module.classes.values():
                for each in methods.values():
                    yield module, methods, each

    def named(self, module: Module | None, name: str) -> list[tuple[Module, Function, int]]:
        """Return what ``name`` calls in a module, and how many parameters nobody hands over."""
        if module is None:
            return []
        if name in module.functions:
            return [(module, module.functions[name], 0)]
        if name in module.classes:
            start = module.classes[name].get("__init__")
            return [(module, start, 1)] if start else []
        base, original = module.imported.get(name, ((), ""))
        return self.named(self.modules.get(base), original) if original else []

    def called(
        self, module: Module, methods: dict[str, Function], call: ast.Call
    ) -> list[tuple[Module, Function, int]]:
        """Return the functions that a call may mean; a method of any class that has it."""
        function = call.func
        if isinstance(function, ast.Name):
            return self.named(module, function.id)
        if not isinstance(function, ast.Attribute):
            return []
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        if owner == "self" and function.attr in methods:
            return [(module, methods[function.attr], 1)]
        base, name = module.imported.get(owner, ((), ""))
        if (*base, name) in self.modules:
            return self.named(self.modules[*base, name], function.attr)
        return [
            (other, each[function.attr], 1)
            for other in self.modules.values()
            for each in other.classes.values()
            if function.attr in each
        ]


def bare(value: ast.expr) -> ast.expr:
    """Return what an expression hands on as it is: ``torch.from_numpy(frames)`` is ``frames``."""
    while True:
        if isinstance(value, ast.Starred):
            value = value.value
        elif isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in SAME:
            is_method = isinstance(value.func, ast.Attribute) and value.func.attr in ("to", "cpu")
            value = value.func.value if is_method else value.args[0]  # type: ignore[attr-defined]
        else:
            return value


def travels(code: Code, is_source) -> dict[Path, set[str]]:
    """Return the functions by file that take the value, and the names of those."""
    taken: dict[int, set[str]] = {}  # by function, the parameters that are the value
    files: dict[Path, set[str]] = {}
    grows = True
    while grows:
        grows = False
        for module, methods, function in code.functions():
            names = set(taken.get(id(function), ()))

            def is_value(value: ast.expr, names: set[str] = names) -> bool:
                value = bare(value)
                return is_source(value) or (isinstance(value, ast.Name) and value.id in names)

            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and is_value(node.value):
                    names |= {each.id for each in node.targets if isinstance(each, ast.Name)}
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                for other, target, skipped in code.called(module, methods, call):
                    places = [each.arg for each in target.args.args][skipped:]
                    known = {*places, *(each.arg for each in target.args.kwonlyargs)}
                    given = [*zip(places, call.args, strict=False)]
                    given += [(each.arg, each.value) for each in call.keywords if each.arg in known]
                    new = {name for name, value in given if is_value(value)}
                    if new - taken.setdefault(id(target), set()):
                        taken[id(target)] |= new
                        files.setdefault(other.path, set()).add(target.name)
                        grows = True
    return files


def test_a_value_is_followed_through_calls_and_no_further(tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "one.py").write_text(
        "from .two import take, other\n"
        "def begin(clip):\n"
        "    frames = clip.video.frames\n"
        "    take(frames, scale=2)\n"
        "    other(frames * 2)\n"
    )
    (tmp_path / "room" / "two.py").write_text(
        "from . import three\n"
        "def take(given, scale):\n"
        "    three.last(1, value=torch.from_numpy(given))\n"
        "def other(doubled): ...\n"
    )
    (tmp_path / "room" / "three.py").write_text("def last(number, *, value): ...\n")
    found = travels(Code(tmp_path, "room"), is_frames)
    assert found == {Path("room/two.py"): {"take"}, Path("room/three.py"): {"last"}}


def test_frames_travel_through_few_files():
    assert_few(travels(Code(ROOT, "engine"), is_frames), "frames")


def test_layers_travel_through_few_files():
    found: dict[Path, set[str]] = {}
    for module, _, function in Code(ROOT, "engine").functions():
        for each in (*function.args.args, *function.args.kwonlyargs):
            if each.annotation and re.search(r"\bLayers\b", ast.unparse(each.annotation)):
                found.setdefault(module.path, set()).add(function.name)
    assert_few(found, "layers")


def assert_few(found: dict[Path, set[str]], name: str) -> None:
    listing = "\n".join(f"{path}: {', '.join(sorted(names))}" for path, names in found.items())
    assert 5 <= len(found) <= MOST_FILES[name], f"{len(found)} files\n{listing}"
