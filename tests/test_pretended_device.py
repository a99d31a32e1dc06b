"""Jobs on a device that is only pretended: whatever mixes its tensors with the CPU's is found.

The pretence is tested first: one that lets everything through would find nothing.
"""

import copy
import json

import numpy as np
import pytest
import torch

from engine import device as devices
from engine import pipeline
from engine.contract.codec import set_from_text
from engine.contract.folder import JobFolder
from engine.contract.job import MaskKind, ObjectMask, TargetTexts, single
from engine.contract.settings import preset
from engine.reporter import Reporter
from engine.stylization.encoder import Encoder
from engine.video.frames import footage_from_path
from engine.workspace import Cache

from .pretended import DEVICE, Elsewhere, Mixed, pretending
from .synthetic import moving_sprite

QUICK = (
    "frames.longest_side=96", "decomposition.grid.steps=2", "decomposition.grid.atlas_size=64",
    "stylization.steps=2", "stylization.views.local_views=2", "stylization.snapshot_every=1",
)  # fmt: skip


@pytest.fixture
def pretence(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # other threads do not see the pretence
    with pretending():
        yield


@pytest.fixture
def there(pretence):
    """A tensor on the device, [2, 3]."""
    return torch.arange(6.0).reshape(2, 3).to(DEVICE)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """A folder with frames and a folder with masks, 122 x 70, 4 frames."""
    return moving_sprite(frames=4, width=122, height=70).write(tmp_path_factory.mktemp("footage"))


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there + here,
        lambda there, here: here * there,
        lambda there, here: here @ there.T,
        lambda there, here: torch.cat([there, here]),
        lambda there, here: torch.stack([there.sum(), here.sum()]),
        lambda there, here: here + there.sum(),
        lambda there, here: here.index_select(0, torch.tensor([0], device=DEVICE)),
        lambda there, here: here[torch.tensor([0, 1], device=DEVICE)],
        lambda there, here: there.__setitem__(torch.tensor([0, 1]), here),
        lambda there, here: torch.nn.Linear(3, 2).to(DEVICE)(here),
        lambda there, here: torch.rand(3, device=DEVICE, generator=torch.Generator()),
        lambda there, here: there.normal_(generator=torch.Generator()),
    ],
)
def test_mixing_raises(there, mix):
    with pytest.raises(Mixed):
        mix(there, torch.ones(2, 3))


@pytest.mark.parametrize("read", [np.asarray, lambda x: x.numpy(), lambda x: x[0].detach().numpy()])
def test_what_is_on_the_device_is_no_numpy(there, read):
    with pytest.raises(TypeError):
        read(there)


def test_what_came_from_the_device_is_numpy(there):
    assert np.array_equal(there.cpu().numpy(), [[0, 1, 2], [3, 4, 5]])
    assert np.array_equal((2 * there).to("cpu").numpy(), [[0, 2, 4], [6, 8, 10]])
    assert there.tolist() == [[0, 1, 2], [3, 4, 5]] and float(there.sum()) == 15


def test_a_single_number_of_the_cpu_may_mix(there):
    three = torch.tensor(3.0)
    for result in (there * three, three - there, there.masked_fill(there > 2, three)):
        assert isinstance(result, Elsewhere) and result.device == DEVICE
    assert (there * three).tolist() == [[0, 3, 6], [9, 12, 15]]


def test_indices_of_the_cpu_are_let_through(there):
    assert there[torch.tensor([1, 0])].tolist() == [[3, 4, 5], [0, 1, 2]]
    there[torch.tensor([True, False])] = torch.zeros(1, 3, device=DEVICE)
    assert there.tolist() == [[0, 0, 0], [3, 4, 5]]


def test_tensors_are_made_where_they_are_wanted(there):
    made = (
        torch.zeros(2, device=DEVICE), torch.tensor([1], device=DEVICE), torch.ones_like(there),
        there.new_zeros(2), torch.arange(3).to(there), torch.arange(3, device=there.device),
    )  # fmt: skip
    assert all(each.device == DEVICE for each in made)
    plain = (torch.zeros(2), torch.tensor([1]), there.to(torch.device("cpu")), there.cpu())
    assert not any(isinstance(each, Elsewhere) for each in plain)


def test_gradients_stay_on_the_device(there):
    leaf = there.clone().requires_grad_()
    (leaf.sigmoid() * 2).sum().backward()
    assert isinstance(leaf.grad, Elsewhere)
    network = copy.deepcopy(torch.nn.Linear(3, 2).to(DEVICE))
    network(there).square().sum().backward()
    before = network.weight.tolist()
    torch.optim.Adam(network.parameters()).step()
    assert isinstance(network.weight.grad, Elsewhere)
    assert network.weight.tolist() != before


def test_gradients_cross_with_their_tensors(there):
    leaf = torch.ones(2, 3, requires_grad=True)
    (leaf.to(DEVICE) * there).sum().backward()
    assert not isinstance(leaf.grad, Elsewhere)
    assert torch.equal(leaf.grad, there.cpu())


def test_everything_is_put_back():
    patched = ((torch, "tensor"), (torch.Tensor, "to"), (devices, "choose"),
               (devices, "describe"), (Encoder, "_autocast"))  # fmt: skip
    before = [getattr(*each) for each in patched]
    with pytest.raises(Mixed), pretending():
        _ = torch.ones(2) + torch.ones(2, device=DEVICE)
    assert [getattr(*each) for each in patched] == before
    assert "to" not in vars(torch.Tensor)
    assert not torch.__future__.get_swap_module_params_on_conversion()
    assert torch.ones(2, device=DEVICE).is_meta


@pytest.mark.parametrize(
    "more", [(), ("stylization.atlas=network", "stylization.distillation_steps=3")]
)
def test_a_whole_job_mixes_nothing(footage, pretence, tmp_path, more):
    settings = preset("draft")
    for assignment in (*QUICK, *more):
        settings = set_from_text(settings, assignment)
    masks = ObjectMask(MaskKind.FILES, str(footage / "masks"))
    texts = TargetTexts("Bird with zebra fur", "zebra fur")
    spec = single(footage_from_path(footage / "frames"), texts, masks, settings)
    pipeline.run(spec, Cache(tmp_path / "cache"), Reporter(JobFolder(tmp_path)))
    assert len(list((tmp_path / "result").glob("*.png"))) == 4
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["device"]["kind"] == "meta"
    assert 0 < report["metrics"]["psnr"] < 100
