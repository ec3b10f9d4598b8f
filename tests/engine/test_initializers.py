import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from eyespot import zoo
from eyespot.blocks import split
from eyespot.engine.attach import attach_head
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.initializers import dense_layers, first_kernels, head_weights, multiply_adds, trunk_weights
from eyespot.errors import BundleError
from eyespot.records import Preprocess

PREPROCESS = Preprocess(short_side=32, crop_hw=(32, 32), filter="bilinear", color="gray", mean=(127.5,), scale=(127.5,))


@pytest.fixture(scope="module")
def lenet():
    torch.manual_seed(0)
    return zoo.create("lenet5")


@pytest.fixture(scope="module")
def graph(lenet) -> bytes:
    """LeNet-5 with a head of two layers."""
    trunk, _ = split(lenet, after="head.act2")
    head = [(np.ones((7, 84)), np.zeros(7)), (np.ones((3, 7)), np.zeros(3))]
    return attach_head(to_onnx(trunk, PREPROCESS), head)


def test_the_weights_of_a_trunk_are_those_of_its_chain(lenet, graph):
    found = trunk_weights(graph)
    expected = {name: tensor for name, tensor in lenet.state_dict().items() if not name.startswith("head.fc.")}
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert np.array_equal(tensor, expected[name].numpy())


def test_the_layers_of_a_head_are_told(graph):
    assert dense_layers(graph) == [(84, 7), (7, 3)]
    assert head_weights(graph)["classifier.fc2.weight"].shape == (3, 7)


def test_the_first_kernels_are_those_of_the_first_convolution(lenet, graph):
    name, kernels = first_kernels(graph)
    assert name == "stage1.conv"
    assert np.array_equal(kernels, lenet.stage1.conv.weight.detach().numpy())


def test_a_graph_without_convolution_or_head_is_said_to_have_none():
    node = helper.make_node("Identity", ["images"], ["features"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in ("images", "features")]
    graph = helper.make_model(helper.make_graph([node], "g", values[:1], values[1:])).SerializeToString()
    assert onnx.load_from_string(graph).graph.node
    with pytest.raises(BundleError, match="no convolution"):
        first_kernels(graph)
    with pytest.raises(BundleError, match="no head"):
        dense_layers(graph)


@pytest.mark.parametrize("name", ["lenet5", "resnet20_cifar", "efficientnet_lite0", "nin_cifar10", "googlenet"])
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


def _graph(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> bytes:
    """Of images of 2 x 8 x 8 numbers, to features of any shape."""
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 2, 8, 8])
    gives = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])
    held = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "g", [given], [gives], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_kernels_that_are_no_numbers_are_said_to_be_damaged(number):
    kernels = np.full((3, 2, 3, 3), number, np.float32)
    node = helper.make_node("Conv", ["images", "net.stage1.conv.weight"], ["features"])
    with pytest.raises(BundleError, match="damaged: some of its kernels are no numbers; copy it again"):
        first_kernels(_graph([node], {"net.stage1.conv.weight": kernels}))


def _then_dense(wanted: str, *nodes: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Images in a shape, then these nodes, which give `rows`, and a dense layer after them."""
    return [
        helper.make_node("Div", ["wanted", "ones"], ["computed"]),
        helper.make_node("Reshape", ["images", wanted], ["shaped"]),
        *nodes,
        helper.make_node("MatMul", ["rows", "weight"], ["features"]),
    ]


def test_arithmetic_of_a_size_that_is_not_known_is_not_counted():
    """onnx follows no division; with sides unknown, it knows not even how many are left of them by `Squeeze`."""
    constants = {"weight": np.ones((128, 3), np.float32), "wanted": np.array([-1, 128]), "ones": np.array([1, 1])}
    same, squeezed = (helper.make_node(kind, ["shaped"], ["rows"]) for kind in ("Identity", "Squeeze"))
    assert multiply_adds(_graph(_then_dense("wanted", same), constants)) == 128 * 3
    for node in (same, squeezed):
        with pytest.raises(BundleError, match="arithmetic cannot be counted: the size of 'rows' is not known"):
            multiply_adds(_graph(_then_dense("computed", node), constants))
