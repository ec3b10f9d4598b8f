"""Parquet files with the pictures inside, as Hugging Face writes them.

A column, usually `image`, holds `bytes`, an encoded picture, and perhaps `path`, its name, or only the bytes. Another,
usually `label`, holds a text or a number; the names of the numbers stand under the key `huggingface` in the file's
metadata, as JSON (https://huggingface.co/docs/datasets: the features Image and ClassLabel). The bytes are held in
memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eyespot.data.columns import IMAGE, LABEL, choose
from eyespot.data.data_set import LISTS, PARQUET_SUFFIX, PARTS, DataSet, Picture, as_one, class_of
from eyespot.data.label_cells import LabelCells
from eyespot.data.list_limits import require_unfolds
from eyespot.data.parquet_claims import Claims, claims, read_footer
from eyespot.data.parquet_rows import rows_of
from eyespot.data.part_names import part_of
from eyespot.data.read_as import ReadAs
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError, MissingExtra
from eyespot.names import brief, printable
from eyespot.records import Part, SetAside
from eyespot.words import some


def read_folder(sifted: Sifted, how: ReadAs) -> DataSet:
    """The pictures in a folder's Parquet files, of any depth, and what else lies there as set aside.

    Raises DataError where the files lie in several folders that are no parts.
    """
    files = {Path(path): sifted.below(path) for path in sifted.others if path.lower().endswith(PARQUET_SUFFIX)}
    holders = {"/".join(each for each in name.split("/")[:-1] if not part_of(each)) for name in files.values()}
    if len(holders) > 1:
        where = some(sorted(each or "." for each in holders))
        raise DataError(f"{printable(str(sifted.root))} holds Parquet files in {where}: name one of these folders")
    found = read_parquet({path: _part(name) for path, name in files.items()}, name=sifted.name, how=how)
    others = [each for each in sifted.set_aside if each.picture not in files.values()]
    beside = [
        SetAside(picture=each.name, reason="lies beside Parquet files, which are read instead")
        for each in sifted.pictures
    ]
    return replace(found, set_aside=(*found.set_aside, *others, *beside), notes=(*sifted.notes, *found.notes))


def read_parquet(files: Mapping[Path, Part | None], *, name: str, how: ReadAs) -> DataSet:
    """The pictures of the files, in order. Where any file has a part, those without are set aside.

    Raises DataError, and MissingExtra where pyarrow is not installed.
    """
    unnamed = [file for file, part in files.items() if any(files.values()) and not part]
    opened = [_open(file, how) for file in files if file not in unnamed]
    on_disk = sum(each.path.stat().st_size for each in opened)
    require_unfolds(name, sum(each.claims.unfolded for each in opened), on_disk=on_disk)
    pictures: list[Picture] = []
    set_aside = [
        SetAside(picture=printable(file.name), reason=f"has a name that begins with none of {', '.join(PARTS)}")
        for file in unnamed
    ]
    taken: set[str] = set()
    held = 0
    for file in opened:
        for number, (row, unsaid) in enumerate(_rows(file)):
            where = f"{printable(file.path.name)}, row {number}"
            given = printable(row.name)
            apart = f"{given} ({where})" if given else where
            reason = "holds no picture" if row.data is None else unsaid
            if row.data is None or reason:
                set_aside.append(SetAside(picture=apart, reason=reason))
                continue
            held += len(row.data) + len(row.name) + len(row.label or "")
            require_unfolds(name, held, on_disk=on_disk)
            known_as = apart if given in taken else given or apart
            taken.add(given)
            pictures.append(replace(row, name=known_as, part=files[file.path]))
    unlabelled = next((each.unlabelled for each in opened if each.label is None), "")
    return DataSet(name, tuple(pictures), set_aside=tuple(set_aside), unlabelled=unlabelled)


def _part(name: str) -> Part | None:
    """The part that a file's name begins with, or that a folder above it has as its name."""
    *folders, file = name.split("/")
    beginning = re.match(r"[^\W\d_]*", file)
    words = [beginning[0] if beginning else "", *reversed(folders)]
    return next((part for word in words if (part := part_of(word))), None)


@dataclass(frozen=True)
class _File:
    """A Parquet file whose beginning was read."""

    path: Path
    image: str
    is_struct: bool
    """True where the column holds `bytes` and `path`, not only bytes."""
    label: str | None
    class_names: list[str]
    columns: list[str]
    """What is read of it."""
    labels: LabelCells | None
    """How a row says several labels, where it does."""
    unlabelled: str
    claims: Claims


