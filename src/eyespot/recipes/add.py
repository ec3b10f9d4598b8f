"""`add`: new pictures come to those of a run, and what is trained on all of them is compared with it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from eyespot.bundle.files import read_bundle
from eyespot.files import from_home
from eyespot.progress import Progress, shows_progress, silent
from eyespot.recipes.train import train
from eyespot.reporting.result import TrainResult
from eyespot.runs.folder import RUNS
from eyespot.runs.resume import finished


@shows_progress
def add(
    run: str | Path,
    new: str | Path,
    *,
    data: str | Path | None = None,
    name: str | None = None,
    progress: Progress = silent,
) -> TrainResult:
    """What was trained on the pictures of `run` and those of `new`, and how it compares with that run, which stays.

    What the run was tested on is what both are compared on; new pictures are split as its pictures were.

    run: the folder of a run of `train`. new: data of any kind that `train` takes; a class folder that the run does not
        know is a new class.
    data: where the run's pictures are now, if they were moved.
    name: of the new run's folder, beside the old one; by default the old one's with the lowest free number.
    Raises EyespotError: no such run, a detector's, or all that `train` refuses.
    """
    folder = from_home(run)
    read_bundle(folder)  # names a model that is none, or a detector, before any work
    earlier = finished(folder, "added to", {})
    options = earlier.options
    given = {each: getattr(options, each) for each in options.model_fields_set}
    place = folder if folder.parent.name == RUNS else folder.absolute()
    given |= {
        "more": (*options.more, Path(new)),
        "parts_of": folder,
        "name": name or _next_name(place),
        "out": place.parents[1] if place.parent.name == RUNS else options.out,
    }
    result = train(earlier.data if data is None else data, progress=progress, **given)
    assert isinstance(result, TrainResult)
    return result


def _next_name(folder: Path) -> str:
    """`photos-2` after `photos`, `photos-3` after `photos-2`: the first that is free."""
    stem, _, number = folder.name.rpartition("-")
    first = stem if number.isdecimal() and (folder.parent / stem).is_dir() else folder.name
    return next(name for name in (f"{first}-{n}" for n in count(2)) if not (folder.parent / name).exists())
