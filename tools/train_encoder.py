"""Trains the embedded encoder from nothing: `python -m tools.train_encoder`.

Painted pictures, a robust image tower, a text tower that follows it, and the files that the
engine loads. Stopped, it goes on where it was.
"""

import argparse
import logging
from pathlib import Path

import cv2
import torch

from tools.bank import Bank, load_bank
from tools.export import FOLDER, empty_clip, export
from tools.image_stage import ImageSettings, ImageTraining, Sorter, train_images
from tools.scenes import Recipe
from tools.text_stage import TextSettings, image_features, train_texts

BUILD = Path("build/encoder")
log = logging.getLogger(__name__)


def finish(model: Sorter, bank: Bank, settings: ImageSettings, folder: Path) -> None:
    """Stage two on a given image tower, and the files."""
    texts = TextSettings()
    features, labels = image_features(model, bank, Recipe(), texts, settings.side)
    clip, tokenizer = empty_clip(settings, folder, model)
    train_texts(clip, tokenizer, model, features, labels, texts)
    log.info("written to %s, sha256 %s", folder, export(clip, folder))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=ImageSettings.steps)
    parser.add_argument("--tiles", type=int, default=140, help="painted tiles per material")
    parser.add_argument("--batch", type=int, default=ImageSettings.batch)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--provisional", action="store_true", help="finish from the last checkpoint"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = ImageSettings(steps=arguments.steps, batch=arguments.batch, seed=arguments.seed)
    bank = load_bank(arguments.seed, arguments.tiles, BUILD)
    training = ImageTraining(settings, arguments.device)
    checkpoint = BUILD / "image-stage.pt"
    if checkpoint.exists():
        training.resume(checkpoint)
    if not arguments.provisional:
        train_images(training, bank, Recipe(), checkpoint)
    finish(training.average.cpu().eval(), bank, settings, arguments.folder)


if __name__ == "__main__":
    main()
