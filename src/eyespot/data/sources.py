"""Where pictures come from: folders on disk and the embedded sample, as one list of named pictures.

Nothing of the user's is written, moved or changed. What is not used is named with its reason.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from eyespot.data.data_set import DataSet, Picture
from eyespot.data.folders import LAYOUT, read_folder, sift
from eyespot.errors import DataError, NoPictures
from eyespot.names import printable
from eyespot.records import SetAside


def open_data_set(where: str | Path) -> DataSet:
    """The labelled pictures of a folder, or of the embedded sample `digits` where no folder of that name exists.

    where: a folder in one of the layouts named in `LAYOUT`, or "digits".
    Raises DataError and NoPictures in sentences that say what was expected.
    """
    folder = _expanded(where)
    if str(where) and folder.is_dir():
        note = (
            "the folder `digits` was read; the embedded sample of that name was not" if str(where) == "digits" else ""
        )
        data_set = read_folder(folder)
        return replace(data_set, notes=(note, *data_set.notes)) if note else data_set
    if str(where) == "digits" and not folder.exists():
        from eyespot.data.samples import digits

        return digits()
    raise _no_such_folder(where, folder)


def list_pictures(paths: Iterable[str | Path]) -> tuple[tuple[Picture, ...], tuple[SetAside, ...]]:
    """Pictures to predict, from files and folders (searched through), and what was set aside.

    A picture's name is the path as given, or below the folder as given. Raises NoPictures where nothing is found.
    """
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    paths = list(paths)
    for given in paths:
        path = _expanded(given)
        if str(given) and path.is_dir():
            found, left = sift(path)
            above = printable(str(given)).rstrip("/")
            pictures += [replace(each, name=f"{above}/{each.name}") for each in found]
            set_aside += [SetAside(picture=f"{above}/{each.picture}", reason=each.reason) for each in left]
        elif str(given) and os.path.lexists(path):
            pictures.append(Picture(printable(str(given)), path=path))
        else:
            raise _no_such_folder(given, path, what="picture or folder")
    if not pictures:
        raise NoPictures(f"there are no pictures in {', '.join(printable(str(path)) for path in paths)}")
    return tuple(pictures), tuple(set_aside)


def _expanded(where: str | Path) -> Path:
    try:
        return Path(where).expanduser()
    except RuntimeError:  # nobody of that name, or no home
        return Path(where)


def _no_such_folder(where: str | Path, path: Path, *, what: str = "folder") -> DataError:
    given = printable(str(where))
    if path.is_file() and what == "folder":
        return DataError(f"{given} is a file, and a folder was expected; {LAYOUT}")
    beside = [path.name for path in _beside(path) if what != "folder" or os.path.isdir(path)]
    known = {name.casefold(): name for name in ([*beside, "digits"] if what == "folder" else beside)}
    close = [known[name] for name in difflib.get_close_matches(path.name.casefold(), known, n=1)]
    offers = [str(path.parent / name) if name in beside else name for name in close]
    hint = "".join(f"; did you mean '{printable(offer)}'?" for offer in offers)
    return NoPictures(f"there is no {what} '{given}' (looked in {printable(str(path.absolute().parent))}){hint}")


def _beside(path: Path) -> list[Path]:
    try:
        return list(path.parent.iterdir())
    except OSError:
        return []
