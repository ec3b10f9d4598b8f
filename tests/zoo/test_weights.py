"""The records of published weights against what torchvision and timm say of them."""

import importlib
import math

import pytest
import torch

from eyespot import zoo
from eyespot.records import Preprocess
from eyespot.zoo.weights import PUBLISHED, of_network
from eyespot.zoo.weights_record import Weights

TORCHVISION = [weights for weights in PUBLISHED.values() if "pytorch.org" in weights.url]
TIMM = {
    "efficientnet_lite0.imagenet": "tf_efficientnet_lite0.in1k",
    "efficientnet_lite1.imagenet": "tf_efficientnet_lite1.in1k",
    "efficientnet_lite2.imagenet": "tf_efficientnet_lite2.in1k",
    "inception_v4.imagenet": "inception_v4.tf_in1k",
    "inception_resnet_v2.imagenet": "inception_resnet_v2.tf_in1k",
}
UNDOES_ITS_INPUT = {"googlenet", "inception_v3"}


@pytest.fixture(scope="session")
def models(timm):
    """torchvision.models, importable because timm is."""
    return importlib.import_module("torchvision.models")


def test_every_record_is_of_torchvision_or_timm():
    assert {weights.name for weights in TORCHVISION} | TIMM.keys() == PUBLISHED.keys()


def test_records_survive_a_round_trip():
    for weights in PUBLISHED.values():
        assert Weights.model_validate_json(weights.model_dump_json()) == weights


@pytest.mark.parametrize("weights", TORCHVISION, ids=lambda weights: weights.name)
def test_torchvision_publishes_these(weights, models):
    theirs = models.get_model_weights(weights.network.name)[
        "IMAGENET1K_V2" if weights.tag == "imagenet_v2" else "IMAGENET1K_V1"
    ]
    assert weights.url == theirs.url
    assert weights.file == theirs.url.rpartition("/")[2]
    assert weights.file.endswith(f"-{weights.sha256}.pth")
    assert weights.mebibytes == theirs.meta["_file_size"]
    assert weights.classes == len(theirs.meta["categories"])
    assert 100 * weights.accuracy == pytest.approx(theirs.meta["_metrics"]["ImageNet-1K"]["acc@1"])
    transforms = theirs.transforms()
    assert [weights.preprocess.short_side] == transforms.resize_size
    assert weights.preprocess.crop_hw == 2 * tuple(transforms.crop_size)
    assert weights.preprocess.filter == transforms.interpolation.value
    if weights.network.name not in UNDOES_ITS_INPUT:
        assert weights.preprocess.mean == pytest.approx([255 * value for value in transforms.mean])
        assert weights.preprocess.scale == pytest.approx([255 * value for value in transforms.std])


def test_the_newest_weights_of_torchvision_are_among_them(models):
    for name in {weights.network.name for weights in TORCHVISION}:
        newest = models.get_model_weights(name).DEFAULT
        assert newest.url in {weights.url for weights in of_network(name).values()}


@pytest.mark.parametrize("name", sorted(UNDOES_ITS_INPUT))
def test_a_network_that_undoes_its_input_gets_it_as_it_wants_it(name, models):
    """With published weights torchvision sets `transform_input`, which undoes the normalisation and applies another."""
    transforms = models.get_model_weights(name).IMAGENET1K_V1.transforms()
    with torch.device("meta"):
        theirs = models.get_model(name, weights=None, transform_input=True, init_weights=False, aux_logits=False)
    values = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (transforms.mean, transforms.std))
    expected = theirs._transform_input((values - mean) / std)
    record: Preprocess = PUBLISHED[f"{name}.imagenet"].preprocess
    mean, scale = (torch.tensor(numbers)[:, None, None] for numbers in (record.mean, record.scale))
    assert torch.allclose((255 * values - mean) / scale, expected, atol=1e-6)
    assert not torch.allclose((values - 0.5) / 0.25, expected, atol=0.1)


@pytest.mark.parametrize("name", sorted(TIMM))
def test_timm_prepares_pictures_so(name, timm):
    theirs, ours = timm.get_pretrained_cfg(TIMM[name]).to_dict(), PUBLISHED[name].preprocess
    assert ours.crop_hw == theirs["input_size"][1:]
    assert ours.short_side == math.floor(ours.crop_hw[0] / theirs["crop_pct"])
    assert (ours.filter, theirs["crop_mode"]) == (theirs["interpolation"], "center")
    assert ours.mean == tuple(255 * value for value in theirs["mean"])
    assert ours.scale == tuple(255 * value for value in theirs["std"])
    assert PUBLISHED[name].classes == theirs["num_classes"]
    assert PUBLISHED[name].licence.lower().startswith(theirs["license"])
    assert not PUBLISHED[name].hub or PUBLISHED[name].hub == theirs["hf_hub_id"]


@pytest.mark.parametrize("weights", PUBLISHED.values(), ids=lambda weights: weights.name)
def test_a_record_fits_its_network(weights):
    """The naming is one to one over all tensors of the network that the catalogue has under that name."""
    if weights.network.name not in zoo.names():
        pytest.skip(f"{weights.network.name} is not in the catalogue yet")
    with torch.device("meta"):
        net = zoo.create(weights.network.name, **weights.network.arguments)
    module, function = weights.naming.split(":")
    names = getattr(importlib.import_module(module), function)(net)
    assert sorted(names.values()) == sorted(net.state_dict())
    assert weights.preprocess.crop_hw == zoo.definition(weights.network.name).input_chw[1:]
    assert net.head.fc.out_features == weights.classes
