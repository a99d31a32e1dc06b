"""What a strip shows, and where its result goes."""

import json
import struct
from pathlib import Path

import bpy
import pytest
from barcodes import (
    begin_later,
    decode,
    image_strip,
    seen,
    top,
    turn,
    vary_times,
    write_frames,
    write_movie,
)

OTHER_CHROMA = bpy.app.version < (4, 5)  # such a Blender converts movies in its own way


def numbers_of(footage):
    """Return the numbers that the job's frames bear."""
    if footage.kind.value == "movie":
        return list(footage.indices)
    return [int(footage.files[index].split(".")[0]) for index in footage.indices]


def handles(strip, *, start=0, end=0, trim=0):
    strip.frame_offset_start, strip.frame_offset_end = start, end
    strip.animation_offset_start = trim


@pytest.mark.parametrize("change", [{}, {"start": 3, "end": 4}, {"trim": 5}])
def test_visible_frames_of_a_movie_are_what_blender_shows(change, scene, part, media, tmp_path):
    strips = part("operators.strips")
    strip = top(scene).new_movie("bars", str(media / "bars24.mp4"), 1, 20)
    handles(strip, **{"end": 30, **change})
    assert strips.needs_baking(scene, strip) == OTHER_CHROMA
    assert numbers_of(strips.footage(scene, strip)) == seen(scene, strip, tmp_path)


@pytest.mark.parametrize("change", [{}, {"start": 3, "end": 2}, {"trim": 4}, {"start": -3}])
def test_visible_frames_of_images_are_what_blender_shows(change, clip, scene, part, tmp_path):
    strips = part("operators.strips")
    handles(clip, **change)
    assert numbers_of(strips.footage(scene, clip)) == seen(scene, clip, tmp_path)


def test_a_moved_strip_shows_the_same_frames(clip, scene, part):
    strips = part("operators.strips")
    before = strips.footage(scene, clip)
    clip.frame_start += 33
    assert strips.footage(scene, clip) == before
    assert strips.start(clip) == 38


def test_footage_has_the_rate_of_the_scene(clip, scene, part):
    scene.render.fps, scene.render.fps_base = 30, 1.001
    footage = part("operators.strips").footage(scene, clip)
    assert footage.frames_per_second == pytest.approx(29.97, abs=0.001)


def test_a_movie_of_varying_rate_is_rendered(scene, part, media, tmp_path):
    strips, baking = part("operators.strips"), part("operators.baking")
    vary_times(media / "bars24.mp4", tmp_path / "varying.mp4")
    header = part("operators.movie_header")
    assert header.read(media / "bars24.mp4") == header.MovieHeader(40, 24.0, "avc1")
    assert header.read(tmp_path / "varying.mp4") == header.MovieHeader(40, 0.0, "avc1")
    strip = top(scene).new_movie("bars", str(tmp_path / "varying.mp4"), 1, 1)
    handles(strip, start=6, end=20)
    assert strips.needs_baking(scene, strip)
    expected = seen(scene, strip, tmp_path)
    assert expected != list(strips.visible_frames(strip))
    job = baking.start(scene, strip, tmp_path)
    job.process.wait(timeout=60)
    footage = baking.finish(job, tmp_path)
    assert [decode(Path(footage.path) / name) for name in footage.files] == expected


def test_a_movie_with_an_edit_list_is_what_blender_shows(scene, part, media, tmp_path):
    strips, baking = part("operators.strips"), part("operators.baking")
    begin_later(media / "bars24.mp4", tmp_path / "later.mp4", 5)
    strip = top(scene).new_movie("bars", str(tmp_path / "later.mp4"), 1, 1)
    handles(strip, start=2, end=max(0, strip.frame_duration - 12))
    expected = seen(scene, strip, tmp_path)
    if strips.needs_baking(scene, strip):
        job = baking.start(scene, strip, tmp_path)
        job.process.wait(timeout=60)
        footage = baking.finish(job, tmp_path)
        read = [decode(Path(footage.path) / name) for name in footage.files]
    else:
        read = [5 + index for index in strips.footage(scene, strip).indices]
    assert read == expected


def test_a_turned_movie_is_rendered_where_blender_does_not_turn_it(scene, part, media, tmp_path):
    strips = part("operators.strips")
    turn(media / "bars24.mp4", tmp_path / "turned.mp4")
    strip = top(scene).new_movie("bars", str(tmp_path / "turned.mp4"), 1, 1)
    handles(strip, end=37)
    as_stored = seen(scene, strip, tmp_path) == [0, 1, 2]
    assert strips.needs_baking(scene, strip) == as_stored == OTHER_CHROMA


