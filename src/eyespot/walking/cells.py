"""Which numbers make one number of a layer: the patches it sees, the kernels, the products, their sum.

Sums are those of the layer's own numbers, in 64 bits, and lie as close to what the network gave as its 32 bits allow.
"""

from __future__ import annotations

from pydantic import Field

from eyespot.errors import NetworkError
from eyespot.records import Record
from eyespot.walking.makers import MAKERS, Kind, Made, function
from eyespot.walking.parts import Part
from eyespot.walking.walk import Step, Walk

MOST_PARTS = 32
"""That are told one by one; of more, those that are worth most, and what the others add up to."""


class Rest(Record):
    """The parts that are not told one by one."""

    count: int
    sum: float


class Cell(Record):
    """One number of a layer, and what makes it."""

    layer: str
    kind: Kind
    place: tuple[int, ...]
    """Map, row and column, from 0; or the place in a vector."""
    value: float
    """That the network gave."""
    sum: float
    """What the parts and the constants make."""
    parts: tuple[Part, ...] = ()
    rest: Rest | None = None
    constants: dict[str, float] = Field(default_factory=dict)
    """By name, such as the bias."""
    chosen: tuple[int, int] | None = None
    """Row and column, in the patch, of the largest number."""


def cell_of(walk: Walk, layer: str, place: tuple[int, ...]) -> Cell:
    """The number at that place of a layer.

    place: (map, row, column) of maps, (place,) of a vector; from 0.
    Raises NetworkError for an unknown layer, and for a place that it does not have.
    """
    step = walk.steps.get(layer)
    if step is None:
        raise NetworkError(f"the network has no layer {layer!r}: look at its table, `eyespot summary`")
    shape = tuple(step.output.shape)
    if len(place) != len(shape) or not all(0 <= at < size for at, size in zip(place, shape, strict=True)):
        raise NetworkError(f"layer {layer!r} is {' x '.join(map(str, shape))}, and has no place {place}")
    made = _made(step, place)
    parts, rest = made.parts, None
    if len(parts) > MOST_PARTS:
        order = sorted(range(len(parts)), key=lambda number: -abs(parts[number].sum))
        others = [parts[number].sum for number in order[MOST_PARTS:]]
        parts, rest = [parts[number] for number in order[:MOST_PARTS]], Rest(count=len(others), sum=float(sum(others)))
    return Cell(
        layer=layer,
        kind=made.kind,
        place=place,
        value=float(step.output[place]),
        sum=made.total,
        parts=tuple(parts),
        rest=rest,
        constants=made.constants,
        chosen=made.chosen,
    )


def _made(step: Step, place: tuple[int, ...]) -> Made:
    inputs = [each.numpy() for each in step.inputs]
    if step.module is None:
        return Made("image", float(step.output[place]))
    for kind, make in MAKERS:
        if isinstance(step.module, kind):
            made = make(step.module, inputs, place)
            if made is not None:
                return made
    value = float(step.output[place])
    return function(step.module, inputs, place, value) or Made("unknown", value)
