"""A .caffemodel: the weights of a network that Caffe trained, put into the chain, layer by layer, by name and shape.

The file is one message of protobuf, in which each layer has its blobs. It holds numbers only; nothing in it is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from google.protobuf.message import DecodeError
from torch import Tensor, nn

from eyespot.caffe.description import Layer
from eyespot.caffe.messages import net_message
from eyespot.caffe.network import CaffeNetwork
from eyespot.errors import WeightsError
from eyespot.files import from_home
from eyespot.names import brief, quoted
from eyespot.words import counted, some

MODEL_ENDING = ".caffemodel"
MOST_BYTES = 2**31 - 1
"""Of one message of protobuf."""
_HDF5 = b"\x89HDF"


def load_caffemodel(network: CaffeNetwork, path: str | Path, *, keep_classifier: bool = False) -> None:
    """Copies the weights of a file into the network.

    A layer of the network that the file has not is an error, and so is a layer with weights in the file that the
    network has not, unless it lies beside or after the network, as auxiliary heads do.

    keep_classifier: leaves the network's last layer as it is where the file has another number of classes.
    Raises WeightsError, naming file and layer, where the file is damaged or does not fit.
    """
    file = from_home(path)
    found = _Blobs(_read(file), file)
    modules = {layer.name: (layer, name) for name, layer in network.layers.items() if _targets(layer, network, name)}
    found.require_names(modules.keys(), {layer.name for layer in network.layers.values()})
    with torch.no_grad():
        for layer, name in modules.values():
            targets, blobs = _targets(layer, network, name), found.of(layer)
            if keep_classifier and layer.name == network.classifier and len(blobs[0]) != len(targets[0]):
                continue
            _fill(targets, blobs, f"{file}: layer {brief(repr(layer.name))}", is_norm=layer.type == "BatchNorm")


def _read(file: Path) -> Any:
    """The message of a file. Raises WeightsError."""
    net = net_message()
    try:
        if file.stat().st_size > MOST_BYTES:
            raise WeightsError(f"{file} has over 2 GiB: no .caffemodel can have as much.")
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WeightsError(f"The weights cannot be read from {file}: {reason}.") from error
    if data.startswith(_HDF5):
        raise WeightsError(f"{file} is in the form HDF5: save it as a .caffemodel, with snapshot_format: BINARYPROTO.")
    try:
        net.ParseFromString(data)
    except DecodeError as error:
        raise WeightsError(
            f"{file} is no whole .caffemodel: it is damaged, cut off, or of another kind ({quoted(error)})."
        ) from error
    if not net.layer and not net.layers:
        raise WeightsError(f"{file} is no .caffemodel: it holds no layers.")
    return net


class _Blobs:
    """The layers of a file, and the numbers of those that have weights."""

    def __init__(self, net: Any, file: Path) -> None:
        self.file = file
        self.layers = list(net.layer or net.layers)
        self.weighted: dict[str, Any] = {}
        for layer in self.layers:
            if layer.blobs:
                if layer.name in self.weighted:
                    raise WeightsError(f"{file} has two layers with weights called {brief(repr(layer.name))}.")
                self.weighted[layer.name] = layer

    def of(self, layer: Layer) -> list[np.ndarray]:
        """The numbers of a layer's blobs, each in the shape that the file says."""
        where = f"{self.file}: layer {brief(repr(layer.name))}"
        return [_array(blob, where) for blob in self.weighted[layer.name].blobs]

    def require_names(self, weighted: Sequence[str] | Any, names: set[str]) -> None:
        """Raises WeightsError where the file lacks a layer, or has one with weights between the network's layers.

        weighted: the layers of the network that have weights. names: all its layers.
        """
        missing = [name for name in weighted if name not in self.weighted]
        foreign = self._before(names)
        parts = [
            f"{counted(len(found), 'layer')} {kind} ({some(found, most=3)})"
            for kind, found in (("missing", missing), ("that the description has not", foreign))
            if found
        ]
        if parts:
            raise WeightsError(f"The weights {self.file} do not fit the network: {' and '.join(parts)}.")

    def _before(self, names: set[str]) -> list[str]:
        """Layers with weights that are none of the network's, although one of the network's takes what they give."""
        origin: dict[str, str] = {}
        found: dict[str, None] = {}
        for layer in self.layers:
            behind = next((origin[blob] for blob in layer.bottom if blob in origin), "")
            if layer.name in names:
                found |= {behind: None} if behind else {}
                behind = ""
            elif layer.blobs:
                behind = layer.name
                if not layer.top:
                    found[layer.name] = None  # nothing says where it belongs
            for blob in layer.top:
                origin.pop(blob, None)
                if behind:
                    origin[blob] = behind
        return list(found)


