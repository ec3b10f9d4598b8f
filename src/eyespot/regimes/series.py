"""Before the split: which pictures belong together, as near-copies, or as what a camera took within seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from eyespot import zoo
from eyespot.building.backbone import DEFAULT
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.groups import Links, Series
from eyespot.data.store_values import key_of
from eyespot.data.taken import Taken, believable
from eyespot.distributed.world import broadcast
from eyespot.engine.gate import FEATURES
from eyespot.errors import MissingExtra, StoreError
from eyespot.features.embed import embed
from eyespot.features.likeness import alike, in_a_row, unit_signatures
from eyespot.features.stored import Stored
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.records import Part, SetAside, View
from eyespot.regimes.choice import Choice
from eyespot.regimes.frozen import COMPUTING, views_of
from eyespot.regimes.prepare import Prepared
from eyespot.runs.job import Job

SMALLEST_SIDE = 96
"""Of images, pixels: smaller ones have no signature worth the name, and small pictures are so many that they need none.
"""
LINKS_VERSION = 1
"""Changes whenever the same signatures and times would give other links."""
TIMES_NOTE = (
    "the times in the pictures' files are not used to find series: too many bear the same second, as if a scanner or a "
    "program had set them"
)


def with_signer(trunk: Trunk) -> Trunk:
    """The trunk with the signatures that series are found by, where it is the network that they were measured with."""
    is_measured = trunk.network.name == DEFAULT.network and min(trunk.preprocess.crop_hw) >= SMALLEST_SIDE
    return trunk.signed() if is_measured else trunk


def default_signer(job: Job) -> Trunk | None:
    """Gives signatures where the network that is trained has none: the default backbone's; None without it."""
    try:
        return DEFAULT.trunk(job.cache_folder, job.precision, job.progress).signed().signer
    except MissingExtra:
        return None


def signer_for_scratch(choice: Choice, job: Job) -> Trunk | None:
    """The same for a network that learns from scratch; None where the images that it takes are too small."""
    network = choice.network
    sides = (job.options.imgsz,) * 2 if job.options.imgsz else zoo.definition(network).input_chw[1:]
    return default_signer(job) if min(sides) >= SMALLEST_SIDE else None


def with_features(prepared: Prepared, trunk: Trunk, job: Job, *, tap: Tap | None, all_train: bool) -> int:
    """Puts all that the frozen regime will ask for into the store, and the signatures along; views that it computed.

    Nothing is done where there is no room: then each is computed when it is asked for.
    tap: keeps activations of what trains and validates. all_train: the held-out pictures are trained on, too.
    """
    views = views_of(prepared, job.options)
    seen: Sequence[View] = views if all_train else ("identity",)
    wanted: list[tuple[Part, Sequence[View]]] = [("train", views), ("val", seen), ("test", seen)]
    missing = {part: _missing(prepared.part(part), trunk, shown, job) for part, shown in wanted}
    total = sum(len(missing[part]) * len(shown) for part, shown in wanted)
    if not total or not _has_room(trunk, total, job):
        return 0
    computed, before = 0, 0
    for part, shown in wanted:

        def progress(done: int, _: int, before: int = before) -> None:
            job.progress(COMPUTING, before + done, total)

        tapped = tap if part != "test" else None
        found = embed(
            trunk, missing[part], views=shown, store=job.store, tap=tapped, world=job.world, progress=progress
        )
        computed, before = computed + found.computed, before + len(missing[part]) * len(shown)
    return computed


def _missing(pictures: Sequence[Hashed], trunk: Trunk, views: Sequence[View], job: Job) -> list[Hashed]:
    """Those that have not all features in the writer's store, in order of their content."""
    stored = Stored(job.store, trunk.recipe)
    wanted = [(each.content, view) for each in pictures for view in views]
    contents = set(broadcast(sorted({content for content, _ in stored.missing(wanted)}), job.world))
    return sorted((each for each in pictures if each.content in contents), key=lambda each: each.content)


def _has_room(trunk: Trunk, views: int, job: Job) -> bool:
    """Whether the writer's store can keep the features of so many views."""
    row = math.prod(trunk.engine.row_shapes[FEATURES]) * np.dtype(trunk.dtype).itemsize
    has_room = job.store is not None and Stored(job.store, trunk.recipe).has_room(views * row)
    return bool(broadcast(has_room, job.world))


def with_series(prepared: Prepared, signer: Trunk | None, job: Job) -> Prepared:
    """The data set split so that no series is torn apart.

    signer: gives the pictures' signatures; None where they are too small for any.
    """
    if signer is None:
        return prepared
    everything = [*prepared.hashed, *prepared.left_out]  # so that what a person leaves out moves no other picture
    ordered = sorted(everything, key=lambda each: each.content)  # so that file names decide nothing
    times = believable([each.taken for each in ordered])
    notes = [TIMES_NOTE] if any(each.taken for each in ordered) and not any(times) else []
    found = _Found(signer, ordered, times, job)
    links = found.links()
    series = Series.joined(links, [each.content for each in ordered])
    used = {each.picture.name for each in prepared.hashed}
    unread = [each for each in found.set_aside if each.picture in used]
    return prepared.without(unread).with_series(series, seed=job.options.seed).noted(notes)


class _Found:
    """The links between pictures, kept in the store: a second run on the same pictures reads no signature."""

    def __init__(self, signer: Trunk, ordered: Sequence[Hashed], times: Sequence[Taken | None], job: Job) -> None:
        self._signer, self._ordered, self._times, self._job = signer, ordered, times, job
        self.set_aside: list[SetAside] = []
        """Pictures that cannot be decoded, which have none."""

    def links(self) -> Links:
        """Those of all pictures, by their rows."""
        key = key_of(
            kind="links",
            version=LINKS_VERSION,
            signer=self._signer.recipe.key("", "identity"),
            pictures=content_hash("\n".join(each.content for each in self._ordered).encode()),
        )
        names = [f"{key}-{name}" for name in ("first", "second", "likeness")]
        store = self._job.store
        with suppress(StoreError):  # whoever embeds says that it cannot be used
            kept = store.get(names) if store else {}
            if len(kept) == len(names):
                return Links(*(kept[name] for name in names))
        links = self._compared()
        with suppress(StoreError):
            if store and not self.set_aside:
                arrays = (links.first, links.second, links.likeness)
                store.put(dict(zip(names, arrays, strict=True)))
        return links

    def _compared(self) -> Links:
        signed = embed(
            self._signer,
            self._ordered,
            store=self._job.store,
            world=self._job.world,
            progress=lambda done, total: self._job.progress("looking for series", done, total),
        )
        self.set_aside = signed.set_aside
        if len(signed.pictures) < 2:
            return Links.none()
        row_of = {each.content: row for row, each in enumerate(self._ordered)}
        rows = np.array([row_of[each.content] for each in signed.pictures])
        unit = unit_signatures(signed.features["identity"])
        links = Links.of(alike(unit), in_a_row(unit, [self._times[row] for row in rows]))
        return Links(rows[links.first], rows[links.second], links.likeness)
