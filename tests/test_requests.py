"""The command line's options become a request: one mask, and settings that go together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main, parser
from engine.contract.events import EngineError, Fault
from engine.contract.job import MaskKind, Pin, Stroke
from engine.requests import from_options
from engine.video.frames import write_png


@pytest.fixture
def request_of(tmp_path):
    for number in range(2):
        write_png(tmp_path / f"{number}.png", np.zeros((8, 8, 3), np.uint8))

    def request_of(*options):
        arguments = ["stylize", str(tmp_path), "--global-text", "Gold", "--out", "out", *options]
        return from_options(parser().parse_args(arguments))

    return request_of


@pytest.fixture
def mask_of(request_of):
    return lambda *options: request_of(*options).objects[0].mask


def test_the_embedded_encoder_comes_with_what_suits_it_and_settings_count_more(request_of):
    suited = request_of("--encoder", "embedded").settings.stylization
    assert (suited.encoder, suited.atlas) == ("embedded", "texture")
    named = request_of("--encoder", "embedded", "--set", "stylization.atlas=network").settings
    assert named.stylization.atlas == "network"
    paper = request_of("--preset", "paper", "--encoder", "embedded").settings.stylization
    assert (paper.encoder, paper.atlas) == ("embedded", "network")


def test_strokes_alone_find_the_object(mask_of):
    mask = mask_of("--stroke", "0:1,2,3,4:2.5", "--stroke", "1:5,5:1", "--not-stroke", "0:7,7:1")
    assert mask.kind is MaskKind.STROKES
    assert mask.strokes == (
        Stroke(0, (1.0, 2.0, 3.0, 4.0), 2.5),
        Stroke(1, (5.0, 5.0), 1.0),
        Stroke(0, (7.0, 7.0), 1.0, is_object=False),
    )


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("--auto",), MaskKind.AUTOMATIC),
        (("--box", "0,1,1,5,5"), MaskKind.BOX),
        (("--detect", "dog"), MaskKind.DETECTOR),
        (("--masks", "masks"), MaskKind.FILES),
    ],
)
def test_strokes_correct_what_another_option_finds(mask_of, options, kind):
    mask = mask_of(*options, "--stroke", "0:1,2:2")
    assert mask.kind is kind and len(mask.strokes) == 1


@pytest.mark.parametrize(
    ("text", "path", "label"),
    [
        ("masks:2", "masks", 2),
        ("masks", "masks", 0),
        ("C:/masks:12", "C:/masks", 12),
        (":2", ":2", 0),
    ],
)
def test_a_number_behind_the_masks_is_an_objects(mask_of, text, path, label):
    mask = mask_of("--masks", text)
    assert (mask.path, mask.label) == (str(Path(path).absolute()), label)


def test_a_folder_whose_name_ends_in_a_number_is_itself(mask_of, tmp_path):
    (tmp_path / "masks:2").mkdir()
    mask = mask_of("--masks", str(tmp_path / "masks:2"))
    assert (mask.path, mask.label) == (str(tmp_path / "masks:2"), 0)


def test_inverted_masks_are_asked_for_with_masks_only(mask_of):
    assert mask_of("--masks", "masks", "--invert-masks").inverted
    with pytest.raises(EngineError, match="--masks, which is missing"):
        mask_of("--invert-masks")


def test_a_stroke_beside_the_object_corrects_what_moves(mask_of):
    mask = mask_of("--not-stroke", "0:1,2:2")
    assert mask.kind is MaskKind.AUTOMATIC and not mask.strokes[0].is_object


def test_a_detector_is_asked_for_the_class(mask_of):
    assert mask_of("--detect", "dog").class_name == "dog"


@pytest.mark.parametrize(("words", "name"), [((), ""), (("dog",), "dog")])
def test_an_object_is_found_by_a_name_or_by_that_in_its_text(mask_of, words, name):
    mask = mask_of("--object-name", *words)
    assert (mask.kind, mask.class_name) == (MaskKind.NAME, name)


@pytest.mark.parametrize(
    "text", ["0:1,2", "0:1,2,3:4", "x:1,2:3", "0::3", "0:1,2:three", "-1:1,2:3"]
)
def test_a_stroke_that_cannot_be_read_is_refused_with_the_form(mask_of, text):
    with pytest.raises(EngineError) as caught:
        mask_of(f"--stroke={text}")
    assert (
        caught.value.fault is Fault.BAD_JOB and "FRAME:X,Y,X,Y,...:RADIUS" in caught.value.message
    )


def test_pins_are_spots_in_several_frames(request_of):
    spec = request_of("--pin", "0:100,50 12:120.5,55", "--pin", "3:1,2 4:3,4  9:5,6")
    assert spec.objects[0].pins == (
        Pin((0, 12), (100.0, 50.0, 120.5, 55.0)),
        Pin((3, 4, 9), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
    )


@pytest.mark.parametrize("text", ["0:1,2 1:x,3", "0:1,2,3 1:2,3", "zero:1,2 1:2,3", "1,2 3,4"])
def test_a_pin_that_cannot_be_read_is_refused_with_the_form(request_of, text):
    with pytest.raises(EngineError, match="expected FRAME:X,Y FRAME:X,Y"):
        request_of("--pin", text)


LONG = 300 * "n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--global-text", "|"), "'|' holds no words"),
        (("--global-text", "gold: 0 | fur: 0"), "no part a weight"),
        (("--local-text", f"gold: {44 * '9'} | fur"), "a weight of more than 1000"),
        (("--global-text", "gold\udcff"), "is not a text to work with"),
        (("--masks", "/masks\udcff"), "is not a text to work with"),
        (("--masks", f"/{LONG}"), "cannot be looked at: File name too long"),
        (("--masks", "/nowhere/at all"), "is not there"),
        (("--picture", f"/{LONG}"), "File name too long"),
        (("--encoder", LONG), "cannot be looked at: File name too long"),
        (("--encoder", f"ViT-B-32:/{LONG}"), "cannot be looked at: File name too long"),
        (("--frames", "nan:3"), "expected FIRST:LAST"),
        (("--frames", "0:inf"), "expected FIRST:LAST"),
        (("--frames", "0:1e300"), "more than 1000000 frames"),
        (("--frames", "0:999999999999"), "more than 1000000 frames"),
        (("--frames", "0.5:3"), "expected FIRST:LAST"),
        (("--box", "nan,0,0,5,5"), "expected FRAME,X,Y,WIDTH,HEIGHT"),
        (("--box", "0.5,0,0,5,5"), "expected FRAME,X,Y,WIDTH,HEIGHT"),
        (("--box", "0,0,0,-5,5"), "no extent"),
        (("--box", "0,0,0,0,5"), "no extent"),
        (("--stroke", "0:1,2:-3"), "no radius above 0"),
        (("--stroke", "0:1e300,2:3"), "farther out than any picture"),
        (("--out", "/dev/null/below"), "cannot write in /dev/null/below: /dev/null: File exists"),
        (("--out", f"/tmp/{LONG}"), "File name too long"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence_before_any_work(
    tmp_path, capsys, options, said
):
    (tmp_path / "clip").mkdir()
    for number in range(2):
        write_png(tmp_path / f"clip/{number}.png", np.zeros((8, 8, 3), np.uint8))
    words = ["stylize", str(tmp_path / "clip"), "--out", str(tmp_path / "job"), "--preset", "draft"]
    words += ["--global-text", "gold", "--cache", str(tmp_path / "cache")]
    assert main([*words, *options]) in (1, 2)
    assert said in (printed := capsys.readouterr().err)
    assert "Traceback" not in printed and not list((tmp_path / "cache").rglob("frames*"))


def test_a_name_that_is_too_long_for_footage_is_refused_in_a_sentence(tmp_path, capsys):
    assert main(["stylize", f"/{LONG}", "--global-text", "gold", "--out", str(tmp_path)]) == 2
    assert "cannot be looked at: File name too long" in capsys.readouterr().err
