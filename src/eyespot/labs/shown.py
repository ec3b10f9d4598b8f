"""The table of an experiment in words: what the console and the report show."""

from __future__ import annotations

import math

from eyespot.labs.definition import Lab
from eyespot.labs.figures import told
from eyespot.labs.phrases import name_of, said
from eyespot.labs.result import LabResult


def table_of(lab: Lab, result: LabResult) -> list[list[str]]:
    """Its rows, the heading first: the axes, the measures with their intervals and, where chance is in it, the seconds
    of a trial. Empty where no seed is finished.
    """
    if not result.cells:
        return []
    language = result.language
    heading = [
        *(name_of(lab, axis, language) for axis in lab.grid),
        *(title.to(language) for title in lab.measures.values()),
        *([] if lab.exact else [said("seconds", language)]),
    ]
    rows = [
        [
            *(name_of(lab, value, language) for value in cell.setting.values()),
            *(
                told(_or_inf(each.mean), _or_inf(each.low), _or_inf(each.high), language)
                for each in cell.measures.values()
            ),
            *([] if lab.exact else [f"{cell.seconds:.2g}"]),
        ]
        for cell in result.cells
    ]
    return [heading, *rows]


def _or_inf(end: float | None) -> float:
    return math.inf if end is None else end
