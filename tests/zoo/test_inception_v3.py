"""Against torchvision's Inception v3, its auxiliary head too."""

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot.blocks import Branches, WithHeads
from eyespot.zoo.inception_v3 import inception_v3, inception_v3_heads, torchvision_head_names, torchvision_names

MIXED = {"stage1": ("5b", "5c", "5d"), "stage2": ("6a", "6b", "6c", "6d", "6e"), "stage3": ("7a", "7b", "7c")}
STAGES = {
    "stem": "maxpool2",
    **{
        f"{stage}.{letter}": f"Mixed_{name}"
        for stage, names in MIXED.items()
        for letter, name in zip("abcde", names, strict=False)
    },
    "head.fc": "fc",
}
IMAGES = pictures(299, 2)  # smaller ones are too small for the auxiliary head


@pytest.fixture(scope="module")
def theirs(torchvision) -> nn.Module:
    torch.manual_seed(3)
    return lively(torchvision.models.inception_v3(weights=None, init_weights=False), IMAGES)


def _names_with_heads(ours: WithHeads) -> dict[str, str]:
    heads = dict(zip(ours.stages, ours.heads.children(), strict=True))
    net = {theirs: f"net.{name}" for theirs, name in torchvision_names(ours.net).items()}
    return net | torchvision_head_names(heads)


@pytest.fixture
def ours(theirs) -> WithHeads:
    return with_weights_of(theirs, lambda: WithHeads(inception_v3(), inception_v3_heads()), _names_with_heads)


@pytest.fixture(scope="module")
def expected(theirs) -> dict[str, torch.Tensor]:
    return outputs(theirs, STAGES, IMAGES)


def test_every_stage_gives_what_torchvision_gives(ours, expected):
    assert first_difference(ours.net, expected, IMAGES) is None


def test_the_auxiliary_head_gives_what_torchvision_gives(theirs, ours):
    theirs.training = True  # and nothing inside it: their head runs, its BatchNorms keep their statistics
    with torch.inference_mode():
        logits, auxiliary = theirs(IMAGES)
        found, heads = ours(IMAGES)
        theirs.training = False
        spread = auxiliary.std(0).mean()
        assert 0.1 < spread < 10
        assert (found - logits).abs().max() < 1e-4 * logits.std(0).mean()
        assert (heads["stage2.e"] - auxiliary).abs().max() < 1e-4 * spread
        ours.net.stage2.e, ours.net.stage2.d = ours.net.stage2.d, ours.net.stage2.c
        _, heads = ours(IMAGES)
        assert (heads["stage2.e"] - auxiliary).abs().max() > 0.1 * spread


@pytest.mark.parametrize("stage", ["stage1.b", "stage2.c", "stage3.a"])
def test_swapped_branches_are_noticed(ours, expected, stage):
    outer, letter = stage.split(".")
    first, second, *rest = ours.net.get_submodule(stage).named_children()
    setattr(ours.net.get_submodule(outer), letter, Branches(**dict([second, first, *rest])))
    assert first_difference(ours.net, expected, IMAGES) == stage


def test_a_wide_convolution_in_place_of_a_tall_one_is_noticed(ours, expected):
    both = ours.net.stage3.b.b3.b
    both.wide, both.tall = both.tall, both.wide
    assert first_difference(ours.net, expected, IMAGES) == "stage3.b"


def test_swapped_blocks_are_noticed(ours, expected):
    ours.net.stage2.c, ours.net.stage2.d = ours.net.stage2.d, ours.net.stage2.c
    assert first_difference(ours.net, expected, IMAGES) == "stage2.c"


def test_a_moved_stride_is_noticed(ours, expected):
    ours.net.stem.a.conv.stride, ours.net.stem.c.conv.stride = (1, 1), (2, 2)
    assert first_difference(ours.net, expected, IMAGES) == "stem"


def test_parameters_are_counted_to_the_last_digit():
    with torch.device("meta"):
        wrapped = WithHeads(inception_v3(), inception_v3_heads())
    assert sum(p.numel() for p in wrapped.net.parameters()) == 23_834_568
    assert sum(p.numel() for p in wrapped.parameters()) == 27_161_264
