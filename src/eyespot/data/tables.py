"""Tables that name pictures and their classes: a CSV, or a file with a JSON object on each line.

A row names a picture by its path below the table's own folder, its class and perhaps its part; `columns` knows the
columns' usual names. `metadata.jsonl` and `metadata.csv` are what Hugging Face's `imagefolder` calls the table of the
folder that they lie in.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PureWindowsPath
from typing import TextIO

from eyespot.data.columns import IMAGE, LABEL, SPLIT, choose, shown
from eyespot.data.data_set import LISTS, PARTS, DataSet, Picture, class_of
from eyespot.data.folders import sift
from eyespot.data.limits import LONGEST_LINE, MOST_COLUMNS, MOST_UNUSED
from eyespot.data.part_names import part_of
from eyespot.data.pictures import PICTURE_SUFFIXES
from eyespot.data.read_as import ReadAs
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.records import Part, SetAside
from eyespot.words import counted, some

METADATA = ("metadata.jsonl", "metadata.csv")
MOST_PLACES = 100
"""Folders beside a table in which its pictures are looked for."""
LONGEST_NUMBER = 300
"""Digits of a whole number: of longer ones each costs long, and none is a class."""
IN_VAIN = 1000
"""Rows in a row whose pictures were looked for there, and not found, before that is given up."""


_JSON = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < LONGEST_NUMBER else digits)


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


@dataclass(frozen=True)
class _Columns:
    """Where a row has its picture, class and part."""

    image: int
    label: int | None
    split: int | None

    @classmethod
    def of(cls, names: Sequence[str], how: ReadAs, where: str) -> _Columns | None:
        """None where no column names pictures. Raises DataError where it is unclear which one does."""
        image = choose(IMAGE, names, wanted=how.image_column, where=where)
        if image is None:
            return None
        label = choose(LABEL, names, wanted=how.label_column, where=where)
        split = choose(SPLIT, names, wanted=how.split_column, where=where)
        return cls(image, label, split)


@dataclass(frozen=True)
class _Row:
    """What a row of a table says, or why it says nothing."""

    line: int
    image: object = None
    label: object = None
    split: object = None
    reason: str = ""

    @property
    def path(self) -> str:
        """The path that it gives; empty where it gives none."""
        return self.image.strip() if isinstance(self.image, str) else ""


@dataclass
class _Table:
    """A table while it is read."""

    path: Path
    how: ReadAs
    names: tuple[str, ...] = ()
    columns: _Columns | None = None

    @property
    def where(self) -> str:
        return printable(str(self.path))

    def begin(self, names: Sequence[str]) -> bool:
        """True once the columns are known."""
        if len(names) > MOST_COLUMNS:
            raise DataError(f"{self.where} has {len(names)} columns, and at most {MOST_COLUMNS} are read")
        self.names = tuple(names)
        self.columns = _Columns.of(names, self.how, self.where)
        return self.columns is not None

    def knows(self, names: Iterable[str]) -> bool:
        """True once the columns are known, of which there may be more on each line."""
        more = [name for name in names if name not in self.names]
        return self.begin((*self.names, *more)) if more or self.columns is None else True

    def row(self, line: int, values: Sequence[object]) -> _Row:
        columns = self.columns
        assert columns is not None
        label, split = (None if at is None else values[at] for at in (columns.label, columns.split))
        return _Row(line, values[columns.image], label, split)

    @property
    def split_is_said(self) -> bool:
        """False for a column that is only called as if it held the parts."""
        name = "" if self.columns is None or self.columns.split is None else self.names[self.columns.split]
        return bool(self.how.split_column) or name.strip().casefold() == "split"

    @property
    def unlabelled(self) -> str:
        if self.columns is None or self.columns.label is not None:
            return ""
        return f"its columns are {shown(self.names)}: --label-column names that of the classes"


def _read(path: Path, *, below: Path, how: ReadAs) -> DataSet:
    """The table's pictures with names below the folder `below`; the table's own folder may be one of its parts."""
    folder = path.parent
    above = "" if folder == below else printable(folder.name)
    name_of_table = posixpath.join(above, printable(path.name))
    table, files = _Table(path, how), _Files(path)
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    taken: set[str] = set()
    no_parts = 0
    with _told(path):
        for row in _json_rows(table) if path.suffix.lower() == ".jsonl" else _csv_rows(table):
            where = f"{name_of_table}, line {row.line}"
            picture = row.reason or _picture(row, files)
            part, said = (part_of(above), "") if above else _part(row.split)
            no_parts += bool(said)
            if not isinstance(picture, str) and said and table.split_is_said:
                picture = said
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
    if no_parts and not table.split_is_said:
        pictures = [replace(picture, part=None) for picture in pictures]
    return DataSet(
        printable(path.stem),
        tuple(pictures),
        classes=(),
        set_aside=tuple(set_aside),
        notes=files.notes,
        unlabelled=table.unlabelled,
    )


class _Lines:
    """The lines of a text. Raises DataError where they, or those of one row, are longer than is read."""

    def __init__(self, file: TextIO, where: str) -> None:
        self._file, self._where = file, where
        self.left = LONGEST_LINE

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(self.left)
        self.left -= len(line)
        if self.left <= 0:
            raise DataError(f"{self._where} has a line of more than {LONGEST_LINE} letters: it is no table of pictures")
        if not line:
            raise StopIteration
        return line

    def next_row(self) -> None:
        self.left = LONGEST_LINE


def _csv_rows(table: _Table) -> Iterator[_Row]:
    with table.path.open(encoding=_encoding(table.path), newline="") as file:
        lines = _Lines(file, table.where)
        first, skipped = next(lines, ""), 0
        if told := re.fullmatch(r"sep=(.)\s*", first):  # as Excel says it
            first, skipped = next(lines, ""), 1
        outside_quotes = re.sub('"[^"]*"', "", first)
        delimiter = told[1] if told else max(",;\t|", key=outside_quotes.count)
        rows = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
        header = _without_empty_end([name.strip() for name in next(rows, [])], 0)
        if not table.begin(header):
            raise DataError(
                f"the columns of {table.where} are {shown(header)}, and none is known to name the pictures: write the "
                f"columns' names into the first line, or say which it is with --image-column; {LISTS}"
            )
        lines.next_row()
        for row in rows:
            lines.next_row()
            row = _without_empty_end(row, len(header))
            if len(row) == len(header):
                yield table.row(rows.line_num + skipped, row)
            elif row:
                reason = f"has {len(row)} fields, and the first line has {len(header)}"
                yield _Row(rows.line_num + skipped, reason=reason)


def _without_empty_end(row: list[str], width: int) -> list[str]:
    """The row without the empty fields that trailing commas make, and none where all are empty."""
    filled = max((at for at, field in enumerate(row, start=1) if field.strip()), default=0)
    return row[: max(filled, width)] if filled else []


def _json_rows(table: _Table) -> Iterator[_Row]:
    with table.path.open(encoding=_encoding(table.path)) as file:
        lines = _Lines(file, table.where)
        for number, line in enumerate(lines, start=1):
            lines.next_row()
            try:
                fields = _JSON.decode(line) if line.strip() else None
            except (ValueError, RecursionError):
                yield _Row(number, reason="is not JSON")
                continue
            if isinstance(fields, dict) and table.knows(fields):
                yield table.row(number, [fields.get(name) for name in table.names])
            elif isinstance(fields, dict):
                yield _Row(number)
            elif line.strip():
                yield _Row(number, reason='is not a JSON object such as {"file_name": "1.jpg", "label": "cat"}')


def _encoding(path: Path) -> str:
    """UTF-8, or UTF-16, which Excel calls Unicode text."""
    with path.open("rb") as file:
        begins = file.read(4)
    if begins.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = "".join("0" if byte == 0 else "x" for byte in begins)
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be"}.get(zeros, "utf-8-sig")


class _Files:
    """The files that a table may name: by their path below its folder, or without the ending, or the folder."""

    def __init__(self, table: Path) -> None:
        self.folder = table.parent
        self._like_the_table = f"{table.stem}/"
        self._held: dict[str, dict[str, list[str]]] = {}
        self._beside: list[str] | None = None
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
        found = self._in("", name) or [file for place in self._places() for file in self._in(place, name)]
        liked = [file for file in found if file.startswith(self._like_the_table)]  # as Kaggle's train.csv and train/
        found = liked if len(liked) == 1 else found
        self._in_vain = 0 if found else self._in_vain + 1
        if len(found) == 1:
            self._completed.append(f"{printable(name)} is {printable(found[0])}")
        return found

    def _in(self, place: str, name: str) -> list[str]:
        above, base = posixpath.split(posixpath.join(place, name))
        if above not in self._held:
            self._held[above] = _by_stem(self.folder / above)
        return [posixpath.join(above, file) for file in self._held[above].get(base, ())]

    def _places(self) -> list[str]:
        if self._beside is None:
            with os.scandir(self.folder) as entries:
                names = sorted(each.name for each in entries if each.is_dir() and not each.name.startswith("."))
            self._beside = names if len(names) <= MOST_PLACES else []
        return self._beside


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


def _picture(row: _Row, files: _Files) -> Picture | str:
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


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what reading raises into a sentence."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(
            f"{printable(str(path))} is not {error.encoding.upper()} text (byte {error.object[error.start]:#04x}): "
            "save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise DataError(
            f"{printable(str(path))} is not a CSV ({error}): is there a quote that does not end?"
        ) from error
    except UnicodeError as error:
        raise DataError(f"{printable(str(path))} is not a text ({error}): save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{printable(str(path))} cannot be read: {error.strerror or error}") from error
