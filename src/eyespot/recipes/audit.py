"""`audit`: what can be said of a folder of pictures before, or without, training a model on it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np

from eyespot import machine
from eyespot.auditing.examine import Examined, Told, examine
from eyespot.auditing.gathered import Gathered, Shown, gather, show
from eyespot.auditing.outputs import Asked, audit_folder, write_outputs
from eyespot.auditing.result import AuditResult
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.groups import Links
from eyespot.data.read_as import ReadKeywords, given_of, read_as
from eyespot.data.store import Store
from eyespot.errors import DataError
from eyespot.features.embed import embed
from eyespot.features.links import Found, find_links
from eyespot.features.trunk import Trunk
from eyespot.files import from_home
from eyespot.progress import Progress, shows_progress, silent
from eyespot.runs.storage import open_store


@shows_progress
def audit(
    data: str | Path,
    *,
    out: str | Path = "runs",
    seed: int = 0,
    precision: str = "auto",
    progress: Progress = silent,
    **reading: Unpack[ReadKeywords],
) -> AuditResult:
    """Copies, series, doubtful labels, odd and poor pictures, shortcuts, and what more pictures would bring.

    Nothing of the data is touched. A page, a list to decide in, and everything as JSON are written.

    data: whatever `train` takes, or pictures without classes: then labels are not judged. Boxes are not judged, either:
        the report of a trained detector does that.
    out: the folder under which `audit/NAME` is made.
    seed: decides the folds. precision: auto, fp32 or bf16.
    reading: `layout`, `image_column`, `label_column` and `split_column`, as `train` has them.
    Raises DataError where there is no picture; OptionError; CannotWrite.

    >>> result = eyespot.audit("digits")
    >>> result.pictures
    1797
    """
    started = time.perf_counter()
    gathered = gather(data, read_as(**reading), progress)
    notes: list[str] = []
    with audit_folder(from_home(out), gathered.name) as folder:
        with open_store(machine.cache_folder(), notes) as store:
            gathered, examined = _examined(gathered, store, seed=seed, precision=precision, progress=progress)
        progress("writing the page", 0, 1)
        gathered = replace(gathered, notes=[*gathered.notes, *notes])
        asked = Asked(str(data), {name: str(value) for name, value in reading.items() if name in given_of(reading)})
        result = write_outputs(folder, gathered, examined, asked, seconds=time.perf_counter() - started)
        progress("writing the page", 1, 1)
    return result


def _examined(
    gathered: Gathered, store: Store | None, *, seed: int, precision: str, progress: Progress
) -> tuple[Gathered, Examined]:
    """The pictures that can be decoded, and what was found in them."""
    backbone = replace(DEFAULT, levels=gathered.levels)
    trunk = backbone.trunk(machine.cache_folder(), choose_precision(precision), progress).signed()
    embedded = embed(trunk, gathered.pictures, store=store, progress=lambda d, n: progress("computing features", d, n))
    shown = show(embedded.pictures, gathered.levels, store, lambda d, n: progress("looking at each", d, n))
    gathered = gathered.keep(shown.pictures, [*embedded.set_aside, *shown.set_aside])
    if not gathered.pictures:
        first = (*embedded.set_aside, *shown.set_aside)[0]
        raise DataError(f"no picture of {gathered.name} can be read: {first.picture} {first.reason}")
    found = _links(trunk, shown, store)
    features = embedded.features["identity"]
    progress("comparing", 0, 1)
    told = Told(
        contents=[each.content for each in gathered.pictures],
        features=features[shown.rows] if shown.set_aside else features,
        links=found.links,
        shown=shown,
        labels=gathered.labels(),
        classes=gathered.classes,
        has_boxes=bool(gathered.boxes),
    )
    examined = examine(told, seed=seed)
    progress("comparing", 1, 1)
    return replace(gathered, notes=[*gathered.notes, *embedded.notes, *found.notes]), examined


def _links(trunk: Trunk, shown: Shown, store: Store | None) -> Found:
    """The links between those of the pictures that are large enough to be compared."""
    large = np.flatnonzero(~shown.is_small)
    if len(large) < 2:
        return Found(Links.none())
    assert trunk.signer is not None
    found = find_links(trunk.signer, [shown.pictures[row] for row in large.tolist()], store=store)
    links = Links(large[found.links.first], large[found.links.second], found.links.likeness)
    return replace(found, links=links)
