"""A picture as waves is that picture, of any size, and one step moves it as it should."""

import pytest
import torch

from eyespot.styling.fourier import EDGE, Waves


@pytest.mark.parametrize("size_hw", [(32, 32), (33, 47), (64, 1), (1, 64), (50, 128), (127, 31)])
def test_a_picture_comes_back(size_hw):
    torch.manual_seed(0)
    picture = EDGE + (1 - 2 * EDGE) * torch.rand(1, 3, *size_hw)
    with torch.no_grad():
        found = Waves(picture)()
    assert found.shape == picture.shape
    assert (found - picture).abs().max() < 1e-4


def test_black_and_white_come_back_as_nearly_black_and_white():
    picture = torch.zeros(1, 3, 16, 16)
    picture[..., 8:] = 1
    with torch.no_grad():
        found = Waves(picture)()
    assert (found - picture).abs().max() < EDGE + 1e-4


def test_a_large_form_weighs_more_than_a_fine_one():
    """A coefficient of the same size moves a wave that is twice as long about twice as far."""
    waves = Waves(torch.full((1, 3, 32, 32), 0.5))
    scale = waves.scale
    assert scale[0, 2] == pytest.approx(2 * scale[0, 4].item())
    assert scale[0, 0] == scale[0, 1]  # the mean is no infinity


def test_all_coefficients_get_a_gradient():
    waves = Waves(torch.rand(1, 3, 17, 20))
    waves().square().sum().backward()
    assert waves.coefficients.grad is not None
    assert waves.coefficients.grad.isfinite().all()
