"""The shape rules of operators that normalise: what comes out has the shape of what goes in. See `shape_rules`."""

from __future__ import annotations

from eyespot.engine.sized import Given, Shape, axis_of

LARGEST_NEIGHBOURHOOD = 4_096
"""Channels that a response is normalised by; AlexNet's has 5."""


def response_normalised(given: Given) -> Shape:
    if not 1 <= given.said.get("size", 1) <= LARGEST_NEIGHBOURHOOD:
        given.misfit(f"looks at none, or at more than {LARGEST_NEIGHBOURHOOD} channels")
    return given.shape()


def layer_normalised(given: Given) -> Shape:
    """Scale and bias have every side from the axis on: for larger ones an engine would repeat the tensor."""
    shape = given.shape()
    sides = shape[axis_of(given.said.get("axis", -1), len(shape)) :]
    for each in (given.tensor(1), given.optional(2)):
        if each is not None and each.shape != sides:
            given.misfit(f"has factors for other sides than {sides}")
    return shape


def mean_variance(given: Given) -> Shape:
    """Its sides are a second input; before set 6 there was none."""
    shape = given.shape()
    axes = [axis_of(each, len(shape)) for each in given.constants(1)]
    if not axes or len(set(axes)) < len(axes):
        given.misfit(f"normalises over the sides {axes[:8]}")
    return shape
