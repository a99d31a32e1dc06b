"""Which files are installed: what uv chose must be what was locked."""

import pytest

from engine.client import builds, packages
from engine.client.builds import Computer
from engine.client.environment import LOCK
from engine.client.packages import File, Unfit

PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "numpy"
version = "2.0"
wheels = [{ url = "https://index.example/a%2Bb/numpy-2.0-x.whl", size = 7,
            hashes = { sha256 = "aa" } }]
[[packages]]
name = "torch"
version = "2.9+cpu"
wheels = [{ url = "file:///there/torch-2.9%2Bcpu.whl", hashes = { sha256 = "bb" } }]
"""


@pytest.fixture
def chosen(tmp_path):
    path = tmp_path / "pylock.toml"
    path.write_text(PYLOCK.replace("7,\n           ", "7,"), encoding="utf-8")
    return packages.read_pylock(path)


def test_what_uv_chose_is_read_with_names_sizes_and_hashes(chosen):
    assert [(f.name, f.size, f.sha256, f.file_name) for f in chosen] == [
        ("numpy", 7, "aa", "numpy-2.0-x.whl"),
        ("torch", 0, "bb", "torch-2.9+cpu.whl"),
    ]


def test_a_package_without_a_built_file_is_refused(tmp_path):
    path = tmp_path / "pylock.toml"
    path.write_text('[[packages]]\nname = "odd"\nversion = "1"\n', encoding="utf-8")
    with pytest.raises(Unfit, match="no built file of odd"):
        packages.read_pylock(path)


def test_only_pytorch_may_differ_from_the_lock(chosen):
    locked = {"numpy": {"aa"}, "torch": {"cc"}}
    assert packages.unknown_files(chosen, locked, any_torch=True) == []
    assert packages.unknown_files(chosen, locked, any_torch=False) == ["torch-2.9+cpu.whl"]
    assert packages.unknown_files(chosen, {"numpy": {"cc"}}, any_torch=True) == ["numpy-2.0-x.whl"]


def test_every_package_of_the_lock_file_has_hashes():
    hashes = packages.locked_hashes(LOCK)
    assert len(hashes["numpy"]) > 10 and all(hashes.values())


def test_pins_leave_pytorch_free_to_be_older():
    lines = packages.constraints(LOCK).split()
    assert any(line.startswith("torch<=2.") for line in lines)
    assert any(line.startswith("numpy==") for line in lines)
    assert not [line for line in lines if line.startswith(("nvidia-", "triton", "cuda-"))]


def test_a_list_of_packages_survives_writing_and_reading(chosen, tmp_path):
    packages.write_list(tmp_path, chosen, {"build": "cpu"})
    assert packages.read_list(tmp_path) == (chosen, {"build": "cpu"})


def test_a_folder_without_a_list_is_refused(tmp_path):
    with pytest.raises(Unfit, match="no offline folder"):
        packages.read_list(tmp_path)


def test_installing_names_each_file_with_its_hash(tmp_path):
    file = File("torch", "2.9+cpu", "https://index.example/torch-2.9%2Bcpu.whl", 1, "bb")
    line = packages.requirements(tmp_path, [file])
    assert line == f"torch @ {(tmp_path / 'torch-2.9+cpu.whl').as_uri()} --hash=sha256:bb\n"


@pytest.mark.parametrize(
    ("computer", "wanted"),
    [
        (Computer("linux", "x86_64", driver=580), ""),
        (Computer("linux", "x86_64", driver=535), "auto"),
        (Computer("linux", "x86_64"), "cpu"),
        (Computer("linux", "x86_64", amd=True), "auto"),
        (Computer("win32", "amd64", driver=591), "auto"),
        (Computer("darwin", "arm64"), ""),
    ],
)
def test_the_build_is_chosen_from_the_driver(computer, wanted):
    assert builds.backend("automatic", computer) == wanted


def test_a_build_that_cannot_be_had_is_a_sentence():
    for build, computer in (("rocm", Computer("win32", "amd64")),
                            ("cuda", Computer("darwin", "arm64")),
                            ("mps", Computer("linux", "x86_64"))):  # fmt: skip
        with pytest.raises(ValueError, match="choose Automatic"):
            builds.backend(build, computer)


def test_the_driver_is_read_from_the_kernels_words(tmp_path, monkeypatch):
    words = tmp_path / "version"
    words.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.08  Tue\nGCC version:  13.2.0\n"
    )
    monkeypatch.setattr(builds, "DRIVER_FILE", words)
    assert builds.nvidia_driver() == 535
    words.write_text("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  590.44.01  Rel\n")
    assert builds.nvidia_driver() == 590


@pytest.mark.parametrize("build", builds.BUILDS)
def test_every_choice_has_words(build):
    for computer in (Computer("linux", "x86_64", driver=580), Computer("darwin", "arm64")):
        assert builds.words(build, computer)
