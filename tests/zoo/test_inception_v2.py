"""Against figure 5 of the paper: no library has this network."""

import pytest
import torch
from torch import nn

from eyespot.arithmetic.shapes import output_shape
from eyespot.blocks import Branches, taps
from eyespot.zoo.inception_v2 import inception_v2

FIGURE_5 = {  # arXiv:1502.03167: output (H, W, C); of 3c and 4e, which have stride 2, the figure prints the size before
    "stage1.act": (112, 112, 64),
    "stage1.pool": (56, 56, 64),
    "stage2.b": (56, 56, 192),
    "stage2.pool": (28, 28, 192),
    "stage3.a": (28, 28, 256),
    "stage3.b": (28, 28, 320),
    "stage3.c": (14, 14, 576),
    "stage4.a": (14, 14, 576),
    "stage4.b": (14, 14, 576),
    "stage4.c": (14, 14, 608),  # 160 + 160 + 160 + 128; the figure prints 576
    "stage4.d": (14, 14, 608),  # 96 + 192 + 192 + 128; the figure prints 576
    "stage4.e": (7, 7, 1056),  # 192 + 256 + 608; the figure prints 1024
    "stage5.a": (7, 7, 1024),
    "stage5.b": (7, 7, 1024),
    "head.pool": (1, 1, 1024),
}
FILTERS = {  # figure 5, its last six columns; 0 for the convolution that a block of stride 2 lacks
    "stage3.a": (64, 64, 64, 64, 96, "avg", 32),
    "stage3.b": (64, 64, 96, 64, 96, "avg", 64),
    "stage3.c": (0, 128, 160, 64, 96, "max", 0),
    "stage4.a": (224, 64, 96, 96, 128, "avg", 128),
    "stage4.b": (192, 96, 128, 96, 128, "avg", 128),
    "stage4.c": (160, 128, 160, 128, 160, "avg", 128),
    "stage4.d": (96, 128, 192, 160, 192, "avg", 128),
    "stage4.e": (0, 128, 192, 192, 256, "max", 0),
    "stage5.a": (352, 192, 320, 160, 224, "avg", 128),
    "stage5.b": (352, 192, 320, 192, 224, "max", 128),
}


@pytest.fixture(scope="module")
def net() -> nn.Sequential:
    with torch.device("meta"):
        return inception_v2().eval()


def test_shapes_are_those_of_figure_5(net):
    found = taps(net, list(FIGURE_5), torch.empty(1, 3, 224, 224, device="meta"))
    assert {stage: (*x.shape[2:], x.shape[1]) for stage, x in found.items()} == FIGURE_5


def _filters(block: Branches) -> tuple[int | str, ...]:
    branches = dict(block.named_children())
    one = branches["b1"].conv.out_channels if "b1" in branches else 0
    three, double, pool = branches["b3"], branches["b33"], branches["pool"]
    assert double.c.conv.in_channels == double.c.conv.out_channels  # the figure has one number for both
    widths = [unit.conv.out_channels for unit in (three.a, three.b, double.a, double.c)]
    projection = pool.proj.conv.out_channels if hasattr(pool, "proj") else 0
    return one, *widths, {nn.MaxPool2d: "max", nn.AvgPool2d: "avg"}[type(pool.pool)], projection


def test_filters_are_those_of_figure_5(net):
    assert {stage: _filters(net.get_submodule(stage)) for stage in FILTERS} == FILTERS


def test_blocks_change_the_size_only_where_figure_5_says_stride_2(net):
    for stage in FILTERS:
        block = net.get_submodule(stage)
        strides = [layer.stride for layer in block.modules() if isinstance(layer, nn.Conv2d) and layer.stride != (1, 1)]
        assert strides == ([(2, 2)] * 2 if stage in ("stage3.c", "stage4.e") else []), stage


def _parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_parameters_are_those_of_the_published_caffe_network(net):
    """11,295,240, of which one for each channel is a bias before a BatchNorm, which takes it away again."""
    biases = sum(layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d))
    assert _parameters(net) + biases == 11_295_240


def test_a_separable_first_convolution_has_eight_outputs_for_each_colour(net):
    with torch.device("meta"):
        separable = inception_v2(separable_stem=True)
    assert separable.stage1.depth.weight.shape == (24, 1, 7, 7)
    assert separable.stage1.conv.weight.shape == (64, 24, 1, 1)
    assert _parameters(net) - _parameters(separable) == 64 * 3 * 49 - (24 * 49 + 64 * 24)
    assert separable.stage1(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 64, 56, 56)


@pytest.mark.parametrize("stage", ["stage3.c", "stage4.e"])
def test_the_pooling_of_a_block_of_stride_2_is_that_of_caffe_where_the_size_is_even(net, stage):
    """Which lets the last window reach over the edge; at an odd size the branches would not fit together."""
    images = torch.rand(2, 4, 28, 14)
    caffe = nn.MaxPool2d(3, 2, ceil_mode=True)
    assert torch.equal(net.get_submodule(stage).pool(images), caffe(images))


def test_images_of_any_size_from_7_pixels_fit(net):
    for size in range(7, 300):
        assert output_shape(net, (3, size, 306 - size)) == (1000,)


def test_it_runs_forward_and_backward():
    net = inception_v2(classes=4)
    net(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
