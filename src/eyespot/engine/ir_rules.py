"""The shape rules of operators that OpenVINO writes otherwise than ONNX. See `shape_rules`."""

from __future__ import annotations

from eyespot.engine.norm_rules import mean_variance
from eyespot.engine.shape_rules import Rule, divided, scaled, sliced, split, together
from eyespot.engine.sized import Given, Shape, axis_of, broadcast


def _split(given: Given) -> list[Shape]:
    shape, [axis] = given.shape(), given.constants(1)
    count = given.said["num_splits"]
    length = shape[axis_of(axis, len(shape))]
    if count < 1 or length % count:
        given.misfit(f"splits into {count}")
    return split(given, axis, [length // count] * count)


def _split_at(given: Given) -> list[Shape]:
    shape, [axis], parts = given.shape(), given.constants(1), given.constants(2)
    if parts.count(-1) == 1:
        parts[parts.index(-1)] = shape[axis_of(axis, len(shape))] - sum(parts) - 1
    return split(given, axis, parts)


def _pad(given: Given) -> Shape:
    shape, before, behind = given.shape(), given.constants(1), given.constants(2)
    return tuple(sum(each) for each in zip(shape, before, behind, strict=True))


def _slice(given: Given) -> Shape:
    return sliced(given, starts=1, ends=2, axes=4, steps=3)


def _strided(given: Given) -> Shape:
    """Cut by begin, end and step of each side in turn; masks say where a side stays whole, is new or goes."""
    masks = {name: given.ints(f"{name}_mask", ()) for name in _MASKS}
    if any(masks["ellipsis"]):
        given.unknown()
    if not all(given.tensor(each).constant for each in (1, 2)):
        given.unknown()
    begins, ends = given.whole(1), given.whole(2)
    steps = given.constants(3) if given.optional(3) is not None else [1] * len(begins)
    left, sides = list(given.shape()), []
    for place, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
        new, gone, from_first, to_last = (
            place < len(masks[name]) and masks[name][place] for name in ("new_axis", "shrink_axis", "begin", "end")
        )
        if new:
            sides.append(1)
            continue
        length = left.pop(0)
        if not gone:
            sides.append(len(range(length)[slice(None if from_first else begin, None if to_last else end, step)]))
    return (*sides, *left)


_MASKS = ("begin", "end", "new_axis", "shrink_axis", "ellipsis")


def _gather(given: Given) -> Shape:
    shape, places, [axis] = given.shape(), given.shape(1), given.constants(2)
    axis, same = axis_of(axis, len(shape)), given.said.get("batch_dims", 0)
    same += len(places) if same < 0 else 0
    return (*shape[:axis], *places[same:], *shape[axis + 1 :])


def _broadcast(given: Given) -> Shape:
    wanted = tuple(given.lengths(1))
    if given.said.get("mode", "numpy") == "explicit":
        return wanted
    return broadcast(given, [given.shape(), wanted])


def _interpolate(given: Given) -> Shape:
    """Image, what decides, and axes; before set 11: image, sizes, scales, and axes. Without axes, all."""
    shape, newer = list(given.shape()), given.said["version"] == "opset11"
    by_size, axes_at = given.said["shape_calculation_mode"] == "sizes", 2 if newer else 3
    listed = given.constants(axes_at) if given.optional(axes_at) is not None else range(len(shape))
    axes = [axis_of(each, len(shape)) for each in listed]
    if any(given.ints("pads_begin", ()) + given.ints("pads_end", ())):
        given.unknown()
    if by_size:
        lengths = given.lengths(1)
    else:
        lengths = scaled(given, [shape[axis] for axis in axes], given.optional(1 if newer else 2))
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    return tuple(shape)


def _same(given: Given) -> Shape:
    return given.shape()


IR_RULES: dict[str, Rule] = {
    **dict.fromkeys(("Negative", "LogicalNot", "Sign", "Swish"), _same),
    **dict.fromkeys(
        ("Power", "NotEqual", "Less", "LogicalAnd", "FakeQuantize"),
        together,
    ),
    "FloorMod": divided,
    "MVN": mean_variance,
    "ir.Split": _split,
    "VariadicSplit": _split_at,
    "ir.Pad": _pad,
    "ir.Slice": _slice,
    "StridedSlice": _strided,
    "ir.Gather": _gather,
    "Broadcast": _broadcast,
    "Interpolate": _interpolate,
}
