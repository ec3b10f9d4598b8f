"""Tables that name pictures and their classes: a CSV, or a file with a JSON object on each line.

A row names a picture by its path below the table's own folder, its class and perhaps its part; `columns` knows the
columns' usual names. Where the path leaves out the ending, or the folder, the one file that fits is meant.
`metadata.jsonl` and `metadata.csv` are what Hugging Face's `imagefolder` calls the table of the folder it lies in.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PureWindowsPath

from eyespot.data.columns import IMAGE
from eyespot.data.data_set import PARTS, DataSet, Picture, as_one, class_of
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.label_cells import as_text
from eyespot.data.list_limits import MOST_UNUSED
from eyespot.data.part_names import part_of
from eyespot.data.read_as import ReadAs
from eyespot.data.sifting import folders_in, sift
from eyespot.data.table_rows import Row, Table
from eyespot.errors import DataError
from eyespot.names import brief, printable
from eyespot.records import Part, SetAside
from eyespot.words import counted, some

METADATA = ("metadata.jsonl", "metadata.csv")
MOST_PATH = 1000
"""Letters of a picture that is not there, as it is named with what was set aside."""
MOST_PLACES = 100
"""Folders beside a table in which its pictures are looked for."""
IN_VAIN = 1000
"""Rows in a row whose pictures were looked for there, and not found, before that is given up."""


def metadata_files(folder: Path) -> list[Path]:
    """The table of a folder, or those of its folders train, val and test; none where it has no table."""
    parts = [each for each in folders_in(folder) if part_of(each.name)]
    own, *below = [[each / name for name in METADATA if (each / name).is_file()][:1] for each in (folder, *parts)]
    return own or [path for found in below for path in found]


def read_metadata(folder: Path, tables: Sequence[Path], how: ReadAs) -> DataSet:
    """The pictures of a folder that its tables name; others that lie there are set aside."""
    opened = [Table(table, how) for table in tables]
    read = [read_rows(table, in_part=table.path.parent != folder) for table in opened]
    pictures = [picture for each in read for picture in each.pictures]
    listed = {os.path.normpath(str(picture.path)) for picture in pictures}
    listed |= {os.path.normpath(table.path.parent / path) for table in opened for path in table.unused}
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
        set_aside=(
            *(each for found in read for each in found.set_aside),
            *unnamed,
            *(each for each in sifted.set_aside if each.picture not in names),
        ),
        notes=(*sifted.notes, *(note for each in read for note in each.notes)),
        unlabelled=read[0].unlabelled,
    )


def read_table(path: Path, how: ReadAs, *, in_part: bool = False) -> DataSet:
    """The pictures that a CSV or a file with a JSON object on each line names, in its order.

    Rows that name no picture are set aside with their line. Raises DataError where the table cannot be read.
    in_part: the table's folder is a part of the data set, and begins the pictures' names.
    """
    return read_rows(Table(path, how), in_part=in_part)


def read_rows(table: Table, *, in_part: bool = False) -> DataSet:
    """The same of a table that was opened, of any kind."""
    path, files = table.path, _Files(table.path)
    above = printable(path.parent.name) if in_part else ""
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
            given = brief(row.path, most=MOST_PATH)
            table.unused.append(row.path.replace("\\", "/"))
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
    listed = DataSet(printable(path.stem), tuple(pictures), set_aside=tuple(set_aside))
    return replace(listed, notes=(*files.notes, *table.notes), unlabelled=table.unlabelled)


def _picture(row: Row, files: _Files) -> Picture | str:
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
    labels = row.label if isinstance(row.label, tuple) else None
    label = class_of(row.label) if labels is None else as_one(labels)
    return Picture(printable(found[0]), label=label, path=files.folder / found[0], labels=labels)


def _part(split: object) -> tuple[Part | None, str]:
    """The part, or why there is none though something is said."""
    if split is None or (isinstance(split, str) and not split.strip()):
        return None, ""
    part = part_of(split) if isinstance(split, str) else None
    return part, "" if part else f"has the split {brief(as_text(split))!r}, which is none of {', '.join(PARTS)}"


class _Files:
    """The files that a table may name: by their path below its folder, or without the ending, or the folder."""

    def __init__(self, table: Path) -> None:
        self.folder = table.parent
        self._like_the_table = f"{table.stem}/"
        self._held: dict[str, dict[str, list[str]]] = {}
        self._in_vain = 0
        self._completed: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        if not self._completed:
            return ()
        count = counted(len(self._completed), "picture")
        return (f"the table leaves out the folder or the ending of {count}: {some(self._completed, most=1)}",)

    def find(self, name: str) -> list[str]:
        """Names of the files that may be meant: one where it is clear."""
        if os.path.isfile(self.folder / name):
            return [name]
        if os.path.lexists(self.folder / name) or self._in_vain > IN_VAIN:
            return []
        found = self._in("", name) or [file for place in self._places for file in self._in(place, name)]
        liked = [file for file in found if file.startswith(self._like_the_table)]  # as Kaggle's train.csv and train/
        found = liked if len(liked) == 1 else found
        self._in_vain = 0 if found else self._in_vain + 1
        if len(found) == 1:
            self._completed.append(f"{brief(name)} is {brief(found[0])}")
        return found

    def _in(self, place: str, name: str) -> list[str]:
        above, base = posixpath.split(posixpath.join(place, name))
        if above not in self._held:
            self._held[above] = _by_stem(self.folder / above)
        return [posixpath.join(above, file) for file in self._held[above].get(base, ())]

    @cached_property
    def _places(self) -> list[str]:
        names = [each.name for each in folders_in(self.folder)]
        return names if len(names) <= MOST_PLACES else []


def _by_stem(folder: Path) -> dict[str, list[str]]:
    """The pictures in a folder by their names, and by their names without the ending."""
    held: dict[str, list[str]] = defaultdict(list)
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return held
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in PICTURE_SUFFIXES:
            held[name].append(name)
            held[stem].append(name)
    return held
