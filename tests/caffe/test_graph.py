"""The layers of Caffe in the engine: what the graph answers is what the chain does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from caffe_files import Text, conv, dims, pool
from openvino import Core

from eyespot.caffe.network import network_of
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.gate import check_graph
from eyespot.records import Preprocess

PREPROCESS = Preprocess(
    short_side=12, crop_hw=(12, 12), filter="bilinear", color="rgb", mean=(127.5,) * 3, scale=(127.5,) * 3
)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Pooling", pool("AVE", 3, 2, "pad: 1")),  # its zeros count, what hangs over them does not
        ("Pooling", pool("AVE", 3, 2)),
        ("Pooling", pool("MAX", 3, 2, "pad: 1")),
        ("LRN", "lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }"),
        ("BatchNorm", ""),
        ("Scale", "scale_param { bias_term: true }"),
        ("ReLU", "relu_param { negative_slope: 0.2 }"),
        ("PReLU", ""),
        ("ELU", ""),
    ],
)
def test_the_engine_gives_what_the_chain_does(kind, settings):
    net = Text(dims(3, 12))
    net.add(kind, "one", settings)
    net.add("Convolution", "last", conv(2, 1))
    chain = network_of(str(net), file="net").net.eval()
    graph = to_onnx(chain, PREPROCESS)
    check_graph(graph)
    images = np.random.default_rng(0).integers(0, 255, (2, 12, 12, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = chain(torch.from_numpy(((images - 127.5) / 127.5).transpose(0, 3, 1, 2).astype(np.float32))).numpy()
    engine = Core().compile_model(Core().read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert np.abs(engine(images)[0] - expected).max() < 1e-5
