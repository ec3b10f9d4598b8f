"""Against the authors' models, layer by layer: no library has them, and the paper gives no widths."""

import pytest
import torch
from torch import nn

from eyespot.zoo.nin import nin_cifar10, nin_imagenet

CIFAR10 = ((5, 192), (1, 160), (1, 96), (5, 192), (1, 192), (1, 192), (3, 192), (1, 192), (1, 10))
IMAGENET = (
    *((11, 96), (1, 96), (1, 96), (5, 256), (1, 256), (1, 256)),
    *((3, 384), (1, 384), (1, 384), (3, 1024), (1, 1024), (1, 1000)),
)


@pytest.mark.parametrize(("make", "expected"), [(nin_cifar10, CIFAR10), (nin_imagenet, IMAGENET)])
def test_the_convolutions_are_those_of_the_authors_model(make, expected):
    with torch.device("meta"):
        convs = [layer for layer in make().modules() if isinstance(layer, nn.Conv2d)]
    assert tuple((conv.kernel_size[0], conv.out_channels) for conv in convs) == expected


@pytest.mark.parametrize(
    ("make", "size", "expected"),
    [
        (nin_cifar10, 32, [(96, 16, 16), (192, 8, 8), (192, 8, 8), (10,)]),
        (nin_imagenet, 224, [(96, 27, 27), (256, 13, 13), (384, 6, 6), (1024, 6, 6), (1000,)]),
    ],
)
def test_the_maps_are_those_of_the_authors_model(make, size, expected):
    with torch.device("meta"):
        net, x = make(), torch.empty(2, 3, size, size)
        assert [tuple((x := stage(x)).shape[1:]) for stage in net] == expected


def test_nothing_is_fully_connected_and_a_logit_is_the_mean_of_a_map():
    torch.manual_seed(0)
    net = nin_cifar10().eval()
    assert not any(isinstance(layer, nn.Linear) for layer in net.modules())
    x = torch.randn(2, 3, 32, 32)
    maps = net[:-1](x)
    maps = net.head.act(net.head.conv(maps))
    torch.testing.assert_close(net(x), maps.mean((2, 3)))


def test_a_perceptron_that_slides_is_the_same_perceptron_at_every_pixel():
    torch.manual_seed(0)
    stage = nin_cifar10().stage1
    x = torch.randn(2, 192, 3, 4)
    pixels = x.permute(0, 2, 3, 1)  # (N, H, W, C)
    for layer in (stage.conv2, stage.conv3):
        pixels = torch.relu(nn.functional.linear(pixels, layer.weight.flatten(1), layer.bias))
    torch.testing.assert_close(stage[2:6](x), pixels.permute(0, 3, 1, 2))
