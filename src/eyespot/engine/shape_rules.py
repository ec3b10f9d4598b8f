"""How large what an operator gives is, by how large that is which it takes: a rule for each operator of the gate.

The rules are those of ONNX's operator documentation (onnx.ai/onnx/operators). A rule that needs numbers, as where
something is cut or repeated, takes constants or lengths of sides as they are; never what was computed of lengths. So
a larger picture never makes any tensor smaller, and what holds for the largest holds for all.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, prod

from eyespot.engine.norm_rules import layer_normalised, response_normalised
from eyespot.engine.sized import LARGEST_LENGTH, Given, Shape, Tensor, axis_of, broadcast

Rule = Callable[[Given], "Shape | list[Shape]"]
"""The shape of what comes out; of each in order, where there are several."""


def _same(given: Given) -> Shape:
    return given.shape()


def together(given: Given) -> Shape:
    return broadcast(given, [each.shape for each in given.tensors if each is not None])


def _gemm(given: Given) -> Shape:
    a, b = given.shape(0), given.shape(1)
    rows, inner = a[::-1] if given.said.get("transA") else a
    other, columns = b[::-1] if given.said.get("transB") else b
    if inner != other:
        given.misfit("multiplies what does not fit")
    added = given.optional(2)
    return broadcast(given, [(rows, columns), added.shape if added else ()])


def _matmul(given: Given) -> Shape:
    a, b = given.shape(0), given.shape(1)
    first, last = len(a) == 1, len(b) == 1
    a, b = (1, *a) if first else a, (*b, 1) if last else b
    if given.said.get("transA") and not first:
        a = (*a[:-2], a[-1], a[-2])
    if given.said.get("transB") and not last:
        b = (*b[:-2], b[-1], b[-2])
    if a[-1] != b[-2]:
        given.misfit("multiplies what does not fit")
    beside = broadcast(given, [a[:-2], b[:-2]]) if len(a) > 2 or len(b) > 2 else ()
    return (*beside, *(() if first else a[-2:-1]), *(() if last else b[-1:]))


def _reduced(given: Given) -> Shape:
    shape, listed = given.shape(), given.optional(1)
    axes = given.ints("axes", ()) if listed is None else given.constants(1)
    if not axes and given.said.get("noop_with_empty_axes"):
        return shape
    gone = {axis_of(each, len(shape)) for each in axes} if axes else set(range(len(shape)))
    if given.said.get("keepdims", 1):
        return tuple(1 if axis in gone else length for axis, length in enumerate(shape))
    return tuple(length for axis, length in enumerate(shape) if axis not in gone)


def _over_all(given: Given) -> Shape:
    shape = given.shape()
    return (*shape[:2], *[1] * (len(shape) - 2))


def divided(given: Given) -> Shape:
    """Whole numbers by what is above 0: an engine ends the process for others, such as the lowest of them by -1."""
    if given.tensor(1).least_whole < 1:
        given.misfit("divides whole numbers by what is not above 0")
    return together(given)


def _concat(given: Given) -> Shape:
    shapes = [each.shape for each in given.tensors if each is not None]
    axis = axis_of(given.said["axis"], len(shapes[0]))
    if any(len(each) != len(shapes[0]) for each in shapes):
        given.misfit("joins what does not fit")
    sides = []
    for place, lengths in enumerate(zip(*shapes, strict=True)):
        if place != axis and len(set(lengths)) > 1 and not given.at_most:
            given.misfit("joins what does not fit")
        sides.append(sum(lengths) if place == axis else max(lengths))
    return tuple(sides)


def _split(given: Given) -> list[Shape]:
    axis, count = given.said.get("axis", 0), len(given.operator.outputs)
    length = given.shape()[axis_of(axis, len(given.shape()))]
    if given.optional(1) is not None:
        return split(given, axis, given.constants(1))
    part = -(-length // count)
    return split(given, axis, [*[part] * (count - 1), length - part * (count - 1)])


def split(given: Given, axis: int, parts: list[int]) -> list[Shape]:
    """Of each part, along an axis, parts that are as long as the whole together."""
    shape = given.shape()
    axis = axis_of(axis, len(shape))
    if sum(parts) != shape[axis] or min(parts) < 0 or len(parts) != len(given.operator.outputs):
        given.misfit(f"splits into {parts[:8]}")
    return [(*shape[:axis], part, *shape[axis + 1 :]) for part in parts]


def _pad(given: Given) -> Shape:
    shape, amounts = list(given.shape()), given.constants(1)
    axes = given.constants(3) if given.optional(3) is not None else range(len(shape))
    if len(amounts) != 2 * len(axes):
        given.misfit("pads other sides than there are")
    for place, axis in enumerate(axes):
        shape[axis_of(axis, len(shape))] += amounts[place] + amounts[place + len(axes)]
    return tuple(shape)


def _slice(given: Given) -> Shape:
    return sliced(given, starts=1, ends=2, axes=3, steps=4)


def sliced(given: Given, *, starts: int, ends: int, axes: int, steps: int) -> Shape:
    """The arguments are the places of its inputs."""
    shape = list(given.shape())
    count = given.tensor(starts).size
    places = given.constants(axes) if given.optional(axes) is not None else list(range(count))
    strides = given.constants(steps) if given.optional(steps) is not None else [1] * count
    if not all(_is_constant(given.tensor(each)) for each in (starts, ends)):
        given.at_most = True  # how much is cut off shows when it runs
        return tuple(shape)
    for begin, end, axis, step in zip(given.whole(starts), given.whole(ends), places, strides, strict=True):
        axis = axis_of(axis, len(shape))
        shape[axis] = len(range(*slice(begin, end, step).indices(shape[axis])))
    return tuple(shape)


def _is_constant(tensor: Tensor) -> bool:
    return tensor.constant and tensor.numbers is not None


def _gather(given: Given) -> Shape:
    shape = given.shape()
    axis = axis_of(given.said.get("axis", 0), len(shape))
    return (*shape[:axis], *given.shape(1), *shape[axis + 1 :])


def _flatten(given: Given) -> Shape:
    shape, axis = given.shape(), given.said.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    return prod(shape[:axis]), prod(shape[axis:])


def _reshape(given: Given) -> Shape:
    shape, wanted = given.shape(), given.lengths(1)
    if not given.said.get("allowzero"):
        wanted = [shape[place] if each == 0 else each for place, each in enumerate(wanted)]
    total, known = prod(shape), prod(each for each in wanted if each != -1)
    if -1 not in wanted:
        fits = known == total or (given.at_most and known <= total)
        given.at_most = False  # as many as it says
    else:
        fits = wanted.count(-1) == 1 and known > 0 and (given.at_most or total % known == 0)
        wanted[wanted.index(-1)] = total // max(known, 1)
    if not fits or min(wanted, default=0) < 0:
        given.misfit(f"makes {tuple(wanted[:8])} of it")
    return tuple(wanted)


def _squeeze(given: Given) -> Shape:
    shape = given.shape()
    if given.optional(1) is None:
        if not given.fixed:
            given.unknown()
        return tuple(length for length in shape if length != 1)
    gone = {axis_of(each, len(shape)) for each in given.constants(1)}
    if any(shape[axis] != 1 for axis in gone) and not given.at_most:
        given.misfit("leaves out a side that is longer than 1")
    return tuple(length for axis, length in enumerate(shape) if axis not in gone)


def _unsqueeze(given: Given) -> Shape:
    shape, axes = list(given.shape()), given.constants(1)
    rank = len(shape) + len(axes)
    for axis in sorted(axis_of(each, rank) for each in axes):
        shape.insert(axis, 1)
    return tuple(shape)


def _transpose(given: Given) -> Shape:
    shape = given.shape()
    order = given.constants(1) if given.optional(1) is not None else given.ints("perm", ())
    order = [axis_of(each, len(shape)) for each in order] or list(range(len(shape)))[::-1]
    if sorted(order) != list(range(len(shape))):
        given.misfit(f"puts its sides in the order {order[:8]}")
    return tuple(shape[axis] for axis in order)


def _shape(given: Given) -> Shape:
    rank = len(given.shape())
    return (len(range(rank)[given.said.get("start", 0) : given.said.get("end", rank)]),)


def _resize(given: Given) -> Shape:
    shape = list(given.shape())
    if given.said.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        given.unknown()
    axes = [axis_of(each, len(shape)) for each in given.ints("axes", range(len(shape)))]
    sizes, scales = given.optional(3), given.optional(2)
    if sizes is not None and sizes.size:
        lengths = given.lengths(3)
    else:
        lengths = scaled(given, [shape[axis] for axis in axes], scales)
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    return tuple(shape)


def scaled(given: Given, lengths: list[int], scales: Tensor | None) -> list[int]:
    """These lengths, each times its scale, a constant."""
    if scales is None or not _is_constant(scales):
        given.unknown()
    factors = [float(each) for each in scales.numbers.ravel()]  # type: ignore[union-attr]
    if len(factors) != len(lengths) or not all(0 < factor < 2**31 for factor in factors):
        given.misfit(f"resizes by {factors[:8]}")
    return [floor(length * factor) for length, factor in zip(lengths, factors, strict=True)]


def _range(given: Given) -> Shape:
    start, step = (_one(given, place, constant=True) for place in (0, 2))
    limit = _one(given, 1, constant=False)
    if not step or max(map(abs, (start, step, limit))) > LARGEST_LENGTH:
        given.misfit(f"counts from {start} to {limit} in steps of {step}")
    return (max(0, ceil((limit - start) / step)),)


def _one(given: Given, place: int, *, constant: bool) -> int | float:
    tensor = given.tensor(place)
    if tensor.numbers is None or tensor.size != 1 or (constant and not tensor.constant):
        given.unknown()
    given.fixed &= tensor.constant
    number = tensor.numbers.ravel()[0].item()
    if number != number or abs(number) == float("inf"):
        given.unknown()
    return number  # type: ignore[no-any-return]


def _top(given: Given) -> list[Shape]:
    shape, [most] = given.shape(), given.constants(1)
    axis = axis_of(given.said.get("axis", -1), len(shape))
    return [(*shape[:axis], most, *shape[axis + 1 :])] * 2


def _suppressed(given: Given) -> list[Shape]:
    (_, boxes, _), (pictures, classes, _), [most] = given.shape(0), given.shape(1), given.constants(2)
    given.at_most = True
    found = pictures * classes * min(most, boxes)
    return [(found, 3), (found, 3), (1,)][: len(given.operator.outputs)]


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish"),
            *("Tanh", "Erf", "Softmax", "Sqrt", "Cast", "Identity", "Softplus", "Abs", "Floor", "Round"),
        ),
        _same,
    ),
    **dict.fromkeys(("Add", "Sub", "Mul", "Max", "Min", "Pow", "Clip", "Greater", "Equal", "Where"), together),
    "Div": divided,
    **dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceSum"), _reduced),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _over_all),
    "LRN": response_normalised,
    "LayerNormalization": layer_normalised,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Concat": _concat,
    "Split": _split,
    "Pad": _pad,
    "Slice": _slice,
    "Gather": _gather,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Shape": _shape,
    "Resize": _resize,
    "Range": _range,
    "TopK": _top,
    "NonMaxSuppression": _suppressed,
}
