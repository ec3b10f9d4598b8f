"""A network from scratch begins as its shortcuts, and every weight of it can learn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.blocks import Residual
from eyespot.training.first_weights import silence_bodies


def test_each_sum_of_a_resnet_begins_as_its_shortcut():
    net = zoo.create("resnet20_cifar")
    silence_bodies(net)
    sums = [module for module in net.modules() if isinstance(module, Residual)]
    assert len(sums) == 9
    for module in sums:
        x = torch.randn(2, module.body.conv1.in_channels, 8, 8)
        torch.testing.assert_close(module(x), x if module.shortcut is None else module.shortcut(x))


@pytest.mark.parametrize("name", ["resnet20_cifar", "quick_resnet"])
def test_no_body_is_silenced_for_ever(name):
    torch.manual_seed(0)
    net = zoo.create(name)
    silence_bodies(net)
    made = torch.optim.SGD(net.parameters(), lr=0.1)
    before = {key: value.clone() for key, value in net.named_parameters()}
    for _ in range(2):
        made.zero_grad()
        nn.functional.cross_entropy(net(torch.randn(8, 3, 16, 16)), torch.arange(8)).backward()
        made.step()
    assert [key for key, value in net.named_parameters() if torch.equal(value, before[key])] == []


def test_a_network_without_sums_stays_as_it_is():
    net = zoo.create("lenet5")
    before = {key: value.clone() for key, value in net.state_dict().items()}
    silence_bodies(net)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
