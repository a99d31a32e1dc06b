"""The house rules that a machine can hold: who may import whom, which words are not used."""

import ast
import re
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACT = {"engine.contract"}
PARTIAL = {"engine.partial_results"}
DEVICE = {"engine.device", "engine.checkpoint"} | PARTIAL

# What each room may import of the engine, beside itself.
ALLOWED = {
    "engine/contract": set(),
    "engine/client": CONTRACT,
    "engine/workspace.py": CONTRACT,
    "engine/reporter.py": CONTRACT | {"engine.workspace"},
    "engine/faults.py": CONTRACT | {"engine.workspace"},
    "engine/rehearsal.py": CONTRACT | {"engine.reporter"},
    "engine/terminal.py": CONTRACT | {"engine.client.status"},
    "engine/manifest.py": set(),
    "engine/memory.py": set(),
    "engine/ahead.py": {"engine.cores"},
    "engine/partial_results.py": CONTRACT,
    "engine/video": CONTRACT | PARTIAL | {"engine.ahead"},
    "engine/decomposition": CONTRACT | DEVICE | {"engine.ahead", "engine.video"},
    "engine/stylization": CONTRACT
    | DEVICE
    | {"engine.decomposition.model", "engine.decomposition.layers"},
    "engine/editing": CONTRACT
    | {"engine.video", "engine.decomposition.layers", "engine.stylization"},
    "engine/layer_reader.py": CONTRACT | {"engine.video"},
    "engine/evaluation": CONTRACT
    | {"engine.checkpoint", "engine.video", "engine.decomposition.layers"}
    | {"engine.stylization", "engine.render"},
    "engine/render.py": CONTRACT
    | {"engine.ahead", "engine.decomposition.layers", "engine.device"}
    | {"engine.editing", "engine.stylization"},
    "operators": CONTRACT | {"engine.client"},
    "panels": CONTRACT | {"operators"},
    "training": {"engine"},
}
NO_TORCH = (
    "engine/contract", "engine/client", "engine/workspace.py", "engine/reporter.py",
    "engine/faults.py", "engine/rehearsal.py", "engine/terminal.py", "engine/manifest.py",
    "engine/memory.py",
    "engine/__main__.py", "engine/partial_results.py", "operators", "panels",
)  # fmt: skip
STANDARD_LIBRARY_ONLY = NO_TORCH[:10]
PRODUCT = ("__init__.py", "engine", "operators", "panels", "examples")
LIBRARIES = {"torch", "numpy", "cv2", "imageio", "open_clip", "safetensors", "bpy"}
# Words of no identifier, for which docs/how-it-works.md (Words) has the standard terms.
REPLACED = {
    "aim", "aimed", "bent", "calm", "climbs", "course", "crowding", "ease", "evened", "exam",
    "exams", "eyesight", "gaze", "gazes", "healing", "hear", "heard", "hears", "judges", "judging",
    "lesson", "lessons", "noisy", "painter", "painters", "piece", "pieces", "portion", "portions",
    "scepticism", "settle", "settled", "settling", "sight", "slides", "slip", "slips", "slope",
    "slopes", "sought", "spread", "spreads", "standing", "standings", "strangers", "tells", "tie",
    "tied", "ties", "told", "trust", "trusted", "trusts", "witness", "witnesses",
}  # fmt: skip
# Participles that end in no "ed". A function of one word says what it does, not what it has done.
IRREGULAR = {
    "begun", "bent", "bound", "brought", "built", "caught", "chosen", "done", "drawn", "driven",
    "fallen", "felt", "found", "given", "gone", "grown", "held", "hidden", "kept", "known", "left",
    "lost", "made", "meant", "met", "paid", "said", "seen", "sent", "shown", "spent", "spoken",
    "stood", "taken", "taught", "thought", "told", "torn", "won", "worn", "written",
}  # fmt: skip


