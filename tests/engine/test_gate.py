"""The gate against onnx's own reader and checker, on honest graphs, forged ones and damaged ones."""

import struct
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from eyespot.engine import gate, onnx_file
from eyespot.engine.gate import IR_VERSIONS, OPERATORS, OPSETS, RESIZING_OPERATORS, Port, check_graph
from eyespot.errors import BundleError


def _model() -> ModelProto:
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["x"], ["y"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["y", "weight"], ["z"], pads=[1, 1, 1, 1], auto_pad="NOTSET"),
        helper.make_node("LeakyRelu", ["z"], ["a"], alpha=0.1),
        helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.float32(2))),
        helper.make_node("Mul", ["a", "c"], ["features"]),
    ]
    weight = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "weight")
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 8, 8, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 4, 8, 8])
    graph = helper.make_graph(nodes, "g", [images], [features], [weight], doc_string="words")
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10, producer_name="p")


HONEST = _model().SerializeToString()


def test_an_honest_graph_passes():
    onnx.checker.check_model(_model(), full_check=True)
    check_graph(HONEST)


def test_what_goes_in_and_comes_out_is_told():
    ports = check_graph(HONEST)
    assert ports.inputs == {"images": Port(TensorProto.UINT8, (None, 8, 8, 3))}
    assert ports.outputs == {"features": Port(TensorProto.FLOAT, (None, 4, 8, 8))}


def test_no_allowed_operator_takes_a_graph():
    schemas = {schema.name: schema for schema in onnx.defs.get_all_schemas()}
    for name in OPERATORS:
        kinds = {attribute.type for attribute in schemas[name].attributes.values()}
        assert not kinds & {onnx.defs.OpSchema.AttrType.GRAPH, onnx.defs.OpSchema.AttrType.GRAPHS}, name


def _forge(change: Callable[[ModelProto], object]) -> bytes:
    model = _model()
    change(model)
    return model.SerializeToString()


