"""Model files made to do harm, over a hundred of them: each is refused in a sentence, and nothing outside is read.

And the other side: valid models of every kind load.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import rewritten
from onnx import TensorProto, helper

import eyespot
from eyespot.bundle.files import Bundle, read_bundle, write_bundle
from eyespot.engine.attach import attach_head
from eyespot.engine.gate import FEATURES
from eyespot.errors import BundleError
from eyespot.evaluate.likeness import unit
from eyespot.exporting.files import onnx_file, openvino_files

FILES = ("manifest.json", "model.onnx", "model.xml", "model.bin")
_OPENED: list[str] = []
_WATCHED: list[bool] = [False]


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _WATCHED[0] and event == "open" and isinstance(arguments[0], str):
        _OPENED.append(arguments[0])


sys.addaudithook(_watch)


class Bang:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("executed",)


@dataclass(frozen=True)
class Valid:
    """A valid model in its three forms, as bytes."""

    manifest: dict[str, object]
    graph: bytes
    exported: bytes
    xml: bytes
    weights: bytes


@pytest.fixture(scope="module")
def valid(digits_run) -> Valid:
    bundle = read_bundle(digits_run.bundle)
    manifest = json.loads((Path(digits_run.bundle) / "manifest.json").read_text("utf-8"))
    return Valid(manifest, bundle.graph, onnx_file(bundle), *openvino_files(bundle))


Make = Callable[[Valid, Path], Path]
"""Puts a hostile model into a folder; gives what a person would name."""


def bundle_of(folder: Path, manifest: object, graph: bytes, *, vouched: bool = True) -> Path:
    if vouched and isinstance(manifest, dict):
        manifest = rewritten.vouched(manifest | {"graph_sha256": hashlib.sha256(graph).hexdigest()})
    (folder / "manifest.json").write_bytes(manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode())
    (folder / "model.onnx").write_bytes(graph)
    return folder


def with_graph(change: Callable[[onnx.ModelProto], None]) -> Iterator[Make]:
    """A bundle, and an export, whose graph was changed and is vouched for."""

    def changed(graph: bytes) -> bytes:
        model = onnx.load_from_string(graph)
        change(model)
        return bytes(model.SerializeToString())

    def as_export(valid: Valid, folder: Path) -> Path:
        (folder / "model.onnx").write_bytes(changed(valid.exported))
        return folder / "model.onnx"

    yield lambda valid, folder: bundle_of(folder, valid.manifest, changed(valid.graph))
    yield as_export


def with_xml(old: bytes, new: bytes) -> Make:
    """OpenVINO's files with a text replaced in the XML."""

    def make(valid: Valid, folder: Path) -> Path:
        assert old in valid.xml
        return ir_of(folder, valid.xml.replace(old, new, 1), valid.weights)

    return make


def ir_of(folder: Path, xml: bytes, weights: bytes) -> Path:
    (folder / "model.xml").write_bytes(xml)
    (folder / "model.bin").write_bytes(weights)
    return folder / "model.xml"


def with_manifest(**changes: object) -> Iterator[Make]:
    """A bundle and two exports whose manifest was changed."""

    def in_export(valid: Valid, folder: Path) -> Path:
        model = onnx.load_from_string(valid.exported)
        for each in model.metadata_props:
            if each.key == "manifest":
                each.value = json.dumps(json.loads(each.value) | changes)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return folder / "model.onnx"

    yield lambda valid, folder: bundle_of(folder, valid.manifest | changes, valid.graph)
    yield in_export


def external(model: onnx.ModelProto, *, location: str) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def first_operator(model: onnx.ModelProto, name: str, domain: str = "") -> None:
    model.graph.node[0].op_type, model.graph.node[0].domain = name, domain


def subgraph(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def bloated_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**40, 2**20]


def many_dimensions(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [1] * 10_000


def function(model: onnx.ModelProto) -> None:
    model.functions.append(helper.make_function("own", "F", ["x"], ["x"], [], []))


def opset(model: onnx.ModelProto, *, version: int = 18, domain: str = "") -> None:
    model.opset_import[0].version, model.opset_import[0].domain = version, domain


def of_version(model: onnx.ModelProto, version: int) -> None:
    model.ir_version = version


def strings(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"x"]))


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(dims=[1]))


