"""What is known of a graph's tensors before it runs: how large each is, and the few numbers that sizes are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NoReturn

import numpy as np

from eyespot.engine.onnx_file import refuse

Shape = tuple[int, ...]

MOST_DIMENSIONS = 8
LARGEST_LENGTH = 2**31 - 1
MOST_KNOWN = 1024
"""Numbers of a tensor that are looked at: sizes are made of a few."""


class Tensor:
    """One that goes into a graph, is kept in it, or comes out of one of its operators."""

    __slots__ = ("_read", "at_most", "bytes", "constant", "fixed", "item", "raw", "shape", "size")

    def __init__(
        self,
        shape: Shape,
        item: int,
        *,
        constant: bool = False,
        fixed: bool = False,
        at_most: bool = False,
        numbers: np.ndarray | None = None,
        raw: tuple[bytes | memoryview, str] | None = None,
    ) -> None:
        """item: bytes of a number. constant: it depends on nothing that goes into the graph. fixed: its shape does not,
        as that of every constant. at_most: each of its sides may be shorter.
        numbers: what it holds, where that is known and little. raw: the same as bytes, and their type for numpy.
        """
        self.shape, self.item, self.constant, self.at_most, self.raw = shape, item, constant, at_most, raw
        self.fixed = fixed or constant
        self.size = prod(shape)
        """Numbers that it holds."""
        self.bytes = self.size * item
        self._read = numbers

    def is_like(self, other: Tensor) -> bool:
        """Whether nothing tells it from another of which no numbers are known."""
        ours, theirs = (
            (each.shape, each.item, each.constant, each.fixed, each.at_most, each.numbers is None)
            for each in (self, other)
        )
        return ours == theirs and self.numbers is None

    @property
    def numbers(self) -> np.ndarray | None:
        """What it holds; None where that is not known. Of one that is not constant: lengths of other tensors' sides,
        as they are."""
        if self._read is None and self.raw is not None:
            data, kind = self.raw
            if self.size <= MOST_KNOWN:
                self._read = np.frombuffer(data, kind).reshape(self.shape)
            self.raw = None
        return self._read

    @property
    def least_whole(self) -> int:
        """The lowest of the whole numbers that it holds; 1 where it holds others, or what it holds is not known."""
        numbers = np.frombuffer(*self.raw) if self.raw is not None else self._read
        return int(numbers.min()) if numbers is not None and numbers.dtype.kind in "iu" and numbers.size else 1


@dataclass(slots=True)
class Operator:
    """One of a graph, in ONNX's words; also one of OpenVINO's, where it has the same meaning."""

    kind: str
    inputs: list[str]
    """Names; "" for one that is left out."""
    outputs: list[str]
    said: dict[str, Any] = field(default_factory=dict)
    """Its attributes: whole numbers and lists of them, floats, texts."""
    item: int = 0
    """Bytes of each number that it gives, where it says so; 0 for those that its inputs have."""
    value: Tensor | None = None
    """What it gives, of one that only holds a constant."""


class Given:
    """An operator and what goes into it."""

    __slots__ = ("at_most", "fixed", "operator", "said", "tensors")

    def __init__(self, operator: Operator, tensors: list[Tensor | None]) -> None:
        self.operator, self.tensors, self.said = operator, tensors, operator.said
        self.at_most = any(each.at_most for each in tensors if each is not None)
        """Whether each side of what it gives may be shorter. Rules may set it."""
        self.fixed = all(each.fixed for each in tensors if each is not None)
        """Whether its shape depends on nothing that goes into the graph: all that it takes is such."""

    def shape(self, place: int = 0) -> Shape:
        return self.tensor(place).shape

    def tensor(self, place: int) -> Tensor:
        found = self.optional(place)
        if found is None:
            self.misfit("lacks an input")
        return found

    def optional(self, place: int) -> Tensor | None:
        return self.tensors[place] if place < len(self.tensors) else None

    def constants(self, place: int) -> list[int]:
        """The whole numbers of an input that decides what shape comes out; they depend on nothing."""
        if not self.tensor(place).constant:
            self.unknown()
        return self.lengths(place)

    def lengths(self, place: int) -> list[int]:
        """The same, or the lengths of other tensors' sides, as they are: more of them never make less of anything."""
        found = self.whole(place)
        if any(abs(each) > LARGEST_LENGTH for each in found):  # where engines count in 32 bits, it would be another
            self.misfit(f"has sides of {found[:8]}")
        return found

    def whole(self, place: int) -> list[int]:
        """The same of any size, for what only cuts off."""
        found = self.tensor(place).numbers
        self.fixed &= self.tensor(place).constant
        if found is None or found.dtype.kind not in "iu":
            self.unknown()
        return [int(each) for each in found.ravel()]

    def ints(self, name: str, default: Sequence[int]) -> list[int]:
        return list(self.said.get(name, default))

    def unknown(self) -> NoReturn:
        refuse(f"how much its operator {self._name!r} gives cannot be told before it runs")

    def misfit(self, how: str) -> NoReturn:
        shapes = ", ".join("none" if each is None else str(each.shape) for each in self.tensors[:4])
        refuse(f"its operator {self._name!r} {how}: it is given {shapes}"[:300])

    @property
    def _name(self) -> str:
        """As the file has it, of those that OpenVINO writes otherwise than ONNX."""
        return self.operator.kind.removeprefix("ir.")


def axis_of(axis: int, dimensions: int) -> int:
    """An axis counted from the first. Raises IndexError where there is none such."""
    if not -dimensions <= axis < dimensions:
        raise IndexError(axis)
    return axis % dimensions


def broadcast(given: Given, shapes: Sequence[Shape]) -> Shape:
    """The shape that tensors of these shapes take together."""
    first = shapes[0]
    if all(each == first or not each for each in shapes[1:]):
        return first
    rank = max(map(len, shapes))
    sides = []
    for place in range(-rank, 0):
        lengths = {each[place] for each in shapes if len(each) >= -place} - {1}
        if len(lengths) > 1 and not given.at_most:
            given.misfit("cannot put its inputs side by side")
        sides.append(max(lengths, default=1))
    return tuple(sides)
