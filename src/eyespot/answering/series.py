"""Which of the pictures that two models are compared on belong together: a series has one say, not one a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.copies import Hashed
from eyespot.data.groups import Series
from eyespot.errors import MissingExtra
from eyespot.features.links import find_links
from eyespot.progress import Progress
from eyespot.regimes.series import LOOKING, SMALLEST_SIDE
from eyespot.runs.storage import open_store
from eyespot.words import counted


def series_among(
    pictures: Sequence[Hashed], data: Sequence[Hashed], *, image_side: int, progress: Progress
) -> tuple[NDArray[np.int64] | None, list[str]]:
    """The number of each picture's series (N,), or None where each stands by itself; and what there is to say of it.

    data: all of the data set, among which training has looked for series already.
    image_side: of the images that the models see, pixels: small pictures do not tell which belong together.
    """
    notes: list[str] = []
    cache_folder = machine.cache_folder()
    if image_side < SMALLEST_SIDE:
        return None, notes
    try:
        signer = DEFAULT.trunk(cache_folder, choose_precision("auto"), progress).signed().signer
    except MissingExtra:
        return None, ["each picture stands by itself here: finding series needs the extra `train`"]
    assert signer is not None
    ordered = sorted(data, key=lambda each: each.content)  # so that file names decide nothing
    with open_store(cache_folder, notes) as store:
        found = find_links(signer, ordered, store=store, progress=lambda done, total: progress(LOOKING, done, total))
    contents = [each.content for each in pictures]
    series = Series.joined(found.links, [each.content for each in ordered]).only({*contents})
    if series.of:
        notes.append(
            f"{len(series)} series of {counted(len(series.of), 'picture')} that show the same or were taken in a row: "
            "each has one say"
        )
    return series.group(contents), [*found.notes, *notes]
