import open_clip
import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.stylization.encoder import load_encoder


def test_sizes_are_read_from_the_model(encoder):
    assert encoder.size == 32
    assert encoder.context_length == 20
    assert encoder.embed_texts(["a", "b c"]).shape == (2, 24)
    assert encoder.embed_images(torch.rand(3, 3, 32, 32)).shape == (3, 24)


def test_gradients_reach_the_pictures_and_no_weights(encoder):
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    encoder.embed_images(images).sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_pictures_are_normalised_inside(encoder, weights):
    images = torch.rand(2, 3, 32, 32)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    whole = open_clip.create_model("tiny-for-tests", pretrained=str(weights)).eval()
    expected = whole.encode_image((images - mean) / deviation)
    assert torch.allclose(encoder.embed_images(images), expected, atol=1e-6)


def test_a_pt_file_gives_the_same_embeddings_as_safetensors(encoder, weights):
    other = load_encoder(f"tiny-for-tests:{weights.with_suffix('.pt')}", "cpu")
    assert torch.equal(other.embed_texts(["gold"]), encoder.embed_texts(["gold"]))


def test_the_quickgelu_name_changes_what_the_same_file_gives(encoder, weights):
    other = load_encoder(f"tiny-for-tests-quickgelu:{weights}", "cpu")
    images = torch.rand(1, 3, 32, 32)
    assert not torch.allclose(other.embed_images(images), encoder.embed_images(images), atol=1e-5)


def test_a_job_downloads_no_weights_and_names_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(open_clip, "download_pretrained", lambda *_, **__: pytest.fail("download"))
    with pytest.raises(EngineError, match=r"openai.*ViT-L-14") as caught:
        load_encoder("ViT-L-14:openai", "cpu")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE
    assert "local file" in caught.value.hint


@pytest.mark.parametrize("name", ["no-such-model", "ViT-B-32:no_tag", "ViT-B-32:C:\\none.pt"])
def test_names_that_mean_nothing_are_refused(name):
    with pytest.raises(EngineError) as caught:
        load_encoder(name, "cpu")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE


def test_weights_of_another_model_are_refused(weights):
    with pytest.raises(EngineError, match="could not be built") as caught:
        load_encoder(f"ViT-S-16-alt:{weights}", "cpu")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE
