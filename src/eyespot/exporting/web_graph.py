"""The graph that a web page asks: whole pictures in, and only what the page shows out."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from eyespot.bundle.files import Bundle, DetectorBundle
from eyespot.engine.gate import BOXES, LABELS, LIKENESS, PROBABILITIES, SCORES
from eyespot.engine.graph_writer import GraphWriter
from eyespot.engine.last_map import MAPS, linear_head
from eyespot.exporting.files import whole_classifier, whole_detector

HEAT = "heat"
"""The output with what each place adds to the score of the likeliest class, float32 (h, w)."""
LEAST_SHOWN = 0.05
"""Score of the surest boxes that are left out: the page's slider goes down to it, and to the model's own threshold."""
_SHOWN = {PROBABILITIES, LIKENESS, HEAT, BOXES, SCORES, LABELS}


def web_graph(bundle: Bundle | DetectorBundle) -> bytes:
    """The bundle's model as ONNX from `picture`, uint8 (H, W, C).

    One that names classes gives `probabilities`, `likeness` where it has one, and `heat` where the scores are a sum
    over places. A detector gives `boxes`, `scores` and `labels` from `LEAST_SHOWN` on.
    """
    if isinstance(bundle, DetectorBundle):
        whole = whole_detector(bundle, threshold=min(LEAST_SHOWN, bundle.manifest.threshold))
    else:
        whole = _with_heat(whole_classifier(bundle), bundle)
    model = onnx.load_from_string(whole)
    shown = [output for output in model.graph.output if output.name in _SHOWN]
    del model.graph.output[:]
    model.graph.output.extend(shown)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _with_heat(graph: bytes, bundle: Bundle) -> bytes:
    """The same with a class activation map of the likeliest class, as `explaining.heat` makes it."""
    model, head = onnx.load_from_string(graph), linear_head(bundle.graph)
    if head is None or MAPS not in [output.name for output in model.graph.output]:
        return graph
    make = GraphWriter("heat")
    likeliest = make.node("ArgMax", PROBABILITIES, axis=1, keepdims=0)  # (1,)
    weight = make.node("Gather", make.constant(head.weight), likeliest, axis=0)  # (1, C)
    kernel = make.node("Unsqueeze", weight, make.whole([2, 3]))  # (1, C, 1, 1)
    added = make.node("Conv", MAPS, kernel)  # (1, 1, h, w)
    make.node("Squeeze", added, make.whole([0, 1]), output=HEAT)
    model.graph.node.extend(make.nodes)
    model.graph.initializer.extend(make.constants)
    model.graph.output.append(helper.make_tensor_value_info(HEAT, TensorProto.FLOAT, ["h", "w"]))
    return bytes(model.SerializeToString(deterministic=True))
