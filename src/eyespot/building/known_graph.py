"""The default backbone's graph without PyTorch: as it was converted once, its numbers out of the published file.

Importing PyTorch takes longer than all else that comes before the first picture. `known_graph.onnx` is what the
conversion gives, where in place of each large tensor stands its place in the published file, as ONNX writes down
external data; `order` is that of its axes there. The file's sha256 vouches for the places. `scripts/known_graph.py`
writes it, and a test holds it to the conversion, byte for byte.
"""

from __future__ import annotations

import math
from importlib.resources import files

import numpy as np
import onnx
from onnx import TensorProto

from eyespot.zoo.weights import EFFICIENTNET_LITE0
from eyespot.zoo.weights_files import sha256_of
from eyespot.zoo.weights_places import find

FILE = "known_graph.onnx"
WEIGHTS = EFFICIENTNET_LITE0
LITTLE_ENDIAN = np.dtype("<f4")


def known_graph() -> bytes | None:
    """The trunk of EfficientNet-Lite0 for images of its own size, with its ImageNet weights; None without their file.

    Raises WeightsError where what lies under its name is another file; OSError where it cannot be read.
    """
    file = find(WEIGHTS)
    if file is None:
        return None
    sha256_of(file, WEIGHTS)
    published = file.read_bytes()
    model = onnx.load_from_string(files(__package__).joinpath(FILE).read_bytes())
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            _fill(tensor, published)
    return bytes(model.SerializeToString(deterministic=True))


def _fill(tensor: TensorProto, published: bytes) -> None:
    """Puts the numbers in, in the graph's order of axes."""
    said = {each.key: each.value for each in tensor.external_data}
    order = [int(axis) for axis in said["order"].split(",")]
    shape = [tensor.dims[axis] for axis in order]
    found = np.frombuffer(published, LITTLE_ENDIAN, count=math.prod(shape), offset=int(said["offset"]))
    tensor.raw_data = found.reshape(shape).transpose(np.argsort(order)).tobytes()
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
