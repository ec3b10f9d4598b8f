"""What the store has of features, and what it is given. A store that fails is done without, and a note says so."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterable, Sequence

import numpy as np

from eyespot.data.room import gigabytes
from eyespot.data.store import Store
from eyespot.errors import StoreError
from eyespot.features.trunk import Recipe
from eyespot.features.views import AnyView

Result = tuple[str, AnyView, dict[str, np.ndarray]]
"""Content, view and outputs, by their names."""
COMMIT = 64
"""Features written in one transaction: a kill loses at most this many."""


class Stored:
    """Features of one recipe in a store, or in none."""

    def __init__(self, store: Store | None, recipe: Recipe, *, commit: int = COMMIT) -> None:
        """commit: features that are written at a time."""
        self._commit = commit
        self._read_from, self._written_to, self._recipe = store, store, recipe
        self._waiting: dict[str, np.ndarray] = {}
        self.notes: list[str] = []

    def get(self, wanted: Sequence[tuple[str, AnyView]]) -> list[np.ndarray | None]:
        """The features of each content and view, or None where they are not there."""
        keys = [self._recipe.key(content, view) for content, view in wanted]
        try:
            found = self._read_from.get(keys) if self._read_from else {}
        except StoreError as error:
            self._read_from, found = None, {}
            self.notes.append(f"the store could not be read, so what it has is computed again: {error}")
        return [found.get(key) for key in keys]

    def missing(self, wanted: Sequence[tuple[str, AnyView]]) -> list[tuple[str, AnyView]]:
        """Those of each content and view whose features are not there, without reading any."""
        keys = [self._recipe.key(content, view) for content, view in wanted]
        try:
            known = self._read_from.has(keys) if self._read_from else set()
        except StoreError:
            return list(wanted)  # `get` will say so
        return [each for each, key in zip(wanted, keys, strict=True) if key not in known]

    def expect(self, missing: int, *, of: int) -> None:
        """Nothing is kept, and a note says so, where the features would push out all else, or fill the disk.

        missing: bytes that are to come, of that many bytes of features in all.
        """
        why_not = self._why_not(missing, of=of)
        if why_not:
            self._written_to = None
            self.notes.append(f"features are not kept for the next run: {why_not}")

    def has_room(self, size: int) -> bool:
        """Whether this many bytes of features would be kept, and would take no more than half of the store."""
        return self._why_not(size, of=2 * size) is None

    def add(self, content: str, view: AnyView, row: np.ndarray) -> None:
        """Keeps features, with the next `flush` at the latest."""
        if self._written_to:
            self._waiting[self._recipe.key(content, view)] = row
        if len(self._waiting) >= self._commit:
            self.flush()

    def keeping(
        self, results: Iterable[Result], output: str, *, only: AnyView | None = None
    ) -> Generator[Result, None, None]:
        """The same results, with one of their outputs kept; of one view only, or of all."""
        try:
            for content, view, outputs in results:
                if only in (None, view):
                    self.add(content, view, outputs[output].astype(self._recipe.dtype))
                yield content, view, outputs
        finally:
            self.flush()

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if waiting and self._written_to:
            try:
                self._written_to.put(waiting)
            except StoreError as error:
                self._written_to = None
                self.notes.append(f"features are not kept for the next run: {error}")

    def _why_not(self, missing: int, *, of: int) -> str | None:
        """Why nothing more should go into the store; None where it may, or where there is none."""
        if self._written_to is None:
            return None
        try:
            size = self._written_to.size()
            free = shutil.disk_usage(size.path.parent).free
        except (StoreError, OSError) as error:
            return str(error)
        if of > size.max_bytes:
            return f"they take {gigabytes(of)}, and the store keeps at most {gigabytes(size.max_bytes)}"
        if min(missing, size.max_bytes - size.bytes) > free / 2:  # a run has more to write
            return f"its disk has only {gigabytes(free)} free"
        return None
