"""Descriptions with the constructs of the published networks: their layers, parameters and multiply-adds."""

from __future__ import annotations

import caffe_files
import pytest
import torch

from eyespot import zoo
from eyespot.arithmetic.table import flat, total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, Residual, is_chain
from eyespot.caffe.network import network_of

TEXTS = {
    "bvlc_alexnet": lambda: caffe_files.alexnet(norm_first=True, training=False),
    "bvlc_alexnet train_val": lambda: caffe_files.alexnet(norm_first=True, training=True),
    "bvlc_reference_caffenet": lambda: caffe_files.alexnet(norm_first=False, training=False),
    "bvlc_reference_caffenet train_val": lambda: caffe_files.alexnet(norm_first=False, training=True),
    "bvlc_googlenet": caffe_files.googlenet,
    "bvlc_googlenet train_val": lambda: caffe_files.googlenet(training=True),
    "VGG_ILSVRC_16_layers": caffe_files.vgg16,
    "ResNet-50": lambda: caffe_files.resnet(50),
    "ResNet-101": lambda: caffe_files.resnet(101),
    "ResNet-152": lambda: caffe_files.resnet(152),
}
KNOWN = {
    **dict.fromkeys(list(TEXTS)[:4], (60_965_224, 724_406_816, 8)),
    **dict.fromkeys(list(TEXTS)[4:6], (6_998_552, 1_582_671_872, 22)),
    "VGG_ILSVRC_16_layers": (138_357_544, 15_470_264_320, 16),
    "ResNet-50": (25_557_032 + 64, 3_857_973_248, 50),  # its first convolution has a bias that the paper's has not
    "ResNet-101": (44_549_160, 7_570_194_432, 101),
    "ResNet-152": (60_192_808, 11_282_415_616, 152),
}
"""Parameters, multiply-adds and layers with weights on the longest way."""


def described(name):
    with torch.device("meta"):
        return network_of(TEXTS[name](), file=f"{name}.prototxt")


@pytest.mark.parametrize("name", TEXTS)
def test_counts_are_the_known_ones(name):
    network = described(name)
    counts = total(trace(network.net, network.input_chw))
    assert (counts.parameters, counts.multiply_adds, counts.depth) == KNOWN[name]


@pytest.mark.parametrize(
    ("name", "ours"),
    [("bvlc_googlenet", "googlenet_paper"), ("VGG_ILSVRC_16_layers", "vgg16"), ("ResNet-101", "resnet101_paper")],
)
def test_shapes_are_those_of_the_catalogue(name, ours):
    """The outputs of all convolutions, poolings, sums and concatenations, in order."""

    def shapes(net, image):
        whole = trace(net, image)
        told = ("conv", "max pool", "sum", "concatenation", "fully connected")
        return [(layer.kind, layer.kernel, layer.output) for layer in flat(whole) if layer.kind in told]

    network = described(name)
    with torch.device("meta"):
        twin = zoo.create(ours)
    if name.startswith("ResNet"):  # theirs runs the shortcut's convolution at another place of the list
        assert sorted(map(str, shapes(network.net, network.input_chw))) == sorted(
            map(str, shapes(twin, network.input_chw))
        )
    else:
        assert shapes(network.net, network.input_chw) == shapes(twin, network.input_chw)


def test_a_network_is_plain_chains_sums_and_concatenations():
    resnet, googlenet = described("ResNet-50").net, described("bvlc_googlenet").net
    assert is_chain(resnet)
    assert [type(stage) for stage in resnet].count(Residual) == 16
    assert resnet.res2b.shortcut is None
    assert list(dict(resnet.res2a.shortcut.named_children())) == ["res2a_branch1", "bn2a_branch1", "scale2a_branch1"]
    assert [type(stage) for stage in googlenet].count(Branches) == 9
    assert list(dict(googlenet.inception_3a_output.named_children())) == [
        f"inception_3a_{end}" for end in ("1x1", "3x3", "5x5", "pool_proj")
    ]


def test_a_description_for_training_gives_the_network_that_is_used():
    used, trained = described("bvlc_googlenet"), described("bvlc_googlenet train_val")
    assert str(used.net) == str(trained.net)
    assert used.input_chw == trained.input_chw == (3, 224, 224)
    assert used.classifier == trained.classifier == "loss3/classifier"
