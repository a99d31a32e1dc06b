"""Box and strokes: where the mouse is in the picture, and what the modal operators do with it."""

import math
from types import SimpleNamespace

import bpy
import pytest
from barcodes import image_strip, write_frames
from layouts import Recorder


@pytest.fixture
def clip(scene, tmp_path):
    """Ten pictures of 128 x 64 as the active strip, from frame 5."""
    write_frames(tmp_path / "frames", 10)
    strip = image_strip(scene, tmp_path / "frames", count=10, channel=2, start=5)
    scene.sequence_editor.active_strip = strip
    return strip


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"scale": (2.0, 0.5), "offset": (30.0, -12.0)},
        {"rotation": math.radians(30), "origin": (0.0, 1.0)},
        {"flipped": (True, False), "rotation": 0.3, "scale": (1.5, 1.5)},
        {"flipped": (True, True), "aspect": 1.5},
    ],
)
def test_a_place_in_the_preview_leads_back_to_its_pixel(part, change):
    placement = part("operators.placement")
    lies = placement.Placement((320, 180), **change)
    for pixel in ((0, 0), (320, 180), (17.5, 140.0)):
        assert lies.to_picture(*lies.to_view(*pixel)) == pytest.approx(pixel)


def test_pixels_count_from_the_upper_left_corner(part):
    lies = part("operators.placement").Placement((320, 180))
    assert lies.to_view(0, 0) == (-160, 90)
    assert lies.to_view(320, 180) == (160, -90)


def test_a_box_stays_inside_the_picture(part):
    box_of = part("operators.placement").box_of
    assert box_of((50.4, 60.7), (20.2, 10.1), (320, 180)) == (20, 10, 31, 51)
    assert box_of((-30.0, 170.0), (40.0, 400.0), (320, 180)) == (0, 170, 40, 10)


def test_a_transformed_strip_is_placed_as_blender_shows_it(part, clip):
    clip.transform.offset_x, clip.transform.scale_x = 40, 2.0
    lies = part("operators.placement").of(clip)
    assert lies.size == (128, 64) and lies.to_view(64, 32) == (40, 0)
    assert lies.to_view(128, 32) == (168, 0)


class Mouse:
    """Events over a region that shows a picture of 128 x 64 pixels, one for one."""

    def __init__(self, kind, strip, part):
        self.operator = SimpleNamespace()
        for name in dir(kind):
            value = getattr(kind, name)
            if callable(value) and not name.startswith("__") and hasattr(value, "__code__"):
                setattr(self.operator, name, value.__get__(self.operator))
        view = SimpleNamespace(
            region_to_view=lambda x, y: (x - 64, y - 32),
            view_to_region=lambda x, y, clip: (x + 64, y + 32),
        )
        region = SimpleNamespace(x=0, y=0, width=128, height=64, view2d=view)
        self.operator.place = None, region
        self.operator.lies = part("operators.placement").of(strip)
        self.operator.redraw = self.operator.end = lambda *_: None
        self.operator.frame = 3
        self.operator.drawn_for = strip.id_data.name, strip.name

    def send(self, kind, value="NOTHING", x=0, y=0, ctrl=False):
        event = SimpleNamespace(type=kind, value=value, mouse_x=x, mouse_y=64 - y, ctrl=ctrl)
        return self.operator.modal(bpy.context, event)

    def drag(self, first, last, **more):
        self.send("LEFTMOUSE", "PRESS", *first, **more)
        self.send("MOUSEMOVE", "NOTHING", *last, **more)
        return self.send("LEFTMOUSE", "RELEASE", *last, **more)


@pytest.fixture
def box(part, clip, scene):
    scene.frame_current = 8
    mouse = Mouse(part("operators.drawing").STRIPSTYLIZER_OT_box_draw, clip, part)
    mouse.operator.first = mouse.operator.last = None
    return mouse


def test_a_dragged_box_is_kept(box, clip):
    assert box.drag((20, 10), (80, 50)) == {"FINISHED"}
    target = clip.strip_stylizer.targets[0]
    assert (target.object_source, target.box_frame) == ("box", 3)
    assert (target.box_x, target.box_y, target.box_width, target.box_height) == (20, 10, 60, 40)


def test_a_box_belongs_to_the_frame_that_is_seen_when_it_is_dragged(box, clip, scene):
    scene.frame_current = 5
    box.drag((20, 10), (80, 50))
    assert clip.strip_stylizer.targets[0].box_frame == 0


