"""Pooling before ReLU gives the same bits, forward and backward, with the same weights under the same names."""

from __future__ import annotations

import pytest
import torch

from eyespot import zoo
from eyespot.training.pooled_first import pooled_first


@pytest.mark.parametrize(
    ("name", "side"), [("lenet5", 32), ("nin_cifar10", 32), ("vgg11_bn", 64), ("resnet20_cifar", 32)]
)
def test_the_same_bits_with_the_same_weights(name, side):
    torch.manual_seed(0)
    net = zoo.create(name, classes=3).eval()
    other = pooled_first(net)
    x = torch.randn(2, zoo.definition(name).input_chw[0], side, side)
    assert other.state_dict().keys() == net.state_dict().keys()
    with torch.inference_mode():
        assert torch.equal(net(x), other(x))


def test_gradients_are_the_same_too():
    torch.manual_seed(0)
    net = zoo.create("lenet5", classes=3)
    x = torch.randn(4, 1, 32, 32)
    net(x).square().sum().backward()
    before = {name: weight.grad.clone() for name, weight in net.named_parameters()}
    net.zero_grad()
    pooled_first(net)(x).square().sum().backward()
    for name, weight in net.named_parameters():
        torch.testing.assert_close(weight.grad, before[name], rtol=1e-5, atol=1e-5)


def test_padding_does_not_matter():
    """A padded max pooling pads with minus infinity, not with zero."""
    net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1))
    x = torch.randn(2, 3, 9, 9)
    assert torch.equal(net(x), pooled_first(net)(x))


def test_only_a_relu_right_before_a_max_pooling_moves():
    order = [name for name, _ in pooled_first(zoo.create("lenet5")).stage1.named_children()]
    assert order == ["conv", "pool", "act"]
    order = [name for name, _ in pooled_first(zoo.create("lenet5")).head.named_children()]
    assert order == ["flat", "fc1", "act1", "fc2", "act2", "fc"]
