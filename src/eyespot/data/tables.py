"""Tables that name pictures and their classes: a CSV, or a file with a JSON object on each line.

A row names a picture by its path below the table's own folder, its class and perhaps its part; `columns` knows the
columns' usual names. `metadata.jsonl` and `metadata.csv` are what Hugging Face's `imagefolder` calls the table of the
folder that they lie in.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath

from eyespot.data.columns import IMAGE
from eyespot.data.data_set import PARTS, DataSet, Picture, class_of
from eyespot.data.list_limits import MOST_UNUSED
from eyespot.data.part_names import part_of
from eyespot.data.read_as import ReadAs
from eyespot.data.sifting import sift
from eyespot.data.table_files import TableFiles
from eyespot.data.table_rows import Row, Table
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.records import Part, SetAside

METADATA = ("metadata.jsonl", "metadata.csv")


def metadata_files(folder: Path) -> list[Path]:
    """The table of a folder, or those of its folders train, val and test; none where it has no table."""
    try:
        parts = sorted(each for each in folder.iterdir() if part_of(each.name) and each.is_dir())
    except OSError:  # who reads the folder says so
        return []
    own, *below = [[each / name for name in METADATA if (each / name).is_file()][:1] for each in (folder, *parts)]
    return own or [path for found in below for path in found]


def read_metadata(folder: Path, tables: Sequence[Path], how: ReadAs) -> DataSet:
    """The pictures of a folder that its tables name; others that lie there are set aside."""
    read = [_read(table, below=folder, how=how) for table in tables]
    pictures = [picture for each in read for picture in each.pictures]
    listed = {os.path.normpath(str(picture.path)) for picture in pictures}
    sifted = sift(folder)
    names = {table.relative_to(folder).as_posix() for table in tables}
    unnamed = [
        SetAside(picture=file.name, reason=f"stands in no line of {' or '.join(sorted(names))}")
        for file in sifted.pictures
        if os.path.normpath(str(file.path)) not in listed
    ]
    return DataSet(
        name=sifted.name,
        pictures=tuple(pictures),
        classes=(),
        set_aside=(
            *(each for found in read for each in found.set_aside),
            *unnamed,
            *(each for each in sifted.set_aside if each.picture not in names),
        ),
        notes=(*sifted.notes, *(note for each in read for note in each.notes)),
        unlabelled=read[0].unlabelled,
    )


def read_table(path: Path, how: ReadAs) -> DataSet:
    """The pictures that a CSV or a file with a JSON object on each line names, in its order.

    Rows that name no picture are set aside with their line. Raises DataError where the table cannot be read.
    """
    return _read(path, below=path.parent, how=how)


def _read(path: Path, *, below: Path, how: ReadAs) -> DataSet:
    """The table's pictures with names below the folder `below`; the table's own folder may be one of its parts."""
    above = "" if path.parent == below else printable(path.parent.name)
    table, files = Table(path, how), TableFiles(path)
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    taken: set[str] = set()
    are_parts = True
    for row in table.rows():
        where = f"{posixpath.join(above, printable(path.name))}, line {row.line}"
        picture = row.reason or _picture(row, files)
        part, unknown = (part_of(above), "") if above else _part(row.split)
        are_parts = are_parts and not unknown
        if table.split_is_said and not isinstance(picture, str):
            picture = unknown or picture
        if isinstance(picture, str):
            given = printable(row.path)
            set_aside.append(SetAside(picture=f"{given} ({where})" if given else where, reason=picture))
        else:
            name = posixpath.join(above, picture.name)
            # a picture that stands there twice has two names: it is a copy, or a contradiction, like two files
            pictures.append(replace(picture, name=f"{name} ({where})" if name in taken else name, part=part))
            taken.add(name)
        if len(set_aside) + len(pictures) - len(taken) > MOST_UNUSED:
            raise DataError(
                f"more than {MOST_UNUSED} lines of {table.where} name no picture that is there, or one that stood "
                f"before: is it the right table? The last one is line {row.line}"
            )
    if not are_parts and not table.split_is_said:
        pictures = [replace(picture, part=None) for picture in pictures]
    return DataSet(
        printable(path.stem),
        tuple(pictures),
        classes=(),
        set_aside=tuple(set_aside),
        notes=files.notes,
        unlabelled=table.unlabelled,
    )


def _picture(row: Row, files: TableFiles) -> Picture | str:
    """The picture that a row names, or why it names none."""
    given = row.path.replace("\\", "/")
    name = posixpath.normpath(given)
    if not given:
        return f"names no picture in {IMAGE.usual}"
    if given.startswith("/") or PureWindowsPath(given).drive:
        return "is an absolute path: write it as seen from the folder that the table lies in"
    if name.split("/")[0] == "..":
        return "lies outside the folder that the table lies in: move the table above its pictures"
    found = files.find(name)
    if len(found) > 1:
        return f"may be {printable(found[0])} or {printable(found[1])}: write which"
    if not found:
        return "is not an ordinary file" if os.path.lexists(files.folder / name) else "does not exist"
    return Picture(printable(found[0]), label=class_of(row.label), path=files.folder / found[0])


def _part(split: object) -> tuple[Part | None, str]:
    """The part, or why there is none though something is said."""
    if split is None or (isinstance(split, str) and not split.strip()):
        return None, ""
    part = part_of(split) if isinstance(split, str) else None
    return part, "" if part else f"has the split {printable(str(split))[:40]!r}, which is none of {', '.join(PARTS)}"
