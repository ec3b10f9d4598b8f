import pytest
import torch

from eyespot.zoo.lenet import lenet5


def _parameters(module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_parameters_of_each_layer_are_those_of_the_paper_where_it_is_the_same():
    net = lenet5()
    assert _parameters(net.stage1) == 156  # C1: "156 trainable parameters"
    assert _parameters(net.stage2) == 16 * (6 * 25 + 1)  # C3 with all connections; the paper's has 1,516
    assert _parameters(net.head.fc1) == 48_120  # C5
    assert _parameters(net.head.fc2) == 10_164  # F6
    assert _parameters(net) == 61_706


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_are_those_of_figure_2(channels):
    net = lenet5(channels=channels)
    x = torch.zeros(2, channels, 32, 32)
    assert net.stage1(x).shape == (2, 6, 14, 14)
    assert net.stage2(net.stage1(x)).shape == (2, 16, 5, 5)
    assert net(x).shape == (2, 10)
