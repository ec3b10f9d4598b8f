"""Parquet files with the pictures inside, as Hugging Face writes them.

The column `image` holds `bytes`, an encoded picture, and perhaps `path`, its name. The column `label` holds a text, or
a number; the names of the numbers stand under the key `huggingface` in the file's metadata, as JSON
(https://huggingface.co/docs/datasets: the features Image and ClassLabel). The bytes are held in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from eyespot.data.data_set import LISTS, PARQUET_SUFFIX, PARTS, DataSet, Picture, class_of
from eyespot.data.folders import sift
from eyespot.errors import DataError, MissingExtra
from eyespot.names import printable
from eyespot.records import Part, SetAside

ROWS = 1000
"""Rows that are unpacked at a time."""


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder or, as Hugging Face publishes them, of its folder `data`."""
    for place in (folder, folder / "data"):
        try:
            named = [each for each in place.iterdir() if each.suffix.lower() == PARQUET_SUFFIX and each.name[0] != "."]
        except OSError:  # there is no such folder, or who reads it says so
            continue
        found = sorted(each for each in named if each.is_file())
        if found:
            return found
    return []


def read_folder(folder: Path) -> DataSet:
    """The pictures in a folder's Parquet files, and what else lies there as set aside."""
    files = parquet_files(folder)
    found = read_parquet(files, name=printable(folder.resolve().name or str(folder)), are_parts=True)
    pictures, left = sift(folder)
    names = {printable(file.relative_to(folder).as_posix()) for file in files}
    others = [each for each in left if each.picture not in names]
    beside = [
        SetAside(picture=each.name, reason="lies beside Parquet files, which are read instead") for each in pictures
    ]
    return replace(found, set_aside=(*found.set_aside, *others, *beside))


def read_parquet(files: Sequence[Path], *, name: str, are_parts: bool) -> DataSet:
    """The pictures of the files, in order.

    are_parts: the files' names say the part (`train-00000-of-00001.parquet`), unless none of them does.
    Raises DataError, and MissingExtra where pyarrow is not installed.
    """
    parts = {file: _part(file) if are_parts else None for file in files}
    unnamed = [file for file in files if any(parts.values()) and not parts[file]]
    pictures: list[Picture] = []
    set_aside = [
        SetAside(picture=printable(file.name), reason=f"has a name that begins with none of {', '.join(PARTS)}")
        for file in unnamed
    ]
    taken: set[str] = set()
    for file in files:
        for number, row in enumerate(_rows(file) if file not in unnamed else ()):
            where = f"{printable(file.name)}, row {number}"
            image = row["image"] or {}
            given = printable(str(image.get("path") or ""))
            apart = f"{given} ({where})" if given else where
            if image.get("bytes") is None:
                set_aside.append(SetAside(picture=apart, reason="holds no picture"))
                continue
            known_as = apart if given in taken else given or apart
            taken.add(given)
            pictures.append(Picture(known_as, label=row["label"], part=parts[file], data=image["bytes"]))
    return DataSet(name, tuple(pictures), classes=(), set_aside=tuple(set_aside))


def _part(file: Path) -> Part | None:
    beginning = re.match("[a-z]*", file.name.lower())
    return PARTS.get(beginning[0]) if beginning else None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Each row's `image`, a dict with `bytes` and `path`, and `label`, the class's name or None."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError:
        raise MissingExtra(f"the Parquet file {printable(str(path))}", extra="parquet") from None
    with _told(path, ArrowException), ParquetFile(path) as file:
        columns = _columns(file.schema_arrow, path)
        names = _class_names(file.schema_arrow.metadata or {})
        for batch in file.iter_batches(batch_size=ROWS, columns=columns):
            for row in batch.to_pylist():
                label = row.get("label")
                if names and isinstance(label, int):
                    label = names[label] if 0 <= label < len(names) else None  # -1 says that there is none
                yield {"image": row["image"], "label": class_of(label)}


def _columns(schema: Any, path: Path) -> list[str]:
    """The columns to read, of those that are there. Raises DataError where none holds pictures."""
    from pyarrow import types

    kinds = {field.name: field.type for field in schema}
    image = kinds.get("image")
    inside = {field.name: field.type for field in image} if image and types.is_struct(image) else {}
    if "bytes" not in inside or not (types.is_binary(inside["bytes"]) or types.is_large_binary(inside["bytes"])):
        shown = ", ".join(f"{printable(name)} ({kind})" for name, kind in list(kinds.items())[:8]) or "none"
        raise DataError(
            f"the columns of {printable(str(path))} are {shown}, and an image of bytes and path was expected; {LISTS}"
        )
    return [name for name in ("image", "label") if name in kinds]


def _class_names(metadata: dict[bytes, bytes]) -> list[str]:
    """The names of the labels 0, 1, 2 ..., empty where the file has none."""
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


@contextmanager
def _told(path: Path, arrow_error: type[Exception]) -> Iterator[None]:
    """Turns what pyarrow raises into a sentence."""
    try:
        yield
    except (arrow_error, OSError, MemoryError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{printable(str(path))} cannot be read as Parquet: {printable(first)}") from error
