"""A grid of settings times seeds: each seed a round of all cells, and every row in the table as soon as it is known.

What is in the table already is not computed again, so that an experiment that was stopped goes on, and one with more
seeds only adds to it.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from eyespot.errors import Stopped
from eyespot.files import write_chosen
from eyespot.labs.bench import Bench, OutOfTime, drawn
from eyespot.labs.catalogue import Found
from eyespot.labs.figures import Row, cells_of
from eyespot.labs.pictures import Pictures
from eyespot.progress import Progress
from eyespot.runs.tables import as_csv

SECONDS = "seconds"
"""What a trial took: in a file of that name beside the table, which is the same in every run."""
CLOSING_SECONDS = 1.0
"""Kept back for the report."""
MARGIN = 1.1
"""A round is begun where this many times the longest one so far is left."""


@dataclass(frozen=True)
class Asked:
    """What the person asked of an experiment."""

    seeds: tuple[int, ...]
    deadline: float
    """By time.monotonic()."""
    model: str | None = None
    effort: float = 1.0


@dataclass(frozen=True)
class Trials:
    """The rows of all finished rounds."""

    rows: list[Row]
    seeds: tuple[int, ...]
    share: float
    """Test pictures for each training picture."""
    tests: int
    """Test pictures of a seed."""
    ended: str
    """Why there are fewer seeds than were asked for: "time", "ctrl-c", or empty."""


def run(found: Found, pictures: Pictures, asked: Asked, table: Path, *, progress: Progress) -> Trials:
    """The trials of every cell for each seed, as many as the time allows.

    table: the CSV that is written, and read where it is there.
    Raises Stopped for Ctrl-C before the first round is done.
    """
    cells, seeds = cells_of(found.lab), asked.seeds[:1] if found.lab.exact else asked.seeds
    rows = _read(table, cells, found)
    longest, ended, done = 0.0, "", []
    train, test = drawn(pictures, seed=seeds[0], first=seeds[0])  # about as many of each as for others
    for number, seed in enumerate(seeds):
        began = time.monotonic()
        if longest and began + MARGIN * longest + CLOSING_SECONDS > asked.deadline:
            ended = "time"
            break
        try:
            bench = _bench(pictures, asked, seed)
            for at, cell in enumerate(cells):
                progress(f"experiment: seed {seed}", number * len(cells) + at, len(seeds) * len(cells))
                if (seed, at) not in rows:
                    rows[seed, at] = {"seed": seed, **cell, **_tried(found, bench, cell)}
                    _write(table, [rows[key] for key in sorted(rows)])
        except (OutOfTime, KeyboardInterrupt) as stop:
            ended = "time" if isinstance(stop, OutOfTime) else "ctrl-c"
            break
        done.append(seed)
        longest = max(longest, time.monotonic() - began)
    if ended == "ctrl-c" and not done:
        there = f"; {table} has what was measured" if rows else ""
        raise Stopped(f"stopped in the first round, which says nothing yet{there}")
    kept = [rows[seed, at] for seed in done for at in range(len(cells))]
    return Trials(kept, tuple(done), len(test) / len(train), len(test), ended)


def _bench(pictures: Pictures, asked: Asked, seed: int) -> Bench:
    deadline = asked.deadline - CLOSING_SECONDS
    train, test = drawn(pictures, seed=seed, first=asked.seeds[0])
    return Bench(pictures, train, test, seed, deadline, effort=asked.effort, model=asked.model)


def _tried(found: Found, bench: Bench, cell: Row) -> Row:
    began = time.monotonic()
    with seeded(bench.seed):
        measured = found.trial(bench, **cell)
    return {**{name: measured[name] for name in found.lab.measures}, SECONDS: round(time.monotonic() - began, 3)}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within it, torch's chance begins at the seed, the same for every cell, and one thread computes."""
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _write(table: Path, rows: Sequence[Row]) -> None:
    names = [name for name in rows[0] if name != SECONDS]
    write_chosen(table, as_csv(names, [[row[name] for name in names] for row in rows]))
    write_chosen(_times(table), as_csv([SECONDS], [[row[SECONDS]] for row in rows]))


def _times(table: Path) -> Path:
    return table.with_name(f"{SECONDS}.csv")


def _read(table: Path, cells: Sequence[Row], found: Found) -> dict[tuple[int, int], Row]:
    """The rows that an earlier run left, by seed and place in the grid; one that cannot be read is done again."""
    if not (table.exists() and _times(table).exists()):
        return {}
    places = {tuple(map(str, cell.values())): at for at, cell in enumerate(cells)}
    lines, seconds = (
        csv.DictReader(io.StringIO(path.read_text("utf-8", "replace"))) for path in (table, _times(table))
    )
    rows: dict[tuple[int, int], Row] = {}
    for row, took in zip(lines, seconds, strict=False):
        with suppress(KeyError, TypeError, ValueError):
            at, seed = places[tuple(row[axis] for axis in found.lab.grid)], int(row["seed"])
            numbers: Row = {name: _finite(row[name]) for name in found.lab.measures}
            rows[seed, at] = {"seed": seed, **cells[at], **numbers, SECONDS: float(took[SECONDS])}
    return rows


def _finite(text: str) -> float:
    """The number, or nan where a setting has no such measure. Raises ValueError for what no trial gives."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
