"""Writes files of the formats of the eyespot that is imported, and what it answers by them; README.md says when.

PYTHONPATH=src:tests python tests/golden/make.py FOLDER
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from color_bundle import CLASSES, write_color_bundle

import eyespot
from eyespot.bundle import files
from eyespot.bundle.manifest import FORMAT_VERSION
from eyespot.evaluate.metrics import part_metrics

HERE = Path(__file__).parent
PICTURE = HERE / "picture.png"
THRESHOLDS = (0.4, 0.5, 0.6)


def main(to: Path) -> None:
    """Each kind that this version has, with its answer, in `to`/bundle-N, export-N and store-N."""
    os.environ["EYESPOT_CACHE"] = tempfile.mkdtemp()
    answers = {}
    for kind, write in kinds():
        folder = to / f"bundle-{FORMAT_VERSION}" / kind
        write(folder)
        answers[f"bundle-{FORMAT_VERSION}/{kind}"] = answer(folder)
        for file in exports(folder, to, kind):
            answers[file.relative_to(to).as_posix()] = answer(file)
        for xml in to.glob("export-*/*.xml"):  # of which there is little, often
            xml.with_suffix(".xml.gz").write_bytes(gzip.compress(xml.read_bytes(), mtime=0))
            xml.unlink()
    store(to)
    known = HERE / "answers.json"
    told = json.loads(known.read_text()) if known.is_file() else {}
    known.write_text(json.dumps(told | answers, indent=1, sort_keys=True) + "\n")


def kinds() -> Iterator[tuple[str, Callable[[Path], object]]]:
    """A bundle of each task that this version knows."""
    yield "classes", measured_colors
    if importlib.util.find_spec("box_bundle"):
        yield "boxes", lambda folder: importlib.import_module("box_bundle").write_box_bundle(folder, measured=True)
    if hasattr(files, "write_multilabel"):
        yield "labels", labels


def measured_colors(folder: Path) -> None:
    """Colors, with figures, so that a confusion matrix is there, and with refusals where there are some."""
    refuses = {"refuses": True} if FORMAT_VERSION >= 3 else {}
    made = files.read_bundle(write_color_bundle(folder, **refuses))
    part = part_metrics(np.array([0, 0, 1, 1, 2]), np.eye(3)[[0, 1, 1, 1, 2]], CLASSES)
    files.write_bundle(folder, made.manifest.model_copy(update={"validation": part}), made.graph)


def labels(folder: Path) -> None:
    """The same colors as labels, of which a picture may have several."""
    from color_bundle import _mean_color

    from eyespot.bundle.multilabel_manifest import MultilabelManifest
    from eyespot.engine.attach import attach_head

    graph = attach_head(_mean_color(3), [(np.eye(3) * 8 / 255, np.full(3, -4.0))], output="labels")
    with tempfile.TemporaryDirectory() as other:
        colors = files.read_bundle(write_color_bundle(Path(other))).manifest
    shared = {name: getattr(colors, name) for name in MultilabelManifest.model_fields if hasattr(colors, name)}
    own = {"task": "multilabel", "regime": "frozen", "thresholds": THRESHOLDS, "thresholds_from": "colors"}
    own |= {"validation": None, "test": None, "out_of_fold": None, "graph_sha256": files.sha256(graph)}
    files.write_multilabel(folder, MultilabelManifest(**shared | own), graph)


def exports(folder: Path, to: Path, kind: str) -> Iterator[Path]:
    """The bundle as a file of ONNX and as OpenVINO's two."""
    from eyespot.bundle.exported import EXPORT_VERSION
    from eyespot.exporting.files import onnx_file, openvino_files

    read = getattr(files, "read_any_bundle", files.read_bundle)
    there = to / f"export-{EXPORT_VERSION}"
    if (there / f"{kind}.onnx").is_file():  # of a version between whose bundles were others
        return
    there.mkdir(exist_ok=True)
    contents = (onnx_file(read(folder)), *openvino_files(read(folder)))
    for suffix, content in zip((".onnx", ".xml", ".bin"), contents, strict=True):
        (there / f"{kind}{suffix}").write_bytes(content)
    yield from (there / f"{kind}.onnx", there / f"{kind}.xml")


def store(to: Path) -> None:
    """A store with two arrays."""
    from eyespot.data.store import Store
    from eyespot.data.store_file import VERSION

    folder = to / f"store-{VERSION}"
    if not folder.exists():
        with Store(folder) as made:
            made.put({"features": np.arange(6, dtype=np.float32).reshape(2, 3), "flags": np.array([True, False])})


def answer(model: Path) -> Any:
    """What the model says of the picture, as JSON."""
    [said] = eyespot.load(model).predict([PICTURE])
    if hasattr(said, "detections"):
        return [[each.class_, round(each.probability, 5), *map(float, each.xyxy)] for each in said.detections]
    of_classes = getattr(said, "probabilities", None) or said.predictions
    return {each.class_: round(each.probability, 5) for each in of_classes}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
