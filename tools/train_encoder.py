"""Trains the embedded encoder from nothing: `python -m tools.train_encoder`.

Painted pictures, a robust image tower, a text tower that follows it, and the files that the
engine loads. Stopped, it goes on where it was. With `--again` the image tower that is there learns
what was added to the bank since: a fifth of the time. With `--mean` the image tower is the mean of
those of several turns: each forgets some of what the others know, their mean does not (Wortsman
et al., Model soups, 2022).
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import nn

from tools.bank import Bank, load_bank
from tools.export import FOLDER, empty_clip, export, load
from tools.image_stage import (
    ImageSettings,
    ImageTraining,
    Sorter,
    anchored,
    lessons_again,
    train_images,
)
from tools.lookalikes import load_lookalikes
from tools.scenes import Recipe
from tools.text_stage import TextSettings, image_features, train_texts

BUILD = Path("build/encoder")
RECIPE_AGAIN = Recipe(negative=0.3)  # for a tower that learns what it did not know to be wrong
LOOKALIKES = 1000  # looks of the search, right and wrong, that it likes
log = logging.getLogger(__name__)


def finish(model: Sorter, bank: Bank, settings: ImageSettings, folder: Path) -> None:
    """Stage two on a given image tower, and the files."""
    texts = TextSettings()
    features, labels = image_features(model, bank, Recipe(), texts, settings.side)
    clip, tokenizer = empty_clip(settings, folder, model)
    train_texts(clip, tokenizer, model, features, labels, texts)
    log.info("written to %s, sha256 %s", folder, export(clip, folder))


def mean_tower(folders: Sequence[Path]) -> nn.Module:
    """The mean of the image towers of the encoders in these folders; one named twice counts so."""
    towers: list[Any] = [load(folder)[0].visual for folder in folders]
    parts = [tower.state_dict() for tower in towers]
    mean = {
        name: torch.stack([each[name].float() for each in parts]).mean(0).to(first.dtype)
        for name, first in parts[0].items()
    }
    towers[0].load_state_dict(mean)
    return towers[0]


def trained(arguments: argparse.Namespace, settings: ImageSettings, bank: Bank) -> Sorter:
    """Stage one, from nothing or ``--again`` from the tower that the engine has."""
    recipe, checkpoint = Recipe(), BUILD / "image-stage.pt"
    if arguments.again:
        recipe, checkpoint = RECIPE_AGAIN, BUILD / "image-stage-again.pt"
    training = ImageTraining(settings, arguments.device)
    if checkpoint.exists():
        training.resume(checkpoint)
    elif arguments.again:
        tower: Any = load()[0].visual
        training.begin(anchored(tower, bank, recipe, settings))
    if not arguments.provisional:
        train_images(training, bank, recipe, checkpoint)
    return training.average.cpu()


def averaged(arguments: argparse.Namespace, settings: ImageSettings, bank: Bank) -> Sorter:
    """The mean of the towers that ``--mean`` names; the texts that follow it have the seed."""
    torch.manual_seed(arguments.seed)
    return anchored(mean_tower(arguments.mean), bank, RECIPE_AGAIN, settings)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--tiles", type=int, default=140, help="painted tiles per material")
    parser.add_argument("--batch", type=int, default=ImageSettings.batch)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--again", action="store_true", help="go on from the encoder that the engine has"
    )
    parser.add_argument(
        "--mean", type=Path, nargs="+", metavar="FOLDER",
        help="of the encoders in these folders, and a new text tower; trains no image tower",
    )  # fmt: skip
    parser.add_argument(
        "--provisional", action="store_true", help="finish from the last checkpoint"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = lessons_again() if arguments.again or arguments.mean else ImageSettings()
    steps = arguments.steps or settings.steps
    settings = replace(settings, steps=steps, batch=arguments.batch, seed=arguments.seed)
    bank = load_bank(arguments.seed, arguments.tiles, BUILD)
    if arguments.again and not arguments.mean:
        bank = load_lookalikes(FOLDER, bank, LOOKALIKES, arguments.seed, BUILD).among(bank)
    model = (averaged if arguments.mean else trained)(arguments, settings, bank)
    finish(model.eval(), bank, settings, arguments.folder)


if __name__ == "__main__":
    main()
