"""CLIP's image tower without what a frozen tower does not need.

`lean` takes open_clip's towers apart and puts the same mathematics together anew: a vision
transformer with fused attention, folded constants and a last layer that computes one token only;
a ResNet with folded normalisations. It knows the shape of the modules, not open_clip.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

QUICK = 1.702  # QuickGELU(x) = x sigmoid(1.702 x) = silu(1.702 x) / 1.702
HALF_SCALE = 1024.0  # keeps small gradients within the range of half precision
HALVED = 32  # by how much an EfficientNet's last features are smaller than its pictures
LAYERS = (2, 4)  # the last blocks of its features of strides 8 and 16


class LeanTransformer(nn.Module):
    """A frozen vision transformer: pictures [V, 3, S, S] in [0, 1] to embeddings [V, E].

    Mean and deviation of the pictures are folded into the patches' weights, each normalisation's
    gain and offset into the linear layer behind it.
    """

    def __init__(self, visual: Any, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.patches: Tensor
        self.places: Tensor
        self.before_gain: Tensor
        self.before_offset: Tensor
        self.last: Tensor
        self.last_offset: Tensor
        self.patch: int = visual.conv1.kernel_size[0]
        self.heads: int = visual.transformer.resblocks[0].attn.num_heads
        self.scaled = False
        self.quick = type(visual.transformer.resblocks[0].mlp.gelu).__name__ == "QuickGELU"
        weight = visual.conv1.weight.detach().float() / deviation.reshape(1, 3, 1, 1)
        offset = -(weight * mean.reshape(1, 3, 1, 1)).sum((1, 2, 3))
        places = visual.positional_embedding.detach().float().clone()
        places[1:] += offset
        places[0] += visual.class_embedding.detach().float()
        self._keep("patches", weight.flatten(1))
        self._keep("places", places)
        self.before = visual.ln_pre if isinstance(visual.ln_pre, nn.LayerNorm) else None
        if self.before is not None:
            self._keep("before_gain", self.before.weight)
            self._keep("before_offset", self.before.bias)
        self.epsilon: float = visual.ln_post.eps
        self.blocks = nn.ModuleList(
            _LeanBlock(block, self.quick) for block in visual.transformer.resblocks
        )
        projection = visual.proj.detach().float()
        self._keep("last", (visual.ln_post.weight.float()[:, None] * projection).T)
        self._keep("last_offset", visual.ln_post.bias.float() @ projection)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings of ``images`` in single precision."""
        kind = self.patches.dtype
        if self.scaled:
            images = _Scaled.apply(images, 1 / HALF_SCALE)
        views, _, height, width = images.shape
        rows, columns = height // self.patch, width // self.patch
        cut = images.to(kind).reshape(views, 3, rows, self.patch, columns, self.patch)
        tokens = cut.permute(0, 2, 4, 1, 3, 5).reshape(views, rows * columns, -1)
        tokens = functional.pad(tokens @ self.patches.T, (0, 0, 1, 0)) + self.places
        if self.before is not None:
            tokens = functional.layer_norm(
                tokens, tokens.shape[-1:], self.before_gain, self.before_offset, self.epsilon
            )
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, self.heads, only_first=number == len(self.blocks))
        first = functional.layer_norm(tokens[:, 0], tokens.shape[-1:], eps=self.epsilon)
        embeddings = functional.linear(first, self.last, self.last_offset).float()
        return _Scaled.apply(embeddings, HALF_SCALE) if self.scaled else embeddings

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value.detach().float().clone())


