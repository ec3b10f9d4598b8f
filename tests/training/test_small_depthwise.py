"""Depthwise convolution of small maps: PyTorch's numbers, and gradients that differences bear out."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from eyespot.training.small_depthwise import pays, small_depthwise, weight_gradient


@pytest.mark.parametrize(("height", "width", "kernel"), [(4, 4, 5), (3, 3, 5), (1, 1, 5), (2, 7, 5), (4, 3, 7)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_gradient_is_pytorchs(height, width, kernel, layout):
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(6, 24, height, width, generator=chance).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(24, 1, kernel, kernel, generator=chance, requires_grad=True)
    bias = torch.randn(24, generator=chance, requires_grad=True)
    theirs = functional.conv2d(x, weight, bias, padding=kernel // 2, groups=24)
    ours = small_depthwise(x, weight, bias)
    assert torch.equal(ours, theirs)
    towards = torch.randn(theirs.shape, generator=chance)
    for found, expected in zip(
        torch.autograd.grad((ours * towards).sum(), (x, weight, bias)),
        torch.autograd.grad((theirs * towards).sum(), (x, weight, bias)),
        strict=True,
    ):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_gradient_is_that_of_differences():
    x, weight, bias = (torch.randn(*shape, dtype=torch.float64) for shape in [(2, 3, 4, 2), (3, 1, 5, 5), (3,)])
    given = tuple(each.requires_grad_() for each in (x, weight, bias))
    assert torch.autograd.gradcheck(small_depthwise, given)


def test_one_pixel_meets_the_middle_of_the_kernel_alone():
    found = weight_gradient(torch.full((1, 1, 1, 1), 3.0), torch.full((1, 1, 1, 1), 2.0), 5)
    assert found[0, 0, 2, 2] == 6
    assert found.abs().sum() == 6


@pytest.mark.parametrize(
    ("conv", "side", "does"),
    [
        (nn.Conv2d(8, 8, 5, padding=2, groups=8), 4, True),
        (nn.Conv2d(8, 8, 5, padding=2, groups=8), 5, False),
        (nn.Conv2d(8, 8, 3, padding=1, groups=8), 4, False),
        (nn.Conv2d(8, 8, 5, padding=2), 4, False),
        (nn.Conv2d(8, 16, 5, padding=2, groups=8), 4, False),
        (nn.Conv2d(8, 8, 5, padding=2, groups=8, stride=2), 4, False),
        (nn.Conv2d(8, 8, 5, padding=0, groups=8), 4, False),
        (nn.Conv2d(8, 8, 5, padding=2, groups=8, dilation=2), 4, False),
        (nn.Conv2d(8, 8, 5, padding=2, groups=8, padding_mode="reflect"), 4, False),
    ],
)
def test_only_what_it_computes_is_left_to_it(conv, side, does):
    x = torch.randn(2, 8, side, side)
    assert pays(conv, x) == does
    if does:
        torch.testing.assert_close(small_depthwise(x, conv.weight, conv.bias), conv(x))
