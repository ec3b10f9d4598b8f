"""What a network of a file answers, against Caffe's definitions run blob by blob in numpy."""

from __future__ import annotations

import caffe_files
import numpy as np
import pytest
import torch
from caffe_files import Text, conv, dense, dims, model_bytes, pool
from caffe_twin import blobs_of, lively, run
from torch import nn

from eyespot.caffe.network import network_of
from eyespot.caffe.weights import load_caffemodel
from eyespot.caffe_blocks import Elementwise

RECTANGLE = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 4 dim: 11 dim: 14 } } }'


def one(kind: str, settings: str, name: str = "one") -> str:
    """A network of one layer, of that type, on images of 11 x 14 pixels with 4 channels."""
    net = Text(RECTANGLE)
    net.add(kind, name, settings)
    return str(net)


def pooled(settings: str) -> str:
    return one("Pooling", f"pooling_param {{ {settings} }}")


LAYERS = {
    "convolution": one("Convolution", conv(6, 3, "pad: 1 stride: 2")),
    "two numbers": one(
        "Convolution", "convolution_param { num_output: 6 kernel_size: 3 kernel_size: 1 stride: 1 stride: 3 }"
    ),
    "rectangular": one("Convolution", "convolution_param { num_output: 6 kernel_h: 1 kernel_w: 5 pad_h: 0 pad_w: 2 }"),
    "strides apart": one("Convolution", conv(6, 3, "stride_h: 2 stride_w: 1 pad_h: 1")),
    "groups": one("Convolution", conv(6, 3, "group: 2 bias_term: false")),
    "depthwise": one("Convolution", conv(4, 3, "group: 4 pad: 1")),
    "dilated": one("Convolution", conv(6, 3, "dilation: 2 pad: 2")),
    "max, rounded up": pooled("pool: MAX kernel_size: 3 stride: 2"),
    "max, padded": pooled("pool: MAX kernel_size: 3 stride: 2 pad: 1"),
    "max, clipped": pooled("pool: MAX kernel_size: 2 stride: 2 pad: 1"),
    "max, stride over kernel": pooled("kernel_size: 2 stride: 3"),
    "mean, rounded up": pooled("pool: AVE kernel_size: 3 stride: 2"),
    "mean, padded": pooled("pool: AVE kernel_size: 3 stride: 2 pad: 1"),
    "mean, clipped": pooled("pool: AVE kernel_size: 2 stride: 2 pad: 1"),
    "mean, stride 1": pooled("pool: AVE kernel_size: 3 stride: 1 pad: 1"),
    "mean, rectangular": pooled("pool: AVE kernel_h: 2 kernel_w: 5 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 2"),
    "global mean": pooled("pool: AVE global_pooling: true"),
    "global max": pooled("pool: MAX global_pooling: true"),
    "across channels": one("LRN", "lrn_param { local_size: 3 alpha: 0.7 beta: 0.6 k: 2 }"),
    "within a channel": one("LRN", "lrn_param { local_size: 3 alpha: 0.7 beta: 0.6 norm_region: WITHIN_CHANNEL }"),
    "relu": one("ReLU", ""),
    "leaky relu": one("ReLU", "relu_param { negative_slope: 0.2 }"),
    "prelu": one("PReLU", ""),
    "prelu, shared": one("PReLU", "prelu_param { channel_shared: true }"),
    "elu": one("ELU", ""),
    "sigmoid": one("Sigmoid", ""),
    "tanh": one("TanH", ""),
    "batch norm": one("BatchNorm", "batch_norm_param { eps: 0.001 }"),
    "scale": one("Scale", ""),
    "scale and bias": one("Scale", "scale_param { bias_term: true }"),
    "dense": one("InnerProduct", dense(7)),
    "dense, turned": one("InnerProduct", "inner_product_param { num_output: 7 transpose: true bias_term: false }"),
    "flatten": one("Flatten", ""),
}


