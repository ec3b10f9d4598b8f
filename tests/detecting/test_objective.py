"""The loss of worked answers."""

import math

import pytest
import torch

from eyespot.detecting.assignment import Truth
from eyespot.detecting.objective import BOX_WEIGHT, loss_of
from eyespot.detecting.places import Places

PLACE = Places((32, 32), (32,))
"""One place, at 16, 16."""


def test_a_perfect_box_costs_its_entropy_alone() -> None:
    truth = Truth(torch.tensor([[0.0, 0, 32, 32]]), torch.tensor([0]), torch.tensor([0]))
    loss = loss_of(torch.zeros(1, 1, 2), torch.full((1, 1, 4), 0.5), PLACE, truth)
    negative = 0.75 * 0.5**2 * math.log(2)  # the other class, at a score of a half
    assert float(loss.total) == pytest.approx(math.log(2) + negative, rel=1e-5)
    assert loss.weight == pytest.approx(1)


def test_a_box_that_is_half_as_wide_counts_by_its_overlap() -> None:
    truth = Truth(torch.tensor([[0.0, 0, 32, 32]]), torch.tensor([0]), torch.tensor([0]))
    loss = loss_of(torch.full((1, 1, 1), -20.0), torch.tensor([[[0.25, 0.5, 0.25, 0.5]]]), PLACE, truth)
    target = 0.5  # the overlap; the generalised one is the same, since the hull is the true box
    of_scores = target * (target * 20)  # weight x cross entropy of a score of nearly 0
    assert float(loss.total) == pytest.approx(of_scores + BOX_WEIGHT * 0.5 * target, rel=1e-3)


def test_without_boxes_only_sure_scores_cost() -> None:
    none = Truth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long))
    loss = loss_of(torch.zeros(1, 1, 1), torch.ones(1, 1, 4), PLACE, none)
    assert float(loss.total) == pytest.approx(0.75 * 0.25 * math.log(2))
    assert loss.weight == 0
