"""Pictures to features: decoded by threads while the engine runs, each result kept under its key at once.

What the store already has is neither decoded nor computed. Each row goes at once to where it stays, so that all
features never lie in memory twice, and where they are too many for memory not even once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eyespot.data.audit import Hashed
from eyespot.data.store import Store
from eyespot.engine.run import Engine, in_batches
from eyespot.features.decode import decode_pictures
from eyespot.features.keys import Recipe
from eyespot.features.room import MOST_IN_MEMORY, require_room, room
from eyespot.features.stored import Stored
from eyespot.records import Preprocess, SetAside, View
from eyespot.words import counted

AHEAD = 4
"""Batches decoded ahead of the engine: enough never to starve it, few enough to stay small in memory."""
READ_BYTES = 2**25
"""Features read from the store at a time."""
NEED_LESS = "take fewer views, freeze more stages, "
"""What a user can do where features do not fit."""


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
    folder: Path | None = None,
    most_in_memory: int = MOST_IN_MEMORY,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """The features of every view of every picture that can be decoded.

    store: where features are looked up and kept; None for neither.
    engine: gives the compiled graph; called only where something is missing in the store.
    folder: where they lie on disk if they take more than `most_in_memory` bytes; None for always in memory.
    progress: told views done and views in all, what was stored being done at once.
    Raises MachineError where the disk has too little room; nothing is decoded then.
    """
    notes: list[str] = []
    stored = Stored(store, recipe, notes)
    first = {each.content: row for row, each in reversed(list(enumerate(hashed)))}
    work = [hashed[row] for row in sorted(first.values())]  # copies are computed once
    array = room(
        (len(views), len(hashed), *_row_shape(work, views, stored, engine)),
        recipe.dtype,
        what=_what(len(views) * len(hashed)),
        instead=NEED_LESS,
        folder=folder,
        most_in_memory=most_in_memory,
    )  # (views, N, ...)
    filling = _Filling(dict(zip(views, array, strict=True)), first, len(work) * len(views), progress)
    unreadable: dict[str, str] = {}
    computed = 0
    missing = _take_stored(work, stored, filling)
    if missing:
        results = _compute(missing, recipe.preprocess, engine(), threads, unreadable)
        computed = _take_computed(results, stored, filling)
    kept = _close_up(array, hashed, first, unreadable)
    set_aside = [
        SetAside(picture=each.picture.name, reason=unreadable[each.content])
        for each in hashed
        if each.content in unreadable
    ]
    features = dict(zip(views, array[:, : len(kept)], strict=True))
    return Embedded(kept, features, set_aside, computed, notes)


def require_room_for(
    views: int,
    row_shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    *,
    folder: Path | None,
    most_in_memory: int = MOST_IN_MEMORY,
) -> None:
    """Returns where `embed` would have room for so many views, of all pictures together; else raises MachineError."""
    require_room(
        views * math.prod(row_shape) * np.dtype(dtype).itemsize,
        what=_what(views),
        instead=NEED_LESS,
        folder=folder,
        most_in_memory=most_in_memory,
    )


def view_of(image: np.ndarray, view: View) -> np.ndarray:
    """The image (H, W, C) as the view shows it: itself, or mirrored left to right."""
    return image if view == "identity" else image[:, ::-1]


@dataclass
class _Filling:
    """Features on their way to their rows."""

    features: dict[View, np.ndarray]
    """An array (N, ...) for each view."""
    row_of: dict[str, int]
    """The first row of each content; its copies are filled in the end."""
    total: int
    """Views to be filled."""
    progress: Callable[[int, int], None]
    done: int = 0

    @property
    def row_bytes(self) -> int:
        return int(next(iter(self.features.values()))[0].nbytes)

    def put(self, content: str, view: View, row: np.ndarray) -> None:
        self.features[view][self.row_of[content]] = row
        self.done += 1

    def tell(self) -> None:
        self.progress(self.done, self.total)


def _what(views: int) -> str:
    return f"the features of {counted(views, 'view')}"


def _row_shape(
    work: Sequence[Hashed], views: Sequence[View], stored: Stored, engine: Callable[[], Engine]
) -> tuple[int, ...]:
    """The shape of a picture's features: that of stored ones, or the engine's, which will be needed then."""
    if not (work and views):
        return (0,)
    [row] = stored.get([(work[0].content, views[0])])
    return engine().row_shapes["features"] if row is None else row.shape


def _take_stored(work: Sequence[Hashed], stored: Stored, filling: _Filling) -> list[tuple[Hashed, list[View]]]:
    """The pictures whose features the store does not have, with the views that are missing; the others are filled."""
    missing: dict[str, tuple[Hashed, list[View]]] = {}
    wanted = [(each, view) for each in work for view in filling.features]
    at_once = max(1, READ_BYTES // filling.row_bytes) if wanted else 1
    for start in range(0, len(wanted), at_once):
        chunk = wanted[start : start + at_once]
        rows = stored.get([(each.content, view) for each, view in chunk])
        for (each, view), row in zip(chunk, rows, strict=True):
            if row is None:
                missing.setdefault(each.content, (each, []))[1].append(view)
            else:
                filling.put(each.content, view, row)
        filling.tell()
    return list(missing.values())


def _take_computed(results: Iterator[tuple[str, View, np.ndarray]], stored: Stored, filling: _Filling) -> int:
    """How many views were computed; they are in their rows and in the store."""
    before = filling.done
    stored.expect((filling.total - before) * filling.row_bytes, of=filling.total * filling.row_bytes)
    try:
        for content, view, row in results:
            filling.put(content, view, row)
            stored.add(content, view, filling.features[view][filling.row_of[content]])
            filling.tell()
    finally:
        stored.flush()  # after Ctrl-C, too
    computed = filling.done - before
    if filling.done < filling.total:  # what cannot be decoded is done with, too
        filling.done = filling.total
        filling.tell()
    return computed


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


def _close_up(
    array: np.ndarray, hashed: Sequence[Hashed], first: dict[str, int], unreadable: dict[str, str]
) -> list[Hashed]:
    """The pictures that have features; theirs are the array's first rows now, in order.

    array: (views, N, ...), the first row of each content being filled.
    """
    for row, each in enumerate(hashed):
        if first[each.content] != row:
            array[:, row] = array[:, first[each.content]]
    kept = [row for row, each in enumerate(hashed) if each.content not in unreadable]
    for row, old in enumerate(kept):
        if row != old:
            array[:, row] = array[:, old]
    return [hashed[row] for row in kept]
