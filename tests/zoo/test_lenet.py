"""Against the numbers of the paper, section II.B, and of the courses that show its RGB variant."""

import pytest
import torch
from torch import nn

from eyespot.zoo.lenet import lenet5, lenet5_1998


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


def test_the_rgb_variant_has_the_activations_and_parameters_that_courses_show():
    net, x = lenet5(channels=3), torch.zeros(1, 3, 32, 32)
    activations, parameters = [x.numel()], [0]
    for layer in (layer for layer in net.modules() if not list(layer.children())):
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            activations.append(x.numel())
            parameters.append(_parameters(layer))
    assert activations == [3072, 4704, 1176, 1600, 400, 120, 84, 10]
    assert parameters == [0, 456, 0, 2416, 0, 48_120, 10_164, 850]


def test_the_form_of_1998_has_the_parameters_of_the_paper():
    net = lenet5_1998()
    layers = (net.stage1.c1, net.stage1.s2, net.stage2.c3, net.stage2.s4, net.head.c5, net.head.f6)
    assert [_parameters(layer) for layer in layers] == [156, 12, 1_516, 32, 48_120, 10_164]
    assert _parameters(net) - _parameters(net.head.fc) == 60_000  # "only 60,000 trainable free parameters"


def test_the_form_of_1998_has_the_shapes_of_figure_2():
    net, x = lenet5_1998(), torch.zeros(2, 1, 32, 32)
    shapes = [
        tuple((x := layer(x)).shape[1:])
        for layer in (net.stage1.c1, net.stage1.s2, net.stage2.c3, net.stage2.s4, net.head.c5)
    ]
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1)]


TABLE_I = """\
X   XXX  XXXX XX
XX   XXX  XXXX X
XXX   XXX  X XXX
 XXX  XXXX  X XX
  XXX  XXXX XX X
   XXX  XXXX XXX"""
"""As printed: a row for each map of S2, a column for each map of C3."""


def test_each_map_of_c3_sees_the_maps_of_s2_that_table_1_marks():
    torch.manual_seed(0)
    c3 = lenet5_1998().stage2.c3
    rows = TABLE_I.splitlines()
    plain = c3(torch.zeros(1, 6, 14, 14))
    for seen, row in enumerate(rows):
        x = torch.zeros(1, 6, 14, 14)
        x[0, seen] = 1
        changed = (c3(x) != plain).flatten(2).any(2)[0]
        assert [bool(each) for each in changed] == [mark == "X" for mark in row]


def test_subsampling_is_a_coefficient_and_a_bias_for_each_map_and_then_the_squashing():
    torch.manual_seed(0)
    s2 = lenet5_1998().stage1.s2
    x = torch.randn(2, 6, 28, 28)
    coefficient, bias = s2.conv.weight.view(6, 1, 1) / 4, s2.conv.bias.view(6, 1, 1)
    total = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
    torch.testing.assert_close(s2(x), 1.7159 * torch.tanh(2 / 3 * (coefficient * total + bias)))


def test_the_squashing_function_keeps_one_and_minus_one():
    act = lenet5_1998().stage1.c1.act  # appendix A: f(1) = 1 and f(-1) = -1
    torch.testing.assert_close(act(torch.tensor([-1.0, 0.0, 1.0])), torch.tensor([-1.0, 0.0, 1.0]), atol=1e-4, rtol=0)


def test_the_form_of_1998_has_the_connections_of_the_paper():
    """A weight or a bias counts each time it is used; a pixel of a subsampled map uses four pixels and a bias."""
    net = lenet5_1998()
    maps = {"c1": 28 * 28, "c3": 10 * 10, "c5": 1}
    layers = {"c1": net.stage1.c1, "c3": net.stage2.c3, "c5": net.head.c5}
    found = {name: _parameters(layer) * maps[name] for name, layer in layers.items()}
    assert found == {"c1": 122_304, "c3": 151_600, "c5": 48_120}
    s2, s4 = 5 * 6 * 14 * 14, 5 * 16 * 5 * 5
    assert (s2, s4) == (5_880, 2_000)
    rbf = 84 * 10
    assert sum(found.values()) + s2 + s4 + _parameters(net.head.f6) + rbf == 340_908  # "340,908 connections"
