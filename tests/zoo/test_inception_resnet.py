"""Against timm's Inception-ResNet-v2."""

from string import ascii_lowercase

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot.blocks import Branches
from eyespot.zoo.inception_resnet import inception_resnet_v2, timm_names

STAGES = {
    "stem": "maxpool_5a",
    "stage1.a": "mixed_5b",
    **{f"stage1.{letter}": f"repeat.{number}" for number, letter in enumerate(ascii_lowercase[1:11])},
    "stage2.a": "mixed_6a",
    **{f"stage2.{letter}": f"repeat_1.{number}" for number, letter in enumerate(ascii_lowercase[1:21])},
    "stage3.a": "mixed_7a",
    **{f"stage3.{letter}": f"repeat_2.{number}" for number, letter in enumerate(ascii_lowercase[1:10])},
    "stage3.k": "block8",
    "head.act": "conv2d_7b",
    "head.fc": "classif",
}
IMAGES = pictures(139, 3)


@pytest.fixture(scope="module")
def theirs(timm) -> nn.Module:
    torch.manual_seed(3)
    return lively(timm.create_model("inception_resnet_v2"), IMAGES)


@pytest.fixture(scope="module")
def expected(theirs) -> dict[str, torch.Tensor]:
    return outputs(theirs, STAGES, IMAGES)


@pytest.fixture
def ours(theirs) -> nn.Sequential:
    return with_weights_of(theirs, inception_resnet_v2, timm_names)


def test_every_stage_gives_what_timm_gives(ours, expected):
    assert first_difference(ours, expected, IMAGES) is None


def test_swapped_branches_are_noticed(ours, expected):
    first, second, *rest = ours.stage3.a.named_children()
    ours.stage3.a = Branches(**dict([second, first, *rest]))
    assert first_difference(ours, expected, IMAGES) == "stage3.a"


@pytest.mark.parametrize("stage", ["stage1.d", "stage2.h", "stage3.e"])
def test_swapped_branches_inside_a_sum_are_noticed(ours, expected, stage):
    body = ours.get_submodule(f"{stage}.sum.body")
    first, second, *rest = body.mix.named_children()
    body.mix = Branches(**dict([second, first, *rest]))
    assert first_difference(ours, expected, IMAGES) == stage


def test_swapped_blocks_are_noticed(ours, expected):
    ours.stage2.s, ours.stage2.t = ours.stage2.t, ours.stage2.s
    assert first_difference(ours, expected, IMAGES) == "stage2.s"


def test_another_scale_of_a_body_is_noticed(ours, expected):
    ours.stage3.c.sum.scale = 0.17
    assert first_difference(ours, expected, IMAGES) == "stage3.c"


def test_a_moved_stride_is_noticed(ours, expected):
    ours.stem.a.conv.stride, ours.stem.c.conv.stride = (1, 1), (2, 2)
    assert first_difference(ours, expected, IMAGES) == "stem"
