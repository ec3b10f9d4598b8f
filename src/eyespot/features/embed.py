"""Pictures to features: decoded by threads while the engine runs, each result kept under its key at once.

What the store already has is neither decoded nor computed. Each row goes at once to where it stays, so that all
features never lie in memory twice, and where they are too many for memory not even once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.room import require_room, room
from eyespot.data.store import Store
from eyespot.distributed.cluster import Cluster
from eyespot.distributed.world import ALONE, World, gather, gather_rows, shard
from eyespot.engine.gate import FEATURES, SIGNATURE
from eyespot.features.compute import Asked, Graph, Seen, compute, compute_in
from eyespot.features.share import Share
from eyespot.features.stored import Result, Stored
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.features.views import AnyView
from eyespot.records import SetAside
from eyespot.words import counted

SIGNATURES = 1024
"""Written at a time: they are small, and each writing waits for the disk."""
SENT_BYTES = 2**24
"""Features that a process sends to the others at a time."""
NEED_LESS = "take fewer views, freeze more stages, "
"""What a user can do where features do not fit."""


@dataclass(frozen=True)
class Embedded:
    """Features of pictures, view by view, and the pictures that could not be decoded."""

    pictures: list[Hashed]
    features: dict[AnyView, np.ndarray]
    """Each (N, D), or (N, C, H, W) of a trunk that ends before the head; rows in the order of `pictures`."""
    set_aside: list[SetAside]
    computed: int
    """Views that were computed now; the others came from the store."""
    notes: list[str]


def embed(
    trunk: Trunk,
    hashed: Sequence[Hashed],
    *,
    views: Sequence[AnyView] = ("identity",),
    store: Store | None,
    tap: Tap | None = None,
    world: World = ALONE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """The features of every view of every picture that can be decoded; those in the store are not computed.

    trunk: its engine is compiled only where something is missing in the store; features that take too
        much memory lie in its folder.
    store: where features are looked up and kept; None for neither.
    tap: activations of this trunk that are kept on the way, of what is computed now.
    world: each process looks up and computes its share of the pictures, in a store that may be its own or shared; all
        give the same answer in the end. Where it has a cluster, that computes what is missing.
    progress: told views done and views in all, what was stored being done at once. Of several processes each takes the
        others to be as far as itself.
    Raises MachineError where the disk has too little room; nothing is decoded then.
    """
    row_of = {each.content: row for row, each in reversed(list(enumerate(hashed)))}
    rows = np.array(sorted(row_of.values()), np.int64)  # copies are computed once
    mine = [hashed[row] for row in shard(rows, world)]
    stored = Stored(store, trunk.recipe)
    shape = (len(views), len(hashed), *_row_shape(trunk, mine or hashed, views, stored))  # (views, N, ...)
    array = room(shape, trunk.dtype, what=_what(shape[0] * shape[1]), instead=NEED_LESS, folder=trunk.folder)
    share = Share(mine, dict(zip(views, array, strict=True)), row_of, stored, progress)
    unreadable = _take_all(share, trunk, tap, store, world.cluster)
    _exchange(array, rows, world)
    unreadable = {content: why for each in gather(unreadable, world) for content, why in each.items()}
    readable, set_aside = _close_up(array, hashed, row_of, unreadable)
    return Embedded(
        pictures=readable,
        features=dict(zip(views, array[:, : len(readable)], strict=True)),
        set_aside=set_aside,
        computed=sum(gather(share.computed, world)),
        notes=list(dict.fromkeys(note for each in gather(stored.notes, world) for note in each)),
    )


def require_room_for(trunk: Trunk, views: int) -> None:
    """Raises MachineError unless `embed` would have room for this many views, of all pictures together."""
    row = math.prod(trunk.engine.row_shapes[FEATURES]) * np.dtype(trunk.dtype).itemsize
    require_room(views * row, what=_what(views), instead=NEED_LESS, folder=trunk.folder)


def _take_all(
    share: Share, trunk: Trunk, tap: Tap | None, store: Store | None, cluster: Cluster | None
) -> dict[str, str]:
    """Takes the share's features from the store, computes the others, and returns why some pictures have none."""
    unreadable: dict[str, str] = {}
    missing = share.take_stored()
    if missing:
        tap = tap if tap and tap.is_exact else None
        results = _compute(missing, tap.through if tap else trunk, cluster, unreadable)
        with ExitStack() as kept:  # after Ctrl-C, too, each is flushed while the store is open
            if tap:
                results = kept.enter_context(closing(tap.keeping(results)))
            if trunk.signer:
                signatures = Stored(store, trunk.signer.recipe, commit=SIGNATURES)
                results = kept.enter_context(closing(signatures.keeping(results, SIGNATURE, only="identity")))
            share.take_computed(((content, view, outputs[FEATURES]) for content, view, outputs in results), unreadable)
    return unreadable


def _what(views: int) -> str:
    return f"the features of {counted(views, 'view')}"


def _row_shape(trunk: Trunk, work: Sequence[Hashed], views: Sequence[AnyView], stored: Stored) -> tuple[int, ...]:
    """The shape of a picture's features: that of stored ones, or the engine's, which will be needed then."""
    if not (work and views):
        return (0,)
    [row] = stored.get([(work[0].content, views[0])])
    return trunk.engine.row_shapes[FEATURES] if row is None else row.shape


def _compute(
    work: Sequence[tuple[Hashed, list[AnyView]]], trunk: Trunk, cluster: Cluster | None, unreadable: dict[str, str]
) -> Iterator[Result]:
    """Content, view and outputs of all that is missing; reasons of what cannot be decoded go to `unreadable`."""
    asked = [Asked(each.picture, each.content, views) for each, views in work]
    seen = Seen()
    if cluster:
        graph = Graph(trunk.whole_graph, trunk.preprocess, trunk.precision, trunk.batch)
        found = compute_in(cluster, asked, graph, trunk.engine, seen)
    else:
        found = compute(asked, trunk.preprocess, trunk.engine, seen)
    for number, view, outputs in found:
        yield work[number][0].content, view, outputs
    unreadable |= {work[number][0].content: why for number, why in seen.reasons.items()}


def _exchange(array: np.ndarray, rows: np.ndarray, world: World) -> None:
    """Gives this rank the features that the others have.

    array: (views, N, ...), whose `rows` were shared out among all.
    """
    if world.size == 1 or not len(rows):
        return
    at_once = world.size * max(1, SENT_BYTES // max(1, array[0, 0].nbytes))
    for features in array:
        for start in range(0, len(rows), at_once):
            chunk = rows[start : start + at_once]
            features[chunk] = gather_rows(features[shard(chunk, world)], world, count=len(chunk))


def _close_up(
    array: np.ndarray, hashed: Sequence[Hashed], row_of: Mapping[str, int], unreadable: Mapping[str, str]
) -> tuple[list[Hashed], list[SetAside]]:
    """The pictures that have features, which are the array's first rows now, in order; and the others.

    array: (views, N, ...), in which each content has a row.
    """
    for row, each in enumerate(hashed):
        if row_of[each.content] != row:
            array[:, row] = array[:, row_of[each.content]]
    kept: list[Hashed] = []
    set_aside: list[SetAside] = []
    for row, each in enumerate(hashed):
        if each.content in unreadable:
            set_aside.append(SetAside(picture=each.picture.name, reason=unreadable[each.content]))
            continue
        if row != len(kept):
            array[:, len(kept)] = array[:, row]
        kept.append(each)
    return kept, set_aside