def test_a_movie_that_is_not_surely_read_alike_is_rendered(scene, part, media, tmp_path):
    strips = part("operators.strips")
    write_frames(tmp_path / "frames", 4)
    write_movie(tmp_path / "movie.mov", tmp_path / "frames", 24, ("QUICKTIME", "QTRLE"))
    strip = top(scene).new_movie("bars", str(tmp_path / "movie.mov"), 1, 1)
    header = part("operators.movie_header").read(tmp_path / "movie.mov")
    assert (header.frames, header.rate, header.codec) == (4, 24.0, "rle ")
    assert strips.needs_baking(scene, strip)


@pytest.mark.parametrize(("transfer", "hdr"), [(1, False), (16, True), (18, True)])
def test_a_movie_in_hdr_is_rendered(transfer, hdr, part, media, tmp_path):
    data = bytearray((media / "bars24.mp4").read_bytes())
    colour = b"colrnclx" + struct.pack(">3HB", 9, transfer, 9, 0)
    colour = struct.pack(">I", len(colour) + 4) + colour
    at = data.rindex(b"avcC") - 4
    old = data.find(b"colr", data.rindex(b"stsd"))
    if old > 0:
        data[old + 10 : old + 12] = struct.pack(">H", transfer)
    else:
        data[at:at] = colour
        for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
            start = data.rindex(box, 0, at) - 4
            size = struct.unpack_from(">I", data, start)[0]
            struct.pack_into(">I", data, start, size + len(colour))
    (tmp_path / "movie.mp4").write_bytes(data)
    header = part("operators.movie_header").read(tmp_path / "movie.mp4")
    assert (header.frames, header.is_hdr) == (40, hdr)


def bitmap(bits):
    """A black picture of 4 x 4 px as Windows codes it."""
    pixels = bytes(4 * 4 * bits // 8)
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, bits, 0, len(pixels), 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54) + header + pixels


@pytest.mark.parametrize(("bits", "rendered"), [(24, False), (32, True)])
def test_an_image_that_is_not_surely_read_alike_is_rendered(bits, rendered, scene, part, tmp_path):
    strips = part("operators.strips")
    for name in ("0.bmp", "1.bmp"):
        (tmp_path / name).write_bytes(bitmap(24 if name == "0.bmp" else bits))
    strip = top(scene).new_image("images", str(tmp_path / "0.bmp"), 1, 1)
    strip.elements.append("1.bmp")
    assert strips.needs_baking(scene, strip) == rendered


def test_images_are_named_by_number(part, tmp_path):
    for number in (1, 2, 10):
        (tmp_path / f"{number}.png").write_bytes(b"")
    names = part("operators.strips").image_names(tmp_path)
    assert names == ["1.png", "2.png", "10.png"]


@pytest.mark.parametrize("content", [b"", b"RIFF" * 99, b"\0\0\0\x08free" * 3])
def test_a_file_that_is_no_mp4_has_no_header(content, part, tmp_path):
    read = part("operators.movie_header").read
    (tmp_path / "movie").write_bytes(content)
    assert read(tmp_path / "movie") is None and read(tmp_path / "lost") is None


def test_a_broken_mp4_has_no_header(part, media, tmp_path):
    whole = (media / "bars24.mp4").read_bytes()
    start = whole.rindex(b"moov")
    for cut in range(start - 20, len(whole), 50):
        (tmp_path / "movie").write_bytes(whole[:cut])
        header = part("operators.movie_header").read(tmp_path / "movie")
        assert header is None or header.frames == 40


@pytest.mark.parametrize("case", ["other rate", "reversed", "strobe", "retimed"])
def test_a_rendered_strip_has_the_frames_that_blender_shows(
    case, scene, part, media, tmp_path, in_sequencer
):
    strips, baking = part("operators.strips"), part("operators.baking")
    rate = 30 if case == "other rate" else 24
    strip = top(scene).new_movie("bars", str(media / f"bars{rate}.mp4"), 2, 7)
    scene.sequence_editor.active_strip = strip
    if case == "retimed":
        with in_sequencer(scene):
            bpy.ops.sequencer.retiming_segment_speed_set(speed=200)
    handles(strip, start=2, end=14 if case == "retimed" else 34)
    strip.use_reverse_frames = case == "reversed"
    strip.strobe = 3.0 if case == "strobe" else 0.0
    strip.transform.scale_x, strip.blend_alpha = 0.5, 0.3
    assert strips.needs_baking(scene, strip)
    job = baking.start(scene, strip, tmp_path)
    job.process.wait(timeout=60)
    footage = baking.finish(job, tmp_path)
    strip.transform.scale_x, strip.blend_alpha = 1.0, 1.0
    expected = seen(scene, strip, tmp_path)
    folder = tmp_path / "baked"
    assert [decode(next(folder.iterdir()) / name) for name in footage.files] == expected
    assert len(expected) == strips.length(strip) > 3


