"""Installing and checking the engine without waiting for it."""

import sys
import time

import bpy
import pytest


@pytest.fixture
def setup_of(part, tmp_path, scene):
    """Return a function that makes a setup of commands given as Python text."""
    environment, installing = part("engine.client.environment"), part("operators.installing")

    def make(*scripts, target=None):
        steps = [environment.Step(f"Step {i}", [sys.executable, "-c", text])
                 for i, text in enumerate(scripts)]  # fmt: skip
        return installing.Setup(steps, tmp_path, tmp_path / "log", target, "1.0")

    return make


def finish(setup):
    end = time.monotonic() + 30
    while not setup.ended:
        assert time.monotonic() < end
        setup.advance()
        time.sleep(0.02)
    return setup


def test_commands_run_one_after_the_other(setup_of, part, tmp_path):
    environment = part("engine.client.environment")
    target = environment.Environment(tmp_path / "env")
    python = environment.python_of(target.partial)
    make = (
        f"import pathlib as p; x = p.Path({str(python)!r}); x.parent.mkdir(parents=True); x.touch()"
    )
    setup = finish(setup_of(make, 'print(\'{"device": {"name": "x"}}\')', target=target))
    assert setup.error == "" and setup.facts == {"device": {"name": "x"}}
    assert target.state("1.0").value == "ready"
    assert target.state("2.0").value == "outdated"
    target.python.unlink()
    assert target.state("1.0").value == "incomplete"


def test_the_first_failure_ends_the_setup_with_its_last_words(setup_of):
    setup = finish(setup_of("raise SystemExit('no room left')", "print('never')"))
    assert setup.error == "Step 0 failed: no room left" and setup.fraction == 1.0


def test_a_setup_can_be_cancelled(setup_of):
    setup = setup_of("import time; time.sleep(60)")
    setup.advance()
    setup.cancel()
    assert setup.ended and setup.process.wait(timeout=10) != 0


def test_a_program_that_is_not_there_is_a_sentence(setup_of, part):
    setup = setup_of("")
    setup.steps[0] = part("engine.client.environment").Step("Making it", ["/nowhere/python"])
    assert "/nowhere/python" in finish(setup).error


def test_installing_needs_online_access(scene, part):
    if bpy.app.online_access:
        pytest.skip("this Blender is online")
    with pytest.raises(RuntimeError, match="offline"):
        bpy.ops.strip_stylizer.engine_install()


def test_verifying_an_environment_without_packages_says_so(scene, part):
    with pytest.raises(RuntimeError, match="Checking the engine failed"):
        bpy.ops.strip_stylizer.engine_verify()
    assert not bpy.ops.strip_stylizer.engine_cancel.poll()


def test_an_existing_python_can_be_chosen(scene, part, monkeypatch):
    folders, session = part("operators.folders"), part("operators.session")
    monkeypatch.delenv("STRIP_STYLIZER_PYTHON")
    session.refresh_engine()
    assert session.engine() == "not installed"
    bpy.ops.strip_stylizer.engine_choose(filepath=sys.executable)
    assert session.engine() == "ready" and str(folders.engine_python()) == sys.executable
    bpy.ops.strip_stylizer.engine_choose(filepath="/nowhere/python")
    assert session.engine() == "no such Python"
    bpy.ops.strip_stylizer.engine_choose(filepath="")
    assert session.engine() == "not installed"


def test_the_default_workspace_is_a_folder_of_the_users(part, monkeypatch):
    folders = part("operators.folders")
    monkeypatch.delenv("STRIP_STYLIZER_WORKSPACE")
    assert folders.workspace() == folders.default_workspace()
    folders.preferences().workspace = "/tmp/elsewhere"
    assert str(folders.jobs()) == "/tmp/elsewhere/jobs"
    folders.preferences().workspace = ""
