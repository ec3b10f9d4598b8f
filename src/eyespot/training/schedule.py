"""How the learning rate goes from the first step to the last: its share of the highest one."""

from __future__ import annotations

import math
from typing import Literal

ScheduleName = Literal["one-cycle", "linear", "cosine", "step", "constant"]

ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1e-4
"""Shares of the highest rate at the two ends of one cycle; Smith, Topin: arXiv:1708.07120."""
DROPS, DROP = (1 / 2, 3 / 4), 0.1
"""After these shares of the steps the rate falls to a tenth; He and others, arXiv:1512.03385, section 4.2."""


def rate_share(schedule: ScheduleName, step: int, steps: int, *, warmup: float) -> float:
    """The share, above 0 and at most 1, of the highest learning rate that step number `step` takes.

    schedule: one-cycle rises and falls along a cosine; linear rises and falls along straight lines; cosine only falls;
    step falls to a tenth at a half and again at three quarters; constant stays.
    step, steps: number of the step, from 0, and how many there are in all.
    warmup: share of the steps in which the rate rises, 0..1; linearly, but for one-cycle.
    """
    rising = warmup * steps
    if step < rising:
        risen = (step + 1) / (math.floor(rising) + 1)
        return _between(ONE_CYCLE_START, 1.0, risen) if schedule == "one-cycle" else risen
    done = (step - rising) / max(1.0, steps - rising)
    if schedule == "one-cycle":
        return _between(1.0, ONE_CYCLE_END, done)
    if schedule == "linear":
        return max(1 - done, ONE_CYCLE_END)
    if schedule == "cosine":
        return max(_between(1.0, 0.0, done), ONE_CYCLE_END)
    if schedule == "step":
        return float(DROP ** sum((step / steps) >= drop for drop in DROPS))
    return 1.0


def _between(start: float, end: float, done: float) -> float:
    """From start to end along half a cosine; done: 0..1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2
