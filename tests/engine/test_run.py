"""The engine: every batch answered once, as PyTorch answers it, and nothing hangs when something fails."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from eyespot.blocks import chain, conv
from eyespot.engine import run
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.run import Engine, available_precisions, engine_version, in_batches
from eyespot.records import Preprocess

PREPROCESS = Preprocess(
    short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(120, 110, 100), scale=(60, 55, 50)
)
HWC = (32, 32, 3)


@pytest.fixture(scope="module")
def net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return chain(
            conv1=conv(3, 8, 3, stride=2, bias=True),
            act=nn.ReLU(),
            conv2=conv(8, 6, 3, bias=True),
            pool=nn.AdaptiveAvgPool2d(2),
            flat=nn.Flatten(),
        ).eval()


@pytest.fixture(scope="module")
def graph(net) -> bytes:
    return to_onnx(net, PREPROCESS)


@pytest.fixture(scope="module")
def engine(graph) -> Engine:
    return Engine(graph, image_hwc=HWC, precision="fp32", batch=4)


def images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *HWC), dtype=np.uint8)


def torch_answers(net: nn.Sequential, pixels: np.ndarray) -> np.ndarray:
    x = (torch.from_numpy(pixels).float() - torch.tensor(PREPROCESS.mean)) / torch.tensor(PREPROCESS.scale)
    with torch.inference_mode():
        return net(x.permute(0, 3, 1, 2)).numpy()


def test_the_shape_of_a_row_is_known_before_anything_runs(engine):
    assert engine.row_shapes == {"features": engine.run(images(1))["features"].shape[1:]}


def test_answers_are_those_of_pytorch(net, engine):
    pixels = images(4)
    np.testing.assert_allclose(engine.run(pixels)["features"], torch_answers(net, pixels), atol=1e-4)


@pytest.mark.parametrize("batch", [1, 3])
def test_answers_do_not_depend_on_the_size_of_the_batch(net, graph, batch):
    pixels = images(3)
    small = Engine(graph, image_hwc=HWC, precision="fp32", batch=batch)
    rows = np.concatenate([small.run(pixels[i : i + batch])["features"] for i in range(0, 3, batch)])
    np.testing.assert_allclose(rows, torch_answers(net, pixels), atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_partial_batch_gives_as_many_rows_and_the_same_ones(engine, count):
    pixels = images(4)
    rows = engine.run(pixels[:count])["features"]
    np.testing.assert_array_equal(rows, engine.run(pixels)["features"][:count])


@pytest.mark.parametrize("count", [0, 1, 4, 5, 57])
def test_a_stream_answers_every_image_once_under_its_tag(net, engine, count):
    pixels = images(count)
    batches = in_batches(enumerate(pixels), engine.batch)
    answers = [
        (tag, row) for tags, out in engine.stream(batches) for tag, row in zip(tags, out["features"], strict=True)
    ]
    assert sorted(tag for tag, _ in answers) == list(range(count))
    if count:
        rows = np.stack([row for _, row in sorted(answers, key=lambda answer: answer[0])])
        np.testing.assert_allclose(rows, torch_answers(net, pixels), atol=1e-4)


def test_answers_stay_when_the_engine_goes_on(engine):
    kept = [(tags, out["features"], out["features"].copy()) for tags, out in engine.stream(_batches(30))]
    assert all((array == copy).all() for _, array, copy in kept)


def _batches(count: int):
    return ((number, images(4, seed=number)) for number in range(count))


def test_an_error_while_images_are_made_comes_out_and_ends_the_stream(engine):
    def failing():
        yield from _batches(5)
        raise LookupError("no more pictures")

    answered = []
    with pytest.raises(LookupError, match="no more pictures"):
        answered.extend(tag for tag, _ in engine.stream(failing()))
    assert set(answered) <= set(range(5))
    assert len(list(engine.stream(_batches(3)))) == 3


def test_a_stream_can_be_abandoned_and_its_images_are_no_longer_made(engine):
    made = []

    def counted():
        for tag, pixels in _batches(200):
            made.append(tag)
            yield tag, pixels

    stream = engine.stream(counted())
    next(stream)
    stream.close()
    assert len(made) < 200
    assert len(list(engine.stream(_batches(3)))) == 3


def test_images_of_another_size_are_refused(engine):
    with pytest.raises(RuntimeError):
        engine.run(np.zeros((4, 31, 32, 3), np.uint8))
    with pytest.raises(RuntimeError):
        list(engine.stream([(0, np.zeros((4, 31, 32, 3), np.uint8))]))


def test_images_that_do_not_lie_in_one_piece_in_memory_are_read_rightly(net, engine):
    mirrored = images(4)[:, :, ::-1]
    np.testing.assert_allclose(engine.run(mirrored)["features"], torch_answers(net, mirrored.copy()), atol=1e-4)


def test_outputs_have_the_names_of_the_graph_also_where_two_names_are_one_tensor(tmp_path):
    """The engine drops what does nothing, and then knows one tensor by two names."""
    made = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Relu", ["numbers"], ["inner"]),
            *(helper.make_node("Identity", [f"inner{n - 1}" if n else "inner"], [f"inner{n}"]) for n in range(6)),
            helper.make_node("Identity", ["inner5"], ["features"]),
            helper.make_node("Neg", ["inner5"], ["negative"]),
        ],
        "graph",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 2, 2, 1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2, 2, 1]) for name in ("negative", "features")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    for _ in range(2):  # compiled, then from the cache folder
        engine = Engine(
            model.SerializeToString(), image_hwc=(2, 2, 1), precision="fp32", batch=2, cache_folder=tmp_path
        )
        outputs = engine.run(pixels)
        assert set(outputs) == {"negative", "features"}
        np.testing.assert_array_equal(outputs["features"], pixels)
        np.testing.assert_array_equal(outputs["negative"], -pixels.astype(np.float32))


def test_a_compiled_graph_from_the_cache_folder_gives_the_same_answers_under_the_same_names(graph, engine, tmp_path):
    for _ in range(2):
        again = Engine(graph, image_hwc=HWC, precision="fp32", batch=4, cache_folder=tmp_path / "compiled")
        outputs = again.run(images(4))
        assert set(outputs) == {"features"}
        np.testing.assert_array_equal(outputs["features"], engine.run(images(4))["features"])
    assert any((tmp_path / "compiled").iterdir())


def test_a_cache_folder_that_cannot_be_written_does_not_matter(graph, engine, tmp_path):
    (tmp_path / "file").touch()
    again = Engine(graph, image_hwc=HWC, precision="fp32", batch=4, cache_folder=tmp_path / "file/compiled")
    np.testing.assert_array_equal(again.run(images(4))["features"], engine.run(images(4))["features"])


def test_every_precision_that_is_offered_runs(net, graph):
    for precision in available_precisions():
        answers = Engine(graph, image_hwc=HWC, precision=precision, batch=4).run(images(4))["features"]
        expected = torch_answers(net, images(4))
        assert answers.dtype == np.float32
        np.testing.assert_allclose(answers, expected, atol=(1e-4 if precision == "fp32" else 0.05))


# Batches


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_images_are_stacked_in_batches_in_order(count, sizes):
    batches = list(in_batches(enumerate(images(count)), 4))
    assert [len(pixels) for _, pixels in batches] == sizes
    assert [tag for tags, _ in batches for tag in tags] == list(range(count))
    assert all(pixels.shape == (len(tags), *HWC) for tags, pixels in batches)


def test_a_batch_is_made_only_when_it_is_asked_for():
    taken = []

    def source():
        for number in range(100):
            taken.append(number)
            yield number, np.zeros(HWC, np.uint8)

    next(in_batches(source(), 4))
    assert len(taken) == 4


# This machine


@pytest.mark.parametrize(
    ("capabilities", "precisions"),
    [
        (["FP32", "INT8", "BIN", "EXPORT_IMPORT"], ("fp32",)),
        (["FP32", "BF16", "INT8"], ("bf16", "fp32")),
        (["FP32", "FP16"], ("fp32",)),
    ],
)
def test_bf16_is_used_where_the_processor_has_it_and_only_there(monkeypatch, capabilities, precisions):
    class Core:
        def get_property(self, device, name):
            assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
            return capabilities

    monkeypatch.setattr(run, "openvino_core", Core)
    assert available_precisions() == precisions


def test_the_engine_names_its_version():
    assert engine_version().split(" ")[0] == "openvino"
    assert engine_version() == engine_version()


def _python(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_telemetry_is_never_loaded_nor_is_torch(graph, tmp_path):
    (tmp_path / "graph.onnx").write_bytes(graph)
    printed = _python(
        f"""
