"""A look at a file tells what it is, and a sentence what is wrong with it."""

import zipfile

import pytest
import torch
from safetensors.torch import save_file

from engine.contract.events import EngineError, Fault
from engine.stylization.weight_formats import Format, examine, problem

NUMBERS = {"a": torch.arange(2000.0), "b": torch.ones(3)}


def test_each_format_is_known_by_its_content(tmp_path):
    path = tmp_path / "no-ending"
    save_file(NUMBERS, path)
    assert examine(path) is Format.SAFETENSORS
    torch.save(NUMBERS, path)
    assert examine(path) is Format.TORCH
    torch.save(NUMBERS, path, _use_new_zipfile_serialization=False)
    assert examine(path) is Format.OLD_TORCH
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), path)
    assert examine(path) is Format.ARCHIVE
    assert problem(path) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html>Sign in</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "pointer of Git LFS"),
        (b"\x89PNG\r\n" + bytes(600), "holds no weights"),
        ((10).to_bytes(8, "little") + b"{" + bytes(600), "header cannot be read"),
        ((2**40).to_bytes(8, "little") + b"{" + bytes(600), "no weights that can be read"),
        ((2).to_bytes(8, "little") + b"{}", "header cannot be read"),
    ],
)
def test_what_is_no_weights_gets_a_sentence(content, words, tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=words) as caught:
        examine(path)
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE and str(path) in caught.value.message


def save_safetensors(path):
    save_file(NUMBERS, path)


def save_torch(path):
    torch.save(NUMBERS, path)


@pytest.mark.parametrize("save", [save_safetensors, save_torch])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_not_ready(save, part, tmp_path):
    path = tmp_path / "weights"
    save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert any(words in problem(path) for words in ("cut off", "not whole", "damaged"))


def test_a_file_that_goes_on_too_long_is_not_whole(tmp_path):
    path = tmp_path / "weights"
    save_file(NUMBERS, path)
    path.write_bytes(path.read_bytes() + b"more")
    assert "not whole" in problem(path)


def test_another_zip_is_no_weights(tmp_path):
    with zipfile.ZipFile(tmp_path / "weights.pt", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "zip without weights" in problem(tmp_path / "weights.pt")


def test_a_file_that_is_gone_gets_a_sentence(tmp_path):
    assert "cannot be read: No such file" in problem(tmp_path / "none")