class _LeanBlock(nn.Module):
    """One residual block of a `LeanTransformer`."""

    def __init__(self, block: Any, quick: bool) -> None:
        super().__init__()
        self.mix: Tensor
        self.mix_bias: Tensor
        self.out: Tensor
        self.out_bias: Tensor
        self.up: Tensor
        self.up_bias: Tensor
        self.down: Tensor
        self.down_bias: Tensor
        self.quick = quick
        self.epsilon: float = block.ln_1.eps
        attention, mlp = block.attn, block.mlp
        inner = QUICK if quick else 1.0
        parameters = {
            "mix": _fold_norm(block.ln_1, attention.in_proj_weight, attention.in_proj_bias),
            "out": (attention.out_proj.weight, attention.out_proj.bias),
            "up": _fold_norm(block.ln_2, mlp.c_fc.weight, mlp.c_fc.bias, inner),
            "down": (mlp.c_proj.weight / inner, mlp.c_proj.bias),
        }
        for name, (weight, bias) in parameters.items():
            self.register_buffer(name, weight.detach().float().clone())
            self.register_buffer(name + "_bias", bias.detach().float().clone())

    def forward(self, tokens: Tensor, heads: int, *, only_first: bool) -> Tensor:
        """Return the tokens [V, N, C] behind this block; with ``only_first`` just the first."""
        views, count, width = tokens.shape
        plain = functional.layer_norm(tokens, (width,), eps=self.epsilon)
        mixed = functional.linear(plain, self.mix, self.mix_bias)
        # Split, not permuted: on the way back three parts are joined row by row, in one copy.
        query, key, value = (
            each.reshape(views, count, heads, -1).transpose(1, 2)
            for each in mixed.split(width, dim=2)
        )
        if only_first:
            query, tokens = query[:, :, :1], tokens[:, :1]
        seen = functional.scaled_dot_product_attention(query, key, value)
        seen = seen.transpose(1, 2).reshape(views, -1, width)
        tokens = tokens + functional.linear(seen, self.out, self.out_bias)
        plain = functional.layer_norm(tokens, (width,), eps=self.epsilon)
        inner = functional.linear(plain, self.up, self.up_bias)
        inner = functional.silu(inner) if self.quick else functional.gelu(inner)
        return tokens + functional.linear(inner, self.down, self.down_bias)


