"""Trains the embedded encoder: `python -m training --photos FOLDER`.

Stage one makes ImageNet's network robust and teaches it materials and colours, stage two a text
tower; then the files are written that the engine loads, and measured. Stopped, it goes on where it
was. Hours on a processor, minutes on a GPU.
"""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from engine.contract.words.concepts import load_vocabulary
from engine.memory import keep_freed_memory
from engine.stylization.encoder import load_encoder
from training import export
from training.blending import blended, refit_directions
from training.captions import Captions
from training.directions import Directions
from training.measure import measure
from training.photographs import load_photographs
from training.robust import RobustSettings, RobustTraining, Student, train_robust
from training.surfaces import make_surfaces
from training.text import TextSettings, train_text

log = logging.getLogger(__name__)


def robust_student(options: argparse.Namespace, settings: RobustSettings) -> Student:
    """Run stage one, or go on with it; with ``--provisional`` take it as far as it is.

    Returns what lies between it and the base network, with directions of its own.
    """
    photographs = load_photographs(options.photos)
    surfaces = make_surfaces(photographs, seed=1, count=options.tiles, folder=options.build)
    training, checkpoint = RobustTraining(settings, options.device), options.build / "robust.pt"
    if checkpoint.exists():
        training.resume(checkpoint)
    else:
        training.begin(photographs, surfaces)
    if options.provisional:
        learned = training.average.cpu().eval()
    else:
        learned = train_robust(training, photographs, surfaces, checkpoint)
    student = blended(learned, settings.share)
    refit_directions(student, photographs, surfaces, settings)
    return student


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="the folder of photographs")
    parser.add_argument("--build", type=Path, default=Path("build/encoder"), help="checkpoints")
    parser.add_argument("--out", type=Path, default=export.FOLDER, help="where the encoder goes")
    parser.add_argument("--steps", type=int, default=RobustSettings.steps, help="of stage one")
    parser.add_argument("--text-steps", type=int, default=TextSettings.steps, help="of stage two")
    parser.add_argument("--tiles", type=int, default=100, help="painted tiles of each material")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--provisional", action="store_true", help="stage one as far as it is")
    parser.add_argument("--measure", action="store_true", help="only measure what is in --out")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    keep_freed_memory()
    cv2.setNumThreads(1)
    if options.threads:
        torch.set_num_threads(options.threads)
    vocabulary = load_vocabulary()
    if not options.measure:
        settings = replace(RobustSettings(), steps=options.steps)
        student = robust_student(options, settings)
        text = replace(TextSettings(), steps=options.text_steps)
        directions = Directions(student, vocabulary)
        axes = directions.axes(text.width)
        model, tokenizer = export.begin(student, axes, vocabulary, text, options.out)
        train_text(model, tokenizer, Captions(vocabulary, directions, text.seed), axes, text)
        checksum = export.write(model, options.out, export.settings_of(settings, text))
        log.info("written to %s, sha256 %s", options.out, checksum)
    scores = measure(load_encoder(str(options.out), "cpu"), vocabulary, options.photos)
    print(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()