def test_the_same_frames_are_rendered_into_the_same_folder(scene, part, media, tmp_path):
    baking = part("operators.baking")
    strip = top(scene).new_movie("bars", str(media / "bars30.mp4"), 2, 7)
    handles(strip, end=37)
    paths = set()
    for _ in range(2):
        job = baking.start(scene, strip, tmp_path)
        job.process.wait(timeout=60)
        paths.add(baking.finish(job, tmp_path).path)
    assert len(paths) == 1
    assert not (tmp_path / "baking").exists()


def test_a_rendering_that_fails_says_so(scene, part, media, tmp_path):
    strips, baking = part("operators.strips"), part("operators.baking")
    strip = top(scene).new_movie("bars", str(media / "bars30.mp4"), 2, 7)
    job = baking.start(scene, strip, tmp_path)
    job.process.kill()
    job.process.wait()
    with pytest.raises(strips.Unusable, match=r"of the strip's 40 frames"):
        baking.finish(job, tmp_path)


def test_missing_media_are_named(clip, scene, part, media):
    strips = part("operators.strips")
    assert strips.missing_media(clip) == ""
    clip.elements[3].filename = "lost.png"
    assert strips.missing_media(clip) == str(media / "frames" / "lost.png")
    movie = top(scene).new_movie("movie", "/nowhere/lost.mp4", 4, 1)
    assert strips.missing_media(movie) == "/nowhere/lost.mp4"


def test_strips_without_media_are_refused_with_a_remedy(scene, part, media):
    strips = part("operators.strips")
    assert (
        strips.why_unusable(None)
        == "Select a movie or image strip, or any other that shows a picture"
    )
    other = top(scene).new_scene("inner", bpy.data.scenes.new("inner"), 1, 1)
    assert strips.why_unusable(other) == ""
    assert "The scene strip has no media" in strips.why_unusable(other, "media")
    still = image_strip(scene, media / "frames", count=1, channel=3)
    still.frame_final_duration = 20
    assert "single image" in strips.why_unusable(still)
    assert strips.why_unusable(still, "displayed") == ""


def test_the_lowest_free_channel_above_is_taken(clip, scene, part, media):
    strips, editor = part("operators.strips"), scene.sequence_editor
    assert strips.free_channel(editor, 2, 5, 10) == 3
    image_strip(scene, media / "frames", count=3, channel=3, start=14)
    image_strip(scene, media / "frames", count=3, channel=4, start=15)
    image_strip(scene, media / "frames", count=3, channel=5, start=2)
    assert strips.free_channel(editor, 2, 5, 10) == 4
    with pytest.raises(strips.Unusable, match="full"):
        strips.free_channel(editor, 128, 5, 10)


def insert(strips, place, folder, **more):
    names = strips.result_files(folder)
    return strips.insert(place, folder, names, job_id="j1", label="a swan", recipe={"a": 1}, **more)


def result(folder, count=10):
    write_frames(folder, count)
    return folder


