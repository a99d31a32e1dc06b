import torch

from engine.contract.job import TargetTexts
from engine.contract.settings import replace_setting
from engine.stylization.canvas import cut_canvases
from engine.stylization.targets import embed_targets
from engine.stylization.validation import Validation, balanced_mean, cosines


def test_a_bare_part_costs_more_than_an_even_lack():
    even, bare = torch.full((6,), 0.5), torch.tensor([0.6, 0.6, 0.6, 0.6, 0.6, 0.0])
    assert even.mean() == bare.mean()
    assert balanced_mean(even) == 0.5 and balanced_mean(bare) < 0.45


def test_each_row_of_matches_has_its_own_mean():
    matches = torch.rand(3, 9, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(
        balanced_mean(matches), torch.stack([balanced_mean(row) for row in matches])
    )


class Redness(torch.nn.Module):
    """Sees nothing but how red a picture is."""

    size = 16

    def embed_images(self, images):
        red, green, blue = images.mean((2, 3)).unbind(1)
        return torch.stack([red, green + blue], 1)

    def embed_texts(self, texts):
        return torch.tensor([[1.0, 0.0]]).repeat(len(texts), 1)


class Paint:
    """Red up to a place of the atlas, green beyond."""

    def __init__(self, up_to: float) -> None:
        self.up_to = up_to

    def albedo(self, uv):
        red = (uv[:, :1] < self.up_to).float()
        return torch.cat([red, 1 - red, torch.zeros_like(red)], 1)

    def lit(self, albedo, shading):
        return albedo


def test_an_exam_prefers_the_paint_that_reaches_further_and_says_the_same_twice(layers, settings):
    canvases = cut_canvases(layers, layers.foreground, settings.views)
    encoder = Redness()
    targets = embed_targets(TargetTexts("red"), encoder, settings)
    validation = Validation(canvases, encoder, targets, settings)
    low, high = canvases.canvases[0].fields[0].amin(), canvases.canvases[0].fields[0].amax()
    scores = [validation.score(Paint(float(low + part * (high - low)))) for part in (0.2, 0.6, 1.1)]
    assert scores[0] < scores[1] < scores[2]
    assert scores[2] == validation.score(Paint(float(high + 1)))


def test_an_exam_counts_what_is_uneven_where_that_has_a_weight(layers, settings):
    canvases = cut_canvases(layers, layers.foreground, settings.views)
    targets = embed_targets(TargetTexts("red"), Redness(), settings)
    weighed = replace_setting(settings, "weights.unevenness", 0.5)
    plain, strict = (Validation(canvases, Redness(), targets, each) for each in (settings, weighed))
    middle = float(canvases.canvases[0].fields[0].mean())
    for place, least, most in ((middle, 0.05, 1.0), (2.0, -1e-5, 1e-5)):  # in halves; of one colour
        lost = plain.score(Paint(place)) - strict.score(Paint(place))
        assert least < lost <= most


def test_cosines_are_those_of_each_view():
    embeddings = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    assert cosines(embeddings, torch.tensor([1.0, 0.0])).tolist() == [1.0, 0.0]
