"""Against timm's Inception v4."""

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot.blocks import Branches
from eyespot.zoo.inception_v4 import inception_v4, timm_names

PARTS = {"stem": "abcdef", "stage1": "abcd", "stage2": "abcdefgh", "stage3": "abcd"}
STAGES = {
    f"{stage}.{letter}": f"features.{number}"
    for number, (stage, letter) in enumerate((stage, letter) for stage, letters in PARTS.items() for letter in letters)
} | {"head.fc": "last_linear"}
IMAGES = pictures(139, 3)


@pytest.fixture(scope="module")
def theirs(timm) -> nn.Module:
    torch.manual_seed(3)
    return lively(timm.create_model("inception_v4"), IMAGES)


@pytest.fixture(scope="module")
def expected(theirs) -> dict[str, torch.Tensor]:
    return outputs(theirs, STAGES, IMAGES)


@pytest.fixture
def ours(theirs) -> nn.Sequential:
    return with_weights_of(theirs, inception_v4, timm_names)


def test_every_stage_gives_what_timm_gives(ours, expected):
    assert first_difference(ours, expected, IMAGES) is None


@pytest.mark.parametrize("stage", ["stem.d", "stage1.b", "stage2.c", "stage3.a"])
def test_swapped_branches_are_noticed(ours, expected, stage):
    outer, letter = stage.split(".")
    first, second, *rest = ours.get_submodule(stage).named_children()
    setattr(ours.get_submodule(outer), letter, Branches(**dict([second, first, *rest])))
    assert first_difference(ours, expected, IMAGES) == stage


def test_swapped_blocks_are_noticed(ours, expected):
    ours.stage2.f, ours.stage2.g = ours.stage2.g, ours.stage2.f
    assert first_difference(ours, expected, IMAGES) == "stage2.f"


def test_averages_over_the_padding_are_noticed(ours, expected):
    ours.stage1.c.pool.pool.count_include_pad = True
    assert first_difference(ours, expected, IMAGES) == "stage1.c"


def test_a_moved_stride_is_noticed(ours, expected):
    ours.stem.a.conv.stride, ours.stem.c.conv.stride = (1, 1), (2, 2)
    assert first_difference(ours, expected, IMAGES) == "stem.a"


def test_parameters_are_counted_to_the_last_digit():
    with torch.device("meta"):
        assert sum(p.numel() for p in inception_v4().parameters()) == 42_679_816
