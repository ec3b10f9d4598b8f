"""Against torchvision's VGGs with random weights, and against the paper's tables 1 and 2."""

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot import zoo
from eyespot.errors import NetworkError
from eyespot.zoo.vgg import torchvision_names, vgg

DEPTHS = (11, 13, 16, 19)
IMAGES = pictures(70, 3)  # 2x2 pixels are left behind the last stage


def _theirs(torchvision, name: str) -> nn.Module:
    torch.manual_seed(0)
    return lively(getattr(torchvision.models, name)(init_weights=False), IMAGES)


def _stages(theirs: nn.Module) -> dict[str, str]:
    pools = [n for n, layer in enumerate(theirs.features) if isinstance(layer, nn.MaxPool2d)]
    stages = {f"stage{number}": f"features.{n}" for number, n in enumerate(pools, start=1)}
    return stages | {"head.fc1": "classifier.0", "head.fc2": "classifier.3", "head.fc": "classifier.6"}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_stage_gives_what_torchvision_gives(torchvision, depth, batch_norm):
    theirs = _theirs(torchvision, f"vgg{depth}_bn" if batch_norm else f"vgg{depth}")
    ours = with_weights_of(theirs, lambda: vgg(depth, batch_norm=batch_norm), torchvision_names)
    expected = outputs(theirs, _stages(theirs), IMAGES)
    assert first_difference(ours, expected, IMAGES) is None
    if (depth, batch_norm) == (16, True):
        ours.stage5.a, ours.stage5.b = ours.stage5.b, ours.stage5.a
        assert first_difference(ours, expected, IMAGES) == "stage5"
        ours.stage2.pool, ours.stage3.pool = nn.MaxPool2d(2, 1), nn.MaxPool2d(2, 4)  # a moved stride
        assert first_difference(ours, expected, IMAGES) == "stage2"


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_depth_counts_convolutions_and_fully_connected_layers(depth):
    with torch.device("meta"):
        layers = [type(layer) for layer in vgg(depth).modules() if list(layer.parameters(recurse=False))]
    assert len(layers) == depth  # pooling has no parameters and does not count
    assert layers.count(nn.Linear) == 3
    assert layers.count(nn.Conv2d) == depth - 3


@pytest.mark.parametrize(("depth", "millions"), [(11, 133), (13, 133), (16, 138), (19, 144)])
def test_parameters_are_those_of_table_2(depth, millions):
    assert round(zoo.definition(f"vgg{depth}").parameters / 1e6) == millions


def test_an_unknown_depth_is_refused():
    with pytest.raises(NetworkError, match="no VGG-17: the depths are 11, 13, 16, 19"):
        vgg(17)
