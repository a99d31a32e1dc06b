"""Every kind of strip, as displayed, is what the sequencer shows when it is seen alone."""

import importlib

import bpy
import numpy as np
import pytest
from barcodes import EXTENSION, image_strip, prepare_render, top
from pictures import baked, effect, meta_of, shown


@pytest.fixture
def small(scene):
    """The scene renders at the size of the barcodes."""
    prepare_render(scene)
    return scene


def short(strip, count=3):
    strip.frame_final_duration = count
    return strip


def text_strip(scene, media):
    strip = effect(scene.sequence_editor, "TEXT", 3, 4, 3)
    strip.text, strip.font_size = "Swan", 40
    return strip


def colour_strip(scene, media):
    strip = effect(scene.sequence_editor, "COLOR", 3, 4, 3)
    strip.color = (0.8, 0.2, 0.1)
    return strip


def cross(scene, media):
    first = image_strip(scene, media / "frames", count=5, channel=1, start=3)
    second = image_strip(scene, media / "frames", count=9, channel=2, start=3)
    strip = effect(scene.sequence_editor, "CROSS", 3, 4, 3, (first, second))
    second.transform.offset_y = 20.0
    return strip


def darken(strip):
    modify = importlib.import_module(f"{EXTENSION}.operators.strips.sequencer").add_modifier
    modify(strip, "dark", "BRIGHT_CONTRAST").bright = -20.0


def adjustment(scene, media):
    image_strip(scene, media / "frames", count=9, channel=1, start=3)
    strip = effect(scene.sequence_editor, "ADJUSTMENT", 3, 4, 3)
    darken(strip)
    return strip


def scene_strip(scene, media):
    inner = bpy.data.scenes.new("inner")
    inner.sequence_editor_create()
    prepare_render(inner)
    image_strip(inner, media / "frames", count=20, channel=1, start=1)
    inner.frame_end = 20
    strip = top(scene).new_scene("scene", inner, 3, 2)
    strip.scene_input = "SEQUENCER"
    return short(strip)


def meta_with_gap(scene, media):
    first = image_strip(scene, media / "frames", count=2, channel=1, start=3)
    second = image_strip(scene, media / "frames", count=2, channel=1, start=7)
    first.transform.scale_x = 0.5
    return meta_of(scene, first, second, channel=3)


def mask_strip(scene, media):
    mask = bpy.data.masks.new("mask")
    spline = mask.layers.new().splines.new()
    spline.points.add(3)
    corners = ((0.3, 0.4), (0.7, 0.4), (0.7, 0.6), (0.3, 0.6))
    for point, corner in zip(spline.points, corners, strict=True):
        point.co = point.handle_left = point.handle_right = corner
    spline.use_cyclic = True
    return short(top(scene).new_mask("mask", mask, 3, 4))


def clip_strip(scene, media):
    clip = bpy.data.movieclips.load(str(media / "bars24.mp4"))
    return short(top(scene).new_clip("clip", clip, 3, 4))


KINDS = (
    text_strip, colour_strip, cross, adjustment, scene_strip, meta_with_gap, mask_strip, clip_strip
)  # fmt: skip


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_strip_without_media_is_rendered_as_displayed(make, small, part, media, tmp_path):
    strips, strip = part("operators.strips"), make(small, media)
    assert strips.why_unusable(strip) == ""
    assert strips.needs_baking(small, strip)
    frames = range(strips.start(strip), strips.start(strip) + strips.length(strip))
    expected = [shown(small, frame, tmp_path) for frame in frames]
    covering = effect(small.sequence_editor, "COLOR", 7, 1, 50)
    covering.color = (0.0, 1.0, 0.0)
    found = baked(part, small, strip, tmp_path / "job")
    assert len(found) == len(expected) >= 3
    assert max(picture.max() for picture in expected) > 0.2
    for ours, theirs in zip(found, expected, strict=True):
        difference = np.abs(ours - theirs)
        difference[theirs[..., 3] == 0, :3] = 0
        # Blender's masks have a random pixel in a corner.
        assert np.quantile(difference, 0.999) < 0.005


