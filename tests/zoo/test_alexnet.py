"""torchvision's form against torchvision with random weights, the paper's against its section 3."""

from math import prod

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot.arithmetic.shapes import output_shape
from eyespot.zoo.alexnet import alexnet, alexnet_paper, torchvision_names

STAGES = {
    **{"stage1": "features.2", "stage2": "features.5", "stage3": "features.7", "stage4": "features.9"},
    **{"stage5": "features.12", "head.fc1": "classifier.1", "head.fc2": "classifier.4", "head.fc": "classifier.6"},
}
IMAGES = pictures(131, 3)


@pytest.fixture(scope="module")
def theirs(torchvision) -> nn.Module:
    torch.manual_seed(0)
    return lively(torchvision.models.alexnet(), IMAGES)


def test_every_stage_gives_what_torchvision_gives(theirs):
    ours = with_weights_of(theirs, alexnet, torchvision_names)
    assert first_difference(ours, outputs(theirs, STAGES, IMAGES), IMAGES) is None


def test_a_moved_stride_and_swapped_layers_are_noticed(theirs):
    expected = outputs(theirs, STAGES, IMAGES)
    ours = with_weights_of(theirs, alexnet, torchvision_names)
    ours.stage1.conv.stride, ours.stage2.conv.stride = (2, 2), (2, 2)
    assert first_difference(ours, expected, IMAGES) == "stage1"
    ours = with_weights_of(theirs, alexnet, torchvision_names)
    ours.stage2.act, ours.stage2.pool = ours.stage2.pool, nn.Identity()
    assert first_difference(ours, expected, IMAGES) == "stage2"


@pytest.fixture(scope="module")
def paper() -> nn.Sequential:
    with torch.device("meta"):
        return alexnet_paper()


def test_the_kernels_of_the_paper_have_the_sizes_of_section_3_5(paper):
    kernels = [tuple(paper.get_submodule(f"stage{n}").conv.weight.shape) for n in range(1, 6)]
    assert kernels == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


def test_the_paper_has_as_many_neurons_as_figure_2_says(paper):
    """Its caption: 253,440-186,624-64,896-64,896-43,264-4096-4096-1000. The first contradicts figure 2 itself, which
    draws 55x55 pixels: 55 * 55 * 96 = 290,400."""
    shape, neurons = (3, 227, 227), []
    for n in range(1, 6):
        stage = paper.get_submodule(f"stage{n}")
        neurons.append(prod(output_shape(stage.conv, shape)))
        shape = output_shape(stage, shape)
    assert neurons == [290_400, 186_624, 64_896, 64_896, 43_264]
    assert [paper.head.fc1.out_features, paper.head.fc2.out_features, paper.head.fc.out_features] == [4096, 4096, 1000]


def test_the_normalisation_is_the_sum_of_section_3_3(paper):
    x = torch.randn(2, 96, 3, 4, generator=torch.Generator().manual_seed(0)) * 100
    expected = torch.empty_like(x)
    for i in range(96):
        neighbours = x[:, max(0, i - 2) : min(95, i + 2) + 1]
        expected[:, i] = x[:, i] / (2 + 1e-4 * (neighbours**2).sum(1)) ** 0.75
    torch.testing.assert_close(paper.stage1.norm(x), expected)


def test_each_half_of_the_second_layer_sees_one_half_of_the_first():
    torch.manual_seed(0)
    conv = alexnet_paper(classes=2).stage2.conv
    x = torch.randn(1, 96, 5, 5)
    changed = x.clone()
    changed[:, :48] += 1
    different = (conv(x) != conv(changed)).flatten(2).any(2)[0]
    assert different.tolist() == [True] * 128 + [False] * 128
