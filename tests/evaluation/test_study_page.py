"""The study's page in a real browser: what a rater sees, presses, finds again and saves."""

import json
import time

import numpy as np
import pytest

from engine.evaluation.scores import read_scores
from engine.evaluation.study import Video, write_study
from engine.video.images import write_png

from ..browser import Browser

METHODS = ("ours", "Blended Diffusion")
TEXTS = ("Swan with <cactus> skin", "Boat made of dark walnut wood")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of four short videos, two methods for each of two texts."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    videos = []
    for number, text in enumerate(TEXTS):
        for method in METHODS:
            frames = folder / f"{method}-{number}"
            frames.mkdir()
            for index in range(12):
                picture = rng.integers(0, 255, (47, 64, 3)).astype(np.uint8)
                write_png(frames / f"{index:05d}.png", picture)
            videos.append(Video(method, text, "examples", frames, 12.0))
    write_study(videos, folder / "page", seed=1)
    return folder


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def browser(opened, study):
    """The browser of a new rater, before the page; nothing of it may come from elsewhere."""
    page = (study / "page" / "index.html").as_uri()
    opened.show(page)
    opened.value("localStorage.clear()")
    opened.show("about:blank")
    opened.show(page)
    yield opened
    assert opened.complaints == []
    assert {url.partition(":")[0] for url in opened.requests} <= {"file", "blob", "data", "about"}


def shown(browser):
    """Which video is shown, by its name."""
    return browser.value("document.querySelector('video').src.split('/').pop().split('.')[0]")


def message(browser):
    return browser.value("document.querySelector('#message').textContent")


def answer_all(browser, scores):
    """Answer by keys alone, from the first page on: ``scores`` by name of a video."""
    browser.press("Enter")
    for _ in scores:
        for score in scores[shown(browser)]:
            browser.press(str(score))
        browser.press("Enter")


SCORES = {"video-01": (1, 2), "video-02": (3, 4), "video-03": (5, 1), "video-04": (2, 5)}


def saved(browser):
    browser.click("#save")
    end = time.monotonic() + 30
    while not (files := list(browser.downloads.glob("scores-*.json"))):
        assert time.monotonic() < end, "nothing was saved"
        time.sleep(0.05)
    return files


def test_the_page_works_by_keys_and_saves_scores_that_are_read_back(browser, study):
    answer_all(browser, SCORES)
    assert browser.value("!document.querySelector('#end').hidden")
    files = saved(browser)
    ratings = json.loads(files[0].read_text(encoding="utf-8"))
    assert ratings["scores"] == {
        name: {"realism": one, "text": other} for name, (one, other) in SCORES.items()
    }
    assert sorted(ratings["order"]) == sorted(SCORES)
    key = json.loads((study / "page.key.json").read_text(encoding="utf-8"))["videos"]
    methods = read_scores(files, study / "page.key.json")
    for method in METHODS:
        given = [SCORES[name] for name in SCORES if key[name]["method"] == method]
        assert sorted(methods[method].scores["realism"]) == sorted(each[0] for each in given)
        assert sorted(methods[method].scores["text"]) == sorted(each[1] for each in given)


def test_a_video_plays_and_its_text_is_shown_as_it_is(browser, study):
    browser.click("#start")
    browser.until("document.querySelector('video').currentTime > 0.1")
    size = browser.value("[document.querySelector('video').videoWidth, "
                         "document.querySelector('video').videoHeight]")  # fmt: skip
    assert size == [64, 48]
    key = json.loads((study / "page.key.json").read_text(encoding="utf-8"))["videos"]
    text = browser.value("document.querySelector('.text').textContent")
    assert text == key[shown(browser)]["text"]
    browser.press(" ")
    browser.until("document.querySelector('video').paused")
    browser.press(" ")
    browser.until("!document.querySelector('video').paused")


def test_missing_answers_are_told_and_the_first_of_them_is_shown(browser):
    browser.press("Enter")
    first = shown(browser)
    browser.press("4")
    browser.click("#finish")
    assert message(browser) == "4 videos still lack an answer; this is the first of them."
    assert shown(browser) == first and browser.value("document.querySelector('#end').hidden")
    bottom = "document.querySelector('#message').getBoundingClientRect().bottom"
    assert browser.value(f"{bottom} <= innerHeight && {bottom} > 0")
    marked = (
        "[...document.querySelectorAll('fieldset')].findIndex(each => each.matches('.current'))"
    )
    assert browser.value(marked) == 1
    browser.press("4")
    for _ in range(3):
        browser.press("Enter")
        browser.press("2")
        browser.press("2")
    browser.press("Enter", shift=True)
    browser.click("#finish")
    assert browser.value("!document.querySelector('#end').hidden") and message(browser) == ""


def shown_again(browser, page, video):
    """Close the page and show it again, until it is at ``video``; returns where it is at last.

    A browser stores what a page leaves a moment later, and each process reads it when it begins.
    """
    end = time.monotonic() + 30
    while True:
        browser.show("about:blank")
        browser.show(page)
        if shown(browser) == video or time.monotonic() > end:
            return shown(browser)


def test_a_page_that_is_merely_opened_writes_nothing_over_earlier_answers(browser):
    assert browser.value("localStorage.length") == 0
    browser.click("#start")
    assert browser.value("localStorage.length") == 1


def test_unfinished_ratings_are_there_after_the_page_was_closed(browser, study):
    browser.press("Enter")
    first = shown(browser)
    browser.press("3")
    browser.press("5")
    browser.press("Enter")
    second, order = shown(browser), browser.value("videos.map(each => each.name)")
    assert shown_again(browser, (study / "page" / "index.html").as_uri(), second) == second
    assert browser.value("videos.map(each => each.name)") == order
    browser.press("Enter", shift=True)
    assert shown(browser) == first
    checked = "[...document.querySelectorAll('input:checked')].map(each => each.value)"
    assert browser.value(checked) == ["3", "5"]


def test_every_rater_sees_an_order_of_its_own(browser):
    orders = {
        tuple(browser.value(f"shuffled([...Array(20).keys()], {seed})")) for seed in range(20)
    }
    assert len(orders) == 20 and all(sorted(order) == list(range(20)) for order in orders)
    assert browser.value("shuffled([1, 2, 3, 4], 7).join()") == browser.value(
        "shuffled([1, 2, 3, 4], 7).join()"
    )
    assert browser.value("fresh().rater !== fresh().rater && fresh().rater.length === 24")


def test_nothing_in_the_folder_tells_which_method_made_a_video(study):
    names = sorted(path.name for path in (study / "page").iterdir())
    assert names == ["index.html", *(f"video-0{number}.mp4" for number in range(1, 5))]
    for path in (study / "page").iterdir():
        content = path.read_bytes()
        for method in (*METHODS, "Diffusion", str(study)):
            assert method.encode() not in content or method == "ours", (path.name, method)
    page = (study / "page" / "index.html").read_text(encoding="utf-8")
    embedded = page.split('id="study">')[1].split("</script>")[0]
    assert '"ours"' not in embedded and len(json.loads(embedded)["videos"]) == 4
