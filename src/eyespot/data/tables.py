"""Tables that name pictures and their classes: a CSV, or a file with a JSON object on each line.

A row names a picture by its path below the table's own folder, in `image_path` or `file_name`, its class in `label`
and, where there is a `split`, its part. `metadata.jsonl` and `metadata.csv` are what Hugging Face's `imagefolder` calls
the table of the folder that they lie in.
"""

from __future__ import annotations

import csv
import json
import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

from eyespot.data.data_set import LISTS, PARTS, DataSet, Picture, class_of
from eyespot.data.folders import sift
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.records import Part, SetAside

PATHS = ("image_path", "file_name")
"""Names of the column that holds the picture's path."""
METADATA = ("metadata.jsonl", "metadata.csv")


def metadata_files(folder: Path) -> list[Path]:
    """The table of a folder, or those of its folders train, val and test; none where it has no table."""
    try:
        parts = sorted(each for each in folder.iterdir() if each.name.lower() in PARTS and each.is_dir())
    except OSError:  # who reads the folder says so
        return []
    own, *below = [[each / name for name in METADATA if (each / name).is_file()][:1] for each in (folder, *parts)]
    return own or [path for found in below for path in found]


def read_metadata(folder: Path, tables: Sequence[Path]) -> DataSet:
    """The pictures of a folder that its tables name; others that lie there are set aside."""
    read = [_read(table, below=folder) for table in tables]
    pictures = [picture for each in read for picture in each.pictures]
    listed = {os.path.normpath(str(picture.path)) for picture in pictures}
    files, left = sift(folder)
    names = {table.relative_to(folder).as_posix() for table in tables}
    unnamed = [
        SetAside(picture=file.name, reason=f"stands in no line of {' or '.join(sorted(names))}")
        for file in files
        if os.path.normpath(str(file.path)) not in listed
    ]
    return DataSet(
        name=printable(folder.resolve().name or str(folder)),
        pictures=tuple(pictures),
        classes=(),
        set_aside=(
            *(each for found in read for each in found.set_aside),
            *unnamed,
            *(each for each in left if each.picture not in names),
        ),
    )


def read_table(path: Path) -> DataSet:
    """The pictures that a CSV or a file with a JSON object on each line names, in its order.

    Rows that name no picture are set aside with their line. Raises DataError where the table cannot be read.
    """
    return _read(path, below=path.parent)


@dataclass(frozen=True)
class _Row:
    """A row of a table: its fields by name, or why it has none."""

    line: int
    fields: dict[str, object]
    reason: str = ""


def _read(path: Path, *, below: Path) -> DataSet:
    """The table's pictures with names below the folder `below`; the table's own folder may be one of its parts."""
    folder = path.parent
    above = "" if folder == below else printable(folder.name)
    table = posixpath.join(above, printable(path.name))
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    taken: set[str] = set()
    with _told(path):
        for row in _csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path):
            where = f"{table}, line {row.line}"
            picture = row.reason or _picture(row.fields, folder)
            if isinstance(picture, str):
                given = _path_in(row.fields)
                set_aside.append(SetAside(picture=f"{printable(given)} ({where})" if given else where, reason=picture))
                continue
            name = posixpath.join(above, picture.name)
            part = PARTS[above.lower()] if above else picture.part
            # a picture that stands there twice has two names: it is a copy, or a contradiction, like two files
            pictures.append(replace(picture, name=f"{name} ({where})" if name in taken else name, part=part))
            taken.add(name)
    return DataSet(printable(path.stem), tuple(pictures), classes=(), set_aside=tuple(set_aside))


def _csv_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        header = [name.strip().lower() for name in next(rows, [])]
        if sum(name in PATHS for name in header) != 1 or any(header.count(name) > 1 for name in ("label", "split")):
            shown = ", ".join(repr(printable(name)) for name in header[:8]) or "none"
            raise DataError(f"the columns of {printable(str(path))} are {shown}, separated by commas; {LISTS}")
        for row in rows:
            if len(row) == len(header):
                yield _Row(rows.line_num, dict(zip(header, row, strict=True)))
            elif row:
                yield _Row(rows.line_num, {}, f"has {len(row)} fields, and the first line has {len(header)}")


def _json_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            try:
                fields = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                yield _Row(number, {}, "is not JSON")
                continue
            if isinstance(fields, dict):
                yield _Row(number, fields)
            elif line.strip():
                yield _Row(number, {}, 'is not a JSON object such as {"file_name": "1.jpg", "label": "cat"}')


def _path_in(fields: dict[str, object]) -> str:
    """The path that a row gives; empty where it gives none."""
    given = next((fields[name] for name in PATHS if name in fields), None)
    return given.strip() if isinstance(given, str) else ""


def _picture(fields: dict[str, object], folder: Path) -> Picture | str:
    """The picture that a row names, or why it names none."""
    given = _path_in(fields).replace("\\", "/")
    name = posixpath.normpath(given)
    if not given:
        return f"names no picture in {' or '.join(PATHS)}"
    if given.startswith("/") or PureWindowsPath(given).drive:
        return "is an absolute path: write it as seen from the folder that the table lies in"
    if name.split("/")[0] == "..":
        return "lies outside the folder that the table lies in: move the table above its pictures"
    path = folder / name
    if not os.path.isfile(path):
        return "is not an ordinary file" if os.path.lexists(path) else "does not exist"
    split = fields.get("split")
    part = _part(split)
    if split not in (None, "") and part is None:
        return f"has the split {printable(str(split))[:40]!r}, which is none of {', '.join(PARTS)}"
    return Picture(printable(name), label=class_of(fields.get("label")), part=part, path=path)


def _part(split: object) -> Part | None:
    return PARTS.get(split.strip().lower()) if isinstance(split, str) else None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what reading raises into a sentence."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(
            f"{printable(str(path))} is not UTF-8 text (byte {error.object[error.start]:#04x}): save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise DataError(
            f"{printable(str(path))} is not a CSV ({error}): is there a quote that does not end?"
        ) from error
    except OSError as error:
        raise DataError(f"{printable(str(path))} cannot be read: {error.strerror or error}") from error
