"""Strided 1x1 convolutions of few channels: PyTorch's own gradients of their weights write past their memory."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from eyespot.training.narrow_strides import without_overrun

SOUND = (
    nn.Conv2d(3, 5, 3, 2, 1),
    nn.Conv2d(3, 5, 1),
    nn.Conv2d(16, 5, 1, 2),
    nn.Conv2d(3, 5, (1, 3), 2),
    nn.Conv2d(3, 5, 1, 2, padding=1),
)
NARROW = (
    nn.Conv2d(3, 5, 1, 2),
    nn.Conv2d(6, 4, 1, (1, 3), groups=2, bias=False),
    nn.Conv2d(15, 8, 1, 2, padding="valid"),
)


@pytest.mark.parametrize("conv", [*SOUND, *NARROW], ids=str)
def test_it_computes_what_it_did_and_so_do_its_gradients(conv):
    def gradients(x, context):
        conv.zero_grad()
        with context:
            found = conv(x)
        (found * torch.arange(found.numel()).view(found.shape).remainder(7)).sum().backward()
        return found.detach(), x.grad, *(each.grad.clone() for each in conv.parameters())

    torch.manual_seed(0)
    rows = torch.randn(2, conv.in_channels, 9, 12)
    plain = gradients(rows.clone().requires_grad_(), torch.enable_grad())  # channels first: the engine's sound way
    last = rows.to(memory_format=torch.channels_last)
    for one, other in zip(plain, gradients(last.requires_grad_(), without_overrun(nn.Sequential(conv))), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("conv", SOUND, ids=str)
def test_other_networks_are_left_alone(conv):
    with without_overrun(nn.Sequential(conv)) as mode:
        assert mode is None


def test_its_gradients_do_not_end_the_process():
    """With maps and weights as large as those that did, and memory that is watched."""
    program = """
import torch
from torch import nn
from eyespot.training.narrow_strides import without_overrun
net = nn.Sequential(nn.Conv2d(3, 48, 1, 2, bias=False)).to(memory_format=torch.channels_last)
for _ in range(12):
    x = torch.randn(24, 3, 96, 96).to(memory_format=torch.channels_last)
    with without_overrun(net):
        found = net(x)
    found.sum().backward()
"""
    watched = {"MALLOC_CHECK_": "3", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ | watched, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
