import open_clip
import pytest
import torch

from engine.stylization.precision import agreement, in_chunks
from engine.stylization.vision import LeanConvolutions, LeanTransformer, convert, lean

MEAN = torch.tensor([0.48, 0.45, 0.40]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.26, 0.25, 0.27]).reshape(3, 1, 1)
SIZES = {"image_size": 32, "width": 48, "layers": 3, "head_width": 16, "patch_size": 8}
TEXT = {"context_length": 8, "vocab_size": 100, "width": 16, "heads": 2, "layers": 1}


def visual(**vision):
    quick = vision.pop("quick", False)
    config = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": TEXT}
    torch.manual_seed(0)
    tower = open_clip.CLIP(**config, quick_gelu=quick).visual.eval()
    for name, tensor in (*tower.named_parameters(), *tower.named_buffers()):
        if tensor.is_floating_point():
            spread = 0.03 * torch.randn_like(tensor)
            tensor.data.add_(spread.abs() if name.endswith("var") else spread)
    return tower.requires_grad_(False)


TOWERS = {
    "gelu": SIZES,
    "quick": SIZES | {"quick": True},
    "resnet": {"image_size": 64, "width": 16, "layers": [1, 1, 1, 1], "patch_size": None},
    "efficientnet": {
        "image_size": 64, "timm_model_name": "tf_efficientnet_lite0",
        "timm_model_pretrained": False, "timm_pool": "avg", "timm_proj": "linear",
    },
}  # fmt: skip


def compared(tower, images):
    seen = images.clone().requires_grad_()
    embeddings = tower(seen)
    embeddings.square().sum().backward()
    return embeddings.detach(), seen.grad


@pytest.mark.parametrize("kind", TOWERS)
def test_the_lean_tower_gives_the_same_embeddings_and_slopes(kind):
    whole = visual(**TOWERS[kind])
    slim = lean(whole, MEAN, DEVIATION)
    images = torch.rand(3, 3, *[TOWERS[kind]["image_size"]] * 2)
    if kind == "efficientnet":  # an activation that is 0 but for rounding has any of two slopes
        whole, slim, images = whole.double(), slim.double(), images.double()
    expected = compared(lambda seen: whole((seen - MEAN) / DEVIATION), images)
    found = compared(slim, images)
    for one, other in zip(expected, found, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(one.abs().max()))


def test_towers_are_told_apart():
    assert isinstance(lean(visual(**TOWERS["quick"]), MEAN, DEVIATION), LeanTransformer)
    for name in ("resnet", "efficientnet"):
        assert isinstance(lean(visual(**TOWERS[name]), MEAN, DEVIATION), LeanConvolutions)


@pytest.mark.parametrize("option", [{"pool_type": "avg"}, {"ls_init_value": 0.1}])
def test_a_tower_of_another_build_is_left_as_it_is(option):
    assert lean(visual(**SIZES, **option), MEAN, DEVIATION) is None


def test_portions_give_the_same_embeddings_and_slopes():
    tower = lean(visual(**SIZES), MEAN, DEVIATION)
    images = torch.rand(7, 3, 32, 32)
    expected = compared(tower, images)
    found = compared(lambda seen: in_chunks(tower, seen, 3), images)
    for one, other in zip(expected, found, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-6 * float(one.abs().max()))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_a_tower_in_half_precision_has_slopes_that_agree(kind):
    tower = lean(visual(**SIZES), MEAN, DEVIATION)
    assert agreement(tower, convert(tower, kind), 32, "cpu") > 0.99


def test_a_tower_with_other_weights_has_slopes_that_do_not_agree():
    tower = lean(visual(**SIZES), MEAN, DEVIATION)
    other = convert(tower, torch.float32)
    for block in other.blocks:
        block.mix.normal_()
    assert agreement(tower, other, 32, "cpu") < 0.9
