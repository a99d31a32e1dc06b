"""An environment knows its state; an installation is a row of commands that do what they say."""

import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from engine.client import builds, installation, packages, verbs
from engine.client.environment import LOCK, MARKER, Environment, State, python_of, size_of
from engine.client.installation import Network, Plan
from engine.client.packages import File
from engine.contract import seals, variables

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv", path=str(Path(sys.executable).parent))


@pytest.fixture
def there(tmp_path):
    return Environment(tmp_path / "home" / "environment")


@pytest.fixture
def plan(there):
    if UV is None:
        pytest.skip("this environment has no uv")
    there.folder.parent.mkdir()
    version = sys.version_info[:2]
    return Plan(there, ROOT, Path(sys.executable), "1.0", Path(UV), base_version=version)


def run(step, tmp_path):
    """Run one command of an installation; return its exit code and what it printed."""
    log = tmp_path / "log"
    code = installation.start(step, ROOT, log).wait(timeout=120)
    return code, log.read_text(encoding="utf-8")


def test_an_environment_knows_its_state(there):
    assert there.state("1.0") is State.NOT_INSTALLED
    there.partial.mkdir(parents=True)
    assert there.state("1.0") is State.INCOMPLETE
    there.finish("1.0", build="cpu")
    assert there.state("1.0") is State.INCOMPLETE
    there.python.parent.mkdir()
    there.python.touch()
    assert there.state("1.0") is State.READY and there.marker()["build"] == "cpu"
    there.remove()
    assert there.state("1.0") is State.NOT_INSTALLED


def test_a_newer_engine_uses_an_environment_whose_packages_are_still_the_right_ones(there):
    there.partial.mkdir(parents=True)
    there.finish("1.0")
    there.python.parent.mkdir()
    there.python.touch()
    assert there.state("1.1") is State.READY
    marker = there.marker() | {"lock": "another"}
    (there.folder / MARKER).write_text(json.dumps(marker), encoding="utf-8")
    assert there.state("1.1") is State.OUTDATED and there.state("1.0") is State.READY


def test_a_new_environment_takes_the_place_of_the_old_one(there):
    for version in ("1.0", "2.0"):
        there.partial.mkdir(parents=True)
        (there.partial / version).touch()
        there.finish(version)
    assert not (there.folder / "1.0").exists() and (there.folder / "2.0").exists()
    assert [path.name for path in there.folder.parent.iterdir()] == ["environment"]


