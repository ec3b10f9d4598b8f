"""Images of another size than the network was made for: what the engine computes is what the network computes then."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from eyespot import blocks, zoo
from eyespot.building.backbone import DEFAULT, choose_backbone
from eyespot.building.sizes import require_size
from eyespot.bundle.files import read_bundle
from eyespot.errors import OptionError
from eyespot.progress import silent
from eyespot.recipes.train import train


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.mark.parametrize("size", [96, 160, 256])
def test_features_of_images_of_that_size_are_the_networks(shared_cache, size):
    backbone = choose_backbone("efficientnet_lite0", None, size=size)
    trunk = backbone.trunk(shared_cache, "fp32", silent)
    assert (trunk.preprocess.crop_hw, trunk.preprocess.short_side) == ((size, size), size)
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    net, _ = blocks.split(backbone.built(shared_cache).eval(), after="head.flat")
    mean, scale = (torch.tensor(each) for each in (trunk.preprocess.mean, trunk.preprocess.scale))
    with torch.inference_mode():
        expected = net(((torch.from_numpy(images).float() - mean) / scale).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(trunk.engine.run(images)["features"], expected, rtol=1e-3, atol=1e-3)


def test_each_size_has_a_graph_of_its_own():
    names = {choose_backbone("efficientnet_lite0", None, size=size).kept_as for size in (None, 96, 128)}
    assert len(names) == 3
    assert DEFAULT.kept_as in names


@pytest.mark.parametrize("options", [{"regime": "frozen"}, {"freeze": "stage7", "epochs": 1}], ids=str)
def test_a_run_trains_measures_and_keeps_its_size(split_photos, tmp_path, options):
    result = train(split_photos, out=tmp_path, imgsz=96, **options)
    assert read_bundle(result.run).manifest.preprocess.crop_hw == (96, 96)
    assert result.test.accuracy > 0.5


def test_a_network_from_scratch_takes_images_of_another_size(split_photos, tmp_path):
    result = train(split_photos, out=tmp_path, model="resnet20", regime="scratch", imgsz=64, epochs=1)
    assert read_bundle(result.run).manifest.preprocess.crop_hw == (64, 64)


@pytest.mark.parametrize("model", ["lenet5", "vgg16"])
def test_a_network_whose_layers_fit_one_size_is_named_in_one_sentence(split_photos, tmp_path, model):
    with pytest.raises(OptionError, match=f"^the option imgsz cannot be 96 for {model}: .* choose another model$"):
        train(split_photos, out=tmp_path, model=model, regime="scratch", imgsz=96)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "size", "takes"),
    [
        ("resnet18", 32, True),
        ("resnet18", 288, True),
        ("googlenet", 128, True),
        ("nin_cifar10", 64, True),
        ("lenet5", 32, True),
        ("lenet5", 64, False),
        ("alexnet", 256, False),
        ("inception_v3", 64, False),
        ("inception_v3", 288, False),
        ("inception_v3", 320, True),
        ("inception_v4", 64, False),
    ],
)
def test_a_network_takes_images_of_which_something_is_left_behind_every_layer(name, size, takes):
    """Inception v3's auxiliary head needs a map of 17x17, which 299 pixels and more give."""
    with torch.device("meta"):
        net = zoo.create(name)
    with nullcontext() if takes else pytest.raises(OptionError, match=f"cannot be {size} for {name}"):
        require_size(net, name, size)


@pytest.mark.parametrize("size", [0, 31, 100, 2048])
def test_a_size_that_cannot_be_is_one_sentence(split_photos, size):
    with pytest.raises(OptionError, match=f"^the option imgsz cannot be {size}: give a multiple of 32 up to 1024$"):
        train(split_photos, imgsz=size)
