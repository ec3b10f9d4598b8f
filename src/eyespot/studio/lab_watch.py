"""How far a lab is that runs in another process: seen from its tables, of which the one that changes is its own."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from eyespot.labs.catalogue import Found
from eyespot.labs.figures import cells_of
from eyespot.labs.folder import TABLE
from eyespot.studio.lab_outcomes import changed, folders_of


@dataclass(frozen=True)
class Done:
    """How far a lab is."""

    settings: int
    """Finished ones, of all rounds together."""
    of: int
    rounds: int
    of_rounds: int


class Watch:
    """Of one lab. To be made before it begins."""

    def __init__(self, out: Path, found: Found, *, seeds: int) -> None:
        """out: the folder in which `lab` is, or will be. seeds: rounds that were asked for, from 0 on."""
        self._folder, self._lab = out / "lab", found.name
        self._cells = len(cells_of(found.lab))
        self._seeds = range(1 if found.lab.exact else seeds)
        self._before = dict(self._tables())

    def done(self) -> Done:
        of_seed = self._rows()
        rounds = sum(count >= self._cells for count in of_seed.values())
        return Done(sum(of_seed.values()), self._cells * len(self._seeds), rounds, len(self._seeds))

    def _tables(self) -> list[tuple[Path, int]]:
        """Each table, and when it was changed."""
        return [(folder / TABLE, at) for at, folder in changed(folders_of(self._folder, self._lab), TABLE)]

    def _rows(self) -> Counter[int]:
        """Rows of each seed in the table that changed since the beginning; none where no table did."""
        for table, at in self._tables():
            if self._before.get(table) != at:
                try:
                    text = table.read_text("utf-8", "replace")
                except OSError:  # gone meanwhile
                    break
                seeds = (row.get("seed") or "" for row in csv.DictReader(io.StringIO(text)))
                return Counter(int(seed) for seed in seeds if seed.isdecimal() and int(seed) in self._seeds)
        return Counter()