def _array(blob: Any, where: str) -> np.ndarray:
    """The numbers of a blob in its shape: the one it says, or the four numbers of Caffe's first years."""
    shape = tuple(blob.shape.dim) if blob.HasField("shape") else (blob.num, blob.channels, blob.height, blob.width)
    data = b"".join(blob.data)
    numbers = np.frombuffer(data, "<f4") if data else np.frombuffer(b"".join(blob.double_data), "<f8")
    if min(shape, default=1) < 0 or prod(shape) != len(numbers):
        raise WeightsError(f"{where} claims {_said(shape)} numbers and holds {len(numbers):,}: the file is damaged.")
    if not np.isfinite(numbers).all():
        raise WeightsError(
            f"{where} has weights that are no numbers: the file is damaged, or its training went astray."
        )
    return numbers.reshape(shape)


def _targets(layer: Layer, network: CaffeNetwork, name: str) -> list[Tensor]:
    """The tensors of a layer's module, in the order and layout of its blobs in Caffe; none if it has no weights."""
    module = network.net.get_submodule(name)
    if layer.type == "BatchNorm":
        return [module.get_buffer("running_mean"), module.get_buffer("running_var")]
    if layer.type == "InnerProduct":
        module = module.get_submodule("fc")
    weights: Mapping[str, nn.Parameter] = dict(module.named_parameters())
    is_turned = layer.type == "InnerProduct" and layer.settings.inner_product_param.transpose
    return [tensor.T if is_turned and key == "weight" else tensor for key, tensor in weights.items()]


def _fill(targets: list[Tensor], blobs: list[np.ndarray], where: str, *, is_norm: bool) -> None:
    """Copies blobs into tensors. Raises WeightsError for another number of them, or another shape."""
    if is_norm:
        blobs = _moments(blobs, where)
    if len(blobs) != len(targets):
        raise WeightsError(f"{where} has {counted(len(blobs), 'blob')}, and {len(targets)} were expected.")
    for tensor, blob in zip(targets, blobs, strict=True):
        if _without_ones(blob.shape) != _without_ones(tensor.shape):
            raise WeightsError(
                f"{where} has weights of {_said(blob.shape)}, and {_said(tuple(tensor.shape))} were expected."
            )
        tensor.copy_(torch.from_numpy(blob.astype(np.float32)).reshape(tensor.shape))


def _moments(blobs: list[np.ndarray], where: str) -> list[np.ndarray]:
    """Mean and variance of a BatchNorm, which Caffe keeps as sums, with the factor by which they are too large."""
    if len(blobs) != 3 or blobs[2].size != 1:
        raise WeightsError(f"{where} has {counted(len(blobs), 'blob')}: a BatchNorm has mean, variance and one factor.")
    factor = float(blobs[2].reshape(()))
    return [blob / factor if factor else blob * 0 for blob in blobs[:2]]


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without the ones at its beginning, which the form of four numbers adds, and those of a map of one pixel
    at its end."""
    sizes = list(shape)
    while sizes and sizes[0] == 1:
        sizes.pop(0)
    while sizes and sizes[-1] == 1:
        sizes.pop()
    return tuple(sizes)


def _said(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "1"
