import pytest
import torch

from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationSettings, StylizationWeights, ViewsSettings
from engine.decomposition.model import AtlasNetwork
from engine.stylization.atlas import NetworkAtlas, PaletteAtlas
from engine.stylization.basis import TILE_FEATURES, draw_tile_paint
from engine.stylization.breeding import bred, refinished, varied_palettes, varied_ways
from engine.stylization.canvas import cut_canvases
from engine.stylization.finish import FINISHES
from engine.stylization.gallery import AFRESH, KINDS, PATTERNS, Gallery, Look
from engine.stylization.painting import Spread, paint
from engine.stylization.palette import (
    PALETTE_KINDS,
    best_apart,
    best_of_kinds,
    compared,
    first_looks,
    random_palettes,
)
from engine.stylization.targets import embed_targets
from engine.stylization.texels import NetworkTexels, PaletteTexels

from .conftest import moving_disc

PLAIN = ViewsSettings()


def test_palettes_are_colours_and_a_quarter_of_them_is_grey():
    palettes = random_palettes(80, 4, torch.Generator().manual_seed(0))
    assert palettes.shape == (80, 4, 3) and palettes.min() >= 0 and palettes.max() <= 1
    grey = palettes.std(2).amax(1) < 1e-6
    assert grey.sum() == 20


class Reddish(torch.nn.Module):
    """Sees nothing but how red a picture is."""

    size = 16

    def embed_images(self, images):
        red, green, blue = images.mean((2, 3)).unbind(1)
        return torch.stack([red, green + blue], 1)

    def embed_texts(self, texts):
        return torch.tensor([[1.0, 0.0]]).repeat(len(texts), 1)


def test_the_search_takes_the_palette_that_looks_most_like_the_texts(layers):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    generator = torch.Generator().manual_seed(0)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    encoder = Reddish()
    settings = StylizationSettings(palette_candidates=64, global_prefixes=2, local_prefixes=2)
    targets = embed_targets(TargetTexts("red"), encoder, settings)
    looks = first_looks(atlas, canvases.canvases[0], encoder, targets, settings, generator)
    kinds = [kind for each in looks for kind in KINDS if PATTERNS[each.pattern] in kind]
    assert len(looks) == len(PATTERNS) and set(kinds) == set(KINDS)
    assert looks[0].score > max(each.score for each in looks[1:]) - 1e-6
    looks[0].give(atlas)
    red, green, blue = atlas.palette.sigmoid().mean(0).tolist()
    assert red > 1.2 * max(green, blue)


def test_a_bred_look_is_never_worse_and_gets_redder(layers):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    generator = torch.Generator().manual_seed(1)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    settings = StylizationSettings(global_prefixes=2, local_prefixes=2)
    targets = embed_targets(TargetTexts("red"), Reddish(), settings)
    gallery = Gallery.of(canvases.canvases[0], Reddish(), targets, settings, generator)
    grey, way = torch.full((4, 3), 0.5), torch.zeros(4, TILE_FEATURES)
    with torch.no_grad():
        score = float(gallery.scores(grey[None], gallery.field(atlas, 0).mix(way)))
        best = bred([Look(0, grey, way, score=score)], atlas, gallery, 48, generator)[0]
        field = gallery.field(atlas, best.pattern)
        mix = field.mix(best.tile_paint)
        again = float(gallery.scores(best.colours[None], mix, best.finish))
    assert best.score > score + 0.05 and abs(again - best.score) < 1e-5


def test_of_each_kind_of_palette_the_best_and_the_most_contrasted_are_tried_in_tiles():
    palettes = random_palettes(96, 4, torch.Generator().manual_seed(0))
    scores = torch.rand(96, generator=torch.Generator().manual_seed(1))
    chosen = best_of_kinds(palettes, scores)
    kinds = [number % PALETTE_KINDS for number in chosen]
    assert kinds == [0, 0, 1, 1, 2, 2, 3, 3]
    greys = palettes[2::PALETTE_KINDS, :, 0]
    assert scores[chosen[4]] == scores[2::PALETTE_KINDS].max()
    assert palettes[chosen[5], :, 0].var() == greys.var(1).max()
    assert best_of_kinds(palettes[:2], scores[:2]) == [0, 0, 1, 1]


