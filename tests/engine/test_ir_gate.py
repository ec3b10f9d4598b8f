"""The gate for OpenVINO's own files: an honest one passes, one changed in a place is refused, saying what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops
from small_graphs import FLOAT, ir_of, whole, zeros

from eyespot.engine import ir_gate
from eyespot.engine.ir_gate import check_ir
from eyespot.errors import BundleError

Element = ElementTree.Element
START = b'<?xml version="1.0"?>'


@pytest.fixture(scope="module")
def honest(tmp_path_factory) -> tuple[bytes, bytes]:
    """XML and weights of a graph with an operator of every kind that is changed below."""
    x = ops.parameter([1, 4, 8, 8], np.float32)
    convolved = ops.convolution(x, ops.constant(zeros(4, 4, 3, 3)), [1, 1], [1, 1], [1, 1], [1, 1])
    resized = ops.interpolate(convolved, [16, 16], "nearest", "sizes", axes=[2, 3])
    cut = ops.strided_slice(resized, [0, 0], [0, 2], [1, 1], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0])
    added = ops.add(ops.split(cut, 2, 2).outputs()[0], ops.constant(np.ones((1, 1, 1, 1), FLOAT)))
    root, weights = ir_of(ov.Model([added], [x]), tmp_path_factory.mktemp("ir"))
    ElementTree.SubElement(ElementTree.SubElement(root.find("rt_info"), "eyespot"), "task", value="classification")
    return START + ElementTree.tostring(root), weights


def _layer(root: Element, kind: str) -> Element:
    return next(each for each in root.iterfind("layers/layer") if each.get("type") == kind)


def _of(kind: str, **said: str) -> Callable[[Element], Any]:
    """Says something else of an operator."""
    return lambda root: _layer(root, kind).find("data").attrib.update(said)


def _reversed(root: Element) -> None:
    layers = root.find("layers")
    layers[:] = layers[::-1]


def _first_edge(root: Element) -> dict[str, str]:
    return dict(root.find("edges/edge").attrib)


def _another(path: str, tag: str, **said: str) -> Callable[[Element], Any]:
    return lambda root: ElementTree.SubElement(root.find(path), tag, said)


CHANGED: dict[str, tuple[Callable[[Element], Any], str]] = {
    "another root": (lambda root: setattr(root, "tag", "html"), "it is not a network of version 10 or 11"),
    "an older version": (lambda root: root.set("version", "7"), "it is not a network of version 10 or 11"),
    "a name with a namespace": (_another("rt_info", "{http://a.b}c"), "it holds the name '{http://a.b}c'"),
    "a graph inside": (_another("layers/layer", "body"), r"it holds a graph inside a graph \(body\)"),
    "a part twice": (_another(".", "layers"), "it does not consist of edges, layers, rt_info, each once"),
    "another part": (_another(".", "statistics"), "it does not consist of edges, layers, rt_info, each once"),
    "no layers": (lambda root: root.remove(root.find("layers")), "it does not consist of edges, layers, rt_info"),
    "another operator": (
        lambda root: _layer(root, "Add").set("type", "If"),
        "it uses the operator 'If', which eyespot",
    ),
    "no layer": (_another("layers", "operator", type="Add"), "it uses the operator 'Add', which eyespot does not run"),
    "an operator set of its own": (
        lambda root: _layer(root, "Add").set("version", "extension"),
        "its operator 'Add' is of the set 'extension', which is not OpenVINO's own",
    ),
    "said twice": (
        lambda root: ElementTree.SubElement(_layer(root, "Add"), "data"),
        "it describes its operator 'Add' twice",
    ),
    "nowhere": (lambda root: _layer(root, "Const").find("data").attrib.pop("offset"), "does not say where it lies"),
    "at no number": (_of("Const", offset="first"), "one of its constants does not say where it lies"),
    "beyond the weights": (_of("Const", offset="100000"), "lies beyond the [0-9]+ bytes of its weights"),
    "before the weights": (_of("Const", offset="-1"), "lies beyond the [0-9]+ bytes of its weights"),
    "of other bytes": (_of("Const", size="4"), "one of its constants has 4 bytes, which does not fit"),
    "of open length": (_of("Const", shape="?,4,3,3"), "one of its constants has 576 bytes, which does not fit"),
    "of texts": (_of("Const", element_type="string"), "it holds numbers of the type 'string', which eyespot"),
    "a picture of no shape": (_of("Parameter", shape="1..4,4"), "what goes into it has the shape '1..4,4', which"),
    "one number twice": (
        lambda root: _layer(root, "Add").set("id", _layer(root, "Split").get("id")),
        "two of its layers have one number",
    ),
    "no order": (_reversed, "its operator 'Result' takes what is not computed before it"),
    "an edge twice": (
        lambda root: ElementTree.SubElement(root.find("edges"), "edge", _first_edge(root)),
        "two of its edges lead to one place",
    ),
    "an edge that leads nowhere": (
        lambda root: ElementTree.SubElement(root.find("edges"), "edge", _first_edge(root) | {"to-port": "99"}),
        "two of its edges lead to one place, or one leads nowhere",
    ),
    "an older meaning": (
        lambda root: _layer(root, "Interpolate").set("version", "opset1"),
        "'Interpolate' is of a kind",
    ),
    "another way to broadcast": (
        _of("Add", auto_broadcast="pdpd"),
        "its operator 'Add' is of a kind that eyespot does",
    ),
    "parts of a fraction": (_of("Split", num_splits="3"), "its operator 'Split' splits into 3"),
    "no parts": (_of("Split", num_splits="0"), "its operator 'Split' splits into 0"),
    "sides left out": (_of("StridedSlice", ellipsis_mask="1,0"), "its operator 'StridedSlice' gives cannot be told"),
    "a border": (_of("Interpolate", pads_begin="0,0,1,1"), "its operator 'Interpolate' gives cannot be told"),
}


def test_an_honest_file_passes_and_what_it_says_of_itself_is_told(honest):
    assert check_ir(*honest) == {"task": "classification"}


@pytest.mark.parametrize("name", CHANGED)
def test_a_file_changed_in_a_place_is_refused_in_words(name, honest):
    change, words = CHANGED[name]
    xml, weights = honest
    root = ElementTree.fromstring(xml)
    change(root)
    with pytest.raises(BundleError, match=words) as caught:
        check_ir(START + ElementTree.tostring(root), weights)
    assert "\n" not in str(caught.value)


ODD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda xml: b"", "it does not begin with <.xml version=.1.0..>"),
    "another encoding": (lambda xml: xml.decode().encode("utf-16"), "it does not begin with"),
    "a zero": (lambda xml: xml + b"\0", "it does not begin with"),
    "entities": (
        lambda xml: xml.replace(b"<net", b"<!DOCTYPE net><net"),
        "it holds declarations, which a model has no",
    ),
    "an instruction": (lambda xml: xml + b"<?run?>", "it holds declarations, which a model has no need of"),
    "the half of it": (lambda xml: xml[: len(xml) // 2], "it is not XML"),
    "no UTF-8": (lambda xml: xml.replace(b"<net", b"\xff<net"), "it is not XML"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_file_that_is_no_plain_xml_is_refused_in_words(name, honest):
    change, words = ODD[name]
    with pytest.raises(BundleError, match=words):
        check_ir(change(honest[0]), honest[1])


def test_an_xml_beyond_the_limit_is_refused_before_it_is_read(honest, monkeypatch):
    xml, weights = honest
    monkeypatch.setattr(ir_gate, "LARGEST_XML", len(xml) - 1)
    with pytest.raises(BundleError, match=f"it has {len(xml)} bytes, more than {len(xml) - 1}"):
        check_ir(xml, weights)


def test_a_cut_at_places_computed_of_the_picture_is_refused(tmp_path):
    x = ops.parameter([-1, -1, 3], np.float32)
    ends = ops.multiply(ops.shape_of(x), np.array([1, 1, 1]))
    cut = ops.strided_slice(x, [0, 0, 0], ends, [1, 1, 1], [0, 0, 0], [0, 0, 0])
    root, weights = ir_of(ov.Model([cut], [x]), tmp_path)
    with pytest.raises(BundleError, match="how much its operator 'StridedSlice' gives cannot be told before it runs"):
        check_ir(START + ElementTree.tostring(root), weights)


def _sides(axes: bytes) -> Callable[[Element, bytes], bytes]:
    return lambda root, weights: weights.replace(whole(2, 3).tobytes(), axes)


def _without_sides(root: Element, weights: bytes) -> bytes:
    """As before set 6: the one input, and a word on whether channels count."""
    mvn, edges = _layer(root, "MVN"), root.find("edges")
    mvn.set("version", "opset1")
    mvn.find("data").set("across_channels", "true")
    mvn.find("input").remove(mvn.find("input")[1])
    edges.remove(next(each for each in edges if (each.get("to-layer"), each.get("to-port")) == (mvn.get("id"), "1")))
    return weights


def _sides_of_the_picture(root: Element, weights: bytes) -> bytes:
    """Computed of it: two sides, whose numbers nobody knows."""
    edges, mvn, cast = root.find("edges"), _layer(root, "MVN"), _layer(root, "Convert")
    edge = next(each for each in edges if (each.get("to-layer"), each.get("to-port")) == (mvn.get("id"), "1"))
    edge.attrib |= {"from-layer": cast.get("id"), "from-port": "1"}
    return weights


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_sides(whole(2, 2).tobytes()), r"'MVN' normalises over the sides \[2, 2\]"),
        (_sides(whole(3, -1).tobytes()), r"'MVN' normalises over the sides \[3, 3\]"),
        (_sides(whole(2, 4).tobytes()), "'MVN' is not complete, or does not fit"),
        (_sides(whole(2, -(2**63)).tobytes()), "'MVN' has sides of"),
        (_without_sides, "'MVN' lacks an input"),
        (_sides_of_the_picture, "how much its operator 'MVN' gives cannot be told"),
    ],
)
def test_sides_to_normalise_that_are_none_are_refused(change, words, tmp_path):
    x = ops.parameter([1, 4, 8, 8], np.float32)
    told = ops.convert(ops.reduce_max(x, [0, 1, 2]), "i64")
    normalised = ops.mvn(
        ops.add(x, ops.convert(ops.reduce_sum(told, [0]), "f32")), whole(2, 3), True, 1e-6, "inside_sqrt"
    )
    root, weights = ir_of(ov.Model([normalised], [x]), tmp_path)
    check_ir(START + ElementTree.tostring(root), weights)
    weights = change(root, weights)
    with pytest.raises(BundleError, match=words):
        check_ir(START + ElementTree.tostring(root), weights)


def test_numbers_repeated_along_chosen_sides_are_not_taken_for_others(tmp_path):
    """It gives [[2, 2], [50, 50]]; as numpy repeats, the first row were [2, 50]."""
    x = ops.parameter([50, 2], np.float32)
    table = ops.broadcast(ops.constant(np.array([2, 50])), [2, 2], [0], "explicit")
    row = ops.gather(table, np.array(0), 0)
    root, weights = ir_of(ov.Model([ops.broadcast(ops.reduce_mean(x, [0, 1]), row)], [x]), tmp_path)
    with pytest.raises(BundleError, match="how much its operator 'Broadcast' gives cannot be told before it runs"):
        check_ir(START + ElementTree.tostring(root), weights)


@pytest.mark.parametrize("item", [np.int32, np.int64])
def test_a_sorting_says_by_a_constant_how_many_it_gives(item, tmp_path):
    def checked(most: Any, *given: Any) -> None:
        root, weights = ir_of(ov.Model([ops.topk(x, most, 1, "max", "value").output(0)], [x, *given]), tmp_path)
        check_ir(START + ElementTree.tostring(root), weights)

    x = ops.parameter([1, 2000], np.float32)
    checked(ops.constant(item(1000)))
    told = ops.parameter([], item)
    for most, given in ((ops.constant(item(1001)), []), (told, [told]), (ops.constant(np.int16(5)), [])):
        with pytest.raises(BundleError, match="its operator 'TopK' does not say that it gives at most 1000 numbers"):
            checked(most, *given)
