"""The store in the user's cache folder; work goes on without it where it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyespot.data.store import Store
from eyespot.errors import StoreError


@contextmanager
def open_store(cache_folder: Path, notes: list[str]) -> Iterator[Store | None]:
    """The store, or None with a note that says why there is none."""
    try:
        store = Store(cache_folder / "store")
    except StoreError as error:
        notes.append(f"nothing is kept for the next run: {error}")
        yield None
        return
    with store:
        yield store
        notes.extend(store.notes)
