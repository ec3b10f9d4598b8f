"""Where pictures come from: which reader takes a folder, a file or the embedded sample, and the errors if none does."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from eyespot.data.data_set import LISTS, PARQUET_SUFFIX, TABLE_SUFFIXES, DataSet, Picture, labelled
from eyespot.data.folders import read_every_picture, read_sifted
from eyespot.data.layouts import LAYOUT
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.data.sifting import Sifted, lone_folders, sift
from eyespot.data.zipped import SUFFIX as ZIP_SUFFIX
from eyespot.data.zipped import is_zip, require_class_folders, sift_zip
from eyespot.errors import DataError, NoPictures
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.records import SetAside

SHARD_SUFFIX = ".tar"
LISTS_BY_SUFFIX = TABLE_SUFFIXES | {PARQUET_SUFFIX, SHARD_SUFFIX}
"""Endings of files that are data sets themselves."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
IDX_ENDINGS = ("-ubyte", "-ubyte.gz")
MADE_READABLE = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), ": save the table as CSV"),
    **dict.fromkeys((".gz", ".tgz", ".7z", ".rar"), ": unpack it"),
    **dict.fromkeys((".json", ".xml", ".yaml"), ", but perhaps boxes, in no format that is read"),
}


def open_data_set(where: str | Path, how: ReadAs = AS_IT_IS) -> DataSet:
    """The labelled pictures of a folder or a file, or of the embedded sample `digits` where no folder has that name.

    where: a folder in one of the layouts named in `LAYOUT`, with a table of its pictures, or with IDX or Parquet files;
    a table, a Parquet file or a tar archive, or several, as `shards-{000..012}.tar`; or "digits". What it is shows in
    what is there.
    how: what a person says of it beside.
    Raises DataError and NoPictures in sentences that say what was expected.
    """
    path = from_home(where)
    if str(where) and path.is_dir():
        data_set = _open_folder(path, how)
        if str(where) != "digits":
            return data_set
        note = "the folder `digits` was read; the embedded sample of that name was not"
        return replace(data_set, notes=(note, *data_set.notes))
    if is_zip(path):
        sifted = sift_zip(path)
        require_class_folders(sifted)
        return labelled(read_sifted(sifted, layout=how.layout))
    if str(where) == "digits" and not path.exists():
        from eyespot.data.samples import digits

        return digits()
    if "{" in str(where) and (shards := _in_braces(path)):
        return labelled(_read_shards(shards, how))
    if not str(where) or not _is_list(path):
        raise _no_such_folder(where, path)
    return labelled(_read_list(path, how))


def open_pictures(where: str | Path, how: ReadAs = AS_IT_IS) -> DataSet:
    """The same, or the pictures of a folder or a file that gives no classes, without classes.

    Of a folder that is not a list, every picture of any depth, with or without a class.
    """
    path = from_home(where)
    if str(where) and path.is_dir() and not _with_metadata(path):
        sifted = sift(path)
        if sifted.pictures and not _packed(sifted, how):
            return read_every_picture(sifted, layout=how.layout)
    if is_zip(path):
        zipped = sift_zip(path)
        require_class_folders(zipped)
        return read_every_picture(zipped, layout=how.layout)
    try:
        return open_data_set(where, how)
    except NoPictures:
        if not path.is_dir() and not _is_list(path):
            raise
        pictures, set_aside = list_pictures([where], how)
        return DataSet(printable(str(where)), pictures, (), set_aside)


def list_pictures(
    paths: Iterable[str | Path], how: ReadAs = AS_IT_IS
) -> tuple[tuple[Picture, ...], tuple[SetAside, ...]]:
    """Pictures to predict, from files, folders (searched through) and what lists pictures, and what was set aside.

    A path with *, ? or [ that is no file stands for all that it fits, sorted. A picture's name is the path as given, or
    below the folder as given. Raises NoPictures where nothing is found.
    """
    how = replace(how, classes_count=False)
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    paths = [each for path in paths for each in _matching(path)]
    for given in paths:
        path, above = from_home(given), printable(str(given))
        if str(given) and path.is_dir():
            found, left = _list_folder(path, how)
        elif is_zip(path):
            zipped = sift_zip(path)
            found, left = zipped.pictures, zipped.set_aside
        elif "{" in str(given) and (shards := _in_braces(path)):
            above = os.path.dirname(above)
            listed = _read_shards(shards, how)
            found, left = listed.pictures, listed.set_aside
        elif str(given) and _is_list(path):
            above = os.path.dirname(above)
            listed = _read_list(path, how)
            found, left = listed.pictures, listed.set_aside
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


def _open_folder(folder: Path, how: ReadAs) -> DataSet:
    if inner := _with_metadata(folder):
        from eyespot.data import tables

        found = labelled(tables.read_metadata(inner, tables.metadata_files(inner), how))
        note = f"all pictures lie in {printable(inner.relative_to(folder).as_posix())}/, which is read"
        return found if inner == folder else replace(found, notes=(note, *found.notes))
    sifted = sift(folder)
    packed = _packed(sifted, how)
    return labelled(packed()) if packed else read_sifted(sifted, layout=how.layout)


