"""Where a network is cut: the stage that was asked for, or those behind which a useful part of it lies."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from eyespot import zoo
from eyespot.building.backbone import DEFAULT, Backbone
from eyespot.building.surgery import with_head
from eyespot.errors import OptionError
from eyespot.heads.head import Head
from eyespot.regimes.cuts import decide_cuts, parted
from eyespot.zoo.weights import of_network


@pytest.mark.parametrize(("freeze", "stage"), [("1", "stem"), ("6", "stage5"), ("stage6.b", "stage6.b")])
def test_a_cut_is_a_stage_or_a_number_of_stages_the_stem_being_the_first(freeze, stage):
    assert decide_cuts(DEFAULT, freeze) == (stage,)


@pytest.mark.parametrize("freeze", ["0", "9", "stage99", "stage6.b.body", "head", "1.5"])
def test_a_cut_that_is_not_there_is_named(freeze):
    with pytest.raises(OptionError, match="the option freeze cannot be"):
        decide_cuts(DEFAULT, freeze)


def test_the_default_cut_leaves_less_than_half_of_the_work_behind_it():
    cuts = decide_cuts(DEFAULT, None)
    assert cuts == ("stage5", "stage6", "stage7")


@pytest.mark.parametrize("hidden", [(), (16, 8)], ids=str)
@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet18", "efficientnet_lite0"])
def test_each_cut_is_there_too_where_the_solved_head_is_in_place(name, hidden):
    """The cut is decided before there is a head; the network with it is what is cut."""
    weights = next(iter(of_network(name).values()))
    net = zoo.create(name)
    widths = ([*net.modules()][-1].in_features, *hidden, 3)
    layers = tuple((np.zeros((after, before)), np.zeros(after)) for before, after in pairwise(widths))
    net = with_head(net, Head(layers, "softmax")).eval()
    for stage in decide_cuts(Backbone(name, weights, None), None):
        below, behind = parted(net, stage)
        assert len(below) > 0
        assert any(isinstance(module, torch.nn.Linear) for module in behind.modules())
