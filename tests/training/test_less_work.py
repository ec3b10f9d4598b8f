"""What takes less work gives the same numbers, forward and backward, with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from eyespot import blocks, zoo
from eyespot.blocks import chain
from eyespot.training.less_work import (
    MergedNorm,
    input_only,
    merged_norms,
    pays,
    pooled_first,
    small_depthwise,
    weight_gradient,
)


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
    net = zoo.create(name, classes=3)
    if name == "vgg11_bn":
        net, _ = blocks.split(net, after="stage5")  # after it come 120 million weights and no norm
    net = lively(net).double()  # in double precision only a mistake is this large
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


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(8, 16, 3, padding=1),
        nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8, bias=False),
        nn.Conv2d(8, 4, 1),
        nn.Conv2d(8, 4, 3, padding=2, dilation=2),
        nn.Conv2d(8, 4, 3, padding="same"),
        nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"),
    ],
)
def test_weights_that_stay_give_the_same_gradient_of_the_input(conv, layout):
    net = lively(chain(conv=conv, norm=nn.BatchNorm2d(conv.out_channels))).requires_grad_(False)
    x = torch.randn(2, 8, 9, 7).contiguous(memory_format=layout).requires_grad_()
    plain, merged = net(x), merged_norms(net)(x)
    torch.testing.assert_close(merged, plain, rtol=1e-5, atol=1e-5)
    [expected], [found] = (torch.autograd.grad(each.square().sum(), x) for each in (plain, merged))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_weights_that_stay_keep_no_input():
    conv = nn.Conv2d(8, 16, 3).requires_grad_(False)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda each: each):
        input_only(conv, torch.randn(1, 8, 9, 9, requires_grad=True), conv.weight, conv.bias)
    assert [each.shape for each in kept] == [conv.weight.shape]
