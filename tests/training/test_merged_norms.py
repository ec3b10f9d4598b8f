"""A norm merged into its convolution gives the same numbers, forward and backward, with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.blocks import chain
from eyespot.training.merged_norms import MergedNorm, merged_norms


def lively(net):
    """Norms with statistics and weights of their own, in evaluation."""
    for module in net.train().modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return net


@pytest.mark.parametrize(
    ("name", "side"),
    [("efficientnet_lite0", 64), ("resnet50", 64), ("resnet20_cifar", 32), ("inception_v3", 96), ("vgg11_bn", 32)],
)
def test_the_same_numbers_and_gradients(name, side):
    torch.manual_seed(0)
    net = lively(zoo.create(name, classes=3)).double()  # in double precision only a mistake is this large
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    found = {}
    for kind, made in [("plain", net), ("merged", merged_norms(net))]:
        net.zero_grad()
        answers = made(x)
        answers.square().sum().backward()
        found[kind] = answers.detach(), {name: weight.grad.clone() for name, weight in net.named_parameters()}
    (plain, gradients), (merged, others) = found["plain"], found["merged"]
    torch.testing.assert_close(merged, plain, rtol=1e-9, atol=1e-9)
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, rtol=1e-7, atol=1e-9 * float(gradient.abs().max() + 1))


def test_every_norm_behind_a_convolution_is_merged():
    net = lively(zoo.create("efficientnet_lite0", classes=3))
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    merged = merged_norms(net)
    assert sum(isinstance(module, MergedNorm) for module in merged.modules()) == norms
    assert {id(weight) for weight in merged.parameters()} == {id(weight) for weight in net.parameters()}


def test_a_norm_that_trains_stays_and_learns_its_statistics():
    net = chain(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4)).train()
    merged = merged_norms(net)
    assert merged is net
    before = net.norm.running_mean.clone()
    merged(torch.randn(2, 3, 8, 8))
    assert not torch.equal(net.norm.running_mean, before)


def test_a_norm_that_is_switched_to_training_later_is_used_as_it_is():
    net = chain(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4)).eval()
    merged = merged_norms(net)
    net.train()
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(merged(x), net(x))


def test_a_convolution_of_which_others_take_the_output_keeps_it():
    """Only what comes right behind: here an activation lies between."""
    net = chain(conv=nn.Conv2d(3, 4, 3), act=nn.ReLU(), norm=nn.BatchNorm2d(4)).eval()
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(merged_norms(net)(x), net(x))
