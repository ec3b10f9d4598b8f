"""Which of the pictures that models are asked about belong together: a series has one say, not one a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.copies import Hashed
from eyespot.data.groups import Links, Series
from eyespot.distributed.cluster import Cluster
from eyespot.distributed.world import World
from eyespot.errors import MissingExtra
from eyespot.features.links import Found, find_links
from eyespot.progress import Progress
from eyespot.regimes.series import LOOKING, SMALLEST_SIDE
from eyespot.runs.lists import RunLists
from eyespot.runs.storage import open_store
from eyespot.words import counted

COUNTED = "the intervals count each once, the figures count every picture"
ONE_SAY = "each has one say"
"""What series do where a model is measured, and where two are compared."""


@dataclass(frozen=True)
class Together:
    """The pictures of a data set that belong together."""

    series: Series
    how: str
    """What tells that they do, in words."""
    notes: tuple[str, ...]

    def numbers(self, pictures: Sequence[Hashed]) -> NDArray[np.int64] | None:
        """The number of each picture's series (N,), or None where each stands by itself."""
        return self.series.group([each.content for each in pictures])

    def notes_on(self, pictures: Sequence[Hashed], effect: str) -> list[str]:
        """What there is to say of these pictures. effect: of a series on what is said of them."""
        found = self.series.only({each.content for each in pictures})
        said = f"{len(found)} series of {counted(len(found.of), 'picture')} that {self.how}: {effect}"
        return [*self.notes, said] if found.of else [*self.notes]

    def count_known(self, pictures: Sequence[Hashed], trained_on: Iterable[str]) -> int:
        """How many of the pictures are in one series with something that was trained on, by contents."""
        known = self.series.names(trained_on)
        return sum(self.series.of.get(each.content) in known for each in pictures)


def find_together(
    data: Sequence[Hashed],
    *,
    image_side: int,
    lists: Sequence[RunLists] = (),
    cluster: Cluster | None = None,
    progress: Progress,
) -> Together:
    """The series of a data set, and the groups that the runs of the models were trained with.

    image_side: of the images that the models see, pixels: small pictures do not tell which belong together.
    cluster: looks at what was not looked at yet.
    """
    ordered = sorted(data, key=lambda each: each.content)  # so that file names decide nothing
    found = _look(ordered, cluster, progress) if image_side >= SMALLEST_SIDE else Found(Links.none())
    named = [Links.of_names(of.groups(ordered)) for of in lists]
    how = "show the same or were taken in a row"
    if any(map(len, named)):
        how = "show the same, were taken in a row or are of one group"
    series = Series.joined(Links.of(found.links, *named), [each.content for each in ordered])
    return Together(series, how, (*found.notes, *(note for of in lists for note in of.notes)))


def _look(ordered: Sequence[Hashed], cluster: Cluster | None, progress: Progress) -> Found:
    cache_folder, notes = machine.cache_folder(), list[str]()
    try:
        signer = DEFAULT.trunk(cache_folder, choose_precision("auto"), progress).signed().signer
    except MissingExtra:
        return Found(Links.none(), notes=["finding series needs the extra `train`: none is looked for here"])
    assert signer is not None
    with open_store(cache_folder, notes) as store:
        world, tell = World(cluster=cluster), partial(progress, LOOKING)
        found = find_links(signer, ordered, store=store, world=world, progress=tell)
    return replace(found, notes=[*found.notes, *notes])
