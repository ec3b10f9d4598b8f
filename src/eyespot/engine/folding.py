"""What a graph would take of memory and of work, followed through its shapes before any engine sees it.

**Memory** is the largest sum of what is held at one time. That is: the constants of the file; what is computed of
constants alone and taken by the rest, so that weights which are cast or repeated count as what they become; and of
everything else each tensor, from the operator that gives it to the last one that takes it.

**Work** is counted in multiply-adds: those of convolutions and of products of matrices, and `ELEMENT` for each number
that any other operator reads or gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log2, prod

from eyespot.engine.ir_rules import IR_RULES
from eyespot.engine.known_numbers import numbers_of
from eyespot.engine.shape_rules import RULES
from eyespot.engine.sized import MOST_DIMENSIONS, Given, Operator, Tensor
from eyespot.engine.window_rules import WINDOW_RULES, window_size, work_of_conv

ELEMENT = 10
"""Multiply-adds that take about as long as one number on its way from memory and back."""

_RULES = RULES | WINDOW_RULES | IR_RULES
_LONGEST = 2**60
"""Numbers of a tensor that none can hold."""
_VIEWS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})
"""What gives the same numbers under another shape, in the same place."""
_READS_LITTLE = frozenset({"Gather", "ir.Gather", "Slice", "ir.Slice", "StridedSlice"})
"""What reads no more than it gives."""
_ITEMS = {"Shape": 8, "Greater": 1, "Equal": 1, "NonMaxSuppression": 8}
"""Bytes of a number that these give, whatever they take."""
_GIVES_PLACES = ("MaxPool", "TopK")
"""What gives numbers, and then where they were."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run takes."""

    bytes: int
    """The largest sum of what is held at one time."""
    work: int
    """Multiply-adds."""
    constant_work: int
    """Those of them that depend on constants alone, which an engine does when it compiles."""