@pytest.mark.parametrize("source", ["media", "displayed"])
def test_what_was_done_to_a_picture_is_rendered_where_it_is_displayed(
    source, small, part, media, tmp_path
):
    strip = image_strip(small, media / "frames", count=3, channel=2, start=4)
    strip.use_reverse_frames = True
    plain = shown(small, 4, tmp_path)
    strip.use_flip_x, strip.crop.min_x, strip.transform.offset_y = True, 10, 9.0
    darken(strip)
    strip.color_saturation, strip.color_multiply = 0.5, 0.7
    done = shown(small, 4, tmp_path)
    strip.blend_alpha = 0.3
    part("operators.properties").of(strip).source = source
    found = baked(part, small, strip, tmp_path / "job")[0]
    wanted, other = (plain, done) if source == "media" else (done, plain)
    assert np.abs(found - wanted).max() < 0.005
    assert np.abs(found - other).max() > 0.3


def test_animation_is_rendered_but_the_opacity_is_left_to_the_result(small, part, media, tmp_path):
    strip = image_strip(small, media / "frames", count=3, channel=2, start=4)
    for frame, place, opacity in ((4, 0.0, 0.0), (6, 30.0, 1.0)):
        strip.transform.offset_x, strip.blend_alpha = place, opacity
        strip.transform.keyframe_insert("offset_x", frame=frame)
        strip.keyframe_insert("blend_alpha", frame=frame)
    part("operators.properties").of(strip).source = "displayed"
    found = baked(part, small, strip, tmp_path / "job")
    assert found[0][:, :, 3].min() == 1.0
    assert found[2][:, :28, 3].max() == 0.0 and found[2][:, 32:, 3].min() == 1.0


def test_a_strip_deep_inside_metas_is_rendered_alone(small, part, media, tmp_path):
    strips = part("operators.strips")
    strip = image_strip(small, media / "frames", count=4, channel=2, start=4)
    other = image_strip(small, media / "frames", count=4, channel=3, start=4)
    other.name = "other"
    strip.use_reverse_frames = True
    other.mute = True
    expected = [shown(small, frame, tmp_path) for frame in range(4, 8)]
    other.mute = False
    inner = meta_of(small, strip, other)
    outer = meta_of(small, inner, channel=2)
    outer.transform.scale_x, outer.use_flip_y, inner.blend_alpha = 0.3, True, 0.2
    outer.frame_final_duration = 2
    assert strips.is_in_meta(small, strip) and strips.needs_baking(small, strip)
    found = baked(part, small, strip, tmp_path / "job")
    assert np.abs(np.stack(found) - np.stack(expected)).max() < 0.005


def test_transparent_footage_is_rendered_transparent(small, part, media, tmp_path):
    image = bpy.data.images.new("glass", 128, 64, alpha=True)
    image.pixels = [0.5, 0.25, 0.75, 0.5] * (128 * 64)
    for name in ("0.png", "1.png"):
        image.filepath_raw, image.file_format = str(tmp_path / name), "PNG"
        image.save()
    strip = top(small).new_image("glass", str(tmp_path / "0.png"), 2, 4)
    strip.elements.append("1.png")
    strip.use_reverse_frames = True
    found = baked(part, small, strip, tmp_path / "job")[0]
    assert found[5, 5] == pytest.approx([0.5, 0.25, 0.75, 0.5], abs=0.006)


def test_proxies_are_not_taken_for_the_media(small, part, media, tmp_path):
    from barcodes import write_frames

    strip = image_strip(small, media / "frames", count=3, channel=2, start=4)
    strip.use_reverse_frames = True
    expected = shown(small, 4, tmp_path)
    proxies = tmp_path / "BL_proxy" / "images" / "25"
    write_frames(proxies, 40)
    strip.use_proxy = True
    strip.proxy.build_25, strip.proxy.use_proxy_custom_directory = True, True
    strip.proxy.directory = str(tmp_path / "BL_proxy")
    found = baked(part, small, strip, tmp_path / "job")[0]
    assert np.abs(found - expected).max() < 0.005


def test_a_deep_result_has_a_deep_rendering(small, part, media, tmp_path):
    strip = image_strip(small, media / "frames", count=2, channel=2, start=4)
    properties, baking = part("operators.properties"), part("operators.baking")
    facts = properties.of(strip)
    facts.source, facts.settings.render.format = "displayed", "png16"
    job = baking.start(small, strip, tmp_path)
    job.process.wait(timeout=60)
    footage = baking.finish(job, tmp_path)
    image = bpy.data.images.load(f"{footage.path}/{footage.files[0]}")
    assert image.depth > 32