def test_a_click_is_no_box_and_escape_leaves_the_old_one(box, clip):
    assert box.drag((20, 10), (21, 10)) == {"RUNNING_MODAL"}
    box.send("LEFTMOUSE", "PRESS", 20, 10)
    assert box.send("ESC", "PRESS") == {"CANCELLED"}
    assert not len(clip.strip_stylizer.targets)


@pytest.fixture
def brush(part, clip, scene):
    scene.frame_current = 8
    mouse = Mouse(part("operators.drawing").STRIPSTYLIZER_OT_strokes_paint, clip, part)
    state = {"strokes": [], "radius": 4.0, "points": [], "mouse": None}
    for name, value in {**state, "is_object": True, "painting": True}.items():
        setattr(mouse.operator, name, value)
    return mouse


def test_strokes_are_painted_on_the_object_and_beside_it(brush, clip, part):
    brush.drag((20, 10), (60, 30))
    brush.drag((100, 50), (110, 55), ctrl=True)
    brush.send("RIGHT_BRACKET", "PRESS", 20, 20)
    brush.send("X", "PRESS")
    brush.drag((5, 60), (20, 60))
    assert brush.send("RET", "PRESS") == {"FINISHED"}
    target = clip.strip_stylizer.targets[0]
    found = [part("operators.targets").read_stroke(item) for item in target.strokes]
    assert [stroke.is_object for stroke in found] == [True, False, False]
    assert found[0].points == (20.0, 10.0, 60.0, 30.0) and found[0].frame == 3
    assert found[2].radius > found[0].radius and target.object_source == "strokes"


def test_strokes_go_to_the_strip_that_they_were_begun_on(brush, clip, scene, tmp_path):
    brush.drag((20, 10), (60, 30))
    other = image_strip(scene, tmp_path / "frames", count=10, channel=3, start=5)
    scene.sequence_editor.active_strip = other
    assert brush.send("RET", "PRESS") == {"FINISHED"}
    assert len(clip.strip_stylizer.targets[0].strokes) == 1
    assert not len(other.strip_stylizer.targets)


def test_painting_ends_where_its_strip_is_gone(brush, clip, part):
    brush.drag((20, 10), (60, 30))
    part("operators.strips").remove(clip)
    assert brush.send("MOUSEMOVE", x=20, y=20) == {"CANCELLED"}


def test_a_stroke_can_be_taken_back_and_all_can_be_left(brush, clip):
    brush.drag((20, 10), (60, 30))
    brush.drag((20, 20), (60, 40))
    brush.send("Z", "PRESS", ctrl=True)
    assert len(brush.operator.strokes) == 1
    assert brush.send("ESC", "PRESS") == {"CANCELLED"}
    assert not len(clip.strip_stylizer.targets)


@pytest.fixture
def pins(part, clip, scene):
    scene.frame_current = 8
    mouse = Mouse(part("operators.pins").STRIPSTYLIZER_OT_pins_set, clip, part)
    state = {"pins": [], "before": [], "held": None, "mouse": (0.0, 0.0)}
    for name, value in state.items():
        setattr(mouse.operator, name, value)
    return mouse


def test_a_pin_is_set_on_one_frame_and_dragged_on_another(pins, clip, scene, part):
    pins.drag((20, 10), (20, 10))
    scene.frame_current = 11
    pins.drag((22, 12), (60, 30))  # the same pin: it is beneath the mouse
    pins.drag((100, 50), (100, 50))  # another one
    assert pins.send("RET", "PRESS") == {"FINISHED"}
    target = clip.strip_stylizer.targets[0]
    assert [item.spots for item in target.pins] == ["3:20.0,10.0 6:60.0,30.0", "6:100.0,50.0"]
    asked = part("operators.requests").draft_of(clip).objects[0].pins
    assert (asked[0].frames, asked[0].points) == ((3, 6), (20.0, 10.0, 60.0, 30.0))


def test_pins_can_be_taken_back_removed_and_left(pins, clip):
    pins.drag((20, 10), (20, 10))
    pins.drag((100, 50), (100, 50))
    pins.send("Z", "PRESS", ctrl=True)
    assert pins.operator.pins == [{3: (20.0, 10.0)}]
    pins.send("MOUSEMOVE", x=22, y=12)
    pins.send("X", "PRESS")
    assert pins.operator.pins == []
    pins.send("Z", "PRESS", ctrl=True)
    assert pins.send("ESC", "PRESS") == {"CANCELLED"}
    assert not len(clip.strip_stylizer.targets)


def test_a_pin_is_shown_between_the_frames_on_which_it_is_set(part):
    spot_at = part("operators.marks").spot_at
    spots = {8: (40.0, 0.0), 4: (20.0, 10.0)}
    assert spot_at(spots, 6) == (30.0, 5.0)
    assert spot_at(spots, 1) == (20.0, 10.0) and spot_at(spots, 9) == (40.0, 0.0)


