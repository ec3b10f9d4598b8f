"""What a graph from elsewhere does to the process that compiles it, it does to one of its own."""

import signal
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from eyespot.engine import compiled, compiled_apart
from eyespot.engine.compiled import compile_graph, know
from eyespot.engine.run import openvino_core
from eyespot.errors import BundleError

SHAPE = (1, 4, 4, 3)


def graph(*nodes: onnx.NodeProto, **constants: np.ndarray) -> bytes:
    held = [onnx.numpy_helper.from_array(each, name) for name, each in constants.items()]
    given = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 4, 4, 3])
    gives = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    first = helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT)
    made = helper.make_graph([first, *nodes], "g", [given], [gives], held)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


HONEST = graph(helper.make_node("Relu", ["x"], ["y"]))


def compile_foreign(data: bytes, folder: Path) -> object:
    return compile_graph(openvino_core(), data, shape=SHAPE, options={}, cache_folder=folder, foreign=Path("a-model"))


@pytest.fixture
def processes(monkeypatch):
    """Each process that compiles."""
    begun, run = [], compiled_apart.subprocess.run
    monkeypatch.setattr(
        compiled_apart.subprocess, "run", lambda *given, **options: begun.append(given) or run(*given, **options)
    )
    return begun


def test_what_the_process_of_its_own_compiled_answers_here_and_later_none_is_needed(tmp_path, processes):
    pictures = np.arange(48, dtype=np.uint8).reshape(SHAPE)
    for _ in range(2):
        [answer] = compile_foreign(HONEST, tmp_path)([pictures]).values()
        np.testing.assert_array_equal(answer, pictures)
    for blob in tmp_path.glob("*.blob"):
        blob.unlink()  # it is known to compile
    compile_foreign(HONEST, tmp_path)
    assert len(processes) == 1


def test_a_graph_that_was_made_here_is_not_tried(tmp_path, processes):
    know(tmp_path, HONEST)
    compile_foreign(HONEST, tmp_path)
    assert processes == []


def test_no_more_notes_are_kept_than_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "MOST_KNOWN", 3)
    for number in range(5):
        know(tmp_path, bytes([number]))
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="OpenVINO's end by a signal was seen on Linux")
def test_a_graph_that_ends_the_process_ends_none_but_that(tmp_path):
    """The lowest whole number by -1, which the compiler divides; the gate refuses it before."""
    divides = graph(
        helper.make_node("Shape", ["x"], ["sides"]),
        helper.make_node("Mul", ["sides", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "least"], ["low"]),
        helper.make_node("Div", ["low", "minus"], ["quotient"]),
        helper.make_node("Cast", ["quotient"], ["y"], to=TensorProto.FLOAT),
        zero=np.array([0]),
        least=np.array([-(2**63)]),
        minus=np.array([-1]),
    )
    words = rf"^the model in a-model cannot be used: .* ended the process.*\(status -{int(signal.SIGFPE)}\)"
    with pytest.raises(BundleError, match=words):
        compile_foreign(divides, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_the_engine_says_of_a_graph_is_said_here(tmp_path):
    with pytest.raises(RuntimeError, match="Unable to read the model"):
        compile_foreign(b"no graph", tmp_path)


def test_a_process_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_apart, "_COMMAND", "import time; time.sleep(600)")
    monkeypatch.setattr(compiled_apart, "BUSY", 0.01)
    with pytest.raises(BundleError, match=r"was not ready within 0\.08 seconds"):
        compile_foreign(HONEST, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="others hold no process to its memory")
@pytest.mark.parametrize(
    ("work", "status"), [("bytearray(9 * 2**30)", "1"), ("exec('while True: pass')", f"-{int(signal.SIGKILL)}")]
)
def test_it_has_no_more_memory_and_time_than_that(tmp_path, monkeypatch, work, status):
    command = f"from eyespot.engine.own_limits import *; limit_processor(1); limit_memory(2**30); {work}"
    monkeypatch.setattr(compiled_apart, "_COMMAND", command)
    with pytest.raises(BundleError, match=rf"too much memory \(status {status}\)"):
        compile_foreign(HONEST, tmp_path)


def test_where_nothing_can_be_kept_it_is_compiled_here_too(tmp_path, processes):
    (tmp_path / "file").touch()
    pictures = np.arange(48, dtype=np.uint8).reshape(SHAPE)
    [answer] = compile_foreign(HONEST, tmp_path / "file" / "compiled")([pictures]).values()
    np.testing.assert_array_equal(answer, pictures)
    assert len(processes) == 1