def _with_metadata(folder: Path) -> Path | None:
    """The folder that has a table of its pictures: this one, or the only one in it."""
    from eyespot.data.tables import metadata_files  # here, because predicting a picture must not wait for it

    for inner in lone_folders(folder):
        if metadata_files(inner):
            return inner
    return None


def _list_folder(folder: Path, how: ReadAs) -> tuple[Sequence[Picture], Sequence[SetAside]]:
    """Every picture of a folder, in files or in what packs many; our own runs are named with what else is left out."""
    sifted = sift(folder)
    packed = None if sifted.pictures else _packed(sifted, how)
    if packed:
        listed = packed()
        return listed.pictures, listed.set_aside
    ours = [SetAside(picture=run, reason="was written by eyespot: it is passed over") for run in sifted.runs]
    return sifted.pictures, [*sifted.set_aside, *ours]


def _packed(sifted: Sifted, how: ReadAs) -> Callable[[], DataSet] | None:
    """What reads the IDX or Parquet files of a folder, of any depth; None where there are none, or class folders."""
    if len({each.name.split("/")[0] for each in sifted.pictures if "/" in each.name}) > 1:
        return None
    if any(path.endswith(IDX_ENDINGS) for path in sifted.others):
        from eyespot.data import idx

        folder = idx.idx_folder(sifted)
        if folder:
            return lambda: idx.read_idx(folder, sifted)
    shards = [Path(path) for path in sifted.others if path.lower().endswith(SHARD_SUFFIX)]
    if shards:
        return lambda: _read_shards(shards, how, root=sifted.root, name=sifted.name)
    if any(path.lower().endswith(PARQUET_SUFFIX) for path in sifted.others):
        from eyespot.data import parquet

        return lambda: parquet.read_folder(sifted, how)
    return None


def _read_list(path: Path, how: ReadAs) -> DataSet:
    """What a table or a Parquet file holds, with the classes unjudged."""
    from eyespot.data import parquet, tables  # here, because predicting a picture must not wait for them

    if path.suffix.lower() == SHARD_SUFFIX:
        return _read_shards([path], how)
    if path.suffix.lower() in TABLE_SUFFIXES:
        return tables.read_table(path, how)
    return parquet.read_parquet({path: None}, name=printable(path.stem), how=how)


def _in_braces(path: Path) -> list[Path]:
    from eyespot.data.shards import in_braces

    return in_braces(path)


def _read_shards(shards: list[Path], how: ReadAs, *, root: Path | None = None, name: str = "") -> DataSet:
    from eyespot.data.shards import read_shards

    root = root or (shards[0].parent if len(shards) > 1 else None)
    return read_shards(shards, how, name=name or printable(shards[0].stem), root=root)


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in LISTS_BY_SUFFIX and path.is_file()


def _is_data(path: Path) -> bool:
    return _is_list(path) or is_zip(path)


def _matching(given: str | Path) -> list[str | Path]:
    """What a pattern such as `new/*.jpg` fits, as a shell that does not know it hands it on; else the path itself."""
    path = from_home(given)
    if os.path.lexists(path) or not set("*?[") & set(str(given)):
        return [given]
    from glob import glob  # here, because predicting a picture must not wait for it

    found: list[str | Path] = [*sorted(glob(str(path), recursive=True))]
    if not found:
        raise NoPictures(f"nothing is called like {printable(str(given))!r} (looked in {printable(os.getcwd())})")
    return found


def _below(above: str, name: str) -> str:
    return f"{above.rstrip('/')}/{name}" if above else name


def _no_such_folder(where: str | Path, path: Path, *, what: str = "folder") -> DataError:
    given = printable(str(where))
    if _ADDRESS.match(str(where)):
        return DataError(f"{given} is an address, and eyespot fetches nothing: download it first, then give the file")
    if path.is_file() and what == "folder":
        what_to_do = MADE_READABLE.get(path.suffix.lower(), "")
        return DataError(f"{given} is a file that lists no pictures{what_to_do}; {LAYOUT}; {LISTS}")
    beside: list[str] = []
    with suppress(OSError):
        beside += [each.name for each in path.parent.iterdir() if what != "folder" or each.is_dir() or _is_data(each)]
    known = {name.casefold(): name for name in ([*beside, "digits"] if what == "folder" else beside)}
    close = [known[name] for name in difflib.get_close_matches(path.name.casefold(), known, n=1)]
    offers = [str(path.parent / name) if name in beside else name for name in close]
    hint = "".join(f"; did you mean '{printable(offer)}'?" for offer in offers)
    what = "file" if path.suffix.lower() in {*LISTS_BY_SUFFIX, ZIP_SUFFIX} else what
    return NoPictures(f"there is no {what} '{given}' (looked in {printable(str(path.absolute().parent))}){hint}")
