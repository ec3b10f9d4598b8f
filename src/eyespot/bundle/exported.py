"""Exported models: one ONNX file, or OpenVINO's two, that take a decoded picture of any size and know their classes.

The file's metadata hold the bundle's manifest, and under plain names what a program without eyespot needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from eyespot.bundle.files import Bundle, DetectorBundle, MultilabelBundle, read_file, sha256
from eyespot.bundle.manifest import Manifest
from eyespot.bundle.run import ClassAnswer, answer_or_reason, answers_in, precision_here
from eyespot.bundle.written_manifest import read_manifest, vouched_for
from eyespot.engine.gate import (
    ALL_BOXES,
    ALL_SCORES,
    BOXES,
    FLOAT,
    INT64,
    LABELS,
    LARGEST_BYTES,
    LIKENESS,
    PICTURE,
    PROBABILITIES,
    RESIZING_OPERATORS,
    SCORES,
    UINT8,
    Port,
    Ports,
    check_graph,
)
from eyespot.engine.ir_gate import LARGEST_XML, check_ir
from eyespot.engine.onnx_file import graph_bytes
from eyespot.engine.run import WholeEngine
from eyespot.errors import BundleError
from eyespot.files import from_home
from eyespot.records import PrecisionName
from eyespot.vouched import is_hash_of

if TYPE_CHECKING:
    from eyespot.bundle.detector_manifest import DetectorManifest
    from eyespot.bundle.written_manifest import AnyManifest

SUFFIXES: dict[str, Literal["onnx", "openvino"]] = {".onnx": "onnx", ".xml": "openvino"}
"""Of the file that a person names."""
WEIGHTS = ".bin"
"""Beside an .xml."""
EXPORT_VERSION = 2
"""Since 2 a file carries the hash of all that is in it, without which it is damaged."""
MANIFEST_KEY, VERSION_KEY = "manifest", "export_version"
FILE_KEY, WEIGHTS_KEY = "file_sha256", "weights_sha256"
"""The hash of the file, and in OpenVINO's XML that of the file beside it."""
CONTENT_KEY = "content_sha256"
"""In the place of the first in ONNX files of version 1: only the graph's."""
T = TypeVar("T")


@dataclass(frozen=True)
class Exported(Bundle):
    """An exported model, as read from disk; `folder` is its file."""

    weights: bytes
    """Those of an OpenVINO model; empty for ONNX, which has them inside."""


@dataclass(frozen=True)
class ExportedDetector(DetectorBundle):
    """The same of a detector."""

    weights: bytes


@dataclass(frozen=True)
class ExportedMultilabel(MultilabelBundle):
    """The same of a model of several labels."""

    weights: bytes


def metadata(manifest: AnyManifest) -> dict[str, str]:
    """What an exported file says of itself, by name: texts, of which those that are no words are JSON."""
    if manifest.task == "detection":
        cut = {name: json.dumps(getattr(manifest, name)) for name in ("threshold", "iou", "most")}
    elif manifest.task == "multilabel":
        cut = {"thresholds": json.dumps(dict(zip(manifest.classes, manifest.thresholds, strict=True)))}
    else:
        cut = {"threshold": json.dumps(0.5 if len(manifest.classes) == 2 else None), **_promised(manifest)}
    return {
        VERSION_KEY: str(EXPORT_VERSION),
        "name": manifest.name,
        "task": manifest.task,
        "classes": json.dumps(manifest.classes),
        **cut,
        "preprocess": manifest.preprocess.model_dump_json(),
        "fingerprint": manifest.graph_sha256,
        MANIFEST_KEY: vouched_for(manifest).model_dump_json(),
    }


def _promised(manifest: Manifest) -> dict[str, str]:
    """The scores that keep the model's promises, by the shares that are promised."""
    refusing = manifest.unknown.refusing if manifest.unknown else ()
    named = {"least_likeness": refusing, "least_probability_in_set": manifest.sets}
    return {name: json.dumps({f"{each.share:g}": each.least for each in kept}) for name, kept in named.items()}


def read_exported(where: str | Path) -> Exported | ExportedDetector | ExportedMultilabel:
    """The exported model in a file, .onnx or .xml.

    Raises BundleError if there is none, or if it is damaged, unsafe, of a newer version, or none of eyespot's.
    """
    path = _find(where)
    named = from_home(where)  # downloads are often links to files whose names say nothing
    if SUFFIXES.get(named.suffix.lower()) == "onnx":
        graph, weights = read_file(path, most_bytes=LARGEST_BYTES), b""
        manifest = _manifest_of_onnx(path, graph)
    else:
        graph = read_file(path, most_bytes=LARGEST_XML)
        weights = read_file(named.with_suffix(WEIGHTS), most_bytes=LARGEST_BYTES)
        said = check_ir(graph, weights)
        manifest = _manifest(path, said)
        _require_unchanged(path, said, graph)
        if said.get(WEIGHTS_KEY) != sha256(weights):
            raise BundleError(
                f"{named.with_suffix(WEIGHTS)} is not the file that {named.name} describes: copy both of them again"
            )
    if manifest.task == "detection":
        return ExportedDetector(path, manifest, graph, weights)
    if manifest.task == "multilabel":
        return ExportedMultilabel(path, manifest, graph, weights)
    return Exported(path, manifest, graph, weights)


def _manifest_of_onnx(path: Path, graph: bytes) -> AnyManifest:
    """What the file says of itself; it is safe, whole, and fits that."""
    try:
        ports = check_graph(graph, operators=RESIZING_OPERATORS)
    except BundleError as error:
        raise BundleError(f"{path} is no whole file of `eyespot export`: {error}") from error
    said = ports.properties
    manifest = _manifest(path, said)
    _require_fit(path, manifest, ports)
    _require_unchanged(path, said, graph)
    if said[VERSION_KEY] == "1" and said.get(CONTENT_KEY) != sha256(graph_bytes(graph)):
        raise BundleError(f"{path} is damaged: its graph is not the one that was exported: copy it again")
    return manifest