def _external(tensor: TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def _subgraph(attribute: str) -> Callable[[ModelProto], object]:
    def change(model: ModelProto) -> None:
        inside = model.graph.node[0].attribute.add(name="body")
        graph = inside.g if attribute == "g" else inside.graphs.add()
        graph.node.append(helper.make_node("Relu", ["a"], ["b"]))

    return change


def _attribute(**values: object) -> Callable[[ModelProto], object]:
    return lambda m: m.graph.node[0].attribute.append(AttributeProto(name="more", **values))


FORGED = {
    "another file, in a weight": (lambda m: _external(m.graph.initializer[0]), "another file"),
    "another file, in a constant": (lambda m: _external(m.graph.node[4].attribute[0].t), "another file"),
    "a location without the flag": (
        lambda m: m.graph.initializer[0].external_data.add(key="location", value="x"),
        "another file",
    ),
    "the flag without a location": (
        lambda m: setattr(m.graph.initializer[0], "data_location", TensorProto.EXTERNAL),
        "another file",
    ),
    "a custom domain": (lambda m: setattr(m.graph.node[3], "domain", "com.evil"), "not one of ONNX's own"),
    "a training domain": (lambda m: setattr(m.graph.node[3], "domain", "ai.onnx.preview.training"), "ONNX's own"),
    "an imported domain": (lambda m: m.opset_import.append(helper.make_opsetid("com.evil", 1)), "not ONNX's own"),
    "no operator set": (lambda m: m.ClearField("opset_import"), "not ONNX's own"),
    "a custom operator": (lambda m: setattr(m.graph.node[3], "op_type", "PyOp"), "'PyOp'"),
    "a loop": (lambda m: setattr(m.graph.node[3], "op_type", "Loop"), "'Loop'"),
    "no operator": (lambda m: m.graph.node[3].ClearField("op_type"), "''"),
    "a subgraph": (_subgraph("g"), "a graph inside a graph"),
    "subgraphs": (_subgraph("graphs"), "a graph inside a graph"),
    "a function": (lambda m: m.functions.add(name="f", domain="d"), "functions of its own"),
    "training": (lambda m: m.training_info.add(), "steps of a training"),
    "several devices": (lambda m: m.configuration.add(name="x"), "several devices"),
    "an overload": (lambda m: setattr(m.graph.node[3], "overload", "x"), "does not know"),
    "a sparse weight": (lambda m: m.graph.sparse_initializer.add(), "does not know"),
    "a reference to an argument": (_attribute(type=AttributeProto.INT, ref_attr_name="x"), "does not know"),
    "a type": (_attribute(type=AttributeProto.TYPE_PROTO, tp=onnx.TypeProto()), "does not know"),
    "tensors": (_attribute(type=AttributeProto.TENSORS, tensors=[TensorProto()]), "does not know"),
    "an attribute without a type": (_attribute(i=1), "unknown type"),
    "an attribute that claims to be a graph": (_attribute(type=AttributeProto.GRAPH), "unknown type"),
    "a newer format": (lambda m: setattr(m, "ir_version", IR_VERSIONS.stop), "version 11, and this eyespot knows 8"),
    "an older format": (lambda m: setattr(m, "ir_version", 3), "version 3"),
    "a negative format": (lambda m: setattr(m, "ir_version", -1), "version"),
    "a newer operator set": (lambda m: setattr(m.opset_import[0], "version", OPSETS.stop), "version 22"),
    "an older operator set": (lambda m: setattr(m.opset_import[0], "version", 9), "version 9"),
    "no graph": (lambda m: m.ClearField("graph"), "no graph"),
    "too little data": (lambda m: setattr(m.graph.initializer[0], "raw_data", b"1234"), "does not fit"),
    "too much data": (lambda m: setattr(m.graph.initializer[0], "raw_data", bytes(433)), "does not fit"),
    "a huge shape": (lambda m: m.graph.initializer[0].dims.extend([1 << 62]), "does not fit"),
    "a negative shape": (lambda m: m.graph.initializer[0].dims.__setitem__(0, -4), "does not fit"),
    "many dimensions": (lambda m: m.graph.initializer[0].dims.extend([1] * 9), "does not fit"),
    "strings": (lambda m: setattr(m.graph.initializer[0], "data_type", TensorProto.STRING), "does not fit"),
    "numbers beside the data": (lambda m: m.graph.initializer[0].float_data.append(1), "does not know"),
    "two constants of one name": (
        lambda m: m.graph.initializer.append(m.graph.initializer[0]),
        "two constants of one name",
    ),
    "two inputs of one name": (lambda m: m.graph.input.append(m.graph.input[0]), "inputs or outputs have one name"),
    "two outputs of one name": (lambda m: m.graph.output.append(m.graph.output[0]), "inputs or outputs have one name"),
    "an operator that gives nothing": (lambda m: m.graph.node.add(op_type="Relu", input=["a"]), "'Relu' gives nothing"),
    "an attribute twice": (
        lambda m: m.graph.node[3].attribute.append(m.graph.node[3].attribute[0]),
        "'LeakyRelu' says twice what its 'alpha' is",
    ),
    "a name computed twice": (lambda m: m.graph.node.append(m.graph.node[3]), "computes one name twice"),
    "a name taken too early": (lambda m: m.graph.node.reverse(), "takes 'a' before it is computed"),
    "a sequence as input": (
        lambda m: m.graph.input.append(helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)),
        "does not know",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_graph_is_refused_in_words(name):
    change, words = FORGED[name]
    with pytest.raises(BundleError, match=words):
        check_graph(_forge(change))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def _add_node(node: bytes) -> bytes:
    """The honest model with one more graph, which protobuf merges into the first."""
    return HONEST + _field(7, _field(1, node))


EVIL = NodeProto(op_type="PyOp", domain="com.evil").SerializeToString()
RELU = NodeProto(op_type="Relu").SerializeToString()
ODD = {
    "a second graph": _add_node(EVIL),
    "a second graph without harm": _add_node(RELU),
    "an operator named twice": HONEST + _field(7, _field(1, EVIL + _field(4, b"Relu") + _field(7, b""))),
    "a location beyond 32 bits, which readers cut off": _forge(lambda m: m.graph.Clear())
    + _field(7, _field(5, _varint(14 << 3) + _varint((1 << 32) + 1))),
    "a number longer than it need be": HONEST + b"\x28\x81\x00",
    "a tag longer than it need be": HONEST + b"\xa8\x00\x01",
    "a number of eleven bytes": HONEST + b"\x28" + b"\x80" * 10 + b"\x01",
    "a number beyond 64 bits": HONEST + b"\x28" + b"\xff" * 9 + b"\x7f",
    "a group": HONEST + b"\x0b\x0c",
    "the end of a group": HONEST + b"\x0c",
    "field zero": HONEST + b"\x00\x00",
    "an unknown wire type": HONEST + b"\x0f",
    "eight bytes for a number": HONEST + b"\x09" + bytes(8),
    "a text as a number": HONEST + b"\x10\x01",
    "a length beyond the end": HONEST + _varint(6 << 3 | 2) + _varint(100) + b"x",
    "a length of 2**64 - 1": HONEST + _varint(6 << 3 | 2) + b"\xff" * 9 + b"\x01",
    "an end in a tag": HONEST + b"\x80",
    "nothing": b"",
    "a text": b"hello",
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "OpenVINO's own format": b'<?xml version="1.0"?><net name="x" version="11"><layers/></net>',
    "a zip": b"PK\x03\x04" + bytes(30),
    "a NumPy file": b"\x93NUMPY\x01\x00",
    "a byte-order mark": b"\xef\xbb\xbf" + HONEST,
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_bytes_are_refused(name):
    with pytest.raises(BundleError, match="The model's graph cannot be used"):
        check_graph(ODD[name])


def test_every_shortened_file_is_refused_or_is_a_whole_message():
    for end in range(len(HONEST)):
        _agree(HONEST[:end])


def test_floats_and_integers_may_be_packed_or_not():
    plain = b"".join(_varint(7 << 3 | 5) + struct.pack("<f", value) for value in (1.0, 2.0))
    packed = _field(7, struct.pack("<2f", 1.0, 2.0))
    kind = _varint(20 << 3) + _varint(6)
    for floats in (plain, packed):
        check_graph(_with_attribute(_field(1, b"x") + floats + kind))
    for ints in (_varint(8 << 3) + b"\x01", _field(8, b"\x01\x02")):
        check_graph(_with_attribute(_field(1, b"x") + ints + _varint(20 << 3) + _varint(7)))


def test_floats_that_are_cut_short_are_refused():
    cut = _field(1, b"x") + _field(7, b"123")
    with pytest.raises(BundleError, match="its field 'floats' is cut short"):
        check_graph(HONEST[:2] + _field(7, _field(1, _field(5, cut))))


def _with_attribute(attribute: bytes) -> bytes:
    model = _model()
    model.graph.node[5].attribute.append(AttributeProto.FromString(attribute))
    whole = model.SerializeToString()
    canonical = model.graph.node[5].attribute[0].SerializeToString()
    assert canonical in whole
    return whole if len(canonical) != len(attribute) else whole.replace(canonical, attribute)


def test_many_small_parts_are_refused_early(monkeypatch):
    monkeypatch.setattr(onnx_file, "MOST_VALUES", 1000)
    for bomb in (b"\x0a\x00" * 2000, _field(5, _field(1, b"\x01" * 2000))):
        with pytest.raises(BundleError, match="more than 1000 parts"):
            check_graph(HONEST[:2] + _field(7, bomb))


def test_a_file_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(gate, "LARGEST_BYTES", len(HONEST) - 1)
    with pytest.raises(BundleError, match="bytes, more than"):
        check_graph(HONEST)


def _agree(data: bytes) -> None:
    """The gate raises nothing but BundleError, and what it passes is harmless to onnx's own reader too."""
    try:
        check_graph(data)
    except BundleError:
        return
    model = ModelProto.FromString(data)
    assert model.ir_version in IR_VERSIONS
    assert [(o.domain in ("", "ai.onnx"), o.version in OPSETS) for o in model.opset_import] == [(True, True)]
    assert not model.functions
    assert not model.training_info
    tensors = list(model.graph.initializer)
    for node in model.graph.node:
        assert node.op_type in OPERATORS
        assert node.domain in ("", "ai.onnx")
        for attribute in node.attribute:
            assert not attribute.HasField("g")
            assert not attribute.graphs
            assert not attribute.tensors
            tensors += [attribute.t] if attribute.HasField("t") else []
    for tensor in tensors:
        assert tensor.data_location == TensorProto.DEFAULT
        assert not tensor.external_data
        numpy_helper.to_array(tensor)


SEEDS = [HONEST, *(_forge(change) for change, _ in FORGED.values()), *ODD.values()]


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_mutated_bytes_never_pass_as_something_else(data):
    whole = bytearray(data.draw(st.sampled_from(SEEDS)) or b"\x00")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        kind = data.draw(st.sampled_from(["flip", "insert", "delete", "splice"]))
        if kind == "flip":
            whole[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "insert":
            whole[at:at] = data.draw(st.binary(min_size=1, max_size=12))
        elif kind == "delete" and len(whole) > 1:
            del whole[at : at + data.draw(st.integers(1, min(12, len(whole) - 1)))]
            whole = whole or bytearray(b"\x00")
        else:
            other = data.draw(st.sampled_from(SEEDS))
            whole[at:at] = other[: data.draw(st.integers(0, len(other)))]
    _agree(bytes(whole))


@given(data=st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_random_bytes_raise_nothing_but_bundle_errors(data):
    _agree(data)


def test_what_onnx_cannot_read_does_not_pass():
    refused = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        data = bytearray(HONEST)
        data[rng.integers(len(data))] = rng.integers(256)
        try:
            ModelProto.FromString(bytes(data))
        except DecodeError:
            refused += 1
            with pytest.raises(BundleError):
                check_graph(bytes(data))
    assert refused > 10


def _bounded(kind: str, most: object) -> bytes:
    """A graph that sorts or suppresses, and says by `most` how many it gives; a whole number, or how else."""
    place = {"TopK": 1, "NonMaxSuppression": 2}[kind]
    inputs = [*["x"] * place, "most"]
    whole = helper.make_tensor_value_info("most", TensorProto.INT64, [1])
    given = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 4]),
        *([whole] if most in ("input", "both") else []),
    ]
    constants = [numpy_helper.from_array(np.array([most if isinstance(most, int) else 5], np.int64), "most")]
    nodes = [helper.make_node(kind, inputs, ["a", "b"][: 3 - place])]
    outputs = [helper.make_tensor_value_info("a", TensorProto.FLOAT, [None])]
    graph = helper.make_graph(nodes, "graph", given, outputs, [] if most == "input" else constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()


@pytest.mark.parametrize("kind", ["TopK", "NonMaxSuppression"])
def test_what_gives_many_numbers_says_how_many_at_most(kind):
    check_graph(_bounded(kind, 1000), operators=RESIZING_OPERATORS)
    for most in (1001, 0, -1, 2**40, "input", "both"):
        with pytest.raises(BundleError, match=f"{kind}.* does not say that it gives at most 1000"):
            check_graph(_bounded(kind, most), operators=RESIZING_OPERATORS)
    with pytest.raises(BundleError, match="which eyespot does not run"):
        check_graph(_bounded(kind, 5))
