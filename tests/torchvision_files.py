"""Weights files as torchvision publishes them: state dicts of the real networks, by torch.save.

They are random but for some biases, by which the detector sees one dog in the middle half.
"""

import hashlib
import math

import torch
from torchvision.models import get_model

DOG = 18


def raft_state():
    torch.manual_seed(0)
    return get_model("raft_large", weights=None).state_dict()


def detector_state():
    torch.manual_seed(0)
    network = get_model("maskrcnn_resnet50_fpn_v2", weights=None, weights_backbone=None)
    state = network.state_dict()
    state["rpn.head.bbox_pred.bias"].view(3, 4)[:, 2:] = 4.0  # each anchor becomes the whole frame
    state["roi_heads.box_predictor.bbox_pred.weight"].zero_()
    deltas = state["roi_heads.box_predictor.bbox_pred.bias"].view(91, 4)
    deltas[DOG, 2:] = 5 * math.log(0.5)  # and half as wide and high
    state["roi_heads.box_predictor.cls_score.bias"][DOG] = 20.0
    state["roi_heads.mask_predictor.mask_fcn_logits.bias"][:] = 5.0
    return state


def published(state, folder, stem):
    """Save ``state`` in ``folder`` with the first digits of its hash in its name; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    unnamed = folder / f"{stem}.part"
    torch.save(state, unnamed)
    digest = hashlib.sha256(unnamed.read_bytes()).hexdigest()
    return unnamed.rename(folder / f"{stem}-{digest[:8]}.pth")
