"""`audit`: what can be said of a folder of pictures before, or without, training a model on it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from eyespot import machine
from eyespot.auditing.examine import Examined, Told, examine
from eyespot.auditing.gathered import Gathered, gather, show
from eyespot.auditing.outputs import audit_folder, write_outputs
from eyespot.auditing.result import AuditResult
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.read_as import read_as
from eyespot.data.store import Store
from eyespot.errors import DataError
from eyespot.features.embed import embed
from eyespot.features.links import find_links
from eyespot.progress import Progress, silent
from eyespot.runs.storage import open_store


def audit(
    data: str | Path,
    *,
    out: str | Path = "runs",
    seed: int = 0,
    precision: str = "auto",
    progress: Progress = silent,
    **reading: str | None,
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
    450
    """
    started = time.perf_counter()
    gathered = gather(data, read_as(**reading), progress)
    notes: list[str] = []
    with audit_folder(Path(out).expanduser(), gathered.name) as folder:
        with open_store(machine.cache_folder(), notes) as store:
            gathered, examined = _examined(gathered, store, seed=seed, precision=precision, progress=progress)
        progress("writing the page", 0, 1)
        gathered = replace(gathered, notes=[*gathered.notes, *notes])
        result = write_outputs(folder, gathered, examined, data=str(data), seconds=time.perf_counter() - started)
        progress("writing the page", 1, 1)
    return result


def _examined(
    gathered: Gathered, store: Store | None, *, seed: int, precision: str, progress: Progress
) -> tuple[Gathered, Examined]:
    """The pictures that can be decoded, and what was found in them."""
    backbone = replace(DEFAULT, levels=gathered.levels)
    trunk = backbone.trunk(machine.cache_folder(), choose_precision(precision), progress).signed()
    embedded = embed(trunk, gathered.pictures, store=store, progress=lambda d, n: progress("computing features", d, n))
    gathered = gathered.keep(embedded.pictures, embedded.set_aside)
    if not gathered.pictures:
        first = embedded.set_aside[0]
        raise DataError(f"no picture of {gathered.name} can be read: {first.picture} {first.reason}")
    assert trunk.signer is not None
    found = find_links(trunk.signer, gathered.pictures, store=store)
    shown = show(gathered.pictures, gathered.levels, store, lambda d, n: progress("looking at each", d, n))
    progress("comparing", 0, 1)
    told = Told(
        contents=[each.content for each in gathered.pictures],
        features=embedded.features["identity"],
        links=found.links,
        shown=shown,
        labels=gathered.labels(),
        classes=gathered.classes,
        has_boxes=bool(gathered.boxes),
    )
    examined = examine(told, seed=seed)
    progress("comparing", 1, 1)
    return replace(gathered, notes=[*gathered.notes, *embedded.notes, *found.notes]), examined
