import torch

from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationSettings, ViewsSettings
from engine.stylization.atlas import PaletteAtlas
from engine.stylization.canvas import cut_canvases
from engine.stylization.palette import PATTERNS, first_looks, random_palettes
from engine.stylization.targets import embed_targets
from engine.stylization.texels import Texels


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
    assert sorted(look.pattern for look in looks) == list(range(len(PATTERNS)))
    looks[0].give(atlas)
    red, green, blue = atlas.palette.sigmoid().mean(0).tolist()
    assert red > 1.2 * max(green, blue)


def test_texels_give_the_colours_of_the_atlas_itself(layers):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    generator = torch.Generator().manual_seed(0)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    with torch.no_grad():
        atlas.palette.normal_(generator=generator)
        atlas.frequencies /= 4
        texels = Texels(atlas, canvases.canvases, density=100)
        first = canvases.canvases[0].fields
        uv = first[:2, first[2] > 0.5].T
        assert (texels.albedo(uv) - atlas.albedo(uv)).abs().max() < 0.03
