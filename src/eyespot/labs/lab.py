"""`lab`: an open question of a course on convolutional networks, answered by an experiment."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from eyespot.bundle.files import GRAPH, find_bundle
from eyespot.data.copies import content_hash
from eyespot.files import from_home
from eyespot.keywords import as_record
from eyespot.labs import catalogue
from eyespot.labs.catalogue import Found
from eyespot.labs.definition import Language
from eyespot.labs.folder import TABLE, lab_folder
from eyespot.labs.options import LabOptions
from eyespot.labs.phrases import language_of
from eyespot.labs.pictures import Pictures, read_pictures
from eyespot.labs.result import LabEntry, LabResult
from eyespot.progress import Progress, shows_progress, silent
from eyespot.version import VERSION

APART = ("lab", "report", "outcome", "plot", "shown", "phrases", "result", "options", "folder", "catalogue", "kept")
"""Files that decide no row of a table."""


@shows_progress
def lab(
    name: str | None = None, data: str | Path = "digits", *, progress: Progress = silent, **options: Any
) -> LabResult | tuple[LabEntry, ...]:
    """The outcome of the lab of that name; without a name the list of all labs, in the order of the course.

    data: pictures of any source that `train` takes; at most 2,000 of them are used, as images of 8 or 16 pixels.
    progress: told each step, the settings that are done and those in a round.
    Options, as `LabOptions` has them: seeds, seed, time, guess, lang, model, out, effort.
    Raises OptionError, DataError, NoPictures, NetworkError, CannotWrite, MissingExtra; Stopped for Ctrl-C in the first
    round.
    """
    started = time.monotonic()
    asked = as_record(LabOptions, options, verb=lab)
    language = language_of(asked.lang)
    if name is None:
        return tuple(_entry(each, language) for each in catalogue.every())
    found = catalogue.find(name)
    asked.require_fit(name, found.lab)
    return _tried(found, data, asked, started, progress)


def _tried(found: Found, data: str | Path, asked: LabOptions, started: float, progress: Progress) -> LabResult:
    from eyespot.labs.outcome import Outcome  # these import torch
    from eyespot.labs.report import written
    from eyespot.labs.trials import Asked, run

    pictures = read_pictures(data, side=found.lab.side, progress=progress)
    seeds = tuple(range(asked.seed, asked.seed + asked.seeds))
    model = str(asked.model) if asked.model else None
    plan = Asked(seeds, started + asked.limit_seconds, model, asked.effort)
    out = from_home(asked.out)
    with lab_folder(out, found.name, _settings(found, pictures, asked)) as folder:
        trials = run(found, pictures, plan, folder / TABLE, progress=progress)
        seconds = round(time.monotonic() - started, 1)
        return written(Outcome(found, str(data), pictures, asked, trials, folder, seconds))


def _settings(found: Found, pictures: Pictures, asked: LabOptions) -> dict[str, object]:
    """What decides the rows of the table, whichever seeds there are."""
    here = Path(__file__).parent
    shared = (path for path in sorted(here.glob("*.py")) if path.stem not in APART and not catalogue.states_a_lab(path))
    code = "\n".join(path.read_text("utf-8") for path in (found.path, *shared))
    return {
        "data": pictures.fingerprint,
        "model": asked.model and [str(asked.model), _content(from_home(asked.model))],
        "first": asked.seed,  # from which on five seeds share out the pictures
        "effort": asked.effort,
        "eyespot": VERSION,
        "code": content_hash(code.encode()),
    }


def _content(model: Path) -> str:
    """A hash of the model that a run holds; empty for the name of a network."""
    bundle = find_bundle(model) if model.is_dir() else None
    return "" if bundle is None else content_hash((bundle / GRAPH).read_bytes())


def _entry(found: Found, language: Language) -> LabEntry:
    lab = found.lab
    return LabEntry(
        name=found.name,
        chapter=lab.chapter,
        question=lab.question.to(language),
        claim=lab.claim.to(language),
        seconds=lab.seconds,
    )
