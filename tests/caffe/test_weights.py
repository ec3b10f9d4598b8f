"""A .caffemodel is read strictly, in both directions; what is damaged or does not fit is told in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from caffe_files import Text, dense, dims, model_bytes
from caffe_twin import blobs_of
from safetensors.torch import save_file

import eyespot
from eyespot.caffe.network import network_of
from eyespot.caffe.weights import load_caffemodel
from eyespot.errors import WeightsError


def text(classes: int = 4, *, middle: str = "relu") -> str:
    net = Text(dims(3, 6))
    net.conv("conv1", 4, 3)
    net.add("ReLU", middle)
    net.in_place("BatchNorm", "bn1")
    net.add("InnerProduct", "fc2", dense(classes))
    return str(net)


def blobs(classes: int = 4, **how):
    torch.manual_seed(1)
    return blobs_of(network_of(text(classes, **how), file="net"))


def load(data: bytes, tmp_path, **how):
    file = tmp_path / "net.caffemodel"
    file.write_bytes(data)
    network = network_of(text(), file="net.prototxt")
    load_caffemodel(network, file, **how)
    return network


GOOD = blobs()
CONV = [np.zeros((4, 3, 3, 3)), np.zeros(4)]


def changed(**layers) -> bytes:
    """The good file with these layers in place of its own, or beside them; without those that are None."""
    kinds = {"conv1": "Convolution", "bn1": "BatchNorm", "fc2": "InnerProduct"}
    found = dict(GOOD)
    for name, arrays in layers.items():
        found.pop(name, None)
        if arrays is not None:
            found[name] = (kinds.get(name, "InnerProduct"), arrays)
    return model_bytes(found)


def lying(data: bytes) -> bytes:
    """The first layer, which is the convolution, says that it is longer than the file."""
    at = data.index(b"\xa2\x06")
    return data[: at + 2] + b"\xff\xff\xff\x7f" + data[at + 4 :]


REFUSED = {
    "cut off": (model_bytes(GOOD)[:-40], "no whole .caffemodel"),
    "a length that lies": (lying(model_bytes(GOOD)), "no whole .caffemodel"),
    "empty": (b"", "holds no layers"),
    "a page": (b"<html><body>404</body></html>", "no .*caffemodel"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "in the form HDF5"),
    "a layer missing": (changed(fc2=None), "1 layer missing .fc2."),
    "a blob missing": (changed(conv1=CONV[:1]), "layer 'conv1' has 1 blob, and 2 were expected"),
    "another shape": (
        changed(conv1=[np.zeros((4, 3, 5, 3)), np.zeros(4)]),
        "layer 'conv1' has weights of 4 x 3 x 5 x 3, and 4 x 3 x 3 x 3 were expected",
    ),
    "as many numbers in another shape": (changed(conv1=[np.zeros((3, 4, 3, 3)), np.zeros(4)]), "3 x 4 x 3 x 3"),
    "statistics without a factor": (changed(bn1=[np.zeros(4), np.ones(4)]), "mean, variance and one factor"),
    "no numbers": (changed(conv1=[np.full((4, 3, 3, 3), np.nan), np.zeros(4)]), "weights that are no numbers"),
    "a layer that belongs nowhere": (changed(fc9=[np.zeros((2, 2))]), "1 layer that the description has not .fc9."),
    "other classes": (model_bytes(blobs(7)), "layer 'fc2' has weights of 7 x 64, and 4 x 64 were expected"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_told(name, tmp_path):
    data, match = REFUSED[name]
    with pytest.raises(WeightsError, match=match):
        load(data, tmp_path)


def test_a_blob_that_claims_more_than_it_holds_is_told(tmp_path):
    data = model_bytes({**GOOD, "conv1": ("Convolution", [np.zeros((4, 3, 3, 3)), np.zeros(4)])})
    shape = b"\x0a\x04\x04\x03\x03\x03"  # field 1, four lengths
    with pytest.raises(WeightsError, match="claims 4 x 3 x 127 x 3 numbers and holds 108: the file is damaged"):
        load(data.replace(shape, b"\x0a\x04\x04\x03\x7f\x03", 1), tmp_path)


def test_heads_beside_the_network_are_left_out_and_layers_between_are_refused(tmp_path):
    wires = {"conv1": "data", "bn1": "conv1", "fc2": "bn1", "head": "conv1"}
    beside = {**GOOD, "head": ("InnerProduct", [np.zeros((2, 2))])}
    load(model_bytes(beside, wires=wires), tmp_path)
    order = {name: beside[name] for name in ("conv1", "head", "bn1", "fc2")}
    with pytest.raises(WeightsError, match=r"that the description has not .head."):
        load(model_bytes(order, wires={**wires, "bn1": "head"}), tmp_path)


def test_statistics_of_no_batches_are_zero(tmp_path):
    network = load(changed(bn1=[np.ones(4), np.ones(4), np.zeros(1)]), tmp_path)
    assert network.net.bn1.running_mean.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("classes", [None, 4, 6])
def test_create_loads_all_but_a_last_layer_of_other_classes(classes, tmp_path):
    (tmp_path / "net.prototxt").write_text(text())
    (tmp_path / "net.caffemodel").write_bytes(model_bytes(GOOD))
    net = eyespot.create(tmp_path / "net.prototxt", classes=classes, weights=tmp_path / "net.caffemodel")
    assert np.array_equal(net.conv1.weight.detach().numpy(), GOOD["conv1"][1][0])
    assert net.fc2.fc.out_features == (classes or 4)
    if classes != 6:
        assert np.array_equal(net.fc2.fc.weight.detach().numpy(), GOOD["fc2"][1][0])


@pytest.mark.parametrize("classes", [None, 4, 6])
def test_a_description_and_safetensors_are_a_network_without_code(classes, tmp_path):
    (tmp_path / "net.prototxt").write_text(text())
    net = eyespot.create(tmp_path / "net.prototxt")
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    again = eyespot.create(tmp_path / "net.prototxt", classes=classes, weights=tmp_path / "net.safetensors")
    assert {name for name, tensor in again.state_dict().items() if tensor.shape != net.state_dict()[name].shape} == (
        {"fc2.fc.weight", "fc2.fc.bias"} if classes == 6 else set()
    )
    assert all(
        torch.equal(again.state_dict()[name], tensor) for name, tensor in net.conv1.state_dict(prefix="conv1.").items()
    )


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WeightsError, match=r"cannot be read from .*missing.caffemodel: No such file"):
        load_caffemodel(network_of(text(), file="net"), tmp_path / "missing.caffemodel")


def test_the_type_of_a_layer_is_no_name(tmp_path):
    """Weights are found by the layer's name, as in Caffe, whatever the file calls its type."""
    load(model_bytes({name: ("Other", arrays) for name, (_, arrays) in GOOD.items()}), tmp_path)
