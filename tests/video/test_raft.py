"""RAFT gives flow in pixels for any size of frame, from weights at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.contract.settings import FlowSettings
from engine.video.flow import estimate_flow
from engine.video.raft import Raft

torchvision = pytest.importorskip("torchvision")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return torchvision.models.get_model("raft_small", weights=None).eval()


@pytest.fixture(params=["pth", "safetensors"])
def weights(request, network, tmp_path):
    path = tmp_path / f"random.{request.param}"
    if request.param == "pth":
        torch.save(network.state_dict(), path)
    else:
        from safetensors.torch import save_file

        save_file({name: value.clone() for name, value in network.state_dict().items()}, path)
    return path


@pytest.fixture
def pair():
    return np.random.default_rng(0).integers(0, 256, (2, 128, 136, 3)).astype(np.uint8)


def test_the_flow_is_what_the_network_itself_says(network, weights, pair):
    flow = Raft(f"raft_small:{weights}").between(*pair)
    pictures = torch.from_numpy(pair).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        flows = network(pictures[:1], pictures[1:], num_flow_updates=20)
        expected = flows[-1][0].permute(1, 2, 0).numpy()
    assert flow.shape == (128, 136, 2)
    assert np.abs(flow - expected).max() < 1e-4


@pytest.mark.parametrize(("height", "width"), [(5, 7), (60, 131)])
def test_frames_of_any_size_have_raft_flow(network, tmp_path, listener, height, width):
    torch.save(network.state_dict(), tmp_path / "random.pth")
    settings = FlowSettings("raft", f"raft_small:{tmp_path / 'random.pth'}")
    flow = estimate_flow(np.zeros((2, height, width, 3), np.uint8), settings, listener)
    assert flow.forward.shape == flow.backward.shape == (1, height, width, 2)
    assert flow.forward.dtype == np.float32 and np.isfinite(flow.forward).all()


def test_weights_that_are_not_on_this_computer_are_not_fetched(
    listener, pair, monkeypatch, tmp_path
):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    with pytest.raises(EngineError) as caught:
        estimate_flow(pair, FlowSettings("raft"), listener)
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE
    assert "not on this computer" in caught.value.message
