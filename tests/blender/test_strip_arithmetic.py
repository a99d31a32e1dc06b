"""Which frame of the media a timeline frame shows, for strips cut and moved at random."""

from barcodes import image_strip, top
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

drawn = settings(
    derandomize=True,
    deadline=None, max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def trimmed(scene, media, *, count, start, left, right):
    """An image strip that begins ``left`` frames after its media and ends ``right`` before them."""
    strip = image_strip(scene, media / "frames", count=count, start=start)
    if hasattr(strip, "left_handle_offset"):
        strip.left_handle_offset, strip.right_handle_offset = left, right
    else:
        strip.frame_offset_start, strip.frame_offset_end = left, right
    return strip


def removed(scene):
    for strip in list(top(scene)):
        top(scene).remove(strip)


@drawn
@given(
    count=st.integers(2, 40), start=st.integers(-50, 50), left=st.integers(0, 20),
    right=st.integers(0, 20), step=st.integers(-30, 30),
)  # fmt: skip
def test_a_strip_shows_the_frames_between_its_ends_wherever_it_is(
    scene, part, media, count, start, left, right, step
):
    left = min(left, count - 1)
    right = min(right, count - 1 - left)
    footage, sequencer = part("operators.strips.footage"), part("operators.strips.sequencer")
    strip = trimmed(scene, media, count=count, start=start, left=left, right=right)
    shown = footage.visible_frames(strip)
    assert shown == tuple(range(left, count - right))
    assert sequencer.start(strip) == start + left and sequencer.length(strip) == len(shown)
    strip.frame_start = start + step
    assert footage.visible_frames(strip) == shown
    removed(scene)


@drawn
@given(
    count=st.integers(2, 40), before=st.integers(0, 20), after=st.integers(0, 20),
)  # fmt: skip
def test_a_strip_longer_than_its_media_holds_the_first_and_the_last_frame(
    scene, part, media, count, before, after
):
    footage = part("operators.strips.footage")
    strip = trimmed(scene, media, count=count, start=100, left=-before, right=-after)
    shown = footage.visible_frames(strip)
    assert shown == (0,) * before + tuple(range(count)) + (count - 1,) * after
    removed(scene)


@drawn
@given(data=st.data())
def test_the_halves_of_a_split_strip_show_what_the_whole_showed(scene, part, media, data):
    footage = part("operators.strips.footage")
    count = data.draw(st.integers(3, 40))
    left = data.draw(st.integers(-10, count - 3))
    right = data.draw(st.integers(-10, count - 3 - max(left, 0)))
    strip = trimmed(scene, media, count=count, start=7, left=left, right=right)
    shown = footage.visible_frames(strip)
    place = data.draw(st.integers(1, len(shown) - 1))
    first = part("operators.strips.sequencer").start(strip)
    other = strip.split(frame=first + place, split_method="SOFT")
    assert footage.visible_frames(strip) + footage.visible_frames(other) == shown
    removed(scene)