class Folded:
    """The operators of a graph, to be gone through with inputs of several sizes."""

    def __init__(self, operators: Sequence[Operator], constants: dict[str, Tensor], outputs: Iterable[str]) -> None:
        """operators: in order. constants: the file's own, by name. outputs: what comes out of the graph, by name."""
        self._operators, self._constants, self._outputs = operators, constants, frozenset(outputs)
        self._before: dict[int, tuple[list[Tensor | None], list[Tensor], int]] = {}
        self._last = {name: place for place, each in enumerate(operators) for name in each.inputs}

    def tensors(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """All that there is in a run with these inputs, by name. Raises BundleError where that cannot be told."""
        return self._followed(inputs)[0]

    def cost(self, inputs: dict[str, Tensor]) -> Cost:
        """Of a run with these inputs. Raises BundleError where it cannot be told."""
        known, steps, work = self._followed(inputs)
        return Cost(self._most_bytes(known, steps, inputs), work[False], work[True])

    def _followed(self, inputs: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[bool, list[int]], dict[bool, int]]:
        """Tensors by name; the places of operators that depend on constants alone (True), and of others; their work."""
        known, work = self._constants | inputs, {True: 0, False: 0}
        steps: dict[bool, list[int]] = {True: [], False: []}
        for place, operator in enumerate(self._operators):
            results, done = self._done(place, [known[name] if name else None for name in operator.inputs])
            known.update((name, each) for name, each in zip(operator.outputs, results, strict=False) if name)
            steps[results[0].constant].append(place)
            work[results[0].constant] += done
        return known, steps, work

    def _done(self, place: int, tensors: list[Tensor | None]) -> tuple[list[Tensor], int]:
        """What an operator gives, and its work; what it was before where it takes what it took before."""
        before, operator = self._before.get(place), self._operators[place]
        if before and all(one is other for one, other in zip(before[0], tensors, strict=True)):
            return before[1], before[2]
        given = Given(operator, tensors)
        results = [operator.value] if operator.value else _results(given)
        if before:
            results = [one if one.is_like(other) else other for one, other in zip(before[1], results, strict=True)]
        done = 0 if operator.value else _work(given, results)
        self._before[place] = tensors, results, done
        return results, done

    def _most_bytes(self, known: dict[str, Tensor], steps: dict[bool, list[int]], inputs: dict[str, Tensor]) -> int:
        """Constants are computed first, and what the rest takes of them stays."""
        stays = {name for place in steps[False] for name in self._operators[place].inputs}
        kept = self._constants.keys() | self._outputs
        held = sum(each.bytes for each in self._constants.values())
        held, first = self._walked(steps[True], known, stays | kept, held)
        held += sum(each.bytes for each in inputs.values())
        constant = {name for place in steps[True] for name in self._operators[place].outputs}
        _, then = self._walked(steps[False], known, constant | kept, held)
        return max(first, then)

    def _walked(self, steps: list[int], known: dict[str, Tensor], stays: set[str], held: int) -> tuple[int, int]:
        """Bytes that are held after these steps, and the most on the way.

        stays: the names of what is held to the end. held: bytes before.
        """
        most = held
        for place in steps:
            operator = self._operators[place]
            ended = {name for name in operator.inputs if name and self._last[name] == place} - stays
            freed = sum(known[name].bytes for name in ended)
            given = sum(known[name].bytes for name in operator.outputs if name)
            most = max(most, held + given - (freed if operator.kind in _VIEWS else 0))
            unused = {name for name in operator.outputs if name and name not in self._last} - stays
            held += given - freed - sum(known[name].bytes for name in unused)
        return held, most


def _results(given: Given) -> list[Tensor]:
    """What an operator gives."""
    operator = given.operator
    try:
        found = _RULES[operator.kind](given)
        shapes = found if isinstance(found, list) else [found]
        numbers = numbers_of(given, shapes)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        given.misfit("is not complete, or does not fit")
    if len(shapes) < len(operator.outputs):
        given.misfit(f"gives no {len(operator.outputs)} results")
    if any(min(each, default=1) < 1 for each in shapes):  # engines divide by lengths
        given.misfit("gives nothing")
    if any(len(each) > MOST_DIMENSIONS or prod(each) > _LONGEST for each in shapes):
        given.misfit("gives what nothing can hold")
    constant = all(each.constant for each in given.tensors if each is not None)
    fixed = given.fixed
    if operator.kind == "Shape":  # how many sides there are is known of any tensor
        constant, fixed = fixed, True
    return [
        Tensor(shape, item, constant=constant, fixed=fixed, at_most=given.at_most, numbers=each)
        for shape, item, each in zip(shapes, _items(given, len(shapes)), numbers, strict=True)
    ]


def _items(given: Given, count: int) -> list[int]:
    """Bytes of a number of each result."""
    operator = given.operator
    first = operator.item or _ITEMS.get(operator.kind) or given.tensor(1 if operator.kind == "Where" else 0).item
    if operator.kind in _GIVES_PLACES:
        return [first, 4 if operator.said.get("index_element_type") == "i32" else 8][:count]
    return [first] * count


def _work(given: Given, results: list[Tensor]) -> int:
    kind, out = given.operator.kind, results[0].size
    if kind in _VIEWS or kind == "Shape":
        return 0
    if kind == "Conv":
        return work_of_conv(given, results[0].shape) + ELEMENT * out
    if kind in ("Gemm", "MatMul"):
        return out * _inner(given) + ELEMENT * out
    if kind in ("MaxPool", "AveragePool"):
        return ELEMENT * out * window_size(given)
    if kind == "NonMaxSuppression":
        return ELEMENT * given.tensor(1).size * min(given.shape()[1], given.constants(2)[0])
    taken = 0 if kind in _READS_LITTLE else max((each.size for each in given.tensors if each is not None), default=0)
    gone_through: int = {"TopK": int(log2(taken + 2)), "LRN": given.said.get("size", 1)}.get(kind, 1)
    return ELEMENT * max(taken, *(each.size for each in results)) * gone_through


def _inner(given: Given) -> int:
    shape = given.shape()
    return shape[-2 if given.said.get("transA") and len(shape) > 1 else -1]
