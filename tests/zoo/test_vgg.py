"""Against torchvision's VGGs with random weights, and against the paper's tables 1 and 2."""

from types import SimpleNamespace

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot import zoo
from eyespot.errors import NetworkError
from eyespot.zoo import vgg as module
from eyespot.zoo.vgg import torchvision_names, vgg

DEPTHS = (11, 13, 16, 19)
NARROW = {4096: 64}
IMAGES = pictures(70, 3)  # 2x2 pixels are left behind the last stage


@pytest.fixture
def narrow(torchvision, monkeypatch):
    """Both make fully connected layers of 64 units instead of 4096: those are nine tenths of a VGG and alike in all."""

    def layer(inputs: int, outputs: int) -> nn.Linear:
        return nn.Linear(NARROW.get(inputs, inputs), NARROW.get(outputs, outputs))

    layers = SimpleNamespace(**vars(nn) | {"Linear": layer})
    monkeypatch.setattr(torchvision.models.vgg, "nn", layers)
    monkeypatch.setattr(module, "nn", layers)


@pytest.fixture
def theirs(torchvision):
    """A function that makes torchvision's VGG of a name, lively."""

    def made(name: str) -> nn.Module:
        torch.manual_seed(0)
        return lively(getattr(torchvision.models, name)(init_weights=False), IMAGES)

    return made


def _stages(theirs: nn.Module) -> dict[str, str]:
    pools = [n for n, layer in enumerate(theirs.features) if isinstance(layer, nn.MaxPool2d)]
    stages = {f"stage{number}": f"features.{n}" for number, n in enumerate(pools, start=1)}
    return stages | {"head.fc1": "classifier.0", "head.fc2": "classifier.3", "head.fc": "classifier.6"}


def _first_difference(published: nn.Module, depth: int, *, batch_norm: bool) -> str | None:
    ours = with_weights_of(published, lambda: vgg(depth, batch_norm=batch_norm), torchvision_names)
    return first_difference(ours, outputs(published, _stages(published), IMAGES), IMAGES)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_stage_gives_what_torchvision_gives(theirs, depth, batch_norm):
    published = theirs(f"vgg{depth}_bn" if batch_norm else f"vgg{depth}")
    assert _first_difference(published, depth, batch_norm=batch_norm) is None


def test_fully_connected_layers_of_their_own_width_do_so_too(theirs):
    assert _first_difference(theirs("vgg11"), 11, batch_norm=False) is None


@pytest.mark.usefixtures("narrow")
def test_swapped_layers_and_a_moved_stride_are_noticed(theirs):
    published = theirs("vgg16")
    expected = outputs(published, _stages(published), IMAGES)
    ours = with_weights_of(published, vgg, torchvision_names)
    ours.stage5.b, ours.stage5.c = ours.stage5.c, ours.stage5.b
    assert first_difference(ours, expected, IMAGES) == "stage5"
    ours.stage2.pool, ours.stage3.pool = nn.MaxPool2d(2, 1), nn.MaxPool2d(2, 4)
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
