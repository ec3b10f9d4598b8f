"""The worked numbers of courses on convolutional networks, as the table of layers has them."""

import torch
from torch import nn

from eyespot import zoo
from eyespot.arithmetic.table import Layer, flat, total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, chain, conv


def layers(net: nn.Module, input_chw: tuple[int, int, int]) -> list[Layer]:
    return list(flat(trace(net, input_chw)))


def only(layer: nn.Module, input_chw: tuple[int, int, int]) -> Layer:
    return layers(chain(layer=layer), input_chw)[-1]


def test_three_convolutions_take_39x39x3_to_1960_features():
    net = chain(
        one=conv(3, 10, 3, padding=0, bias=True),
        two=conv(10, 20, 5, stride=2, padding=0, bias=True),
        three=conv(20, 40, 5, stride=2, padding=0, bias=True),
        flat=nn.Flatten(),
    )
    found = layers(net, (3, 39, 39))
    assert [layer.output for layer in found] == [(3, 39, 39), (10, 37, 37), (20, 17, 17), (40, 7, 7), (1960,)]
    assert found[1].formula == "floor((39 + 2*0 - 3)/1) + 1 = 37"
    assert found[2].formula == "floor((37 + 2*0 - 5)/2) + 1 = 17"
    assert found[3].formula == "floor((17 + 2*0 - 5)/2) + 1 = 7"


def test_the_32x32x3_network_has_the_activations_and_parameters_of_its_table():
    """Slides that print 48,001 for the first fully connected layer count one bias for the layer, not one a neuron."""
    with torch.device("meta"):
        net = zoo.create("lenet5_rgb")
    shown = [
        layer
        for layer in layers(net, (3, 32, 32))
        if layer.kind in ("image", "conv", "max pool", "average pool", "fully connected")
    ]
    assert [layer.activations for layer in shown] == [3072, 4704, 1176, 1600, 400, 120, 84, 10]
    assert [layer.parameters for layer in shown] == [0, 456, 0, 2416, 0, 48_120, 10_164, 850]


def test_a_fully_connected_layer_in_place_of_a_convolution_needs_over_14_million_weights():
    """Courses that print 156 parameters for the convolution count one channel of the picture."""
    found = only(conv(3, 6, 5, padding=0, bias=True), (3, 32, 32))
    assert (found.input, found.output) == ((3, 32, 32), (6, 28, 28))
    assert found.fully_connected == 3_072 * 4_704 == 14_450_688
    assert found.parameters == 456
    assert only(conv(1, 6, 5, padding=0, bias=True), (1, 32, 32)).parameters == 156


def test_ten_3x3x3_filters_have_280_parameters_whatever_the_size_of_the_picture():
    for side in (8, 39, 1000):
        assert only(conv(3, 10, 3, bias=True), (3, side, side)).parameters == 280


def test_a_fully_connected_layer_on_a_large_picture_has_three_thousand_million_weights():
    assert layers(chain(flat=nn.Flatten()), (3, 64, 64))[-1].activations == 12_288
    with torch.device("meta"):
        net = chain(flat=nn.Flatten(), fc=nn.Linear(1000 * 1000 * 3, 1000, bias=False))
    assert total(trace(net, (3, 1000, 1000))).parameters == 3 * 10**9


def test_5x5_on_28x28x192_costs_120_million_and_12_million_through_a_bottleneck():
    assert only(conv(192, 32, 5), (192, 28, 28)).multiply_adds == 120_422_400
    bottleneck = chain(squeeze=conv(192, 16, 1), five=conv(16, 32, 5))
    found = layers(bottleneck, (192, 28, 28))
    assert found[-1].output == (32, 28, 28)
    assert [layer.multiply_adds for layer in found[1:]] == [2_408_448, 10_035_200]
    assert total(trace(bottleneck, (192, 28, 28))).multiply_adds == 12_443_648


def test_32_kernels_of_1x1_take_28x28x192_to_28x28x32():
    assert only(conv(192, 32, 1), (192, 28, 28)).output == (32, 28, 28)


def test_an_inception_block_makes_28x28x256_of_28x28x192():
    block = Branches(
        one=conv(192, 64, 1),
        three=chain(squeeze=conv(192, 96, 1), conv=conv(96, 128, 3)),
        five=chain(squeeze=conv(192, 16, 1), conv=conv(16, 32, 5)),
        pool=chain(pool=nn.MaxPool2d(3, 1, 1), conv=conv(192, 32, 1)),
    )
    found = only(block, (192, 28, 28))
    assert found.output == (256, 28, 28)
    assert found.formula == "64 + 128 + 32 + 32 = 256"


def test_pooling_keeps_the_depth_and_has_no_parameters():
    assert only(nn.MaxPool2d(3, 1), (2, 5, 5)).output == (2, 3, 3)
    found = only(nn.MaxPool2d(3, 2), (1000, 7, 7))
    assert (found.output, found.parameters) == ((1000, 3, 3), 0)


def test_a_3x3_window_with_stride_2_finds_3x3_places_in_7x7():
    assert only(conv(1, 1, 3, stride=2, padding=0), (1, 7, 7)).output == (1, 3, 3)


def test_vgg_16_counts_its_convolutions_and_fully_connected_layers():
    with torch.device("meta"):
        net = zoo.create("vgg16")
    found = total(trace(net, (3, 224, 224)))
    assert (found.depth, found.parameters) == (16, 138_357_544)
