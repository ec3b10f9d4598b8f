"""Writes the description of the default backbone's graph, from which `eyespot.building.known_graph` makes it again.

To be run when the conversion gives another graph, which raises `GRAPH_VERSION`.
"""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path

import onnx
from onnx import TensorProto, numpy_helper

from eyespot.building import known_graph
from eyespot.building.backbone import DEFAULT, converted
from eyespot.zoo.weights_files import require

SMALL = 64
"""Bytes that stay in the description."""


def main() -> None:
    published = require(known_graph.WEIGHTS).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        model = onnx.load_from_string(converted(DEFAULT, Path(folder)))
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.raw_data) > SMALL:
            put_place(tensor, published)
    file = Path(known_graph.__file__).with_name(known_graph.FILE)
    file.write_bytes(model.SerializeToString(deterministic=True))


def put_place(tensor: TensorProto, published: bytes) -> None:
    """Its place in the published file instead of its numbers; these stay where they are not there."""
    array = numpy_helper.to_array(tensor)
    for order in permutations(range(array.ndim)):
        offset = published.find(array.transpose(order).tobytes())
        if offset >= 0:
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            said = {"location": known_graph.WEIGHTS.file, "offset": offset, "order": ",".join(map(str, order))}
            tensor.external_data.extend(onnx.StringStringEntryProto(key=k, value=str(v)) for k, v in said.items())
            return


if __name__ == "__main__":
    main()