def test_the_size_of_a_folder_counts_linked_files_once(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 1000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert size_of(tmp_path) == 1000


def test_the_locked_build_comes_from_the_lock_file(plan, monkeypatch):
    monkeypatch.setattr(builds, "this_computer", lambda: builds.Computer("darwin", "arm64"))
    resolve = next(step for step in plan.online() if "compile" in step.command)
    assert resolve.command[-1].endswith("requirements.txt") and resolve.otherwise is None


def test_another_build_falls_back_to_the_locked_one_only_when_nobody_chose_it(plan, monkeypatch):
    monkeypatch.setattr(builds, "this_computer", lambda: builds.Computer("linux", "x86_64"))
    resolve = next(step for step in plan.online() if "--torch-backend" in step.command)
    assert resolve.otherwise is not None and resolve.note
    chosen = Plan(plan.environment, ROOT, plan.base_python, "1.0", plan.uv, build="cpu")
    resolve = next(step for step in chosen.online() if "--torch-backend" in step.command)
    assert resolve.otherwise is None


def test_the_network_settings_reach_the_commands(plan):
    network = Network("https://index.example/simple", "https://more.example", "/etc/ours.pem")
    asked = Plan(
        plan.environment, ROOT, plan.base_python, "1.0", plan.uv, (3, 12), "locked", network
    )
    resolve = next(step for step in asked.online() if "compile" in step.command)
    line = " ".join(resolve.command)
    assert "--default-index https://index.example/simple" in line
    assert "--index https://more.example" in line
    assert resolve.variables["SSL_CERT_FILE"] == "/etc/ours.pem"


def test_a_python_that_no_package_fits_is_replaced_by_one_that_uv_downloads(plan):
    new = Plan(plan.environment, ROOT, plan.base_python, "1.0", plan.uv, base_version=(3, 99))
    assert "--managed-python" in new.online()[0].command


def test_without_uv_pip_installs_the_lock_file(there):
    plan = Plan(there, ROOT, Path(sys.executable), "1.0")
    assert "--require-hashes" in plan.online()[1].command
    with pytest.raises(ValueError, match="carries no uv"):
        plan.offline(there.folder)


WHEEL = {
    "tiny.py": "word = 'here'\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/RECORD": "",
}


def tiny_wheel(folder):
    """Write a package that holds one module, and return it as a File."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in WHEEL.items():
            wheel.writestr(name, text)
    return File("tiny", "1.0", path.as_uri(), path.stat().st_size, seals.digest(path))


def test_packages_are_installed_from_a_folder_by_their_hashes(plan, tmp_path, there):
    file = tiny_wheel(tmp_path)
    steps = plan.offline(tmp_path)
    assert run(steps[0], tmp_path)[0] == 0
    there.partial.joinpath("install.txt").write_text(packages.requirements(tmp_path, [file]))
    assert run(steps[2], tmp_path)[0] == 0
    done = subprocess.run(
        [python_of(there.partial), "-c", "import tiny; print(tiny.word)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "here\n"


def test_a_file_that_was_changed_is_not_installed(plan, tmp_path, there):
    file = tiny_wheel(tmp_path)
    steps = plan.offline(tmp_path)
    run(steps[0], tmp_path)
    with zipfile.ZipFile(tmp_path / file.file_name, "a") as wheel:
        wheel.writestr("more.py", "")
    there.partial.joinpath("install.txt").write_text(packages.requirements(tmp_path, [file]))
    code, said = run(steps[2], tmp_path)
    assert code != 0 and "ash mismatch" in said


def accept(folder, tmp_path, build="automatic"):
    words = ["--folder", str(folder), "--install-list", str(tmp_path / "list"), "--build", build]
    return verbs.main(["accept", *words])


def test_a_folder_for_another_python_is_refused_in_a_sentence(tmp_path, capsys):
    facts = verbs.this_kind() | {"Python": "3.9", "build": "locked"}
    packages.write_list(tmp_path, [], facts)
    assert accept(tmp_path, tmp_path) == 1
    assert "was made for Python 3.9" in capsys.readouterr().out


def test_a_folder_with_a_file_that_was_never_locked_is_refused(tmp_path, capsys):
    file = tiny_wheel(tmp_path)
    packages.write_list(tmp_path, [file], verbs.this_kind() | {"build": "locked"})
    assert accept(tmp_path, tmp_path) == 1
    assert "not among the files" in capsys.readouterr().out


@pytest.mark.parametrize(("build", "code"), [("automatic", 1), ("locked", 1), ("cpu", 0)])
def test_another_build_of_pytorch_is_taken_where_the_user_chose_one(build, code, tmp_path, capsys):
    name = "torch-2.9+cpu-py3-none-any.whl"
    (tmp_path / name).write_bytes(b"anything")
    file = File("torch", "2.9+cpu", f"https://index.example/{name}", 8, "a" * 64)
    packages.write_list(tmp_path, [file], verbs.this_kind() | {"build": "cpu"})
    assert accept(tmp_path, tmp_path, build) == code
    assert ("PyTorch's build cpu" in capsys.readouterr().out) == bool(code)


def test_a_folder_that_lacks_a_file_is_refused(tmp_path, capsys):
    name, hashes = next(iter(packages.locked_hashes(LOCK).items()))
    file = File(name, "1", f"https://index.example/{name}.whl", 1, next(iter(hashes)))
    packages.write_list(tmp_path, [file], verbs.this_kind() | {"build": "locked"})
    assert accept(tmp_path, tmp_path) == 1
    assert f"lacks 1 files, the first is {name}.whl" in capsys.readouterr().out


def test_a_command_is_stopped_with_all_that_it_started(tmp_path):
    child = (
        "import subprocess, sys, time\n"
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    )
    step = installation.Step("Waiting", [sys.executable, "-c", child])
    running = installation.start(step, ROOT, tmp_path / "log")
    time.sleep(0.5)
    installation.stop(running)
    assert running.poll() is not None


def test_a_check_is_told_where_the_weights_are(tmp_path):
    assert installation.check_step(tmp_path).variables == {}
    step = installation.check_step(tmp_path, tmp_path / "weights")
    assert step.variables == {variables.WEIGHTS: str(tmp_path / "weights")}


def test_removing_deletes_folders(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    step = installation.removal_step(Path(sys.executable), [tmp_path / "a"])
    assert run(step, tmp_path)[0] == 0 and not (tmp_path / "a").exists()
