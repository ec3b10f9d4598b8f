"""The links between the pictures of a data set, kept in the store: a second run on the same pictures compares none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from eyespot.data.copies import Hashed, content_hash
from eyespot.data.groups import Links
from eyespot.data.store import Store
from eyespot.data.store_values import key_of
from eyespot.data.taken import Taken, believable
from eyespot.distributed.world import ALONE, World
from eyespot.errors import StoreError
from eyespot.features.embed import Embedded, embed
from eyespot.features.likeness import ALIKE, alike, in_a_row, unit_signatures
from eyespot.features.thumbnails import SAVED_TWICE, SIDE, correlations, grey, of_each
from eyespot.features.trunk import Trunk
from eyespot.records import Preprocess, SetAside

VERSION = 5
"""Changes whenever the same signatures and times would give other links."""
MOST_UNSURE = 100
"""Pairs whose thumbnails are looked at, the likest first: of 3,781 photos those above a likeness of 0.75."""
TIMES_NOTE = (
    "the times in the pictures' files are not used to find series: too many bear the same second, as if a scanner or a "
    "program had set them"
)


@dataclass(frozen=True)
class Found:
    """Which pictures belong together, as far as they themselves tell."""

    links: Links
    """By the rows of the pictures that were given."""
    set_aside: list[SetAside] = field(default_factory=list)
    """Those that cannot be decoded, which have no link."""
    notes: list[str] = field(default_factory=list)


def find_links(
    signer: Trunk,
    pictures: Sequence[Hashed],
    *,
    store: Store | None,
    world: World = ALONE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Found:
    """The links between pictures that show the same or were taken in a row.

    signer: gives their signatures. pictures: in the order of their contents.
    """
    times = believable([each.taken for each in pictures])
    notes = [TIMES_NOTE] if any(each.taken for each in pictures) and not any(times) else []
    lines = [f"{each.content} {at}" for each, at in zip(pictures, times, strict=True)]
    key = key_of(
        kind="links",
        version=VERSION,
        signer=signer.recipe.key("", "identity"),
        pictures=content_hash("\n".join(lines).encode()),
    )
    names = [f"{key}-{name}" for name in ("first", "second", "likeness")]
    with suppress(StoreError):  # whoever embeds says that it cannot be used
        kept = store.get(names) if store and world.size == 1 else {}
        if len(kept) == len(names):
            return Found(Links(*(kept[name] for name in names)), notes=notes)
    signed = embed(signer, pictures, store=store, world=world, progress=progress)
    links, is_whole = _compared(signed, pictures, times, signer)
    with suppress(StoreError):
        if store and is_whole and not signed.set_aside:
            store.put(dict(zip(names, (links.first, links.second, links.likeness), strict=True)))
    return Found(links, signed.set_aside, notes)


def _compared(
    embedded: Embedded, pictures: Sequence[Hashed], times: Sequence[Taken | None], signer: Trunk
) -> tuple[Links, bool]:
    """The links by the rows of all pictures, and whether all could be read.

    embedded: the signatures of those that can be decoded.
    """
    signed = embedded.pictures
    if len(signed) < 2:
        return Links.none(), True
    row_of = {each.content: row for row, each in enumerate(pictures)}
    rows = np.array([row_of[each.content] for each in signed])
    unit = unit_signatures(embedded.features["identity"], folder=signer.folder)
    same, is_whole = _certain(alike(unit, unsure=MOST_UNSURE), signed, signer.preprocess)
    links = Links.of(same, in_a_row(unit, [times[row] for row in rows]))
    return Links(rows[links.first], rows[links.second], links.likeness), is_whole


def _certain(links: Links, pictures: Sequence[Hashed], preprocess: Preprocess) -> tuple[Links, bool]:
    """Without the pairs that are not alike enough, unless they are one picture, saved twice, by their thumbnails.

    And whether all of these could be read: where a file is gone for a moment, its links are missing.
    """
    is_unsure = links.likeness < ALIKE
    unsure = links.take(is_unsure)
    rows, index = np.unique(np.concatenate([unsure.first, unsure.second]), return_inverse=True)
    thumbnails = np.zeros((len(rows), SIDE, SIDE), np.float32)
    some = [pictures[row] for row in rows.tolist()]
    read = 0
    for number, thumbnail in of_each(some, lambda data: grey(data, preprocess.levels), preprocess):
        thumbnails[number] = thumbnail
        read += 1
    first, second = np.split(index, 2)
    same = unsure.take(correlations(thumbnails, first, second) >= SAVED_TWICE)
    certain = Links.of(links.take(~is_unsure), Links(same.first, same.second, np.ones_like(same.likeness)))
    return certain, read == len(some)
