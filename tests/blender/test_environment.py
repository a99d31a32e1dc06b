"""Installing and checking the engine without waiting for it."""

import dataclasses
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest


@pytest.fixture
def setup_of(part, tmp_path, scene):
    """Return a function that makes a setup of commands given as Python text."""
    installing = part("operators.installing")

    def make(*scripts, **facts):
        steps = [installing.Step(f"Step {i}", [sys.executable, "-c", text], **facts)
                 for i, text in enumerate(scripts)]  # fmt: skip
        return installing.Setup(steps, tmp_path, tmp_path / "log")

    return make


def finish(setup):
    end = time.monotonic() + 300  # the first import on a fresh machine compiles all of torch
    while not setup.ended:
        assert time.monotonic() < end
        setup.advance()
        time.sleep(0.02)
    return setup


def test_commands_run_one_after_the_other(setup_of, tmp_path):
    first, second = (f"open({str(tmp_path / name)!r}, 'x').close()" for name in ("a", "b"))
    setup = finish(setup_of(first, f"import os; os.remove({str(tmp_path / 'a')!r}); {second}"))
    assert setup.error == "" and setup.label == "Done" and setup.fraction == 1.0
    assert (tmp_path / "b").exists() and not (tmp_path / "a").exists()


def test_the_facts_of_a_check_are_kept_when_more_commands_follow(setup_of):
    setup = finish(setup_of('print(\'{"device": {"name": "x"}}\')', "print('in its place')"))
    assert setup.facts == {"device": {"name": "x"}}


def test_the_first_failure_ends_the_setup_with_its_last_words(setup_of):
    setup = finish(setup_of("raise SystemExit('no room left')", "print('never')"))
    assert setup.error == "Step 0 failed: no room left" and setup.fraction == 1.0


def test_the_sentence_of_a_failed_uv_is_its_error_and_the_last_cause(setup_of):
    said = "error: Request failed\\n  cause: Failed to fetch x\\n  cause: no such host"
    setup = finish(setup_of(f"import sys; print('{said}'); sys.exit(2)"))
    assert setup.error == "Step 0 failed: Request failed: no such host"


def test_a_command_that_fails_is_replaced_by_its_other_way(setup_of, part):
    setup = setup_of("raise SystemExit(2)")
    other = setup_of("print('other')").steps[0]
    setup.steps[0] = dataclasses.replace(setup.steps[0], otherwise=other, note="Taken another way")
    assert finish(setup).error == "" and setup.notes == ["Taken another way"]


def test_a_download_is_shown_in_megabytes(setup_of, tmp_path):
    shown = tmp_path / "progress.json"
    said = '{"name": "torch", "done": 5e8, "total": 2e9, "speed": 3e7}'
    text = f"import time; open({str(shown)!r}, 'w').write('{said}'); time.sleep(30)"
    setup = setup_of(text, progress=shown)
    end = time.monotonic() + 20
    while not setup.progress and time.monotonic() < end:
        setup.advance()
        time.sleep(0.02)
    assert setup.label == "Step 0: 500 of 2000 MB, 30.0 MB/s" and setup.fraction == 0.25
    setup.cancel()


def test_a_setup_can_be_cancelled(setup_of):
    setup = setup_of("import time; time.sleep(60)")
    setup.advance()
    setup.cancel()
    assert setup.ended and setup.process.wait(timeout=10) != 0


def test_a_program_that_is_not_there_is_a_sentence(setup_of, part):
    setup = setup_of("")
    setup.steps[0] = part("operators.installing").Step("Making it", ["/nowhere/python"])
    assert "/nowhere/python" in finish(setup).error


def test_installing_needs_online_access(scene, part):
    if bpy.app.online_access:
        pytest.skip("this Blender is online")
    with pytest.raises(RuntimeError, match="offline"):
        bpy.ops.strip_stylizer.engine_install()


def test_weights_that_nobody_has_are_refused(part, scene, engine_python, tmp_path):
    installing, plan = part("operators.installing"), part("operators.setting_up").plan()
    python = Path(engine_python)
    step = part("operators.weights").weights_step(plan, python, "ViT-B-32:no_tag", tmp_path)
    root = part("operators.folders").ROOT
    setup = finish(installing.Setup([step], root, tmp_path / "log"))
    assert "nor a weights tag of ViT-B-32" in setup.error and "openai" in setup.error


def test_downloaded_weights_are_tested(part, scene, monkeypatch):
    kind = part("operators.weights").STRIPSTYLIZER_OT_weights_download
    taken = []
    proxy = SimpleNamespace(
        model="ViT-B-32:openai", attempt=lambda steps: taken.extend(steps(None)) or {"FINISHED"}
    )
    proxy.fetch = lambda name: kind.fetch(proxy, name)
    monkeypatch.setattr(part("operators.weights"), "weights_step", lambda *_: "download")
    assert kind.execute(proxy, bpy.context) == {"FINISHED"}
    weights = part("operators.folders").workspace() / "weights"
    assert taken[0] == "download" and "check" in taken[1].command
    assert taken[1].variables == {"STRIP_STYLIZER_WEIGHTS": str(weights)}


@pytest.mark.parametrize("network", ["raft", "detector"])
def test_a_button_downloads_a_network_of_preset_paper(part, scene, tmp_path, network):
    weights, plan = part("operators.weights"), part("operators.setting_up").plan()
    name = weights.WEIGHTS[network]
    step = weights.weights_step(plan, Path("python"), name, tmp_path)
    assert step.command[-5:-2] == [name, "--folder", str(tmp_path / "weights")]
    assert name in step.label
    if not bpy.app.online_access:
        with pytest.raises(RuntimeError, match="offline"):
            bpy.ops.strip_stylizer.network_download(network=network)


def test_verifying_an_environment_without_packages_says_so(scene, part):
    with pytest.raises(RuntimeError, match="Letting the engine compute something failed"):
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


def test_removing_the_engine_leaves_jobs_and_says_sizes(part, scene):
    folders, session = part("operators.folders"), part("operators.session")
    for name in ("environment", "jobs", "cache", "weights"):
        folder = folders.workspace() / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_bytes(b"x" * 2000)
    bpy.ops.strip_stylizer.storage_measure()
    assert session.state.storage["environment"] == 2000
    assert bpy.ops.strip_stylizer.engine_uninstall(also_weights=True) == {"FINISHED"}
    left = {name for name in ("environment", "jobs", "cache", "weights")
            if (folders.workspace() / name).exists()}  # fmt: skip
    assert left == {"jobs", "cache"}
    assert bpy.ops.strip_stylizer.storage_clean(what="cache") == {"FINISHED"}
    assert not folders.cache().exists()


def test_a_folder_that_is_no_offline_folder_is_refused(part, scene, tmp_path):
    with pytest.raises(RuntimeError, match=r"no offline folder|carries no uv"):
        bpy.ops.strip_stylizer.engine_install_folder(directory=str(tmp_path))


def test_the_preferences_choose_build_and_network(part, scene):
    setting_up, folders = part("operators.setting_up"), part("operators.folders")
    chosen = folders.preferences()
    chosen.torch_build, chosen.index_url, chosen.ca_bundle = "cpu", "https://x.example", "/c.pem"
    try:
        plan = setting_up.plan()
        assert plan.build == "cpu" and plan.network.index_url == "https://x.example"
        assert plan.network.variables == {"SSL_CERT_FILE": "/c.pem"}
    finally:
        for name in ("torch_build", "index_url", "ca_bundle"):
            chosen.property_unset(name)
