"""The resize inside a graph gives the pixels of `data.pictures`, in ONNX Runtime and in OpenVINO."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import onnxruntime
import openvino
import pytest
from onnx import TensorProto, helper
from PIL import Image

from eyespot.data.pictures import fitted, read_image
from eyespot.engine.gate import INPUT, PICTURE
from eyespot.engine.resize import with_resize
from eyespot.records import Preprocess

SIZES_WH = [
    *[(400, 533), (224, 224), (224, 225), (300, 224), (120, 100), (32, 32), (57, 31), (480, 640), (333, 1000)],
    *[(768, 1024), (1125, 1500), (341, 227), (299, 299), (50, 500), (1200, 1600), (9, 7), (255, 257), (1, 3)],
    *[(640, 361), (223, 447)],
]
"""Each is tried in both orientations."""
LETTERBOXED_WH = [
    *[(1, 1), (1, 7), (9, 1), (128, 96), (96, 128), (64, 48), (300, 200), (200, 300), (97, 97), (127, 95), (640, 480)],
    *[(1, 4_000), (4_000, 1), (4_000, 3_000), (1_500, 4_000), (3, 30_000)],
]
Run = Callable[[np.ndarray], np.ndarray]


def preprocess(side: int = 224, *, filter: str = "bilinear", exact: bool = False, color: str = "rgb") -> Preprocess:
    channels = 3 if color == "rgb" else 1
    return Preprocess(
        short_side=side,
        crop_hw=(side, side),
        filter=filter,
        color=color,
        mean=(0,) * channels,
        scale=(1,) * channels,
        exact=exact,
    )


def letterboxed(crop_hw: tuple[int, int], color: str = "rgb") -> Preprocess:
    mean = (127.5, 100.2, 3) if color == "rgb" else (90.7,)
    return preprocess(128, color=color).model_copy(update={"crop_hw": crop_hw, "fit": "letterbox", "mean": mean})


def graph_of(record: Preprocess) -> bytes:
    """A graph that hands its images on, with the resize before it."""
    shape = ["N", *record.crop_hw, record.channels]
    ports = [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name in (INPUT, "out")]
    graph = helper.make_graph([helper.make_node("Identity", [INPUT], ["out"])], "graph", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return with_resize(model.SerializeToString(), record)


def in_onnx_runtime(graph: bytes) -> Run:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return lambda picture: session.run(None, {PICTURE: picture})[0][0]


def in_openvino(graph: bytes) -> Run:
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda picture: compiled([picture])[0][0]


@cache
def picture_of(width: int, height: int, channels: int = 3) -> np.ndarray:
    """Smooth places with some noise on them, uint8 (height, width, channels)."""
    random = np.random.default_rng(width * 10_000 + height)
    coarse = random.integers(0, 256, (max(1, height // 8), max(1, width // 8), 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float64)
    return np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)[..., :channels]


@cache
def file_of(width: int, height: int, channels: int) -> bytes:
    """The same as a file: once for every way to read it."""
    file = io.BytesIO()
    picture = picture_of(width, height, channels=channels)
    Image.fromarray(picture.squeeze(-1) if channels == 1 else picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


@cache
def expected(width: int, height: int, record: Preprocess) -> np.ndarray:
    """What the project reads from the file of this picture: once for both engines."""
    return read_image(file_of(width, height, record.channels), record)


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
@pytest.mark.parametrize("filter", ["bilinear", "bicubic"])
@pytest.mark.parametrize("exact", [False, True])
def test_pixels_are_those_of_the_project_at_twenty_sizes_in_both_orientations(engine, filter, exact):
    record = preprocess(filter=filter, exact=exact)
    run = engine(graph_of(record))
    for width, height in {*SIZES_WH, *((height, width) for width, height in SIZES_WH)}:
        picture = picture_of(width, height)
        away = np.abs(run(picture).astype(int) - expected(width, height, record))
        assert away.max() <= 1, (width, height)
        assert (away > 0).mean() <= (0 if filter == "bilinear" else 1e-3), (width, height)


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
@pytest.mark.parametrize("exact", [False, True])
def test_very_long_pictures_leave_no_engines_whole_numbers(engine, exact):
    record = preprocess(exact=exact)
    run = engine(graph_of(record))
    for width, height in [(1, 10_000), (10_000, 1), (40, 6_000), (9_000, 500), (3, 30_000)]:
        np.testing.assert_array_equal(run(picture_of(width, height)), expected(width, height, record))


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
def test_small_grey_pictures_are_resized_alike(engine):
    record = preprocess(32, exact=True, color="gray")
    run = engine(graph_of(record))
    for width, height in [(28, 28), (8, 8), (32, 32), (100, 37), (37, 300)]:
        picture = picture_of(width, height, channels=1)
        np.testing.assert_array_equal(run(picture), expected(width, height, record))


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
@pytest.mark.parametrize("crop_hw", [(96, 128), (128, 96), (128, 128)])
def test_a_letterbox_holds_the_pixels_of_the_project_at_any_size(engine, crop_hw):
    record = letterboxed(crop_hw)
    run = engine(graph_of(record))
    for width, height in LETTERBOXED_WH:
        picture = picture_of(width, height)
        wanted = fitted(Image.fromarray(picture), record)
        np.testing.assert_array_equal(run(picture), wanted, err_msg=f"{width} x {height}")


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
def test_a_letterbox_takes_gray_pictures(engine):
    record = letterboxed((96, 128), color="gray")
    run = engine(graph_of(record))
    for width, height in [(28, 28), (200, 50), (50, 200)]:
        picture = picture_of(width, height, channels=1)
        np.testing.assert_array_equal(run(picture), fitted(Image.fromarray(picture[..., 0]), record))


def test_the_graphs_outputs_stay_and_its_input_takes_any_size():
    session = onnxruntime.InferenceSession(graph_of(preprocess(64)), providers=["CPUExecutionProvider"])
    [given], [gives] = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == (PICTURE, "tensor(uint8)", ["H", "W", 3])
    assert gives.name == "out"
    assert session.run(None, {PICTURE: picture_of(70, 90)})[0].shape == (1, 64, 64, 3)


def test_the_same_record_gives_the_same_bytes():
    assert graph_of(preprocess()) == graph_of(preprocess())