@torch.no_grad()
def test_the_best_of_each_kind_are_compared_again_from_other_places():
    layers = moving_disc()
    atlas, gallery = gallery_of(layers, Reddish())
    canvas = cut_canvases(layers, layers.foreground, PLAIN).canvases[0]
    afresh = gallery.afresh(canvas, PLAIN, torch.Generator().manual_seed(9))
    for few, many, behind in zip(gallery.kinds, afresh.kinds, afresh.background, strict=True):
        assert many.facts.shape[1] == AFRESH * few.facts.shape[1] == len(behind)
        assert not torch.isin(few.facts[0, :, 0], many.facts[0, :, 0]).any()
    red, grey = torch.tensor([0.9, 0.1, 0.1]).expand(4, 3), torch.full((4, 3), 0.5)
    way = torch.zeros(4, TILE_FEATURES)
    numbers = [PATTERNS.index(kind[0]) for kind in KINDS]
    # The last kind's look is redder than all the others, and said to be the worst.
    looks = [Look(number, grey, way, score=1.0) for number in [*numbers[:-1], 1]]
    looks.append(Look(numbers[-1], red, way, score=-1.0))
    firsts, others = best_apart(looks)
    found = compared(firsts, atlas, afresh) + others
    assert found[0].pattern == numbers[-1] and found[0].score > found[1].score
    assert found[-1] is looks[-2]  # a second one of its kind stays behind
    assert sorted(look.pattern for look in found) == sorted(look.pattern for look in looks)


class Contrast(torch.nn.Module):
    """Sees nothing but how much darker and lighter parts of a picture are."""

    size = 16

    def embed_images(self, images):
        spread = images.mean(1).flatten(1).std(1)
        return torch.stack([spread, 0.3 + 0 * spread], 1)

    def embed_texts(self, texts):
        return torch.tensor([[1.0, 0.0]]).repeat(len(texts), 1)


def gallery_of(layers, encoder, frames=None, **weights):
    canvases = cut_canvases(layers, layers.foreground if frames is None else frames, PLAIN)
    generator = torch.Generator().manual_seed(1)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    settings = StylizationSettings(
        global_prefixes=2, local_prefixes=2, views=PLAIN, weights=StylizationWeights(**weights)
    )
    targets = embed_targets(TargetTexts("gold"), encoder, settings)
    return atlas, Gallery.of(canvases.canvases[0], encoder, targets, settings, generator)


@pytest.mark.parametrize(("brightest", "off"), [(0.3, 5e-3), (0.9, 0.12)])
@torch.no_grad()
def test_a_look_is_scored_as_it_will_look(brightest, off):
    """What the search composes from palette, light and highlight is what the atlas paints."""
    layers = moving_disc()
    seen = []

    class Camera(Reddish):
        def embed_images(self, images):
            seen.append(images)
            return super().embed_images(images)

    atlas, gallery = gallery_of(layers, Camera())
    drawn = torch.rand(4, 3, generator=torch.Generator().manual_seed(3))
    colours, way = 0.1 + (brightest - 0.1) * drawn, torch.zeros(4, TILE_FEATURES)
    for finish in FINISHES:
        look = Look(0, colours, way, finish)
        look.give(atlas)
        seen.clear()
        gallery.scores(atlas.colours()[None], gallery.field(atlas, 0).mix(way), finish)
        look.give(atlas)
        front = paint(gallery.spread, atlas).front
        for gaze, images in zip(gallery.kinds, seen, strict=True):
            exact = gaze.seen(front, gallery.spread.behind)[0]
            assert (images - exact).abs().max() < off  # it bends before views are cut, or after


@torch.no_grad()
def test_a_look_gets_the_finish_that_the_encoder_likes_best():
    layers = moving_disc()
    atlas, gallery = gallery_of(layers, Contrast(), bareness=0, unevenness=0)
    grey, way = torch.full((4, 3), 0.4), torch.zeros(4, TILE_FEATURES)
    field = gallery.field(atlas, 0)
    matt = Look(0, grey, way, score=float(gallery.scores(grey[None], field.mix(way))))
    best = refinished(matt, field, gallery)
    assert (
        best.finish.gloss == 1.0 and best.score > matt.score
    )  # bright parts brighter, dark darker
    assert refinished(best, field, gallery) == best


