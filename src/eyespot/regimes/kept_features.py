"""The features that the frozen regime will ask for, put into the store."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.distributed.world import broadcast
from eyespot.engine.gate import FEATURES
from eyespot.features.embed import embed
from eyespot.features.stored import Stored
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.records import Part, View
from eyespot.regimes.frozen import COMPUTING
from eyespot.regimes.prepare import Prepared
from eyespot.runs.job import Job


def with_features(prepared: Prepared, trunk: Trunk, job: Job, *, tap: Tap | None, all_train: bool) -> int:
    """Puts all that the frozen regime will ask for into the store, and the signatures along; views that it computed.

    Nothing is done where there is no room: then each is computed when it is asked for.
    tap: keeps activations of what trains and validates. all_train: the held-out pictures are trained on, too.
    """
    views = prepared.views(job.options.mirror)
    seen: tuple[View, ...] = views if all_train else ("identity",)
    parts: list[tuple[Part, tuple[View, ...], Tap | None]]
    parts = [("train", views, tap), ("val", seen, tap), ("test", seen, None)]
    work: dict[tuple[tuple[View, ...], Tap | None], list[Hashed]] = {}  # what is seen alike passes at once
    for part, shown, tapped in parts:
        work.setdefault((shown, tapped), []).extend(missing(prepared.part(part), trunk, shown, job))
    total = sum(len(lacking) * len(shown) for (shown, _), lacking in work.items())
    if not total or not has_room(trunk, total, job):
        return 0
    computed, before = 0, 0
    for (shown, tapped), lacking in work.items():

        def progress(done: int, _: int, before: int = before) -> None:
            job.progress(COMPUTING, before + done, total)

        lacking = sorted(lacking, key=lambda each: each.content)
        found = embed(trunk, lacking, views=shown, store=job.store, tap=tapped, world=job.world, progress=progress)
        computed, before = computed + found.computed, before + len(lacking) * len(shown)
    return computed


def missing(pictures: Sequence[Hashed], trunk: Trunk, views: Sequence[View], job: Job) -> list[Hashed]:
    """Those of them that have not all features in the writer's store."""
    stored = Stored(job.store, trunk.recipe)
    wanted = [(each.content, view) for each in pictures for view in views]
    contents = set(broadcast(sorted({content for content, _ in stored.missing(wanted)}), job.world))
    return [each for each in pictures if each.content in contents]


def has_room(trunk: Trunk, views: int, job: Job) -> bool:
    """Whether the writer's store can keep the features of so many views."""
    row = math.prod(trunk.engine.row_shapes[FEATURES]) * np.dtype(trunk.dtype).itemsize
    has_room = job.store is not None and Stored(job.store, trunk.recipe).has_room(views * row)
    return bool(broadcast(has_room, job.world))
