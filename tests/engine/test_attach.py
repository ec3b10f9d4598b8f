import subprocess
import sys
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import openvino as ov
import pytest
from onnx import TensorProto, helper
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

from eyespot.engine.attach import attach_head, without_head
from eyespot.engine.gate import check_graph
from eyespot.errors import NetworkError

D = 6


def _trunk(output: str = "features", *, opset: int = 18) -> bytes:
    """Features are the images' values themselves, (N, 6)."""
    nodes = [
        helper.make_node("Cast", ["images"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["values"], [output], axis=1),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 1, 2, 3])
    features = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", D])
    graph = helper.make_graph(nodes, "trunk", [images], [features])
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def _run(graph: bytes, images: np.ndarray) -> dict[str, np.ndarray]:
    core = ov.Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled(images)
    return {output.any_name: results[output] for output in compiled.outputs}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 1, 2, 3), dtype=np.uint8)


def _layers(*widths: int, seed: int = 1):
    rng = np.random.default_rng(seed)
    pairs = pairwise(widths)
    return [(rng.normal(0, 0.05, (after, before)), rng.normal(0, 1, after)) for before, after in pairs]


def _softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 0.3, 4.0])
@pytest.mark.parametrize("widths", [(D, 3), (D, 8, 4), (D, 8, 7, 2)])
def test_probabilities_are_those_worked_out_by_hand(images, temperature, widths):
    layers = _layers(*widths)
    found = _run(attach_head(_trunk(), layers, temperature=temperature, output="softmax"), images)
    x = images.reshape(5, D).astype(np.float64)
    assert np.array_equal(found["features"], x)
    for number, (weight, bias) in enumerate(layers):
        x = (np.maximum(x, 0) if number else x) @ weight.T + bias
    assert found["probabilities"].shape == (5, widths[-1])
    np.testing.assert_allclose(found["probabilities"], _softmax(x / temperature), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_one_sigmoid_gives_two_classes(images, temperature):
    ((weight, bias),) = layers = _layers(D, 1)
    found = _run(attach_head(_trunk(), layers, temperature=temperature, output="sigmoid"), images)["probabilities"]
    p = 1 / (1 + np.exp(-(images.reshape(5, D) @ weight.T + bias) / temperature))
    np.testing.assert_allclose(found, np.hstack([1 - p, p]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("opset", [17, 18])
def test_likeness_is_the_cosine_to_the_nearest_mean(images, opset):
    means = normalize(np.random.default_rng(3).normal(size=(4, D)))
    graph = attach_head(_trunk(opset=opset), _layers(D, 4), means=means)
    check_graph(graph)
    images[2] = 0  # like nothing
    found = _run(graph, images)
    x = images.reshape(5, D).astype(np.float64)
    np.testing.assert_allclose(found["likeness"], cosine_similarity(x, means).max(axis=1) * x.any(axis=1), atol=1e-6)
    without = _run(attach_head(_trunk(opset=opset), _layers(D, 4)), images)
    assert np.array_equal(found["probabilities"], without["probabilities"])
    runtime = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    [again] = runtime.run(["likeness"], {"images": images})
    np.testing.assert_allclose(again, found["likeness"], atol=1e-6)


def test_the_result_passes_the_gate_and_is_the_same_every_time():
    first, second = (attach_head(_trunk(), _layers(D, 8, 3), temperature=1.5, output="softmax") for _ in range(2))
    check_graph(first)
    assert first == second


def test_the_outputs_keep_their_order():
    outputs = onnx.load_from_string(attach_head(_trunk(), _layers(D, 3))).graph.output
    assert [output.name for output in outputs] == ["features", "probabilities"]
    outputs = onnx.load_from_string(attach_head(_trunk(), _layers(D, 3), means=np.eye(3, D))).graph.output
    assert [output.name for output in outputs] == ["features", "probabilities", "likeness"]


@pytest.mark.parametrize(
    ("layers", "options", "words"),
    [
        (_layers(D + 1, 3), {}, r"Layer 1 .* given 6 numbers, but has a weight \(3, 7\)"),
        ([*_layers(D, 4), *_layers(5, 3)], {}, "Layer 2 .* given 4"),
        ([(np.zeros((3, D)), np.zeros(4))], {}, "Layer 1"),
        ([], {}, "at least one"),
        (_layers(D, 2), {"output": "sigmoid"}, "one output, not 2"),
        (_layers(D, 2), {"temperature": 0}, "above 0"),
        (_layers(D, 2), {"temperature": float("nan")}, "above 0"),
        ([(np.full((2, D), np.inf), np.zeros(2))], {}, "finite"),
        (_layers(D, 3), {"means": np.zeros((3, D + 1))}, r"the shape \(classes, 6\), not \(3, 7\)"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(layers, options, words):
    with pytest.raises(NetworkError, match=words):
        attach_head(_trunk(), layers, **options)


def test_a_graph_without_features_is_refused():
    with pytest.raises(NetworkError, match="no output 'features'"):
        attach_head(_trunk("something"), _layers(D, 3))


def test_without_its_head_a_graph_is_the_trunk_to_the_last_bit():
    trunk = _trunk()
    assert without_head(attach_head(trunk, _layers(D, 4, 3), means=np.eye(3, D))) == without_head(trunk)
    session = onnxruntime.InferenceSession(without_head(attach_head(trunk, _layers(D, 3))))
    assert [each.name for each in session.get_outputs()] == ["features"]


def test_attaching_does_not_import_torch():
    code = "import sys; sys.modules['torch'] = None; import eyespot.engine.attach, eyespot.engine.gate"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
