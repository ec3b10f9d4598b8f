"""Against the widths and sizes of airbench94 (github.com/KellerJordan/cifar10-airbench), and a sum done by hand."""

import pytest
import torch
from torch import nn

from eyespot.zoo.quick_resnet import quick_resnet


def test_the_convolutions_are_those_of_airbench94():
    with torch.device("meta"):
        convs = [layer for layer in quick_resnet().modules() if isinstance(layer, nn.Conv2d)]
    assert [(each.kernel_size[0], each.in_channels, each.out_channels) for each in convs] == [
        *((2, 3, 24), (3, 24, 64), (3, 64, 64), (3, 64, 256), (3, 256, 256), (3, 256, 256), (3, 256, 256)),
    ]


def test_the_maps_are_those_of_airbench94():
    with torch.device("meta"):
        net, x = quick_resnet(classes=7), torch.empty(2, 3, 32, 32)
        shapes = [tuple((x := stage(x)).shape[1:]) for stage in net]
    assert shapes == [(24, 31, 31), (64, 15, 15), (256, 7, 7), (256, 3, 3), (7,)]


@pytest.mark.parametrize("side", [16, 20, 24, 28, 40])
def test_images_of_other_sizes_are_classified_too(side):
    with torch.device("meta"):
        assert quick_resnet()(torch.empty(2, 3, side, side)).shape == (2, 10)


def test_a_stage_is_its_pooled_convolution_and_what_a_second_one_adds_to_it():
    torch.manual_seed(0)
    stage = quick_resnet().eval().stage1
    for norm in (stage.norm, stage.sum.body.norm):
        nn.init.uniform_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    x = torch.randn(2, 24, 9, 9)
    first = torch.relu(stage.norm(nn.functional.max_pool2d(stage.conv(x), 2)))
    torch.testing.assert_close(stage(x), first + torch.relu(stage.sum.body.norm(stage.sum.body.conv(first))))
