"""A training by several processes, started as torchrun does; saves what came of it.

``python -m tests.stylization.several_processes WEIGHTS FORM STEPS OUT``
"""

import sys
from dataclasses import replace
from pathlib import Path

import open_clip
import torch

from engine.checkpoint import Checkpoint
from engine.contract.events import EngineError
from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationSettings, StylizationWeights, ViewsSettings
from engine.decomposition.model import AtlasNetwork
from engine.stylization.encoder import load_encoder
from engine.stylization.helper import serve, together
from engine.stylization.processes import PROCESSES
from engine.stylization.terms import step_terms, weighted_sum
from engine.stylization.train import TrainingInputs, set_up, stylize

from .conftest import TINY, Listener, moving_disc

TEXTS = TargetTexts("a swan with zebra fur", "zebra fur", avoid="grass")


def inputs_of(encoder, form, steps):
    """What is trained: three views of a frame, which two processes cannot share evenly."""
    settings = StylizationSettings(
        encoder=encoder, steps=steps, atlas=form, learning_rate=0.01, frames_per_step=3,
        snapshot_every=1000, distillation_steps=2,
        weights=StylizationWeights(unevenness=1.0, sparsity=1.0, avoid=1.0),
        views=ViewsSettings(global_views=1, local_views=2, noise=0.02),
    )  # fmt: skip
    layers = moving_disc()
    if form == "network":
        torch.manual_seed(0)
        given = AtlasNetwork(width=16, depth=3, frequencies=3, skips=(1,)).state_dict()
        layers = replace(layers, atlas_network=given)
    frames = (layers.reconstruction() * 255).round().byte()
    return TrainingInputs(layers, frames, TEXTS, settings, 0, "cpu")


def gradients(inputs):
    """Return the gradients of one step, and its terms."""
    encoder = load_encoder(inputs.settings.encoder, "cpu")
    PROCESSES.begin(inputs)
    generator = torch.Generator().manual_seed(1)
    ready = set_up(inputs, encoder, generator=generator, report=Listener())
    atlas, settings = ready.atlas, inputs.settings
    sampler = atlas.sampler(ready.canvases, encoder.size, settings)
    with PROCESSES.step(atlas, generator):
        terms = step_terms(
            sampler, ready.canvases, encoder, ready.targets, settings,
            generator=generator, share=PROCESSES.share,
        )  # fmt: skip
        weighted_sum(terms, settings.weights).backward()
    found = {name: each.grad for name, each in atlas.named_parameters() if each.grad is not None}
    return found | {f"term {name}": term.detach() for name, term in terms.items()}


def train(inputs, folder):
    """Return the state of the atlas after all steps; a line says that they have begun."""
    listener = Listener()
    listener.progress = lambda step, total, terms=None: terms and print("steps", flush=True)
    atlas = stylize(
        inputs.layers, inputs.frames, inputs.texts, inputs.settings,
        encoder=load_encoder(inputs.settings.encoder, "cpu"), device="cpu", seed=inputs.seed,
        report=listener, checkpoint=Checkpoint(folder / "checkpoint.pt", seconds=1e9),
    )  # fmt: skip
    return atlas.state_dict()


def main(weights, form, steps, out):
    torch.set_num_threads(1)
    open_clip.add_model_config(Path(weights).with_name(f"{TINY}.json"))
    inputs = inputs_of(f"{TINY}:{weights}", form, int(steps))
    folder = Path(out)
    try:
        with together() as is_first:
            if not is_first:
                serve()
                return 0
            torch.save(gradients(inputs), folder / "gradients.pt")
            torch.save(train(inputs, folder), folder / "atlas.pt")
    except EngineError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
