"""What a graph from elsewhere does to the process that compiles and asks it, it does to one of its own."""

import signal
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from eyespot.engine import compiled, compiled_apart
from eyespot.engine.compiled import compile_graph, know
from eyespot.engine.compiled_apart import PATIENCE_VARIABLE
from eyespot.engine.run import openvino_core
from eyespot.errors import BundleError, MachineError

SHAPE = (1, 4, 4, 3)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="others hold no process to its memory and time")
SAYS_READY = "import sys; sys.stdout.buffer.write(b'ready'); sys.stdout.flush()"


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
        blob.unlink()  # it is known to answer
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
    with pytest.raises(BundleError, match=r"gave no answer within 0\.1 seconds"):
        compile_foreign(HONEST, tmp_path)


@LINUX
def test_it_has_no_more_memory_than_that(tmp_path, monkeypatch):
    command = "from eyespot.engine.own_limits import *; limit_memory(2**30); bytearray(9 * 2**30)"
    monkeypatch.setattr(compiled_apart, "_COMMAND", command)
    with pytest.raises(BundleError, match=r"took too much memory \(status 1\)"):
        compile_foreign(HONEST, tmp_path)


@LINUX
@pytest.mark.parametrize(
    ("first", "words"), [("pass", "making it ready takes more than 8"), (SAYS_READY, "a picture takes more than 2")]
)
def test_nor_more_time_and_it_says_for_what(tmp_path, monkeypatch, first, words):
    command = f"{first}\nfrom eyespot.engine.own_limits import *\nlimit_processor(0.1)\nwhile True: pass"
    monkeypatch.setattr(compiled_apart, "_COMMAND", command)
    with pytest.raises(BundleError, match=rf"{words} seconds of a processor here; .*EYESPOT_PATIENCE=10"):
        compile_foreign(HONEST, tmp_path)


@LINUX
def test_memory_that_comes_slowly_from_a_busy_host_is_not_held_against_it(tmp_path, monkeypatch):
    """The system's time is several times what a process takes: a host that has given memory away gives it back so."""
    asks = "import os\nuser = os.times().user\nwhile os.times().system < 1.7: os.urandom(2**22)"
    command = f"{SAYS_READY}\nfrom eyespot.engine.own_limits import *\nlimit_processor(0.5)\n{asks}"
    command += "\nassert os.times().user < 0.5 + user, 'this test asks the system for too little'"
    monkeypatch.setattr(compiled_apart, "_COMMAND", command)
    compiled_apart.require_answers(tmp_path, b"", b"", shape=None, options={}, cache_folder=tmp_path)


@LINUX
def test_but_not_without_end(tmp_path, monkeypatch):
    command = f"{SAYS_READY}\nimport os\nfrom eyespot.engine.own_limits import *\nlimit_processor(0.1)\n"
    monkeypatch.setattr(compiled_apart, "_COMMAND", command + "while True: os.urandom(2**22)")
    with pytest.raises(BundleError, match="a picture takes more than 2 seconds of a processor here"):
        compile_foreign(HONEST, tmp_path)


@pytest.fixture
def slow():
    """A graph that is ready at once and takes seconds of a processor for a picture."""
    times = [helper.make_node("MatMul", [f"m{n}", "by"], [f"m{n + 1}"]) for n in range(120)]
    return graph(
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Add", ["by", "mean"], ["m0"]),
        *times,
        helper.make_node("ReduceMean", ["m120"], ["y"], keepdims=0),
        by=np.zeros((1500, 1500), np.float32),
    )


@LINUX
def test_a_graph_that_takes_too_long_for_a_picture_is_refused_each_time(tmp_path, monkeypatch, slow, processes):
    monkeypatch.setattr(compiled_apart, "PICTURE_SECONDS", 0.0)
    for _ in range(2):  # what was compiled is kept, and does not count
        with pytest.raises(BundleError, match="a picture takes more than 0 seconds"):
            compile_foreign(slow, tmp_path)
    monkeypatch.setattr(compiled_apart, "PICTURE_SECONDS", 0.2)
    monkeypatch.setenv(PATIENCE_VARIABLE, "300")
    assert compile_foreign(slow, tmp_path)
    assert len(processes) == 3


@pytest.mark.parametrize("given", ["", "much", "0", "nan", "1e9"])
def test_a_patience_that_is_no_number_is_told(tmp_path, monkeypatch, given):
    monkeypatch.setenv(PATIENCE_VARIABLE, given)
    with pytest.raises(MachineError, match=r"^EYESPOT_PATIENCE is .*: give a number from 1 to 1000"):
        compile_foreign(HONEST, tmp_path)


@LINUX
@pytest.mark.parametrize("batch", [1, 16])
def test_a_graph_that_ends_the_process_at_a_picture_ends_none_but_that(tmp_path, batch):
    """A length by the picture's numbers, of which a tensor of terabytes would be made."""
    fills = graph(
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mul", ["whole", "much"], ["sides"]),
        helper.make_node("ConstantOfShape", ["sides"], ["filled"]),
        helper.make_node("ReduceMax", ["filled"], ["y"], keepdims=0),
        much=np.array([2**32]),
    )
    with pytest.raises((BundleError, RuntimeError)):
        compile_graph(
            openvino_core(), fills, shape=(batch, *SHAPE[1:]), options={}, cache_folder=tmp_path, foreign=Path("model")
        )


def test_where_nothing_can_be_kept_it_is_compiled_here_too(tmp_path, processes):
    (tmp_path / "file").touch()
    pictures = np.arange(48, dtype=np.uint8).reshape(SHAPE)
    [answer] = compile_foreign(HONEST, tmp_path / "file" / "compiled")([pictures]).values()
    np.testing.assert_array_equal(answer, pictures)
    assert len(processes) == 1
