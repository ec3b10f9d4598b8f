"""How much memory and work a graph from elsewhere may ask for; see `folding` for what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from eyespot.engine.folding import Cost, Folded
from eyespot.engine.onnx_file import refuse
from eyespot.engine.sized import Operator, Shape, Tensor

MOST_BYTES = 1 << 30
"""For one picture."""
MOST_WORK = 10**12
"""Multiply-adds for one picture."""
MOST_CONSTANT_WORK = 10**10
"""Multiply-adds on constants alone, which an engine does when it compiles, and without haste."""
MOST_OPERATORS = 3_000
"""Without constants. The largest network of the zoo has about 1,000."""
SQUARE_HW, LONG_HW = (4_000, 4_000), (1_600, 65_500)
"""Pictures for a graph that takes any. The limits are for the first. The second is the longest that is read, with as
many pixels as are read; its limits are as many times higher as it has more pixels, and so are those of it upright."""
MANY = 16
"""Images that are asked together: of a graph that takes images of one size, which may take so many times as much."""

Ports = Mapping[str, tuple[Sequence[int | None], int]]
"""What goes into a graph, by name: its shape, None for a length that is left open, and bytes of a number."""


def require_affordable(
    operators: Sequence[Operator], constants: dict[str, Tensor], inputs: Ports, outputs: Sequence[str]
) -> None:
    """Raises BundleError where a graph would take too much for a picture, or does not say what it would take.

    operators: in order; constants: by name; outputs: their names.

    More pictures, or larger ones, never make a tensor smaller (`shape_rules`). So what holds for these, holds for all.
    """
    count = sum(each.value is None for each in operators)
    if count > MOST_OPERATORS:
        refuse(f"it has {count:,} operators, more than {MOST_OPERATORS:,}")
    folded = Folded(operators, constants, outputs)
    for words, times, lengths in _sizes(inputs):
        cost = folded.cost({name: _sized(*port, lengths) for name, port in inputs.items()})
        _require(cost, f"for {words} ", times)


def _sizes(inputs: Ports) -> Iterator[tuple[str, float, Sequence[int]]]:
    """What is tried: words for it, how many times as much as one picture it may take, the lengths of open sides."""
    if any([place for place, each in enumerate(shape) if each is None] == [0, 1] for shape, _ in inputs.values()):
        for height, width in (SQUARE_HW, LONG_HW, LONG_HW[::-1]):
            times = max(1.0, height * width / prod(SQUARE_HW))
            yield f"a picture of {width} x {height} pixels", times, (height, width)
    else:
        yield "one picture", 1, (1,)
        yield f"{MANY} pictures", MANY, (MANY,)


def _sized(shape: Sequence[int | None], item: int, lengths: Sequence[int]) -> Tensor:
    sides: Shape = tuple(lengths[place % len(lengths)] if each is None else each for place, each in enumerate(shape))
    return Tensor(sides, item)


def _require(cost: Cost, words: str, times: float) -> None:
    most_bytes, most_work = int(MOST_BYTES * times), int(MOST_WORK * times)
    if cost.bytes > most_bytes:
        refuse(f"{words}it would hold {_gigabytes(cost.bytes)} at once, more than {_gigabytes(most_bytes)}")
    if cost.work > most_work:
        refuse(f"{words}it would take {cost.work:.1e} multiply-adds, more than {most_work:.1e}")
    if cost.constant_work > MOST_CONSTANT_WORK:
        refuse(
            f"what it computes before any picture comes would take {cost.constant_work:.1e} multiply-adds, more than "
            f"{MOST_CONSTANT_WORK:.1e}"
        )


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:,.1f} GB"