def test_a_result_lies_over_its_source(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    clip.transform.scale_x, clip.crop.min_x, clip.blend_alpha = 1.5, 7, 0.5
    clip.use_flip_x = True
    scene.frame_set(9)
    selected = clip.select
    strip = insert(strips, strips.place_of(scene, clip), result(tmp_path / "r"))
    assert (strips.start(strip), strips.length(strip), strip.channel) == (5, 10, 3)
    assert (strip.transform.scale_x, strip.crop.min_x, strip.blend_alpha) == (1.5, 7, 0.5)
    assert strip.use_flip_x
    assert strip.name == "bars \N{EN DASH} a swan, take 1"
    assert json.loads(strip["stylized_from"]) == {"a": 1, "take": 1}
    assert not strip.select and clip.select == selected
    assert scene.sequence_editor.active_strip == clip
    assert (scene.frame_current, scene.render.fps) == (9, 24)
    assert [strip.elements[i].filename for i in (0, 9)] == ["00000.png", "00009.png"]
    assert strips.source_of(strip) == clip and strips.results_of(clip) == [strip]


def test_a_result_shows_its_frames(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    clip.blend_type = "REPLACE"
    strip = insert(strips, strips.place_of(scene, clip), result(tmp_path / "r"))
    clip.mute = True
    assert strip.blend_type == "ALPHA_OVER"
    assert seen(scene, strip, tmp_path) == list(range(10))


def test_a_result_of_another_size_covers_the_same_picture(clip, scene, part, tmp_path):
    from barcodes import png

    strips = part("operators.strips")
    (tmp_path / "r").mkdir()
    for index in range(10):
        row = bytes([90] * 3) * 64
        (tmp_path / "r" / f"{index:05d}.png").write_bytes(png([row] * 32))
    strip = insert(strips, strips.place_of(scene, clip), tmp_path / "r")
    assert strip.transform.scale_x == pytest.approx(2.0)


def test_a_result_follows_a_source_that_was_moved_and_renamed(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    place = strips.place_of(scene, clip)
    clip.frame_start += 20
    clip.name, clip.channel = "other", 6
    strip = insert(strips, place, result(tmp_path / "r"))
    assert (strips.start(strip), strip.channel) == (25, 7)


def test_a_result_whose_source_is_gone_waits(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    place = strips.place_of(scene, clip)
    top(scene).remove(clip)
    with pytest.raises(strips.Unusable, match="is gone"):
        insert(strips, place, result(tmp_path / "r"))
    assert len(top(scene)) == 0


def test_a_result_with_missing_frames_is_not_placed(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    with pytest.raises(strips.Unusable, match="8 of 10 frames"):
        insert(strips, strips.place_of(scene, clip), result(tmp_path / "r", 8))
    assert len(top(scene)) == 1


def test_a_result_stays_in_the_meta_strip_of_its_source(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    meta = top(scene).new_meta("meta", 1, 1)
    clip.move_to_meta(meta)
    place = strips.place_of(scene, clip)
    insert(strips, place, result(tmp_path / "r"))
    assert len(top(scene)) == 1
    assert sorted(strip.name for strip in strips.top_strips(meta)) == [
        "bars",
        "bars \N{EN DASH} a swan, take 1",
    ]


def test_a_copied_strip_gets_an_id_of_its_own(clip, scene, part, media):
    strips, properties = part("operators.strips"), part("operators.properties")
    first = strips.mark(scene, clip)
    assert strips.mark(scene, clip) == first
    copy = image_strip(scene, media / "frames", count=4, channel=7)
    properties.of(copy).strip_id = first
    assert strips.mark(scene, copy) != first


def split(strip, frame):
    return strip.split(frame=frame, split_method="SOFT")


@pytest.mark.parametrize("kind", ["movie", "images"])
def test_both_halves_of_a_split_strip_show_their_frames(kind, scene, part, media, tmp_path):
    strips = part("operators.strips")
    if kind == "movie":
        whole = top(scene).new_movie("bars", str(media / "bars24.mp4"), 1, 3)
        handles(whole, end=28)
    else:
        whole = image_strip(scene, media / "frames", count=12, channel=1, start=3)
    right = split(whole, 8)
    for half, expected in ((whole, range(5)), (right, range(5, 12))):
        assert strips.needs_baking(scene, half) == (kind == "movie" and OTHER_CHROMA)
        assert numbers_of(strips.footage(scene, half)) == list(expected)
        assert seen(scene, half, tmp_path) == list(expected)


def test_a_flipped_strip_is_read_as_its_media_and_its_result_is_flipped(
    clip, scene, part, tmp_path
):
    strips = part("operators.strips")
    clip.use_flip_x, clip.use_flip_y = True, True
    assert not strips.needs_baking(scene, clip)
    strip = insert(strips, strips.place_of(scene, clip), result(tmp_path / "r"))
    assert strip.use_flip_x and strip.use_flip_y


def test_a_result_has_the_modifiers_of_its_source(clip, scene, part, tmp_path):
    strips, sequencer = part("operators.strips"), part("operators.strips.sequencer")
    sequencer.add_modifier(clip, "dark", "BRIGHT_CONTRAST").bright = -25.0
    curves = sequencer.add_modifier(clip, "curves", "CURVES").curve_mapping
    curves.curves[3].points.new(0.25, 0.75)
    balance = sequencer.add_modifier(clip, "colours", "COLOR_BALANCE")
    balance.color_balance.gain = (0.5, 1.0, 1.5)
    balance.mute = True
    strip = insert(strips, strips.place_of(scene, clip), result(tmp_path / "r"))
    dark, curved, coloured = strip.modifiers
    assert dark.bright == -25.0
    points = [tuple(point.location) for point in curved.curve_mapping.curves[3].points]
    assert points == [(0.0, 0.0), (0.25, 0.75), (1.0, 1.0)]
    assert tuple(coloured.color_balance.gain) == (0.5, 1.0, 1.5) and coloured.mute


def test_a_result_is_animated_as_its_source(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    for frame, place in ((5, 0.0), (14, 90.0)):
        clip.transform.offset_x = place
        clip.transform.keyframe_insert("offset_x", frame=frame)
        clip.blend_alpha = frame / 14
        clip.keyframe_insert("blend_alpha", frame=frame)
    strip = insert(strips, strips.place_of(scene, clip), result(tmp_path / "r"))
    for frame in (5, 9, 14):
        scene.frame_set(frame)
        assert strip.transform.offset_x == pytest.approx(clip.transform.offset_x)
        assert strip.blend_alpha == pytest.approx(clip.blend_alpha)


def test_a_displayed_result_is_not_transformed_again(clip, scene, part, tmp_path):
    strips = part("operators.strips")
    scene.render.resolution_x, scene.render.resolution_y = 256, 128
    clip.transform.scale_x, clip.use_flip_x, clip.blend_alpha = 0.5, True, 0.4
    part("operators.strips.sequencer").add_modifier(clip, "dark", "BRIGHT_CONTRAST")
    part("operators.properties").of(clip).source = "displayed"
    assert strips.picture_size(clip) == (256, 128)
    strip = insert(strips, strips.place_of(scene, clip), result(tmp_path / "r"))
    assert (strip.transform.scale_x, strip.use_flip_x, len(strip.modifiers)) == (2.0, False, 0)
    assert strip.blend_alpha == pytest.approx(0.4)


def test_missing_media_are_found_inside_metas_and_behind_effects(clip, scene, part):
    from pictures import effect, meta_of

    strips = part("operators.strips")
    other = top(scene).new_movie("movie", "/nowhere/lost.mp4", 4, 5)
    crossed = effect(scene.sequence_editor, "CROSS", 5, 5, 5, (clip, other))
    assert strips.missing_media(crossed) == "/nowhere/lost.mp4"
    assert strips.missing_media(meta_of(scene, clip)) == "/nowhere/lost.mp4"


def test_linear_results_of_media_in_other_colours_are_rendered_first(clip, scene, part):
    strips, facts = part("operators.strips"), part("operators.properties").of(clip)
    clip.colorspace_settings.name = "Non-Color"
    assert not strips.needs_baking(scene, clip)
    facts.settings.render.format = "exr"
    assert strips.needs_baking(scene, clip)
    clip.colorspace_settings.name = "sRGB"
    assert not strips.needs_baking(scene, clip)


def test_names_of_results_are_cut_between_letters(part):
    name = part("operators.strips.results").take_name
    assert name("Swan", "cactus skin", 2) == "Swan \N{EN DASH} cactus skin, take 2"
    long = name("Schwäne", "ü" * 80, 12)
    assert len(long.encode()) <= 60 and long.endswith("ü…, take 12")


@pytest.fixture
def takes(clip, scene, part, tmp_path):
    """Three results of one source."""
    strips = part("operators.strips")
    folder = result(tmp_path / "r")
    return [insert(strips, strips.place_of(scene, clip), folder) for _ in range(3)]


def unmuted(takes):
    return [take for take in takes if not take.mute]


def test_takes_are_numbered_and_the_newest_is_seen(takes, clip, part):
    strips = part("operators.strips")
    assert strips.results_of(clip) == strips.results_of(takes[1]) == takes
    assert [strips.number_of(take) for take in takes] == [1, 2, 3]
    assert [take.name for take in takes] == [
        f"bars \N{EN DASH} a swan, take {n}" for n in (1, 2, 3)
    ]
    assert unmuted(takes) == [takes[2]] and strips.shown_take(clip) == takes[2]
    assert not clip.mute


def test_steps_lead_round_the_takes(takes, clip, part):
    strips = part("operators.strips")
    assert strips.step_take(clip, -1) == takes[1] and unmuted(takes) == [takes[1]]
    assert strips.step_take(takes[0], 1) == takes[2]
    assert strips.step_take(clip, 1) == takes[0] and unmuted(takes) == [takes[0]]


def test_comparing_shows_the_source_and_then_the_same_take_again(takes, clip, part):
    strips = part("operators.strips")
    strips.show_take(takes[1])
    assert strips.compare(clip) == clip and unmuted(takes) == []
    assert strips.shown_take(clip) is None
    assert strips.compare(clip) == takes[1] and unmuted(takes) == [takes[1]]


def test_a_strip_without_takes_has_nothing_to_show(clip, part):
    strips = part("operators.strips")
    assert strips.results_of(clip) == []
    assert strips.step_take(clip, 1) is None and strips.compare(clip) is None
