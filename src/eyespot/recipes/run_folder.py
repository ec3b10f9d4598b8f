"""The folder of one run: its name, made when the first thing is written, and the files a person opens in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from eyespot.data.audit import Hashed
from eyespot.errors import OptionError
from eyespot.recipes.options import TrainOptions
from eyespot.recipes.tables import write_csv


def make_run_folder(options: TrainOptions, *, data_name: str) -> Path:
    """A new, empty folder `out/train/NAME`; a name that was chosen and is taken already is refused.

    Without a chosen name it is the data's with the lowest free number: photos, photos-2, photos-3.
    """
    parent = options.out.expanduser() / "train"
    if options.name is not None:
        return _make(parent / options.name) or _refuse(parent / options.name)
    number = 1
    while True:
        name = data_name if number == 1 else f"{data_name}-{number}"
        made = _make(parent / name)
        if made:
            return made
        number += 1


def check_name_is_free(options: TrainOptions) -> None:
    """Raises OptionError at once, before any work, where the chosen name is taken or no folder can be made there."""
    parent = options.out.expanduser() / "train"
    there = next(folder for folder in (parent, *parent.absolute().parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        what = "is not writable" if there.is_dir() else "is a file"
        raise OptionError(f"the run cannot be written to {parent}: {there} {what}; choose another place with --out")
    if options.name is not None:
        folder = options.out.expanduser() / "train" / options.name
        if folder.exists():
            _refuse(folder)


def write_split(path: Path, hashed: Iterable[Hashed]) -> None:
    """Which picture went where: `split.csv`."""
    rows = ((each.picture.name, each.picture.label, each.picture.part, each.content) for each in hashed)
    write_csv(path, ("picture", "class", "part", "content_hash"), rows)


def _make(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return None
    except OSError as error:
        raise OptionError(
            f"the run's folder {folder} cannot be made ({error.strerror or error}): choose another place with --out"
        ) from error
    return folder


def _refuse(folder: Path) -> Path:
    raise OptionError(f"the run {folder} exists already and is never overwritten: choose another --name, or remove it")
