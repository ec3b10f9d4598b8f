import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from torch import nn

import eyespot
from eyespot.blocks import chain, conv
from eyespot.errors import BundleError, NetworkError, OptionError


def test_a_network_of_the_catalogue():
    found = eyespot.summary("resnet18")
    assert (found.network, found.input) == ("resnet18", (3, 224, 224))
    assert (found.total.parameters, found.total.depth) == (11_689_512, 18)
    assert found.layers[0].name == "input"
    assert found.layers[-1].output == (1000,)
    assert found.drawing is None


def test_size_and_classes_can_be_chosen():
    found = eyespot.summary("resnet18", imgsz=(97, 161), classes=5)
    assert (found.input, found.layers[-1].output) == ((3, 97, 161), (5,))
    assert eyespot.summary("vgg11", imgsz=64).input == (3, 64, 64)


def test_a_chain_of_ones_own():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    found = eyespot.summary(net, input_chw=(1, 8, 8))
    assert [layer.kind for layer in found.layers] == ["image", "conv", "ReLU", "flatten", "fully connected"]
    assert found.total.parameters == sum(parameter.numel() for parameter in net.parameters())


def test_a_chain_of_ones_own_needs_the_shape_of_its_images():
    with pytest.raises(OptionError, match="needs input_chw"):
        eyespot.summary(chain(conv=conv(3, 4, 3)))


def test_a_run_and_a_copied_bundle_have_their_own_classes_and_images(split_run, tmp_path):
    copied = shutil.copytree(Path(split_run.bundle), tmp_path / "copied")
    for place in (split_run.run, copied):
        found = eyespot.summary(place)
        assert found.input == (3, 224, 224)
        assert found.layers[-1].name == "head.fc"
        assert found.layers[-1].output == (3,)
        assert found.total.parameters == 4_652_008 - 1280 * 997 - 997
    with pytest.raises(OptionError, match="a trained model has its own 3 classes"):
        eyespot.summary(split_run.run, classes=5)


def test_a_run_with_hidden_layers_shows_them(split_photos, shared_cache, tmp_path):
    run = eyespot.train(split_photos, out=tmp_path, head=(16,)).run
    layers = eyespot.summary(run).layers
    assert [layer.name for layer in layers[-3:]] == ["classifier.fc1", "classifier.act1", "classifier.fc2"]
    assert [layer.output for layer in layers[-3:]] == [(16,), (16,), (3,)]


def test_a_drawing_is_written(tmp_path):
    found = eyespot.summary("lenet5", draw=tmp_path / "lenet5.svg")
    assert found.drawing == str(tmp_path / "lenet5.svg")
    assert ElementTree.parse(found.drawing).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: eyespot.summary("resnt18"), NetworkError, "did you mean 'resnet18'"),
        (lambda: eyespot.summary("zzz"), NetworkError, "no network and no run folder 'zzz'"),
        (lambda: eyespot.summary("alexnet", imgsz=30), NetworkError, "cannot take"),
        (lambda: eyespot.summary("lenet5", imgsz=64), NetworkError, "'head.fc1' expects 400 features"),
        (lambda: eyespot.summary("vgg11", imgsz=0), OptionError, "cannot be 0 x 0 px"),
        (lambda: eyespot.summary("vgg11", classes=0), OptionError, "at least 1"),
        (lambda: eyespot.summary("vgg11", draw="no/where.svg"), OptionError, "no/where.svg cannot be written"),
        (lambda: eyespot.summary("."), BundleError, "holds no finished model"),
    ],
)
def test_what_cannot_be_done_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()
