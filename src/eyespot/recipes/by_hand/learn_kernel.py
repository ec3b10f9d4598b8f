"""`learn-kernel`: gradient descent finds a kernel from examples of what it does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic import learning
from eyespot.errors import OptionError
from eyespot.recipes.by_hand.pictures import NamedKernel, Plane, Source, nested, open_input, open_kernels
from eyespot.records import Record

MOST = 1_000_000
"""Examples, steps: beyond it this would take hours, or all memory."""
REPORTED = (0, 1, 3)
"""Steps that are told, times every power of ten; and the last."""


class LearnedStep(Record):
    """The kernel after some steps, and how far it is from the target."""

    step: int
    loss: float
    """Mean squared error over the examples."""
    distance: float
    """Largest difference between a weight and the target's."""
    kernel: tuple[Plane, ...]


class LearnKernelResult(Record):
    """How a kernel was learned, and how well."""

    input: str
    input_chw: tuple[int, int, int]
    target: str
    target_kernel: tuple[Plane, ...]
    examples: int
    steps: tuple[LearnedStep, ...]
    """Some on the way; the last is the result."""
    distance: float
    """Largest difference between a learned weight and the target's."""
    patterns: int
    """Independent patterns among the examples; the kernel is determined only where there are as many as weights."""
    weights: int
    seed: int
    notes: tuple[str, ...]


def learn_kernel(
    picture: Source,
    target: Source = "sobel-x",
    *,
    examples: int = 2_000,
    steps: int = 3_000,
    seed: int = 0,
    channels: str | None = None,
) -> LearnKernelResult:
    """A kernel learned from windows of the picture and what the target makes of each, with its approach to the target.

    picture, channels: as for `convolve`.
    target: one kernel, given as for `convolve`. Only its answers are shown to the learner.
    examples: windows, at random places.
    steps: of gradient descent.
    seed: decides the places and the first weights.
    """
    _require_possible(examples, steps, seed)
    given = open_input(picture, channels)
    named = _one_kernel(target, len(given.image))
    wanted, random = named.planes, np.random.default_rng(seed)
    shown = learning.examples_of(given.image, wanted, count=examples, random=random)
    patterns = learning.patterns_seen(shown)
    learned = learning.learn_kernel(shown, wanted.shape, steps=steps, random=random)
    reported = _reported(steps)
    told = [_step(each, wanted) for each in learned if each.step in reported]
    return LearnKernelResult(
        input=given.name,
        input_chw=given.image.shape,
        target=named.name,
        target_kernel=nested(wanted),
        examples=examples,
        steps=tuple(told),
        distance=told[-1].distance,
        patterns=patterns,
        weights=wanted.size,
        seed=seed,
        notes=_notes(patterns, wanted.size),
    )


def _require_possible(examples: int, steps: int, seed: int) -> None:
    for name, value in (("examples", examples), ("steps", steps)):
        if not 1 <= value <= MOST:
            raise OptionError(f"the option {name} must lie between 1 and {MOST}, not be {value}")
    if seed < 0:
        raise OptionError(f"the option seed must be at least 0, not {seed}")


def _one_kernel(target: Source, channels: int) -> NamedKernel:
    targets = open_kernels(target, channels)
    if len(targets) != 1:
        raise OptionError(f"the option target needs one kernel, not {len(targets)}")
    return targets[0]


def _reported(steps: int) -> set[int]:
    return {steps, *(first * 10**power for first in REPORTED for power in range(len(str(steps))))}


def _step(learned: learning.Learned, target: NDArray[np.float64]) -> LearnedStep:
    return LearnedStep(
        step=learned.step,
        loss=learned.loss,
        distance=float(np.abs(learned.kernel - target).max()),
        kernel=nested(learned.kernel),
    )


def _notes(patterns: int, weights: int) -> tuple[str, ...]:
    if patterns >= weights:
        return ()
    return (
        f"the examples show {patterns} independent patterns, fewer than the {weights} weights: other kernels answer "
        "the same on them, and the target is only one of these",
    )