import sys
import numpy as np
from pathlib import Path
from eyespot.engine.run import Engine, available_precisions, engine_version
engine_version(), available_precisions()
engine = Engine(Path({str(tmp_path / "graph.onnx")!r}).read_bytes(), image_hwc=(32, 32, 3), precision="fp32", batch=2)
engine.run(np.zeros((2, 32, 32, 3), np.uint8))
list(engine.stream([(0, np.zeros((2, 32, 32, 3), np.uint8))]))
print(sorted(name for name in sys.modules if "telemetry" in name or name == "torch"))
"""
    )
    assert printed.strip() == "[]"


def test_two_threads_may_need_openvino_at_once():
    program = """
from concurrent.futures import ThreadPoolExecutor
from eyespot.engine.run import available_precisions
with ThreadPoolExecutor(4) as threads:
    asked = [threads.submit(available_precisions) for _ in range(8)]
print(len({each.result() for each in asked}))
"""
    assert _python(program).strip() == "1"


def test_openvinos_converter_can_still_be_imported_afterwards():
    pytest.importorskip("openvino.tools.ovc")
    program = (
        "from eyespot.engine.run import engine_version; engine_version()\nimport openvino.tools.ovc as ovc; print("
    )
    assert _python(f"{program}callable(ovc.convert_model))").strip() == "True"
