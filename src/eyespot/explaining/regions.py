"""The largest connected region of an image's places."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Region:
    """The box around a region, in places; the first row and column outside of it are `bottom` and `right`."""

    left: int
    top: int
    right: int
    bottom: int
    places: int
    """That belong to the region itself."""


def largest_region(chosen: NDArray[np.bool_]) -> Region | None:
    """The region with the most places, the uppermost of equal ones; None where none is chosen.

    Two places are connected where they share a side. chosen: (H, W).
    """
    runs = _runs(chosen)
    together: dict[int, list[_Run]] = defaultdict(list)
    for run, leader in zip(runs, _leaders(runs), strict=True):
        together[leader].append(run)
    return max((_around(each) for each in together.values()), key=lambda region: region.places, default=None)


@dataclass(frozen=True)
class _Run:
    """Neighboring places of one row."""

    row: int
    start: int
    stop: int


def _runs(chosen: NDArray[np.bool_]) -> list[_Run]:
    """All runs, from the top, and in a row from the left."""
    edges = np.diff(np.pad(chosen, ((0, 0), (1, 1))).astype(np.int8), axis=1)  # (H, W + 1)
    rows, starts = np.nonzero(edges > 0)
    stops = np.nonzero(edges < 0)[1]
    return [_Run(*run) for run in zip(rows.tolist(), starts.tolist(), stops.tolist(), strict=True)]


def _leaders(runs: list[_Run]) -> list[int]:
    """For each run the number of the first one of its region: the forest of disjoint sets."""
    leaders = list(range(len(runs)))

    def leader(number: int) -> int:
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    in_row: dict[int, list[int]] = defaultdict(list)
    for number, run in enumerate(runs):
        for above in in_row[run.row - 1]:
            if runs[above].start < run.stop and run.start < runs[above].stop:
                first, second = sorted((leader(above), leader(number)))
                leaders[second] = first
        in_row[run.row].append(number)
    return [leader(number) for number in range(len(runs))]


def _around(runs: list[_Run]) -> Region:
    return Region(
        left=min(run.start for run in runs),
        top=min(run.row for run in runs),
        right=max(run.stop for run in runs),
        bottom=max(run.row for run in runs) + 1,
        places=sum(run.stop - run.start for run in runs),
    )
