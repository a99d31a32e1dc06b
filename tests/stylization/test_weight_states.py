"""Weights of every tag that is offered load from files of every format that hosts give."""

import pickle
import zipfile

import open_clip
import pytest
import torch
from torch import nn

from engine.contract import variables
from engine.contract.events import EngineError
from engine.contract.settings import OFFERED_WEIGHTS
from engine.stylization import weight_files, weight_states
from engine.stylization.encoder import available, load_encoder
from tests.stylization import hosted

PICTURES = torch.rand(3, 3, hosted.SIZE, hosted.SIZE, generator=torch.Generator().manual_seed(1))
TEXTS = ["a gold swan", "a photo of a bear with zebra fur"]


@pytest.fixture(params=[*OFFERED_WEIGHTS, "RN50:openai", "ViT-L-14:laion2b_s32b_b82k"])
def tag(request, monkeypatch, tmp_path):
    """A tag whose network is tiny here, and an empty folder for downloads."""
    model, _, tag = request.param.partition(":")
    hosted.shrink(model, monkeypatch)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    return model, tag


def same(encoder, other):
    return torch.allclose(
        encoder.embed_images(PICTURES), other.embed_images(PICTURES), atol=1e-5
    ) and torch.allclose(encoder.embed_texts(TEXTS), other.embed_texts(TEXTS), atol=1e-5)


@pytest.mark.parametrize("half", [True, False], ids=["half", "single"])
@pytest.mark.parametrize("kind", hosted.FORMATS)
def test_a_downloaded_tag_computes_what_was_saved(tag, kind, half, tmp_path):
    model, name = tag
    if kind == "archive" and name != "openai":
        pytest.skip("only OpenAI publishes archives")
    made = hosted.network(model, name)
    hosted.save(made, kind, tmp_path / f"{model}--{name}", half)
    assert available()[f"{model}:{name}"] == "ready"
    assert same(load_encoder(f"{model}:{name}", "cpu"), hosted.encoder_of(made, model))


@pytest.mark.parametrize("model", ["ViT-B-32", "RN50"])
def test_an_archive_that_a_user_names_brings_quickgelu_along(model, monkeypatch, tmp_path):
    hosted.shrink(model, monkeypatch)
    made = hosted.network(model, "openai")
    path = hosted.save(made, "archive", tmp_path)
    assert same(load_encoder(f"{model}:{path}", "cpu"), hosted.encoder_of(made, model))
    plain = load_encoder(f"{model}:{hosted.save(made, 'safetensors', tmp_path)}", "cpu")
    assert not same(plain, hosted.encoder_of(made, model))  # nothing tells where these come from


def test_the_three_numbers_of_an_archive_are_no_weights(monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    made = hosted.network("ViT-B-32", "openai")
    state, by_openai = weight_states.read(hosted.save(made, "archive", tmp_path))
    assert by_openai and set(state) - {"attn_mask"} == set(made.state_dict())
    assert all(torch.equal(state[name], tensor.half()) for name, tensor in
               made.state_dict().items())  # fmt: skip


def test_what_torch_reads_of_an_archive_is_what_we_read(monkeypatch, tmp_path):
    hosted.shrink("RN50", monkeypatch)
    path = hosted.save(hosted.network("RN50", "openai"), "archive", tmp_path)
    expected = torch.jit.load(path, map_location="cpu").state_dict()
    state, _ = weight_states.read(path)
    for name in set(expected) - set(weight_states.MARKS_OF_OPENAI):
        assert torch.equal(state[name], expected[name]), name


def test_a_scripted_module_with_tied_and_turned_weights_is_read(tmp_path):
    turned = Turned()
    torch.jit.save(torch.jit.script(turned), tmp_path / "turned.pt")
    state, by_openai = weight_states.read(tmp_path / "turned.pt")
    assert not by_openai and set(state) == set(turned.state_dict())
    assert all(torch.equal(state[name], tensor) for name, tensor in turned.state_dict().items())


class Turned(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.turned = nn.Parameter(self.inner[0].weight.detach().T)
        self.part = nn.Parameter(torch.arange(12.0).reshape(3, 4)[1:, ::2])

    def forward(self, numbers):
        return self.inner(numbers) @ self.turned.T


class Harm:
    """Pickled, it writes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("code", [True, False], ids=["archive", "torch"])
def test_nothing_in_a_file_is_run(code, monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    path, trace = tmp_path / "harmful.pt", tmp_path / "harm"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("harmful/data.pkl", pickle.dumps({"a": Harm(trace)}, protocol=2))
        archive.writestr("harmful/constants.pkl" if code else "harmful/version", b"3\n")
    with pytest.raises(EngineError, match="could not be built"):
        load_encoder(f"ViT-B-32:{path}", "cpu")
    assert not trace.exists()


def test_damage_within_an_archive_is_noticed(monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    path = hosted.save(hosted.network("ViT-B-32", "openai"), "archive", tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # in the words' embeddings
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"could not be built.*CRC"):
        load_encoder(f"ViT-B-32:{path}", "cpu")


def test_weights_of_another_family_are_named(monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    hosted.shrink("RN50", monkeypatch)
    path = hosted.save(hosted.network("RN50", "openai"), "archive", tmp_path)
    with pytest.raises(EngineError, match=r"another network's weights: \d+ of \d+ do not fit"):
        load_encoder(f"ViT-B-32:{path}", "cpu")


def test_the_pictures_are_prepared_as_the_tag_wants_it(monkeypatch, tmp_path):
    hosted.shrink("ViT-L-14", monkeypatch)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    made = hosted.network("ViT-L-14", "laion2b_s32b_b82k")
    hosted.save(made, "bin", tmp_path / "ViT-L-14--laion2b_s32b_b82k")
    assert load_encoder("ViT-L-14:laion2b_s32b_b82k", "cpu").mean.flatten().tolist() == [0.5] * 3


def test_weights_that_open_clip_has_kept_are_taken(monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    made = hosted.network("ViT-B-32", "openai")
    path = hosted.save(made, "bin", tmp_path)
    asked = []

    def kept(repository, name):
        asked.append((repository, name))
        return str(path) if name.endswith(".bin") else None

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", kept)
    assert same(load_encoder("ViT-B-32", "cpu"), hosted.encoder_of(made, "ViT-B-32"))
    assert asked[0] == ("timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors")


def test_a_whole_file_is_preferred_to_a_damaged_one(monkeypatch, tmp_path):
    hosted.shrink("ViT-B-32", monkeypatch)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    folder = tmp_path / "ViT-B-32--openai"
    whole = hosted.save(hosted.network("ViT-B-32", "openai"), "safetensors", folder)
    (folder / "ViT-B-32.pt").write_bytes(b"PK\x03\x04 and no more")
    assert weight_files.downloaded_weights("ViT-B-32", "openai") == whole
    whole.unlink()
    assert "cut off or damaged" in available()["ViT-B-32:openai"]
    with pytest.raises(EngineError, match="cut off or damaged"):
        weight_files.at_hand("ViT-B-32:openai")


def test_open_clip_says_nothing_of_random_weights(encoder_name, caplog):
    load_encoder(encoder_name, "cpu")
    assert not [record for record in caplog.records if "random" in record.message]
    open_clip.create_model("tiny-for-tests")
    assert [record for record in caplog.records if "random" in record.message]
