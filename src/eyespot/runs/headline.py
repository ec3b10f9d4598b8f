"""The one figure of a run that is looked at first, out of its `result.json`, whatever its task and version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARTS = {"test": "test", "out_of_fold": "cross-validation", "small_test": "test", "validation": "validation"}
"""Keys of the results in which it may be, the best word first, and what they are measured on."""

AVERAGE_PRECISIONS = {"map50_95": "mAP50-95", "map": "mAP"}
"""Of boxes, and of several labels: how results call them, and what people do."""


@dataclass(frozen=True)
class Headline:
    """A figure with its 95 % interval."""

    measure: str
    """accuracy, mAP50-95 or mAP."""
    value: float
    low: float
    high: float
    on: str
    """test, cross-validation or validation."""


def headline(result: Mapping[str, Any]) -> Headline | None:
    """None where nothing was measured, or where it says so in no way that is known."""
    for part, on in PARTS.items():
        found = result.get(part)
        if not isinstance(found, Mapping):
            continue
        measure, said, value = "accuracy", found, "accuracy"
        for key, name in AVERAGE_PRECISIONS.items():
            if key in found:
                measure, said, value = name, found[key], "value"
        numbers = [said.get(name) for name in (value, "low", "high")] if isinstance(said, Mapping) else []
        known = [float(number) for number in numbers if isinstance(number, int | float)]
        if len(known) == 3:
            return Headline(measure, known[0], known[1], known[2], on)
    return None
