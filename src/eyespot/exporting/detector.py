"""An exported detector, proven before it is written: it finds in the run's pictures what the run finds there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.bundle.exported import ExportedDetector, read_exported
from eyespot.bundle.files import DetectorBundle, notes_on
from eyespot.engine.run import engine_version
from eyespot.errors import DataError
from eyespot.exporting.agreement import OnnxRuntime
from eyespot.exporting.box_agreement import (
    BoxCheck,
    box_agreement,
    boxes_of_bundle,
    in_onnx_runtime,
    in_openvino,
    require_box_agreement,
)
from eyespot.exporting.files import Format, onnx_file, openvino_files
from eyespot.progress import Progress
from eyespot.runs.pictures import RunPictures
from eyespot.words import counted


@dataclass(frozen=True)
class ProvenBoxes:
    """Files of a detector, and how its boxes compare."""

    contents: tuple[bytes, ...]
    checks: tuple[BoxCheck, ...]
    notes: tuple[str, ...]


def prove_boxes(
    bundle: DetectorBundle, parts: Sequence[RunPictures], *, format: Format, names: Sequence[str], progress: Progress
) -> ProvenBoxes:
    """The files, whose boxes are those of the run in OpenVINO and in ONNX Runtime.

    parts: the run's pictures that are compared. names: of the files.
    Raises BundleError if there are others, DataError if none of the pictures can be read.
    """
    pictures = [each for part in parts for each in part.hashed]
    graph = onnx_file(bundle)
    reference = OnnxRuntime(graph)
    contents = (graph,) if format == "onnx" else openvino_files(bundle)
    expected = boxes_of_bundle(bundle, pictures, progress)
    if not expected:
        raise DataError(f"none of the pictures that {bundle.folder} was made on can be read")
    findings = {
        engine_version(): in_openvino(read_back(contents, names)),
        reference.version: in_onnx_runtime(reference),
    }
    checks = []
    for runtime, finding in findings.items():
        check = box_agreement(finding, expected, runtime=runtime, pictures=pictures, bundle=bundle, progress=progress)
        require_box_agreement(check)
        checks.append(check)
    return ProvenBoxes(contents, tuple(checks), (*notes_on(bundle), *notes_on_boxes(parts, len(expected))))


def read_back(contents: tuple[bytes, ...], names: Sequence[str]) -> ExportedDetector:
    """The exported files as they will be read: through the gate."""
    with tempfile.TemporaryDirectory() as folder:
        drafts = [Path(folder) / name for name in names]
        for draft, content in zip(drafts, contents, strict=True):
            draft.write_bytes(content)
        exported = read_exported(drafts[0])
    assert isinstance(exported, ExportedDetector)
    return exported


def notes_on_boxes(parts: Sequence[RunPictures], read: int) -> tuple[str, ...]:
    """What is worth saying of the pictures that were compared. read: how many of them could be."""
    return tuple(_notes(parts, read))


def _notes(parts: Sequence[RunPictures], read: int) -> Iterator[str]:
    if parts[0].part == "train":
        yield "none of the pictures that were held out was found, so it was compared on those that it was trained on"
    missing, there = (sum(counts) for counts in zip(*((each.missing, len(each.hashed)) for each in parts), strict=True))
    if missing:
        yield f"{counted(missing, 'picture')} of the run cannot be found or changed, and went uncompared"
    if read < there:
        yield f"{counted(there - read, 'picture')} cannot be decoded, and went uncompared"
