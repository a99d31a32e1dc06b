"""The published engine may begin with the registration of the fast one."""

from dataclasses import replace

import numpy as np
import torch

from engine.checkpoint import Checkpoint
from engine.contract.settings import DecompositionSettings, NlaSettings
from engine.decomposition.train import decompose
from tests.decomposition.test_grid_train import Listener, drift
from tests.synthetic import moving_sprite

SHORT = NlaSettings(
    steps=1, points=500, width=48, atlas_size=64, pretrain_rounds=120, learning_rate=3e-3
)


def test_the_mapping_sticks_from_the_first_step_on(tmp_path):
    footage = moving_sprite(frames=6, width=64, height=48)
    found = {}
    for warm in (False, True):
        torch.set_num_threads(1)
        layers = decompose(
            footage.frames,
            footage.flow,
            footage.given_masks(),
            DecompositionSettings(engine="mlp", mlp=replace(SHORT, warm_start=warm)),
            device=torch.device("cpu"),
            seed=0,
            report=Listener(),
            checkpoint=Checkpoint(tmp_path / f"{warm}.pt"),
        )
        found[warm] = drift(footage, layers)
    assert np.isfinite(found[True]) and found[True] < 0.6 * found[False], found
