"""Pictures to features: decoded by threads while the engine runs, each result kept under its key at once.

What the store already has is neither decoded nor computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.data.store import Store
from eyespot.engine.run import Engine, in_batches
from eyespot.errors import StoreError
from eyespot.features.decode import decode_pictures
from eyespot.features.keys import Recipe
from eyespot.records import Preprocess, SetAside, View

AHEAD = 4
"""Batches decoded ahead of the engine: enough never to starve it, few enough to stay small in memory."""
COMMIT = 64
"""Features written in one transaction: a kill loses at most so many."""


@dataclass(frozen=True)
class Embedded:
    """Features of pictures, view by view, and the pictures that could not be decoded."""

    pictures: list[Hashed]
    features: dict[View, np.ndarray]
    """Each (N, D), or (N, C, H, W) of a trunk that ends before the head; rows in the order of `pictures`."""
    set_aside: list[SetAside]
    computed: int
    """Views that were computed now; the others came from the store."""
    notes: list[str]


def embed(
    hashed: Sequence[Hashed],
    *,
    views: Sequence[View],
    recipe: Recipe,
    store: Store | None,
    engine: Callable[[], Engine],
    threads: int,
    dtype: type[np.floating[Any]] = np.float32,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """The features of every view of every picture that can be decoded.

    store: where features are looked up and kept; None for neither.
    engine: gives the compiled graph; called only where something is missing in the store.
    dtype: in which the features are kept; always the same one for a trunk.
    progress: told views done and views in all, what was stored being done at once.
    """
    keys = {(each.content, view): recipe.key(each.content, view) for each in hashed for view in views}
    notes: list[str] = []
    found = _stored(store, list(keys.values()), notes)
    missing = {
        each.content: (each, [view for view in views if keys[each.content, view] not in found]) for each in hashed
    }
    missing = {content: work for content, work in missing.items() if work[1]}
    total, waiting = len(keys), sum(len(wanted) for _, wanted in missing.values())
    progress(total - waiting, total)
    unreadable: dict[str, str] = {}
    computed = 0
    if missing:
        writer = _Writer(store, notes)
        results = _compute(list(missing.values()), recipe.preprocess, engine(), threads, unreadable)
        try:
            for computed, (content, view, row) in enumerate(results, start=1):
                found[keys[content, view]] = row = row.astype(dtype, copy=False)
                writer.add(keys[content, view], row)
                progress(total - waiting + computed, total)
        finally:
            writer.flush()  # after Ctrl-C, too
        if computed < waiting:  # what cannot be decoded is done with, too
            progress(total, total)
    kept = [each for each in hashed if each.content not in unreadable]
    features = {view: _stack([found[keys[each.content, view]] for each in kept]) for view in views}
    set_aside = [
        SetAside(picture=each.picture.name, reason=unreadable[each.content])
        for each in hashed
        if each.content in unreadable
    ]
    return Embedded(kept, features, set_aside, computed, notes)


def view_of(image: np.ndarray, view: View) -> np.ndarray:
    """The image (H, W, C) as the view shows it: itself, or mirrored left to right."""
    return image if view == "identity" else image[:, ::-1]


def _compute(
    work: Sequence[tuple[Hashed, list[View]]],
    preprocess: Preprocess,
    engine: Engine,
    threads: int,
    unreadable: dict[str, str],
) -> Iterator[tuple[str, View, np.ndarray]]:
    """Content, view and features of all that is missing; reasons of what cannot be decoded go to `unreadable`."""

    pictures = [(each.picture, each.content) for each, _ in work]

    def images() -> Iterator[tuple[tuple[str, View], np.ndarray]]:
        decoded = decode_pictures(pictures, preprocess, threads=threads, ahead=AHEAD * engine.batch)
        for (each, views), image in zip(work, decoded, strict=True):
            if isinstance(image, str):
                unreadable[each.content] = image
                continue
            for view in views:
                yield (each.content, view), view_of(image, view)

    for tags, outputs in engine.stream(in_batches(images(), engine.batch)):
        for (content, view), row in zip(tags, outputs["features"], strict=True):
            yield content, view, row


def _stored(store: Store | None, keys: list[str], notes: list[str]) -> dict[str, np.ndarray]:
    try:
        return dict(store.get(keys)) if store else {}
    except StoreError as error:
        notes.append(f"the store could not be read, so everything is computed: {error}")
        return {}


def _stack(rows: list[np.ndarray]) -> np.ndarray:
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


class _Writer:
    """Collects features and writes them in transactions; a store that fails is given up with a note."""

    def __init__(self, store: Store | None, notes: list[str]) -> None:
        self._store, self._notes = store, notes
        self._waiting: dict[str, np.ndarray] = {}

    def add(self, key: str, row: np.ndarray) -> None:
        self._waiting[key] = row
        if len(self._waiting) >= COMMIT:
            self.flush()

    def flush(self) -> None:
        if self._waiting and self._store:
            try:
                self._store.put(self._waiting)
            except StoreError as error:
                self._store = None
                self._notes.append(f"features are not kept for the next run: {error}")
        self._waiting = {}
