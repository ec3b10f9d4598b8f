"""Where pictures come from: which reader takes a folder, a file or the embedded sample, and the errors if none does."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from eyespot.data.data_set import LISTS, PARQUET_SUFFIX, TABLE_SUFFIXES, DataSet, Picture, labelled
from eyespot.data.folders import LAYOUT, holds_picture_files, read_folder, sift
from eyespot.errors import DataError, NoPictures
from eyespot.names import printable
from eyespot.records import SetAside

LISTS_BY_SUFFIX = TABLE_SUFFIXES | {PARQUET_SUFFIX}
"""Endings of files that are data sets themselves."""


def open_data_set(where: str | Path) -> DataSet:
    """The labelled pictures of a folder or a file, or of the embedded sample `digits` where no folder has that name.

    where: a folder in one of the layouts named in `LAYOUT`, with a table of its pictures, or with IDX or Parquet files;
    a table or a Parquet file; or "digits". What it is shows in what is there.
    Raises DataError and NoPictures in sentences that say what was expected.
    """
    path = _expanded(where)
    if str(where) and path.is_dir():
        note = (
            "the folder `digits` was read; the embedded sample of that name was not" if str(where) == "digits" else ""
        )
        data_set = _open_folder(path)
        return replace(data_set, notes=(note, *data_set.notes)) if note else data_set
    if str(where) == "digits" and not path.exists():
        from eyespot.data.samples import digits

        return digits()
    listed = _listed(path) if str(where) else None
    if not listed:
        raise _no_such_folder(where, path)
    return labelled(listed)


def open_pictures(where: str | Path) -> DataSet:
    """The same, or the pictures of a folder or a file that gives no classes, without classes."""
    try:
        return open_data_set(where)
    except NoPictures:
        path = _expanded(where)
        if not path.is_dir() and not _is_list(path):
            raise
        pictures, set_aside = list_pictures([where])
        return DataSet(printable(str(where)), pictures, (), set_aside)


def list_pictures(paths: Iterable[str | Path]) -> tuple[tuple[Picture, ...], tuple[SetAside, ...]]:
    """Pictures to predict, from files, folders (searched through) and what lists pictures, and what was set aside.

    A picture's name is the path as given, or below the folder as given. Raises NoPictures where nothing is found.
    """
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    paths = list(paths)
    for given in paths:
        path, above = _expanded(given), printable(str(given))
        listed = _listed(path) if str(given) else None
        if listed:
            above = os.path.dirname(above) if path.is_file() else above
            found, left = list(listed.pictures), list(listed.set_aside)
        elif str(given) and path.is_dir():
            found, left = sift(path)
        elif str(given) and os.path.lexists(path):
            pictures.append(Picture(above, path=path))
            continue
        else:
            raise _no_such_folder(given, path, what="picture or folder")
        pictures += [replace(each, name=_below(above, each.name)) for each in found]
        set_aside += [SetAside(picture=_below(above, each.picture), reason=each.reason) for each in left]
    if not pictures:
        raise NoPictures(f"there are no pictures in {', '.join(printable(str(path)) for path in paths)}")
    return tuple(pictures), tuple(set_aside)


def _open_folder(folder: Path) -> DataSet:
    from eyespot.data import tables

    metadata = tables.metadata_files(folder)
    listed = tables.read_metadata(folder, metadata) if metadata else _listed(folder)
    return labelled(listed) if listed else read_folder(folder)


def _listed(path: Path) -> DataSet | None:
    """What a table, Parquet or IDX files hold, with the classes unjudged; None where pictures are files."""
    is_list = _is_list(path)
    if not is_list and (not path.is_dir() or holds_picture_files(path)):
        return None
    from eyespot.data import idx, parquet, tables  # here, because predict on a picture shall not wait for them

    if is_list and path.suffix.lower() in TABLE_SUFFIXES:
        return tables.read_table(path)
    if is_list:
        return parquet.read_parquet([path], name=printable(path.stem), are_parts=False)
    if idx.holds_idx(path):
        return idx.read_idx(path)
    return parquet.read_folder(path) if parquet.parquet_files(path) else None


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in LISTS_BY_SUFFIX and path.is_file()


def _below(above: str, name: str) -> str:
    return f"{above.rstrip('/')}/{name}" if above else name


def _expanded(where: str | Path) -> Path:
    try:
        return Path(where).expanduser()
    except RuntimeError:  # nobody of that name, or no home
        return Path(where)


def _no_such_folder(where: str | Path, path: Path, *, what: str = "folder") -> DataError:
    given = printable(str(where))
    if path.is_file() and what == "folder":
        return DataError(f"{given} is a file that lists no pictures; {LAYOUT}; {LISTS}")
    beside = [each.name for each in _beside(path) if what != "folder" or each.is_dir() or _is_list(each)]
    known = {name.casefold(): name for name in ([*beside, "digits"] if what == "folder" else beside)}
    close = [known[name] for name in difflib.get_close_matches(path.name.casefold(), known, n=1)]
    offers = [str(path.parent / name) if name in beside else name for name in close]
    hint = "".join(f"; did you mean '{printable(offer)}'?" for offer in offers)
    what = "file" if path.suffix.lower() in LISTS_BY_SUFFIX else what
    return NoPictures(f"there is no {what} '{given}' (looked in {printable(str(path.absolute().parent))}){hint}")


def _beside(path: Path) -> list[Path]:
    try:
        return list(path.parent.iterdir())
    except OSError:
        return []
