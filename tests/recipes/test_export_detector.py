"""`export` of a detector: the file answers as the run, in both engines, and without eyespot."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.answering.detections import Detections
from eyespot.bundle.files import DetectorBundle
from eyespot.engine.ir_gate import check_ir
from eyespot.errors import BundleError, OptionError
from eyespot.exporting import detector
from eyespot.exporting.files import onnx_file
from eyespot.recipes.export import export

STANDALONE = Path(__file__).parents[2] / "examples" / "standalone_detect.py"


@pytest.fixture(scope="module")
def exports(detector_run: Any, warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        out = tmp_path_factory.mktemp("exports")
        return {format: export(detector_run.run, format=format, out=out) for format in ("onnx", "openvino")}


@pytest.fixture
def pictures(boxed_photos: Path, tmp_path: Path) -> list[Path]:
    """Those of the test part; and one that is decoded at a half, on its side, enlarged, and a row of pixels."""
    names = sorted((boxed_photos / "test" / "images").glob("*.png"))
    with Image.open(names[0]) as image:
        large = image.resize((1200, 800))
        exif = Image.Exif()
        exif[0x0112] = 6
        large.save(tmp_path / "large.jpg", quality=95)
        large.save(tmp_path / "side.jpg", exif=exif, quality=95)
        image.resize((90, 1)).save(tmp_path / "row.png")
    return [*names, *(tmp_path / name for name in ("large.jpg", "side.jpg", "row.png"))]


def require_equal(found: list[Detections], expected: list[Detections]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one.width, one.height, len(one.detections)) == (other.width, other.height, len(other.detections))
        for ours, theirs in zip(one.detections, other.detections, strict=True):
            assert ours.class_ == theirs.class_
            assert ours.probability == pytest.approx(theirs.probability, abs=1e-3)
            np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=1e-3 * max(one.width, one.height))


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_the_files_are_proven_and_answer_as_the_run(format, exports, detector_run, pictures, shared_cache):
    result = exports[format]
    assert (result.part, result.bf16, result.int8, result.notes) == ("val and test", None, None, ())
    assert len(result.checks) == 2
    for check in result.checks:
        assert (check.pictures, check.same, check.different) == (8, 8, ())
        assert check.boxes > 0
    for how in ({}, {"threshold": 0.1}, {"iou": 0.2, "max_boxes": 2, "threshold": 0.0}):
        expected = eyespot.load(detector_run.run).predict(pictures, **how)
        assert any(each.detections for each in expected)
        require_equal(eyespot.load(result.files[0]).predict(pictures, **how), expected)


def test_val_measures_the_file_as_the_run(exports, detector_run, boxed_photos, shared_cache):
    of_file, of_run = (eyespot.val(model, boxed_photos) for model in (exports["onnx"].files[0], detector_run.run))
    assert of_file.map50.value == pytest.approx(of_run.map50.value, abs=1e-3)


def test_int8_is_refused(detector_run, tmp_path):
    with pytest.raises(OptionError, match=r"for models that name one class, and .* holds a detector"):
        export(detector_run.run, format="openvino", int8=True, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_finds_something_else_is_not_written(detector_run, tmp_path, monkeypatch, shared_cache):
    def onnx_of_another(bundle: DetectorBundle) -> bytes:
        return onnx_file(replace(bundle, manifest=bundle.manifest.model_copy(update={"threshold": 0.02})))

    monkeypatch.setattr(detector, "onnx_file", onnx_of_another)
    with pytest.raises(BundleError, match=r"finds other boxes than the run .* nothing was written"):
        export(detector_run.run, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_standalone_example_finds_the_same(exports, pictures, shared_cache, tmp_path):
    [file] = exports["onnx"].files
    model = shutil.copy(file, tmp_path / "model.onnx")
    command = [sys.executable, str(STANDALONE), str(model), *map(str, pictures)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    answers = [(each.picture, box) for each in eyespot.load(file).predict(pictures) for box in each.detections]
    assert len(printed) == len(answers) > 0
    for text, (name, box) in zip(printed, answers, strict=True):
        said, _, places = text.partition(" at ")
        assert said.startswith(f"{name}: {box.class_} ")
        assert float(said.split()[-1]) == pytest.approx(box.probability, abs=1e-3)
        np.testing.assert_allclose([float(each) for each in places.split(", ")], box.xyxy, atol=0.1)


def test_the_standalone_example_imports_nothing_of_eyespot():
    text = STANDALONE.read_text("utf-8")
    assert {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))} <= {
        *("json", "math", "sys", "numpy", "onnxruntime", "PIL")
    }


def test_an_xml_that_does_not_bound_what_it_gives_is_refused(exports):
    xml, weights = (Path(name).read_bytes() for name in exports["openvino"].files)
    check_ir(xml, weights)
    root = ElementTree.fromstring(xml)
    for kind, port in (("TopK", "1"), ("NonMaxSuppression", "2")):
        number = next(layer.get("id") for layer in root.iterfind("layers/layer") if layer.get("type") == kind)
        [edge] = [
            each
            for each in root.iterfind("edges/edge")
            if (each.get("to-layer"), each.get("to-port")) == (number, port)
        ]
        [constant] = [each for each in root.iterfind("layers/layer") if each.get("id") == edge.get("from-layer")]
        at = int(constant.find("data").get("offset"))
        for most in (0, 1001, -1):
            changed = weights[:at] + most.to_bytes(8, "little", signed=True) + weights[at + 8 :]
            with pytest.raises(BundleError, match="does not say that it gives at most 1000"):
                check_ir(xml, changed)
        before = edge.get("from-layer")
        edge.set("from-layer", "0")
        with pytest.raises(BundleError, match=f"{kind}.* does not say that it gives at most 1000"):
            check_ir(b'<?xml version="1.0"?>' + ElementTree.tostring(root), weights)
        edge.set("from-layer", before)