def _open(path: Path, how: ReadAs) -> _File:
    with told_of(path) as parquet_file:
        footer = read_footer(path)
        with parquet_file(path) as file:
            schema = file.schema_arrow
            image, is_struct = _image_column(schema, path, how)
            label = _label_column(schema, path, how, image) if how.classes_count and not how.labels else None
            held = [f"{image}.bytes", f"{image}.path"] if is_struct else [image]
            columns = [*held, *([label] if label else []), *(how.labels.columns if how.labels else ())]
            return _File(
                path,
                image,
                is_struct,
                label,
                class_names(schema.metadata or {}, how.labels.column if how.labels else label),
                columns,
                how.labels,
                f"the columns of {printable(str(path))} are {_shown(schema)}: --label-column names that of the classes",
                claims(path, footer, columns),
            )


def _rows(opened: _File) -> Iterator[tuple[Picture, str]]:
    """The picture in each row, called by its path, if it has one, without data where the row holds none; and why the
    row says nothing of its labels, if it does not."""
    most = opened.claims.rows_at_a_time
    with told_of(opened.path) as parquet_file:
        for row in rows_of(parquet_file, opened.path, opened.columns, image=opened.image, at_a_time=most):
            image = row[opened.image]
            data, name = (image, None) if not opened.is_struct else ((image or {}).get(k) for k in ("bytes", "path"))
            named = Picture(str(name or ""), data=data)
            yield (
                _with_labels(named, row, opened)
                if opened.labels
                else (replace(named, label=_class(row.get(opened.label or ""), opened.class_names)), "")
            )


def _with_labels(picture: Picture, row: Mapping[str, Any], opened: _File) -> tuple[Picture, str]:
    """The picture with the labels that its row says, or why it says none."""
    assert opened.labels is not None
    said = {name: row.get(name) for name in opened.labels.columns}
    numbers = said.get(opened.labels.column)
    if opened.class_names and isinstance(numbers, list):
        said[opened.labels.column] = [_class(number, opened.class_names) for number in numbers]
    labels = opened.labels.of([*said], [*said.values()])
    if isinstance(labels, str):
        return picture, labels
    return replace(picture, labels=labels, label=as_one(labels)), ""


def _class(value: object, names: list[str]) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None  # -1 says that there is none
    return class_of(value)


def _image_column(schema: Any, path: Path, how: ReadAs) -> tuple[str, bool]:
    """The column that holds pictures, and whether with their names. Raises DataError where none does."""
    from pyarrow import types

    def is_bytes(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    kinds = {field.name: field.type for field in schema}
    structs = {
        name
        for name, kind in kinds.items()
        if types.is_struct(kind) and any(field.name == "bytes" and is_bytes(field.type) for field in kind)
    }
    names = [name for name, kind in kinds.items() if name in structs or is_bytes(kind)]
    where = printable(str(path))
    wanted = how.image_column
    found = choose(IMAGE, names, wanted=wanted, where=where) if not wanted or wanted in names else None
    if found is None and len(names) == 1 and not wanted:
        found = 0
    if found is None:
        option = "" if not names else f" (--image-column names one of {some([*map(brief, names)])})"
        raise DataError(
            f"the columns of {where} are {_shown(schema)}, and an image of bytes and path was expected{option}; {LISTS}"
        )
    return names[found], names[found] in structs


def _label_column(schema: Any, path: Path, how: ReadAs, image: str) -> str | None:
    """The column of the classes, if there is one. Raises DataError where it is unclear, or not there."""
    from pyarrow import types

    names = [field.name for field in schema if field.name != image and not types.is_nested(field.type)]
    found = choose(LABEL, names, wanted=how.label_column, where=printable(str(path)))
    return None if found is None else names[found]


def _shown(schema: Any) -> str:
    return ", ".join(f"{brief(field.name)} ({brief(str(field.type))})" for field in list(schema)[:8]) or "none"


def class_names(metadata: dict[bytes, bytes], label: str | None) -> list[str]:
    """The names of the labels 0, 1, 2 ..., empty where the file has none."""
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][label]
        names = feature["feature"]["names"] if "feature" in feature else feature["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


@contextmanager
def told_of(path: Path) -> Iterator[Any]:
    """pyarrow's class for files; what goes wrong with this one becomes a sentence. Raises MissingExtra, DataError."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError:
        raise MissingExtra(f"the Parquet file {printable(str(path))}", extra="parquet") from None
    try:
        yield ParquetFile
    except (ArrowException, OSError, MemoryError, ValueError, OverflowError, IndexError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{printable(str(path))} cannot be read as Parquet: {brief(first)}") from error
