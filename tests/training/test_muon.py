"""Muon: against the singular value decomposition, PyTorch's own Muon and PyTorch's SGD."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from eyespot.training.muon import Muon, orthogonal
from eyespot.training.optimiser import optimiser


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stepped(weight: nn.Parameter, made: torch.optim.Optimizer, steps: int) -> Tensor:
    for step in range(steps):
        weight.grad = random(*weight.shape, seed=step + 1)
        made.step()
    return weight.detach()


def muon(weight: nn.Parameter, *, lr: float, weight_decay: float = 0.0, momentum: float = 0.9) -> Muon:
    return Muon([{"params": [weight], "lr": lr, "weight_decay": weight_decay}], momentum=momentum)


@pytest.mark.parametrize("shape", [(16, 144), (144, 16), (32, 32), (1, 9)])
def test_singular_values_become_about_one_and_singular_vectors_stay(shape):
    matrix = random(*shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ orthogonal(matrix) @ right.T
    values = inner.diagonal()
    assert values.min() > 0.6
    assert values.max() < 1.25
    torch.testing.assert_close(inner, values.diag(), atol=1e-3, rtol=0)


def test_a_matrix_of_zeros_has_no_direction():
    assert torch.equal(orthogonal(torch.zeros(4, 9)), torch.zeros(4, 9))


def test_a_first_step_goes_where_pytorchs_muon_goes():
    flat = nn.Parameter(random(8, 36))
    before = flat.detach().clone()
    theirs = before - stepped(flat, torch.optim.Muon([flat], lr=0.01, weight_decay=0, momentum=0.9), 1)
    weight = nn.Parameter(before.view(8, 4, 3, 3).clone())
    ours = (before.view_as(weight) - stepped(weight, muon(weight, lr=0.01), 1)).flatten(1)
    across = ours - before * (ours * before).sum() / before.square().sum()  # without what keeping the length takes back
    theirs -= before * (theirs * before).sum() / before.square().sum()
    assert torch.cosine_similarity(across.flatten(), theirs.flatten(), dim=0) > 0.995  # theirs computes in bfloat16


def test_a_convolution_moves_by_a_share_of_its_length_and_keeps_it():
    weight = nn.Parameter(3 * random(8, 4, 3, 3))
    before = weight.detach().clone()
    moved = stepped(weight, muon(weight, lr=0.1, weight_decay=0.5), 1)
    assert float(moved.norm()) == pytest.approx(float(before.norm()), rel=1e-5)
    assert float((moved - before).norm() / before.norm()) == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_what_is_no_convolution_is_trained_as_by_pytorchs_sgd(shape):
    ours, theirs = nn.Parameter(random(*shape)), nn.Parameter(random(*shape))
    expected = stepped(theirs, SGD([theirs], lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.01), 4)
    found = stepped(ours, muon(ours, lr=0.1, momentum=0.8, weight_decay=0.01), 4)
    torch.testing.assert_close(found, expected)


def test_the_optimiser_of_that_name_is_muon_and_leaves_out_weights_without_a_gradient():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    made = optimiser(net, "muon", lr=0.1, weight_decay=0.1)
    assert isinstance(made, Muon)
    made.step()
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