def joins() -> str:
    """Sums with and without coefficients, products, maxima, concatenations, in place and not, one inside another."""
    net = Text(dims(3, 9))
    stem = net.conv("stem", 6, 3, "pad: 1")
    net.in_place("ReLU", "stem_relu")
    left = net.conv("left", 6, 1)
    right = net.conv("right/3x3", 6, 3, "pad: 1", on=[stem])
    net.add("Eltwise", "two", "eltwise_param { coeff: 1 coeff: -0.5 }", on=[left, right])
    net.in_place("ReLU", "two_relu")
    two = net.top
    a, b = net.conv("a", 6, 1), net.conv("b", 6, 1, on=[two])
    net.add("Eltwise", "both", "eltwise_param { coeff: 0.3 coeff: 2 coeff: 1 }", on=[a, b, two])
    both = net.top
    c, d = net.conv("c", 6, 1), net.conv("d", 6, 1, on=[both])
    product = net.add("Eltwise", "product", "eltwise_param { operation: PROD }", on=[c, d, both])
    inner = net.add("Pooling", "inner", pool("MAX", 3, 1, "pad: 1"), on=[product])
    e = net.conv("e", 6, 3, "pad: 1", on=[product])
    largest = net.add("Eltwise", "largest", "eltwise_param { operation: MAX }", on=[e, inner])
    net.conv("f", 6, 1, on=[largest])
    net.add("Eltwise", "outer", on=["f", product])
    net.add("Concat", "dense", on=["outer", net.top])
    net.add("Split", "copies", on=["dense"], top='copy" top: "other')
    net.add("Concat", "again", "concat_param { axis: 1 }", on=["other", net.conv("g", 3, 1, on=["copy"])])
    net.add("Softmax", "inside")
    net.conv("scores", 5, 1)
    net.add("Pooling", "mean", "pooling_param { pool: AVE global_pooling: true }")
    return str(net)


def compare(text: str, tmp_path, *, images: int = 2, **how: object) -> nn.Sequential:
    """Weights are made, written as Caffe does, read into a new network, and both it and the twin asked."""
    network = network_of(text, file="net.prototxt")
    x = torch.randn(images, *network.input_chw, generator=torch.Generator().manual_seed(3))
    blobs = blobs_of(lively(network, x))
    fresh = network_of(text, file="net.prototxt")
    file = tmp_path / "net.caffemodel"
    file.write_bytes(model_bytes(blobs, **how) if blobs else b"")
    if blobs:
        load_caffemodel(fresh, file)
    with torch.inference_mode():
        found = fresh.net.eval()(x).numpy()
    held = run(text, blobs, x.numpy())
    expected = list(held.values())[-1]
    assert found.size == expected.size
    assert np.abs(found.ravel() - expected.ravel()).max() < 1e-4
    return fresh.net


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_what_caffe_defines(name, tmp_path):
    compare(LAYERS[name], tmp_path)


def test_sums_products_maxima_and_concatenations_give_what_the_file_says(tmp_path):
    net = compare(joins(), tmp_path)
    assert [module.operation for module in net.modules() if isinstance(module, Elementwise)] == [
        "sum",
        "product",
        "maximum",
    ]


@pytest.mark.parametrize("how", [{}, {"doubles": True}])
def test_a_residual_network_gives_what_the_file_says(tmp_path, how):
    net = Text(dims(3, 15))
    caffe_files.normed(net, "conv1", "1", 8, 3, "pad: 1 bias_term: false")
    net.in_place("ReLU", "relu1")
    caffe_files.bottleneck(net, "2a", 4, is_first=True, stride=2)
    caffe_files.bottleneck(net, "2b", 4, is_first=False, stride=2)
    net.add("InnerProduct", "fc", dense(5))
    compare(str(net), tmp_path, images=4, **how)


def test_an_old_file_with_old_weights_gives_what_it_says(tmp_path):
    net = Text(dims(3, 12), old=True)
    net.conv("conv1", 6, 3, "group: 3")
    net.in_place("ReLU", "relu1")
    net.add("Pooling", "pool1", pool("MAX", 3, 2))
    net.add("LRN", "norm1", caffe_files.LRN)
    net.add("InnerProduct", "fc2", dense(9))
    net.in_place("Dropout", "drop2", "dropout_param { dropout_ratio: 0.3 }")
    net.add("InnerProduct", "fc3", dense(4))
    made = compare(str(net) + "\n", tmp_path, old=True)
    assert made.drop2.p == pytest.approx(0.3)


def test_an_inception_network_gives_what_the_file_says(tmp_path):
    net = Text(dims(3, 16))
    caffe_files.unit(net, "conv1/7x7_s2", 8, 7, "pad: 3 stride: 2", relu="conv1/relu_7x7")
    caffe_files.inception(net, "inception_3a", (4, 3, 5, 2, 3, 2))
    caffe_files.inception(net, "inception_3b", (2, 3, 4, 2, 3, 2))
    net.add("Pooling", "pool5", pool("AVE", 7, 1))
    net.add("InnerProduct", "loss3/classifier", dense(6))
    compare(str(net), tmp_path)


def test_a_softmax_at_the_end_is_left_out_and_maps_of_one_pixel_are_flat():
    net = Text(dims(3, 9))
    net.conv("conv", 5, 3)
    net.add("Pooling", "mean", "pooling_param { pool: AVE global_pooling: true }")
    net.add("Softmax", "prob")
    made = network_of(str(net), file="net.prototxt").net
    assert list(dict(made.named_children())) == ["conv", "mean", "flat"]
    assert made(torch.zeros(2, 3, 9, 9)).shape == (2, 5)