def python_files(room):
    path = ROOT / room
    return [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_parts(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1]


def imported(path):
    """Names of all modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package_parts(path)[: len(package_parts(path)) - node.level + 1]
            stem = ".".join((*base, node.module or "")) if node.level else node.module
            yield from (f"{stem.rstrip('.')}.{alias.name}" for alias in node.names)


def within(name, rooms):
    return any(name == room or name.startswith(room + ".") for room in rooms)


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_its_neighbours(room):
    own = {room.removesuffix(".py").replace("/", ".")}
    rooms = {"engine", "operators", "panels", "tools", "training"}
    for path in python_files(room):
        for name in imported(path):
            if within(name, rooms):
                assert within(name, own | ALLOWED[room]), f"{path.relative_to(ROOT)}: {name}"


@pytest.mark.parametrize("room", NO_TORCH)
def test_what_must_answer_at_once_does_not_import_torch(room):
    for path in python_files(room):
        assert not within_any(path, {"torch", "open_clip"})


@pytest.mark.parametrize("room", STANDARD_LIBRARY_ONLY)
def test_the_wall_uses_the_standard_library_only(room):
    for path in python_files(room):
        assert not within_any(path, LIBRARIES)


def within_any(path, libraries):
    return [name for name in imported(path) if within(name, libraries)]


def test_the_engine_does_not_know_blender():
    for path in python_files("engine"):
        assert not within_any(path, {"bpy"}), path


@pytest.mark.parametrize("room", PRODUCT)
def test_nothing_that_users_run_needs_what_developers_run(room):
    for path in python_files(room):
        assert not within_any(path, {"tools", "training", "benchmarks", "tests"}), path


def test_only_the_encoder_knows_open_clip():
    users = {p.name for p in python_files("engine") if within_any(p, {"open_clip"})}
    assert users == {"encoder.py"}


def test_losses_know_tensors_and_nothing_else():
    files = sorted((ROOT / "engine").rglob("losses.py"))
    assert len(files) >= 2
    for path in files:
        ours = [name for name in imported(path) if within(name, {"engine"})]
        allowed = {
            "engine.decomposition.nla.samples",
            "engine.decomposition.coordinates",
            "engine.stylization.shading.luminance",
        }
        assert all(within(name, allowed) for name in ours), (path, ours)


def test_the_package_of_the_extension_imports_nothing():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def test_the_manifest_asks_for_what_the_extension_uses():
    with (ROOT / "blender_manifest.toml").open("rb") as file:
        asked = tomllib.load(file)["permissions"]
    code = "".join(path.read_text(encoding="utf-8") for path in python_files("operators"))
    assert ("window_manager.clipboard" in code) == ("clipboard" in asked)
    assert {"files", "network"} <= set(asked) <= {"files", "network", "clipboard"}


def test_only_one_module_touches_the_sequencer():
    words = ("sequence_editor", "active_sequence_strip", "sequences_all", "strips_all")
    for path in [*python_files("operators"), *python_files("panels")]:
        if path.name not in ("sequencer.py", "baking_child.py"):
            text = path.read_text(encoding="utf-8")
            assert not [word for word in words if word in text], path


def test_nothing_is_swallowed():
    for room in ("engine", "operators", "panels", "tools", "training"):
        for path in python_files(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ExceptHandler):
                    assert node.type is not None, f"{path}:{node.lineno}: bare except"


def identifiers(path):
    """The names that a file uses, and its own."""
    yield path.stem
    with path.open("rb") as file:
        yield from (t.string for t in tokenize.tokenize(file.readline) if t.type == tokenize.NAME)


def words_of(identifier):
    """Its words in small letters: "PairChunk" and "pair_chunk" have the same."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


@pytest.mark.parametrize(
    ("identifier", "words"),
    [("PairChunk", {"pair", "chunk"}), ("_in_portions", {"in", "portions"}), ("TIED", {"tied"})],
)
def test_an_identifier_is_taken_apart_into_words(identifier, words):
    assert words_of(identifier) == words


@pytest.mark.parametrize("room", ["engine", "operators", "panels"])
def test_standard_terms_are_used(room):
    for path in python_files(room):
        for identifier in identifiers(path):
            replaced = words_of(identifier) & REPLACED
            assert not replaced, f"{path.relative_to(ROOT)}: {identifier}"


def functions(room):
    """The functions of a room, each with its file."""
    for path in python_files(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def is_property(function):
    return any(ast.unparse(each).endswith("property") for each in function.decorator_list)


@pytest.mark.parametrize("room", ["engine", "operators", "panels"])
def test_functions_are_named_by_what_they_do(room):
    for path, node in functions(room):
        place, word = path.relative_to(ROOT), node.name.strip("_")
        is_participle = word in IRREGULAR or re.fullmatch("[a-z]+[^e]ed", word)
        if not is_property(node) and word != "embed":
            assert not is_participle, f"{place}:{node.lineno}: {node.name}"


@pytest.mark.parametrize("room", ["engine", "operators", "panels", "tools", "training"])
def test_functions_are_short(room):
    for path, node in functions(room):
        assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno}: {node.name}"


@pytest.mark.parametrize("room", ["engine", "operators", "panels"])
def test_few_arguments_are_told_apart_by_their_order_alone(room):
    for path, node in functions(room):
        names = [each.arg for each in node.args.args if each.arg not in ("self", "cls")]
        # A formula has the letters of its equation, and Blender hands over what it likes.
        if path.name != "losses.py" and node.name not in ("draw_item", "find_masks"):
            assert len(names) <= 5, f"{path}:{node.lineno}: {node.name}"