@pytest.mark.parametrize(
    ("spots", "said"),
    [
        ("3:20.0,10.0", "Pin 1 is on one frame only"),
        ("3:20.0,10.0 99:20.0,10.0", "Pin 1 is on a frame after the strip's end"),
        ("3:20.0,10.0 4:129.0,10.0", "Pin 1 is outside the picture"),
    ],
)
def test_a_pin_that_says_nothing_is_refused(spots, said, clip, part):
    clip.strip_stylizer.global_text = "a gold swan"
    target = part("operators.objects").target_for_drawing(clip.strip_stylizer)
    target.pins.add().spots = spots
    with pytest.raises(part("operators.strips").Unusable, match=said):
        part("operators.requests").request(clip)


def test_pins_are_in_the_recipe_and_can_be_removed(clip, part):
    targets = part("operators.targets")
    target = part("operators.objects").target_for_drawing(clip.strip_stylizer)
    targets.write_pins(target, [{3: (20.0, 10.0), 6: (60.0, 30.0)}, {0: (1.0, 2.0), 1: (3.0, 4.0)}])
    values = targets.to_values(target)
    assert bpy.ops.strip_stylizer.pin_remove(number=0) == {"FINISHED"}
    assert [item.spots for item in target.pins] == ["0:1.0,2.0 1:3.0,4.0"]
    target.pins.add().spots = "of no use"
    assert targets.spots_of(target) == [{0: (1.0, 2.0), 1: (3.0, 4.0)}]
    assert [pin.frames for pin in targets.read_pins(target)] == [(0, 1)]
    layout = Recorder()
    part("panels.object_view").draw_pins(layout, clip, target)
    shown = [line for line in layout.lines if line][-2:]
    assert shown == ["Pin 1, frames: 0, 1", "Cannot be read, left out: remove it"]
    targets.restore(target, values)
    assert target.pins[0].spots == "3:20.0,10.0 6:60.0,30.0"


def test_the_checkerboard_is_of_the_pins_that_there_were(clip, scene, part, pins):
    assert bpy.ops.strip_stylizer.checks_show() == {"FINISHED"}  # needs no text
    session, overlay = part("operators.session"), part("operators.overlay")
    (job,) = session.state.jobs.values()
    assert (
        job.kind is session.Kind.CHECKS
        and job.is_complete
        and job.spec.until.value == ("decomposition")
    )
    picture = overlay.picture_over(job, 3)
    assert picture.shape == (36, 64, 4) and picture[0, 0, 3] == 0
    dark, bright = (picture[18, column] for column in (17, 18))
    assert dark[:3].max() < 0.1 < 0.5 < bright[:3].max() and dark[3] == bright[3] > 0.3
    manager = bpy.context.window_manager
    assert manager.strip_stylizer_show_checks
    shown = part("panels.object_view").draw_pins
    target = part("operators.objects").target_for_drawing(clip.strip_stylizer)
    for spots in (None, {3: (20.0, 10.0), 6: (60.0, 30.0)}):
        part("operators.targets").write_pins(target, [spots] if spots else [])
        layout = Recorder()
        shown(layout, clip, target)
        assert {"pins_set", "checks_show"} <= set(layout.operators)
        assert "strip_stylizer_show_checks" in layout.shown
        says_so = "The checkerboard is of other pins: show it again" in layout.lines
        assert says_so == (spots is not None)
    assert pins.send("C", "PRESS") == {"RUNNING_MODAL"}
    assert not manager.strip_stylizer_show_checks


def test_a_picture_over_a_trimmed_strip_is_of_the_frame_that_is_seen(clip, part):
    strips = part("operators.strips")
    place = strips.place_of(clip.id_data, clip)
    part("operators.strips.sequencer").set_length(clip, 6)
    clip.channel = 3
    begin = "content_start" if hasattr(clip, "content_start") else "frame_start"
    assert [strips.frame_of(place, clip, shown) for shown in (4, 5, 14, 15)] == [None, 0, 9, None]
    setattr(clip, begin, getattr(clip, begin) + 20)
    assert strips.frame_of(place, clip, 28) == 3


def test_the_objects_found_have_colours_of_their_own(part):
    overlay = part("operators.overlay")
    numbers = overlay.read_numbers(b"P5 3 2 255\n" + bytes([0, 1, 2, 0, 0, 1]))
    assert numbers.tolist() == [[0, 1, 2], [0, 0, 1]]