def training(model: onnx.ModelProto) -> None:
    model.training_info.add()


def other_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "other"


def more_classes(model: onnx.ModelProto) -> None:
    [answers] = (each for each in model.graph.output if each.name == "probabilities")
    answers.type.tensor_type.shape.dim[1].dim_value = 7


def circle(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Identity", ["b"], ["a"]))
    model.graph.node.append(helper.make_node("Identity", ["a"], ["b"]))


def twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[-1])


def as_ir(model: onnx.ModelProto) -> None:
    """OpenVINO looks for its own XML first, and takes it out of any text."""
    model.producer_name = '<net name="other" version="11"><layers/></net>'


def as_ort(model: onnx.ModelProto) -> None:
    """ONNX Runtime looks for its own format in bytes 4 to 8."""
    model.producer_name = "ORTM"


def hostile() -> Iterator[tuple[str, Make]]:
    """Every hostile model, with a name."""
    for place in ("../secret", "/etc/passwd", "a/../../secret", "secret", "~/secret", "file:///etc/passwd", "\\\\x\\y"):
        yield from named(f"data in {place}", with_graph(lambda model, place=place: external(model, location=place)))
    for operator in ("If", "Loop", "Scan", "SequenceMap", "StringConcat", "RandomNormal", "Optional", "Bernoulli", "X"):
        yield from named(operator, with_graph(lambda model, name=operator: first_operator(model, name)))
    for domain in ("com.microsoft", "ai.onnx.contrib", "org.pytorch.aten", "ai.onnx.ml", "mine"):
        yield from named(domain, with_graph(lambda model, domain=domain: first_operator(model, "Conv", domain)))
        yield from named(f"set {domain}", with_graph(lambda model, domain=domain: opset(model, domain=domain)))
    for version in (1, 16, 22, 99, 2**40):
        yield from named(f"opset {version}", with_graph(lambda model, version=version: opset(model, version=version)))
    for version in (1, 7, 11, 2**33):
        yield from named(f"format {version}", with_graph(lambda model, version=version: of_version(model, version)))
    for change in (subgraph, bloated_shape, many_dimensions, function, strings, sparse, training, circle, twice):
        yield from named(change.__name__, with_graph(change))
    for change in (as_ir, as_ort):
        yield from named(change.__name__, with_graph(change))
    for change in (other_input, more_classes):
        yield from named(change.__name__, with_graph(change))
    for key, value in {"format_version": 99, "classes": ["one"], "temperature": -1, "unknown": 1, "task": "x"}.items():
        yield from named(f"manifest {key}", with_manifest(**{key: value}))
    for share in (0, 0.01, 0.3, 0.7, 0.999):
        yield f"graph cut at {share}", cut("model.onnx", share)
        yield f"xml cut at {share}", cut("model.xml", share)
        yield f"bin cut at {share}", cut("model.bin", share)
        yield f"manifest cut at {share}", cut("manifest.json", share)
    for name in FILES:
        yield f"pickle as {name}", in_place_of(name, pickle.dumps(Bang()))
        if name != "model.xml":  # a link that a person names is followed
            yield f"link as {name}", link(name)
        yield f"folder as {name}", folder_as(name)
        yield f"zip as {name}", zipped(name)
    yield "wrong hash", lambda valid, folder: bundle_of(folder, valid.manifest, valid.graph + b"\0", vouched=False)
    yield "nested manifest", lambda valid, folder: bundle_of(folder, b"[" * 100_000, valid.graph)
    yield "manifest of NaN", lambda valid, folder: bundle_of(folder, b'{"format_version": NaN}', valid.graph)
    yield "large varint", lambda valid, folder: bundle_of(folder, valid.manifest, b"\x08" + b"\xff" * 12)
    yield "lengths that lie", lambda valid, folder: bundle_of(folder, valid.manifest, b"\x3a\xff\xff\xff\xff\x0f")
    parts = b"\x3a\x80\x89\x7a" + b"\x0a\0" * 10**6
    yield "a million parts", lambda valid, folder: bundle_of(folder, valid.manifest, parts)
    entities = b'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><net>&b;</net>'
    yield "entities", lambda valid, folder: ir_of(folder, entities, valid.weights)
    outside = b'<!DOCTYPE net [<!ENTITY a SYSTEM "../secret">]><net version="11">&a;</net>'
    yield "outside entity", lambda valid, folder: ir_of(folder, outside, valid.weights)
    for operator in (b"TensorIterator", b"If", b"Loop", b"ReadValue", b"Custom", b"RandomUniform"):
        yield f"IR {operator.decode()}", with_xml(b'type="MatMul"', b'type="' + operator + b'"')
    for operators in (b"extension", b"opset", b"opset999", b"custom_opset", b""):
        yield f"IR set {operators!r}", with_xml(b'version="opset1"', b'version="' + operators + b'"')
    for lie in (b'offset="-1"', b'offset="99999999999"', b'offset="x"', b'offset="1e3"'):
        yield f"IR {lie.decode()}", with_xml(b'offset="0"', lie)
    latin = b'<?xml version="1.0" encoding="latin1"?>'
    yield "IR in Latin-1", with_xml(b'<?xml version="1.0"?>', latin)
    yield "IR in UTF-16", lambda valid, folder: ir_of(folder, valid.xml.decode().encode("utf-16"), valid.weights)
    yield "IR body", with_xml(b"<layers>", b"<body><layers/></body><layers>")
    for place in (b"", b"x:"):
        other = b"<" + place + b'layers xmlns="urn:x" xmlns:x="urn:x"/>'
        yield f"IR {other.decode()}", with_xml(b"<layers>", other + b"<layers>")
    yield "IR twice layers", with_xml(b"<layers>", b"<layers/><layers>")
    yield "IR twice data", with_xml(b'<data element_type="f32"', b'<data element_type="f32"/><data element_type="f32"')
    yield "IR other part", with_xml(b"<layers>", b"<other/><layers>")
    yield "flipped bit (export)", flipped
    yield "IR version", with_xml(b'version="11"', b'version="12"')
    yield "IR without manifest", without_manifest
    yield "IR with other weights", lambda valid, folder: ir_of(folder, valid.xml, valid.weights[:-1] + b"\x55")