@torch.no_grad()
def test_bare_and_uneven_looks_score_less():
    layers = moving_disc()
    plain = torch.full_like(layers.foreground, 0.4)
    scores = []
    for weight in (0.0, 0.5):
        atlas, gallery = gallery_of(layers, Reddish(), plain, bareness=weight)
        as_before, other = torch.full((4, 3), 0.4), torch.full((4, 3), 0.8)
        mix = gallery.field(atlas, 0).mix()
        scores.append(gallery.scores(torch.stack([as_before, other]), mix))
    lost = scores[0] - scores[1]
    assert lost[0] > 0.2 > 0.05 > lost[1] >= 0
    scores = []
    for weight in (0.0, 0.5):
        atlas, gallery = gallery_of(layers, Reddish(), unevenness=weight)
        places = gallery.spread.points[0]
        left = (places < places.mean()).float()[:, None]
        mix = torch.cat([left, 1 - left, 0 * left, 0 * left], 1)
        two = torch.tensor([[0.9] * 3, [0.1] * 3, [0.5] * 3, [0.5] * 3])
        scores.append(gallery.scores(torch.stack([two, torch.full((4, 3), 0.5)]), mix))
    lost = scores[0] - scores[1]
    assert lost[0] > 0.1 and lost[1] < 1e-4


def test_variants_of_a_palette_keep_their_range_and_a_third_its_colours():
    colours = torch.rand(4, 3, generator=torch.Generator().manual_seed(2))
    drawn = varied_palettes(colours, 9, torch.Generator().manual_seed(0))
    assert drawn.shape == (9, 4, 3) and drawn.min() >= 0 and drawn.max() <= 1
    kept = (drawn[:, :, None] - colours).abs().amax(3).amin(2) < 1e-6  # is it one of ours?
    assert kept.sum(1).tolist() == [0, 3, 4] * 3


def test_variants_of_a_way_to_paint_tiles_change_one_colour():
    way = draw_tile_paint(1, 4, torch.Generator().manual_seed(3))[0]
    drawn = varied_ways(way, 12, torch.Generator().manual_seed(0))
    assert (drawn != way).any(2).sum(1).max() == 1 and (drawn != way).any()


def test_texels_give_the_colours_of_the_atlas_itself(layers):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    generator = torch.Generator().manual_seed(0)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    with torch.no_grad():
        atlas.palette.normal_(generator=generator)
        atlas.frequencies /= 4
        texels = PaletteTexels(atlas, canvases.canvases, density=100)
        first = canvases.canvases[0].fields
        uv = first[:2, first[2] > 0.5].T
        assert (texels.albedo(uv) - atlas.albedo(uv)).abs().max() < 0.03


def test_texels_follow_a_new_pattern(layers):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    generator = torch.Generator().manual_seed(0)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    texels = PaletteTexels(atlas, canvases.canvases, density=40)
    atlas.shape_pattern(PATTERNS[-1])
    texels.follow_pattern()
    assert torch.equal(
        texels.features, PaletteTexels(atlas, canvases.canvases, density=40).features
    )


def test_waves_shorter_than_texels_do_not_hide_between_them(make_disc):
    layers = make_disc(frames=3)
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    uv = Spread.of(canvases.canvases[1:2]).points[:2].T
    missed = []
    for texel in ((0.0, 0.0), canvases.atlas_frame.texel(24)):
        torch.manual_seed(0)
        atlas = NetworkAtlas(AtlasNetwork(), canvases.statistics, texel)
        with torch.no_grad():
            for linear in atlas.network.linears:
                linear.weight *= 2  # as bold as after some steps
            texels = NetworkTexels(atlas, canvases.atlas_frame, canvases.canvases, density=24)
            exact = atlas.albedo(uv)
            missed.append(float((texels.albedo(uv) - exact).std() / exact.std()))
    assert missed[0] > 0.6 and missed[1] < 0.25


def test_a_network_read_through_texels_is_nearly_the_network_itself(make_disc):
    layers = make_disc(frames=3)
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    torch.manual_seed(0)
    atlas = NetworkAtlas(AtlasNetwork(frequencies=4), canvases.statistics)
    texels = NetworkTexels(atlas, canvases.atlas_frame, canvases.canvases, density=100)
    uv = Spread.of(canvases.canvases[1:2]).points[:2].T
    read, exact = texels.albedo(uv), atlas.albedo(uv)
    assert (read - exact).abs().max() < 0.1 * exact.std()
    # Slopes reach the weights, too, and point the same way.
    slopes = [
        torch.autograd.grad(colours.square().mean(), atlas.network.linears[2].weight)[0].flatten()
        for colours in (read, exact)
    ]
    assert torch.nn.functional.cosine_similarity(*slopes, dim=0) > 0.99