class LeanConvolutions(nn.Module):
    """A frozen convolutional tower: pictures [V, 3, S, S] in [0, 1] to embeddings [V, E].

    Normalisations are folded into their convolutions; channels lie last, as processors like it.
    An EfficientNet is ``mirrored`` where it can be: it takes .83 of the time on a processor.
    """

    def __init__(self, visual: Any, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", mean.clone())
        self.register_buffer("deviation", deviation.clone())
        self.tower: Any = copy.deepcopy(visual).eval().requires_grad_(False)
        fold_normalisations(self.tower)
        self.mirrored = _is_convolutional(visual) and not max(visual.image_size) % HALVED
        if self.mirrored:
            _mirror(self.tower)
        self.tower = self.tower.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings of ``images``."""
        return self.tower(self._prepare(images).contiguous(memory_format=torch.channels_last))

    def places(self, images: Tensor) -> Tensor:
        """Return what each place of ``images`` [V, 3, H, W] would embed to alone, [V, E, h, w].

        Of an EfficientNet, whose embedding is the mean of these; sides are multiples of 32.
        """
        features = self.tower.trunk.forward_features(self._prepare(images))
        features = features.flip(2, 3) if self.mirrored else features
        return self.tower.head(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def layers(self, images: Tensor) -> list[Tensor]:
        """Return the features of ``images`` after the last blocks of strides 8 and 16."""
        trunk = self.tower.trunk
        found = trunk.bn1(trunk.conv_stem(self._prepare(images)))
        features = []
        for number, block in enumerate(trunk.blocks[: max(LAYERS) + 1]):
            found = block(found)
            if number in LAYERS:
                features.append(found.flip(2, 3) if self.mirrored else found)
        return features

    def _prepare(self, images: Tensor) -> Tensor:
        """Return ``images`` as the tower reads them."""
        plain = (images - self.mean) / self.deviation
        return plain.flip(2, 3) if self.mirrored else plain


def lean(visual: Any, mean: Tensor, deviation: Tensor) -> nn.Module | None:
    """Return the lean form of one of open_clip's image towers, None for one of another build."""
    name = type(visual).__name__
    with torch.no_grad():
        if name == "ModifiedResNet" or _is_convolutional(visual):
            return LeanConvolutions(visual, mean, deviation)
        if name == "VisionTransformer" and _is_plain(visual):
            return LeanTransformer(visual, mean, deviation)
    return None


def convert(tower: nn.Module, kind: torch.dtype) -> nn.Module:
    """Return a copy of a `LeanTransformer` that computes in ``kind``."""
    converted = copy.deepcopy(tower).to(kind)
    if isinstance(converted, LeanTransformer):
        converted.scaled = kind == torch.float16
    return converted


def _is_plain(visual: Any) -> bool:
    """Is this the transformer of the CLIP papers, with none of open_clip's options?"""
    blocks = list(visual.transformer.resblocks)
    norms = [visual.ln_post, *(norm for block in blocks for norm in (block.ln_1, block.ln_2))]
    return (
        visual.attn_pool is None
        and visual.pool_type == "tok"
        and not visual.final_ln_after_pool
        and not visual.output_tokens
        and visual.proj is not None
        and isinstance(visual.patch_dropout, nn.Identity)
        and visual.conv1.bias is None
        and visual.conv1.kernel_size[0] == visual.conv1.kernel_size[1]
        and all(type(block).__name__ == "ResidualAttentionBlock" for block in blocks)
        and all(isinstance(each, nn.Identity) for b in blocks for each in (b.ls_1, b.ls_2))
        and all(type(block.mlp.gelu).__name__ in ("QuickGELU", "GELU") for block in blocks)
        and all(block.attn.in_proj_weight is not None for block in blocks)
        and len({norm.eps for norm in norms}) == 1
    )


def _fold_norm(
    norm: Any, weight: Tensor, bias: Tensor, factor: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Take the gain and offset of ``norm`` into the linear layer behind it, times ``factor``."""
    weight, bias = weight.float(), bias.float()
    return factor * weight * norm.weight.float(), factor * (bias + weight @ norm.bias.float())


def _is_convolutional(visual: Any) -> bool:
    """Is this one of timm's EfficientNets, without anything between a convolution and its norm?"""
    return type(getattr(visual, "trunk", None)).__name__ == "EfficientNet"


def fold_normalisations(module: nn.Module) -> None:
    """Fold each batch normalisation of ``module`` into the convolution before it, in place."""
    names = list(module._modules)
    for first, second in pairwise(names):
        convolution, norm = getattr(module, first), getattr(module, second)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, first, fuse_conv_bn_eval(convolution, norm))
            setattr(module, second, getattr(norm, "act", nn.Identity()))  # timm's norms act, too
    for child in module.children():
        fold_normalisations(child)


class _Pointwise(nn.Module):
    """A convolution of single pixels as a product of matrices, which PyTorch computes faster."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight, bias = convolution.weight.flatten(1), convolution.bias
        self.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the convolution of ``pixels`` [V, C, H, W], whose channels lie last."""
        mixed = functional.linear(pixels.permute(0, 2, 3, 1), self.weight, self.bias)
        return mixed.permute(0, 3, 1, 2)


def _mirror(module: nn.Module) -> None:
    """Let timm's folded EfficientNet ``module`` read pictures that are flipped along both axes.

    TensorFlow's EfficientNets pad even sides behind the picture alone, which PyTorch does by
    copying it. Of the flipped picture it is before it, as PyTorch's convolutions pad by themselves;
    what they pad behind it as well is never reached. The means at the end are the same. Activations
    in place are copied, too, since the way back needs what they replace.
    """
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d) and child.kernel_size == child.stride == (1, 1):
            setattr(module, name, _Pointwise(child))
        elif isinstance(child, nn.Conv2d):
            setattr(module, name, _flip(child))
        elif isinstance(child, nn.ReLU6):
            setattr(module, name, nn.ReLU6())
        else:
            _mirror(child)


def _flip(convolution: nn.Conv2d) -> nn.Conv2d:
    """Return ``convolution`` with its kernels [O, C, K, K] flipped, padded by K // 2 all around."""
    side = convolution.kernel_size[0]
    flipped = nn.Conv2d(
        convolution.in_channels, convolution.out_channels, side, convolution.stride[0], side // 2,
        groups=convolution.groups, bias=convolution.bias is not None,
    )  # fmt: skip
    state = {name: each.flip(2, 3) if each.ndim == 4 else each
             for name, each in convolution.state_dict().items()}  # fmt: skip
    flipped.load_state_dict(state)
    return flipped.requires_grad_(False)


class _Scaled(torch.autograd.Function):
    """The identity; on the way back gradients are multiplied."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None