def flipped(valid: Valid, folder: Path) -> Path:
    """One bit of the largest weights is another."""
    weights = max((each.raw_data for each in onnx.load_from_string(valid.exported).graph.initializer), key=len)
    place = valid.exported.index(weights) + len(weights) // 2
    changed = bytearray(valid.exported)
    changed[place] ^= 1
    (folder / "model.onnx").write_bytes(changed)
    return folder / "model.onnx"


def without_manifest(valid: Valid, folder: Path) -> Path:
    return ir_of(folder, valid.xml.replace(b"eyespot>", b"other>"), valid.weights)


def named(name: str, makes: Iterator[Make]) -> Iterator[tuple[str, Make]]:
    for form, make in zip(("bundle", "export"), makes, strict=True):
        yield f"{name} ({form})", make


def all_files(valid: Valid, folder: Path, name: str) -> Path:
    """A valid model of the form that has a file of this name; what a person names."""
    if name in ("model.xml", "model.bin"):
        return ir_of(folder, valid.xml, valid.weights)
    return bundle_of(folder, valid.manifest, valid.graph)


def cut(name: str, share: float) -> Make:
    def make(valid: Valid, folder: Path) -> Path:
        given = all_files(valid, folder, name)
        data = (folder / name).read_bytes()[: int(share * (folder / name).stat().st_size)]
        (folder / name).write_bytes(data)
        if name == "model.onnx":
            bundle_of(folder, valid.manifest, data)
        return given

    return make


def in_place_of(name: str, content: bytes) -> Make:
    def make(valid: Valid, folder: Path) -> Path:
        given = all_files(valid, folder, name)
        (folder / name).write_bytes(content)
        return given

    return make


