"""One process's share of the pictures: their features on the way from the store, or the engine, to their rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.room import release
from eyespot.features.stored import Stored
from eyespot.features.views import AnyView

READ_BYTES = 2**24
"""Features read from the store at a time."""

NO_NUMBERS = "has no features: what the network computes from it is no number"


class Share:
    """Some pictures, each content once, and the rows of all pictures, of which theirs are to be filled."""

    def __init__(
        self,
        hashed: Sequence[Hashed],
        features: Mapping[AnyView, np.ndarray],
        row_of: Mapping[str, int],
        stored: Stored,
        progress: Callable[[int, int], None],
    ) -> None:
        """features: an array (N, ...) for each view. row_of: where every content has its row, those of others, too.
        progress: told views done and views in all; the other processes are taken to be as far as this one.
        """
        self._hashed, self._features, self._row_of = hashed, features, row_of
        self._stored, self._progress = stored, progress
        self._views, self._done = len(hashed) * len(features), 0
        self.computed = 0
        """Views that were computed, not stored."""

    def take_stored(self) -> list[tuple[Hashed, list[AnyView]]]:
        """The pictures whose features are not all stored, with the views that are missing; the others are filled."""
        missing: dict[str, tuple[Hashed, list[AnyView]]] = {}
        wanted = [(each, view) for each in self._hashed for view in self._features]
        at_once = max(1, READ_BYTES // self._row_bytes) if wanted else 1
        for start in range(0, len(wanted), at_once):
            chunk = wanted[start : start + at_once]
            rows = self._stored.get([(each.content, view) for each, view in chunk])
            for (each, view), row in zip(chunk, rows, strict=True):
                if row is None or not _is_finite(row):
                    missing.setdefault(each.content, (each, []))[1].append(view)
                else:
                    self._fill(each.content, view, row)
            self._release()
            self._tell()
        return list(missing.values())

    def take_computed(self, results: Iterable[tuple[str, AnyView, np.ndarray]], no_numbers: dict[str, str]) -> None:
        """Content, view and features, of all that can be computed, go to their rows and to the store.

        no_numbers: is given the contents of which a feature is none, and that as the reason.
        """
        everything = len(self._row_of) * len(self._features)
        self._stored.expect((self._views - self._done) * self._row_bytes, of=everything * self._row_bytes)
        at_once = max(1, READ_BYTES // self._row_bytes)
        try:
            for content, view, row in results:
                with np.errstate(over="ignore"):  # half the digits may not hold it
                    kept = self._fill(content, view, row)
                if np.isfinite(kept).all():  # nothing else is ever stored
                    self._stored.add(content, view, kept)
                else:
                    no_numbers[content] = NO_NUMBERS
                self.computed += 1
                if self.computed % at_once == 0:
                    self._release()
                self._tell()
        finally:
            self._stored.flush()  # after Ctrl-C, too
        if self._done < self._views:  # what cannot be decoded is done with, too
            self._done = self._views
            self._tell()

    @property
    def _row_bytes(self) -> int:
        return int(next(iter(self._features.values()))[0].nbytes)

    def _fill(self, content: str, view: AnyView, row: np.ndarray) -> np.ndarray:
        """The row as it is kept."""
        rows, number = self._features[view], self._row_of[content]
        rows[number] = row
        self._done += 1
        return rows[number]  # type: ignore[no-any-return]

    def _release(self) -> None:
        """What is filled need not stay in memory, where the rows lie in a file."""
        for rows in self._features.values():
            release(rows)

    def _tell(self) -> None:
        everything = len(self._row_of) * len(self._features)
        self._progress(everything * self._done // self._views, everything)


def _is_finite(row: np.ndarray) -> bool:
    """Whether all are numbers. Of features the sum of their squares says so in a fifth of the time."""
    if row.dtype == np.float32 and math.isfinite(np.dot(row.ravel(), row.ravel())):
        return True
    return bool(np.isfinite(row).all())
