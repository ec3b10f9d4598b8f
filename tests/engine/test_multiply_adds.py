"""A graph's arithmetic is counted as the network's is."""

import pytest

from eyespot import zoo
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.multiply_adds import multiply_adds
from eyespot.records import Preprocess


@pytest.mark.parametrize("name", ["lenet5", "resnet20_cifar", "efficientnet_lite0", "nin_cifar10", "vgg11"])
def test_the_graph_has_the_multiply_adds_of_the_network(name):
    facts = zoo.definition(name)
    channels, height, width = facts.input_chw
    preprocess = Preprocess(
        short_side=height,
        crop_hw=(height, width),
        filter="bicubic",
        color="rgb" if channels == 3 else "gray",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
    )
    assert multiply_adds(to_onnx(zoo.create(name), preprocess)) == facts.multiply_adds