def link(name: str) -> Make:
    """A link to a file outside; what it points to is even the right one."""

    def make(valid: Valid, folder: Path) -> Path:
        given = all_files(valid, folder, name)
        shutil.move(folder / name, folder.parent / "secret")
        (folder / name).symlink_to("../secret")
        return folder if name == "manifest.json" else given

    return make


def folder_as(name: str) -> Make:
    def make(valid: Valid, folder: Path) -> Path:
        given = all_files(valid, folder, name)
        (folder / name).unlink()
        (folder / name).mkdir()
        return given

    return make


def zipped(name: str) -> Make:
    """An archive whose members' names lead out of it."""

    def make(valid: Valid, folder: Path) -> Path:
        given = all_files(valid, folder, name)
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("../../executed", "out")
            archive.writestr("model.onnx", valid.graph)
        return given

    return make


HOSTILE = dict(hostile())


def test_there_are_over_a_hundred():
    assert len(HOSTILE) >= 100


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_in_a_sentence_and_nothing_outside_is_read(name, valid, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("of somebody")
    (tmp_path / "inside").mkdir()
    where = HOSTILE[name](valid, tmp_path / "inside")
    _OPENED.clear()
    _WATCHED[0] = True
    try:
        with pytest.raises(BundleError) as caught:
            eyespot.load(where)
    finally:
        _WATCHED[0] = False
    said = str(caught.value)
    assert "\n" not in said
    assert 20 < len(said) < 600
    assert not (tmp_path / "executed").exists()
    assert [each for each in _OPENED if not _is_ours(each, tmp_path / "inside")] == []


def _is_ours(path: str, folder: Path) -> bool:
    """Of the model's folder, or Python's own."""
    found = os.path.realpath(path)
    return found.startswith((str(folder), sys.prefix, sys.base_prefix, str(Path(eyespot.__file__).parent)))


KINDS = [(kind, head) for head in range(10) for kind in ("bundle", "onnx", "openvino")]


@pytest.mark.parametrize(("kind", "head"), KINDS)
def test_valid_models_of_every_kind_load(kind, head, digits_run, tmp_path):
    bundle = of_another_head(read_bundle(digits_run.bundle), head, tmp_path / "bundle")
    where = tmp_path / "bundle"
    if kind == "onnx":
        where = tmp_path / "model.onnx"
        where.write_bytes(onnx_file(bundle))
    elif kind == "openvino":
        where = ir_of(tmp_path, *openvino_files(bundle))
    assert eyespot.load(where).manifest == bundle.manifest


def of_another_head(bundle: Bundle, seed: int, folder: Path) -> Bundle:
    """A bundle with a head at random: linear, or with hidden layers; two classes with a sigmoid, or several."""
    random = np.random.default_rng(seed)
    trunk = onnx.load_from_string(bundle.graph)
    while trunk.graph.output[-1].name != FEATURES:
        del trunk.graph.output[-1]
    for parts in (trunk.graph.node, trunk.graph.initializer):
        kept = [each for each in parts if not each.name.startswith(("classifier", "probabilities", "likeness"))]
        del parts[:]
        parts.extend(kept)
    features = trunk.graph.output[-1].type.tensor_type.shape.dim[-1].dim_value
    classes = 2 if seed % 3 == 0 else 3 + seed
    outputs = 1 if seed % 6 == 0 else classes
    widths = [features, *([16] if seed % 2 else []), outputs]
    layers = [(random.normal(size=(after, before)), random.normal(size=after)) for before, after in pairwise(widths)]
    graph = attach_head(
        trunk.SerializeToString(),
        layers,
        temperature=1 + seed / 10,
        output="sigmoid" if outputs == 1 else "softmax",
        means=unit(random.normal(size=(classes, features))),
    )
    changes = {"classes": tuple(map(str, range(classes))), "graph_sha256": hashlib.sha256(graph).hexdigest()}
    changes |= {"calibration": None, "validation": None, "test": None}
    return write_bundle(folder, bundle.manifest.model_copy(update=changes), graph)