def _require_unchanged(path: Path, said: dict[str, str], data: bytes) -> None:
    """Raises BundleError where a file is not what was exported; one of version 1 that carries no hash may be any."""
    if said[VERSION_KEY] == "1" and FILE_KEY not in said:
        return
    if not is_hash_of(said.get(FILE_KEY, ""), data):
        raise BundleError(
            f"{path} was changed since it was exported, as its {FILE_KEY} says: copy it again, or export anew"
        )


def _find(where: str | Path) -> Path:
    """The file itself, where a person names a link to it."""
    try:
        path = from_home(where).resolve()
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long a name; links in a circle; a NUL in it
        raise BundleError(f"there is no model to be read at {where}: {error}") from error
    if not exists:
        raise BundleError(f"there is no model at {where}: give a file that `eyespot export` made")
    return path


def is_exported(where: str | Path) -> bool:
    """True for the name of an exported model's file."""
    return Path(where).suffix.lower() in SUFFIXES


def _manifest(path: Path, said: dict[str, str]) -> AnyManifest:
    version = said.get(VERSION_KEY, "")
    if MANIFEST_KEY not in said or not (version.isascii() and version.isdigit()):
        raise BundleError(f"{path} was not made by `eyespot export`: give such a file, or a run folder")
    if int(version[:9]) > EXPORT_VERSION:
        raise BundleError(
            f"{path} has export version {version[:9]}; this eyespot reads up to {EXPORT_VERSION}: "
            "pip install --upgrade eyespot"
        )
    return read_manifest(said[MANIFEST_KEY].encode(), f"the manifest in {path}", again="copy the file again")


def _require_fit(path: Path, manifest: AnyManifest, ports: Ports) -> None:
    picture = Port(UINT8, (None, None, manifest.preprocess.channels))
    if ports.inputs != {PICTURE: picture}:
        raise BundleError(f"{path} is damaged: it should take one {PICTURE!r} of any size: export the model again")
    if manifest.task == "detection":
        _require_boxes(path, manifest, ports)
        return
    shape = ports.outputs.get(PROBABILITIES, Port(0, ()))
    if shape.item != FLOAT or shape.shape[1:] != (len(manifest.classes),):
        raise BundleError(
            f"{path} is damaged: it names {len(manifest.classes)} classes and does not give that many probabilities: "
            "export the model again"
        )
    likeness = ports.outputs.get(LIKENESS, Port(0, ()))
    if manifest.unknown is not None and (likeness.item, len(likeness.shape)) != (FLOAT, 1):
        raise BundleError(
            f"{path} is damaged: it says which likeness is refused and does not give one: export the model again"
        )


def _require_boxes(path: Path, manifest: DetectorManifest, ports: Ports) -> None:
    wanted = {BOXES: Port(FLOAT, (None, 4)), SCORES: Port(FLOAT, (None,)), LABELS: Port(INT64, (None,))}
    all_scores = ports.outputs.get(ALL_SCORES, Port(0, ()))
    places = all_scores.shape[1:2]
    if (
        {name: ports.outputs.get(name) for name in wanted} != wanted
        or (all_scores.item, all_scores.shape[2:]) != (FLOAT, (len(manifest.classes),))
        or ports.outputs.get(ALL_BOXES, Port(0, ())).shape[1:] != (*places, 4)
    ):
        raise BundleError(
            f"{path} is damaged: it does not give boxes with scores of its {len(manifest.classes)} classes: export the "
            "model again"
        )


class WholeClassifier:
    """An exported model at work: decoded pictures of any size in, answers out. No torch."""

    resizes = True
    """It takes pictures as they are."""

    def __init__(
        self,
        exported: Exported | ExportedMultilabel,
        *,
        cache_folder: Path | None,
        precision: PrecisionName | None = None,
    ) -> None:
        """Arguments as those of `Classifier`."""
        self._exported, self._cache_folder = exported, cache_folder
        self.precision: PrecisionName = precision or precision_here(exported.manifest.precision.name)

    def stream(self, pictures: Iterable[tuple[T, np.ndarray]], *, many: bool) -> Iterator[tuple[T, ClassAnswer | str]]:
        """The answer to each picture (H, W, C), or why it has none, with its tag, in order.

        many: makes no difference: pictures of any size go one at a time.
        Raises BundleError if the model has no answer to any picture.
        """
        try:
            for tag, outputs in self._engine.stream(pictures):
                [answer] = answers_in(outputs, self._exported)
                yield tag, answer_or_reason(answer, self._exported, self._of_black)
        except RuntimeError as error:  # lengths that do not fit are found out when there are some
            raise BundleError(
                f"{self._exported.folder} is damaged: its graph cannot be computed: export the model again"
            ) from error

    def _of_black(self) -> ClassAnswer:
        """The answer to a black picture."""
        preprocess = self._exported.manifest.preprocess
        black = np.zeros((*preprocess.crop_hw, preprocess.channels), np.uint8)
        [(_, outputs)] = self._engine.stream([(None, black)])
        return answers_in(outputs, self._exported)[0]

    @cached_property
    def _engine(self) -> WholeEngine:
        try:
            return WholeEngine(
                self._exported.graph,
                weights=self._exported.weights,
                precision=self.precision,
                cache_folder=self._cache_folder,
                foreign=self._exported.folder,
            )
        except RuntimeError as error:
            raise BundleError(f"{self._exported.folder} is damaged: its graph is not complete") from error
