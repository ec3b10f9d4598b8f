"""The few numbers that sizes are made of, followed through a graph: constants, and lengths of sides as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from eyespot.engine.sized import LARGEST_LENGTH, MOST_KNOWN, Given, Shape

Numbers = np.ndarray[Any, Any]


def numbers_of(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    """What comes out, of each result, where it is known.

    shapes: of the results.
    """
    kind = given.operator.kind
    if kind == "Shape":
        tensor = given.tensor(0)
        start, end = given.said.get("start", 0), given.said.get("end", len(tensor.shape))
        return [None if tensor.at_most else np.array(tensor.shape[start:end], np.int64)]
    first = given.optional(0)
    if first is None or first.numbers is None or sum(map(_size, shapes)) > MOST_KNOWN:
        return [None] * len(shapes)
    if kind in _MOVES:
        chosen_by_constants = all(each is None or each.constant for each in given.tensors[1:])
        if kind == "Concat" or chosen_by_constants:
            return _MOVES[kind](given, shapes)
    elif kind in _COUNTS and all(each is None or each.constant for each in given.tensors):
        arrays = [each.numbers for each in given.tensors if each is not None]
        if all(each is not None and _is_small(each) for each in arrays):
            with np.errstate(all="ignore"):
                return [_COUNTS[kind](*arrays)]
    return [None] * len(shapes)


def _size(shape: Shape) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _reshaped(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    numbers = _numbers(given)
    return [numbers.reshape(shapes[0])] if numbers.size == _size(shapes[0]) else [None]


def _repeated(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    """Only along new first sides and those of length 1, as numpy does it."""
    said = given.said.get("mode", "numpy")
    return [None if said == "explicit" else np.broadcast_to(_numbers(given), shapes[0])]


def _gathered(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    places = given.tensor(1).numbers
    axis = given.constants(2)[0] if given.optional(2) is not None else given.said.get("axis", 0)  # OpenVINO's, ONNX's
    return [None if places is None else _numbers(given).take(places, axis).reshape(shapes[0])]


def _joined(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    parts = [each.numbers for each in given.tensors if each is not None]
    if any(each is None for each in parts):
        return [None]
    return [np.concatenate([each for each in parts if each is not None], given.said["axis"]).reshape(shapes[0])]


def _split(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    """Only of a row of numbers."""
    numbers = _numbers(given)
    if numbers.ndim != 1:
        return [None] * len(shapes)
    ends = np.cumsum([shape[0] for shape in shapes])
    return list(np.split(numbers, ends[:-1]))


def _cut(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    """Only of a row of numbers."""
    place = 3 if given.operator.kind == "ir.Slice" else 4
    numbers, step = _numbers(given), given.constants(place)[0] if given.optional(place) is not None else 1
    if numbers.ndim != 1 or given.at_most or given.tensor(1).size != 1:
        return [None]
    [start], [end] = given.whole(1), given.whole(2)
    return [numbers[start:end:step].reshape(shapes[0])]


def _cast(given: Given, shapes: list[Shape]) -> list[Numbers | None]:
    numbers, kind = _numbers(given), given.said.get("to")
    return [numbers.astype(kind) if kind is not None and _is_small(numbers) else None]


def _is_small(numbers: Numbers) -> bool:
    """Whether engines agree on them, which may count in 32 bits: true of no number, too, of none."""
    return bool((abs(numbers.astype(np.float64)) <= LARGEST_LENGTH).all())


def _numbers(given: Given) -> Numbers:
    numbers = given.tensor(0).numbers
    assert numbers is not None
    return numbers


def _divided(x: Numbers, y: Numbers) -> Numbers | None:
    """Whole numbers are cut towards zero, and engines differ below it."""
    if x.dtype.kind not in "iu":
        return np.asarray(x / y)
    return np.asarray(x // y) if (y > 0).all() and (x >= 0).all() else None


_MOVES: dict[str, Callable[[Given, list[Shape]], list[Numbers | None]]] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"), _reshaped),
    **dict.fromkeys(("Gather", "ir.Gather"), _gathered),
    "Broadcast": _repeated,
    "Concat": _joined,
    **dict.fromkeys(("Split", "ir.Split", "VariadicSplit"), _split),
    **dict.fromkeys(("Slice", "ir.Slice"), _cut),
    "Cast": _cast,
}
"""What puts numbers elsewhere and changes none."""
_COUNTS: dict[str, Callable[..., Numbers | None]] = {
    "Add": lambda x, y: np.asarray(x + y),
    "Sub": lambda x, y: np.asarray(x - y),
    "Mul": lambda x, y: np.asarray(x * y),
    "Div": _divided,
    "Max": lambda *each: np.asarray(np.maximum.reduce(each)),
    "Min": lambda *each: np.asarray(np.minimum.reduce(each)),
    "Floor": lambda x: np.asarray(np.floor(x)),
    "Range": lambda *each: np.arange(*(one.item() for one in each), dtype=each[0].dtype),
}
"""What makes other numbers of constants."""
