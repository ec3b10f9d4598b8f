"""The last feature map that a graph gives is the one whose mean the features are; the head read is the one attached."""

import numpy as np
import openvino as ov
import pytest
import torch
from onnx import TensorProto, helper, load_from_string, numpy_helper
from torch import nn

from eyespot import blocks, zoo
from eyespot.blocks import chain
from eyespot.engine.attach import attach_head
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.gate import check_graph
from eyespot.engine.last_map import linear_head, with_last_map
from eyespot.engine.run import Engine
from eyespot.records import Preprocess

PREPROCESS = Preprocess(
    short_side=12, crop_hw=(8, 12), filter="bicubic", color="rgb", mean=(100, 110, 120), scale=(50, 60, 70)
)
C = 5


def _trunk(seed: int = 0) -> tuple[nn.Sequential, bytes]:
    """A convolution and its mean over all places, as a chain and as a graph."""
    torch.manual_seed(seed)
    net = chain(
        stem=chain(conv=nn.Conv2d(3, C, 3, stride=2, padding=1), act=nn.ReLU()),
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), drop=nn.Dropout(0.5)),
    ).eval()
    return net, to_onnx(net, PREPROCESS)


def _images(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 12, 3), dtype=np.uint8)


def _head(classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return random.normal(size=(classes, C)).astype(np.float32), random.normal(size=classes).astype(np.float32)


def _run(graph: bytes) -> dict[str, np.ndarray]:
    return Engine(graph, image_hwc=(8, 12, 3), precision="fp32", batch=4).run(_images())


def test_the_maps_are_what_the_last_stage_before_the_mean_gives():
    net, graph = _trunk()
    given = with_last_map(attach_head(graph, [_head(3)]))
    outputs = _run(given)
    assert set(outputs) == {"features", "probabilities", "maps"}
    x = torch.from_numpy((_images() - np.array(PREPROCESS.mean)) / np.array(PREPROCESS.scale)).float()
    with torch.inference_mode():
        expected = net.stem(x.permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(outputs["maps"], expected, atol=1e-5)
    np.testing.assert_allclose(outputs["maps"].mean((2, 3)), outputs["features"], atol=1e-5)


def test_what_the_graph_gave_before_it_still_gives():
    graph = attach_head(_trunk()[1], [_head(3)])
    before, after = _run(graph), _run(with_last_map(graph))
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=1e-6)
    assert check_graph(with_last_map(graph)).outputs["maps"].shape == (None, C, None, None)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_mean_of_the_weighted_maps_and_the_bias_are_the_scores_behind_the_probabilities(temperature, classes):
    graph = attach_head(_trunk()[1], [_head(classes)], temperature=temperature)
    head, outputs = linear_head(graph), _run(with_last_map(graph))
    weighted = np.einsum("ck,nkyx->ncyx", head.weight, outputs["maps"])
    scores = (weighted.mean((2, 3)) + head.bias) / temperature
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)


def test_a_sigmoid_is_read_as_the_softmax_that_gives_the_same():
    graph = attach_head(_trunk()[1], [_head(1)], temperature=1.7, output="sigmoid")
    head, outputs = linear_head(graph), _run(graph)
    scores = (outputs["features"] @ head.weight.T + head.bias) / 1.7
    assert scores.shape == (4, 2)
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)


def test_a_head_of_several_layers_is_not_linear():
    layers = [(np.ones((4, C)), np.zeros(4)), (np.ones((3, 4)), np.zeros(3))]
    assert linear_head(attach_head(_trunk()[1], layers)) is None
    assert linear_head(_trunk()[1]) is None


@pytest.mark.parametrize("said", [{"alpha": 2.0}, {"beta": 0.5}, {"transA": 1}])
def test_a_dense_layer_that_does_more_than_eyespots_is_not_read_as_linear(said):
    model = load_from_string(attach_head(_trunk()[1], [_head(3)]))
    [dense] = [node for node in model.graph.node if node.op_type == "Gemm"]
    dense.attribute.extend(helper.make_attribute(name, value) for name, value in said.items())
    assert linear_head(model.SerializeToString()) is None


def test_a_dense_layer_with_computed_weights_is_not_read_as_linear():
    model = load_from_string(attach_head(_trunk()[1], [_head(3)]))
    [place] = [place for place, node in enumerate(model.graph.node) if node.op_type == "Gemm"]
    dense = model.graph.node[place]
    model.graph.node.insert(place, helper.make_node("Relu", [dense.input[1]], ["computed"]))
    model.graph.node[place + 1].input[1] = "computed"
    assert linear_head(model.SerializeToString()) is None


def test_features_that_are_the_picture_itself_have_no_map():
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, 1, 1])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph([helper.make_node("Flatten", ["images"], ["features"])], "g", [images], [features])
    assert with_last_map(helper.make_model(graph).SerializeToString()) is None


@pytest.mark.parametrize(
    ("name", "has_map"),
    [
        *(("lenet5", False), ("alexnet", False)),
        *(("efficientnet_lite0", True), ("resnet20_cifar", True), ("nin_cifar10", True), ("googlenet", True)),
    ],
)
def test_networks_that_end_in_a_mean_over_all_places_have_one(name, has_map):
    channels, height, width = zoo.definition(name).input_chw
    preprocess = Preprocess(
        short_side=min(height, width),
        crop_hw=(height, width),
        filter="bicubic",
        color="rgb" if channels == 3 else "gray",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
    )
    net = zoo.create(name)
    leaves = [each for each in blocks.stage_names(net) if not blocks.is_chain(net.get_submodule(each))]
    if isinstance(net.get_submodule(leaves[-1]), nn.Linear):
        net, _ = blocks.split(net, after=leaves[-2])
    assert (with_last_map(to_onnx(net, preprocess)) is not None) == has_map


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize(
    ("axes", "has_map"), [((2, 3), True), ((-1, -2), True), ((2,), False), ((1, 2), False), ((1, 2, 3), False)]
)
def test_a_mean_counts_where_it_goes_over_both_sides_and_no_more(opset, axes, has_map):
    values = np.array(axes, np.int64)
    if opset == 17:
        mean = helper.make_node("ReduceMean", ["values"], ["features"], axes=list(axes), keepdims=0)
    else:
        mean = helper.make_node("ReduceMean", ["values", "axes"], ["features"], keepdims=0)
    nodes = [helper.make_node("Cast", ["images"], ["values"], to=TensorProto.FLOAT), mean]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 3, 4, 5])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(values, "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    assert (with_last_map(model.SerializeToString()) is not None) == has_map


def test_the_graph_can_be_read_by_openvino_under_the_new_name():
    model = ov.Core().read_model(with_last_map(_trunk()[1]))
    assert [output.any_name for output in model.outputs] == ["features", "maps"]
    assert load_from_string(with_last_map(_trunk()[1])).graph.output[1].name == "maps"
