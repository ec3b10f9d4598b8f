"""How large what a window that slides gives is: convolution and pooling, of ONNX and of OpenVINO."""

from __future__ import annotations

from math import prod

from eyespot.engine.shape_rules import Rule
from eyespot.engine.sized import LARGEST_LENGTH, Given, Shape


def _conv(given: Given) -> Shape:
    (pictures, channels, *lengths), (out, each, *kernel) = given.shape(), given.shape(1)
    group = given.said.get("group", 1)
    if given.said.get("grouped"):  # OpenVINO's weights begin with the number of groups
        group, out, (each, *kernel) = out, out * each, kernel
    if not given.tensor(1).constant:  # else a larger picture could have a smaller result
        given.misfit("has weights that it computes from the picture")
    if group < 1 or channels != each * group or out % group:
        given.misfit("has weights for other channels")
    return (pictures, out, *_slid(given, lengths, kernel))


def _pool(given: Given) -> list[Shape]:
    pictures, channels, *lengths = given.shape()
    shape = (pictures, channels, *_slid(given, lengths, given.said["kernel_shape"]))
    return [shape] * len(given.operator.outputs)


def _slid(given: Given, lengths: list[int], kernel: list[int]) -> list[int]:
    """Of each side: how often the window fits."""
    rank = len(lengths)
    strides, dilations = given.ints("strides", [1] * rank), given.ints("dilations", [1] * rank)
    padding = given.said.get("auto_pad", "NOTSET")
    pads = given.ints("pads", [0] * 2 * rank) if padding == "NOTSET" else [0] * 2 * rank
    if {len(kernel), len(strides), len(dilations), len(pads) // 2} != {rank} or len(pads) != 2 * rank:
        given.misfit("has a window of other sides")
    if min(*kernel, *strides, *dilations, 1) < 1 or not all(0 <= each <= LARGEST_LENGTH for each in pads):
        given.misfit("has a window without a size, or odd padding")
    if padding in ("SAME_UPPER", "SAME_LOWER"):
        return [-(-length // stride) for length, stride in zip(lengths, strides, strict=True)]
    found = []
    for d, length in enumerate(lengths):
        before, room = length + pads[d], length + pads[d] + pads[d + rank] - dilations[d] * (kernel[d] - 1) - 1
        if room < 0:
            given.misfit("has a window that is larger than the map")
        steps = -(-room // strides[d]) if given.said.get("ceil_mode") else room // strides[d]
        found.append(steps + (0 if given.said.get("ceil_mode") and steps * strides[d] >= before else 1))
    return found


def work_of_conv(given: Given, out: Shape) -> int:
    """Multiply-adds; where too few channels come out to fill a processor's vectors, those that stay empty count, too.

    out: the shape of the result.
    """
    weights, group = given.shape(1), given.said.get("group", 1)
    if given.said.get("grouped"):
        group, weights = weights[0], weights[1:]
    together = out[1] if group in (1, out[1]) else out[1] // group
    return prod(out) * prod(weights[1:]) * max(1, _LANES // max(together, 1))


def window_size(given: Given) -> int:
    return prod(given.said["kernel_shape"])


_LANES = 16
"""Numbers that a processor multiplies at once."""

WINDOW_RULES: dict[str, Rule] = {"Conv": _conv, "MaxPool": _pool, "AveragePool": _pool}
