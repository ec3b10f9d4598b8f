"""Labelled pictures as a program has them in hand: pictures with labels, tables, data sets of torch and Hugging Face.

Nothing of pandas, torch or `datasets` is imported: each is known by what it has. What comes out is a `DataSet` like any
other, so hashes, copies, series and the split are those of files.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from eyespot.data.columns import IMAGE, LABEL, SPLIT, Column, choose, shown
from eyespot.data.data_set import PARTS, DataSet, Picture, class_of, labelled
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.handed import Pictures, array_of, is_path, is_picture, items_of, kind_of, picture_bytes
from eyespot.data.part_names import part_of
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError
from eyespot.files import from_home
from eyespot.names import brief, printable
from eyespot.records import Part, SetAside
from eyespot.words import counted


class Items(Protocol):
    """Items by their numbers, such as a data set of torch gives: each a picture and its label."""

    def __getitem__(self, index: Any, /) -> Any: ...


Data = str | Path | DataSet | tuple[Pictures, Any] | Mapping[Any, Any] | Iterable[Any] | Items
"""What `train` takes: a path, or labelled pictures in hand."""
NAME = "pictures"
"""Of a data set that has none."""
IN_HAND = "<handed in from Python>"
"""What a run says of where its pictures are, where no file holds them."""
SETS = (
    "give a folder or a file, (pictures, labels), a table with a column of pictures and one of labels, a torch data "
    "set of (picture, label), or a Hugging Face data set"
)


def in_hand(given: Any, how: ReadAs) -> str | Path | DataSet:
    """What was handed in as a data set; a path and a DataSet as they are. Raises DataError for what is neither.

    how: which columns of a table to read.
    """
    if is_path(given) or isinstance(given, DataSet):
        return given
    found = _found(given, how)
    if not found.pictures and not found.set_aside:
        raise DataError(f"there are no pictures in what was given ({kind_of(given)}): {SETS}")
    return labelled(found)


def open_given(given: Any, how: ReadAs) -> DataSet:
    """The labelled pictures of a path, or those in hand. Raises DataError."""
    found = in_hand(given, how)
    return found if isinstance(found, DataSet) else open_data_set(found, how)


def path_of(data: Any, what: str = "boxes are") -> str | Path:
    """The data as a path. Raises DataError for what is in hand.

    what: is read from files alone, in words.
    """
    if is_path(data):
        return data
    raise DataError(f"{what} read from files alone, not from {kind_of(data)}: give the file or folder that holds them")


def name_of(data: Any) -> str:
    """What errors and results call the data: their path, or the name of what was handed in."""
    return printable(str(data)) if is_path(data) else data.name if isinstance(data, DataSet) else NAME


def _found(given: Any, how: ReadAs) -> DataSet:
    """The pictures with their classes, unjudged."""
    if isinstance(given, Mapping) and given and all(part_of(str(name)) for name in given):
        return _parts(given, how)
    if isinstance(given, tuple) and len(given) == 2:
        return _Reader().read(_pairs(*given))
    if isinstance(given, Mapping) or hasattr(given, "columns") or hasattr(given, "column_names"):
        return _table(given, how)
    if hasattr(given, "batch_size") and hasattr(given, "dataset"):
        raise DataError("a data loader gives batches, shuffled anew each time: give its data set, loader.dataset")
    if array_of(given) is None and not is_picture(given) and (_sized(given) or hasattr(given, "__iter__")):
        return _items(given, how)
    raise DataError(f"labelled pictures cannot be {kind_of(given)}: {SETS}")


def _parts(given: Mapping[Any, Any], how: ReadAs) -> DataSet:
    """Data sets by the names of their parts, as Hugging Face has them, as one."""
    found: list[tuple[Part, DataSet]] = []
    for name, each in given.items():
        part = part_of(str(name))
        assert part
        if is_path(each) or isinstance(each, DataSet):
            raise DataError(f"the part {name!r} is {kind_of(each)}, not pictures with labels: give the folder above it")
        found.append((part, _found(each, how)))
    pictures = [
        replace(each, name=f"{part}/{each.name}", part=part) for part, data_set in found for each in data_set.pictures
    ]
    set_aside = [
        SetAside(picture=f"{part}/{each.picture}", reason=each.reason)
        for part, data_set in found
        for each in data_set.set_aside
    ]
    return DataSet(found[0][1].name, tuple(pictures), set_aside=tuple(set_aside))


def _pairs(pictures: Any, labels: Any) -> Iterator[tuple[Any, Any, Any]]:
    given, classes = items_of(pictures), _labels(labels)
    if len(given) != len(classes):
        flat = array_of(pictures) if len(given) == 1 else None
        why = f"pictures has the shape {flat.shape}, one picture of numbers: " if flat is not None else ""
        raise DataError(
            f"{why}there {'is' if len(given) == 1 else 'are'} {counted(len(given), 'picture')} and "
            f"{counted(len(classes), 'label')}: give one label for each picture"
        )
    return ((picture, label, None) for picture, label in zip(given, classes, strict=True))


def _labels(given: Any) -> list[Any]:
    array = None if hasattr(given, "iloc") else array_of(given)
    if array is not None and array.ndim != 1:
        hint = ", as labels.argmax(axis=1) gives them" if array.ndim == 2 else ""
        raise DataError(f"labels has the shape {array.shape}: give one for each picture, (N,){hint}")
    if array is not None:
        return list(array.tolist())
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping):
        return list(given)
    raise DataError(f"labels cannot be {kind_of(given)}: give a list with one label for each picture, texts or numbers")


def _table(table: Any, how: ReadAs) -> DataSet:
    """A table with named columns: a data frame, a mapping of columns, a data set of Hugging Face."""
    features = getattr(table, "features", None) or {}
    names = [str(name) for name in (table if isinstance(table, Mapping) else getattr(table, "columns", ()))]
    names = list(features) if features else names or [str(name) for name in getattr(table, "column_names", ())]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"two columns of the table are called {twice[0]!r}: rename one")
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    known = _Columns(names, kinds, lambda name: next(iter(table[name]), None))
    image = known.find(IMAGE, "Image", how.image_column)
    label = known.find(LABEL, "ClassLabel", how.label_column, but=image)
    split = choose(SPLIT, names, wanted=how.split_column, where="the table")
    if kinds.get(image) == "Image":
        table = table.cast_column(image, type(features[image])(decode=False))  # the files as they are
    columns = [list(table[image]), list(table[label]), list(table[names[split]]) if split is not None else None]
    rows = len(columns[0] or ())
    if len(columns[1] or ()) != rows:
        others = len(columns[1] or ())
        raise DataError(f"the column {image!r} has {rows} rows, and {label!r} has {others}: one of them is too short")
    named = getattr(getattr(table, "info", None), "dataset_name", None)
    reader = _Reader(str(named or NAME), _class_names(getattr(features.get(label), "names", None)))
    return reader.read(zip(*(each or [None] * rows for each in columns), strict=True))


@dataclass(frozen=True)
class _Columns:
    """The columns of a table: their names, their kinds where it says them, and their first values."""

    names: Sequence[str]
    kinds: Mapping[str, str]
    first: Any

    def find(self, column: Column, kind: str, wanted: str | None, *, but: str = "") -> str:
        """The column of this kind: as it is said, by its kind, by its name, by what it holds. Raises DataError."""
        of_kind = [name for name in self.names if self.kinds.get(name) == kind and name != but]
        if wanted is None and len(of_kind) == 1:
            return of_kind[0]
        others = [name for name in self.names if name != but]
        at = choose(column, others, wanted=wanted, where="the table")
        if at is not None:
            return others[at]
        held = others if column is LABEL else [name for name in others if _may_be_picture(self.first(name))]
        if len(held) == 1:
            return held[0]
        option = column.option.strip("-").replace("-", "_")
        raise DataError(
            f"the columns of the table are {shown(self.names)}, and none is known to hold {column.holds}: say which "
            f"does with {option}"
        )


def _items(given: Any, how: ReadAs) -> DataSet:
    """Items one by one: pairs of a picture and a label, or mappings."""
    items = [given[number] for number in range(len(given))] if _sized(given) else list(given)
    named = NAME if isinstance(given, list | tuple) else type(given).__name__
    names = getattr(_innermost(given), "classes", None)
    if items and isinstance(items[0], Mapping):
        table = {name: [item.get(name) for item in items] for name in items[0]}
        return replace(_table(table, how), name=named)
    for number, item in enumerate(items):
        if not isinstance(item, tuple | list) or len(item) != 2 or is_picture(item):
            raise DataError(f"item {number} is {kind_of(item)}, and a pair of picture and label was expected: {SETS}")
    return _Reader(named, _class_names(names)).read((picture, label, None) for picture, label in items)


def _innermost(given: Any) -> Any:
    """The data set that a subset, or a chain of data sets, is made of: it knows the classes' names."""
    while getattr(given, "classes", None) is None:
        parts = getattr(given, "datasets", None) or [getattr(given, "dataset", None)]
        if parts[0] is None:
            return given
        given = parts[0]
    return given


def _class_names(given: Any) -> tuple[str, ...]:
    """The names that a data set gives its classes, by their numbers. Raises DataError where one comes twice."""
    if given is None or isinstance(given, str):
        return ()
    names = [str(each[0] if isinstance(each, tuple) else each) for each in given]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"the data set names two of its classes {twice[0]!r}: give each a name of its own")
    return tuple(names)


@dataclass(frozen=True)
class _Reader:
    """Reads rows of picture, label and part."""

    name: str = NAME
    classes: tuple[str, ...] = ()
    """Names of the classes, where the labels are their numbers."""
    taken: set[str] = field(default_factory=set)

    def read(self, rows: Iterable[tuple[Any, Any, Any]]) -> DataSet:
        pictures: list[Picture] = []
        set_aside: list[SetAside] = []
        for number, (given, label, split) in enumerate(rows):
            found = self._picture(given, number)
            part = part_of(split) if isinstance(split, str) else None
            if isinstance(split, str) and not part:
                reason = f"has the split {brief(split)!r}, which is none of {', '.join(PARTS)}"
                found = SetAside(picture=f"{NAME}[{number}]", reason=reason)
            if isinstance(found, SetAside):
                set_aside.append(found)
            else:
                pictures.append(replace(found, label=self._class(label, number), part=part))
        why = "a label is a text or a whole number"
        return DataSet(self.name, tuple(pictures), set_aside=tuple(set_aside), unlabelled=why)

    def _picture(self, given: Any, number: int) -> Picture | SetAside:
        where = f"{NAME}[{number}]"
        if isinstance(given, Mapping) and {"bytes", "path"} & given.keys():  # as Hugging Face keeps it
            given = given["bytes"] if given.get("bytes") is not None else given.get("path")
        if given is None or (isinstance(given, float) and math.isnan(given)):
            return SetAside(picture=where, reason="is missing")
        if not is_path(given):
            return Picture(f"{number:05d}", data=picture_bytes(given, where=where))
        path, name = from_home(given), printable(str(given))
        if not os.path.isfile(path):
            what = "is not an ordinary file" if os.path.lexists(path) else "does not exist"
            return SetAside(picture=f"{name} ({where})", reason=what)
        name = f"{name} ({where})" if name in self.taken else name  # a copy, or a contradiction, like two files
        self.taken.add(name)
        return Picture(name, path=path)

    def _class(self, label: Any, number: int) -> str | None:
        value = label.item() if hasattr(label, "item") and getattr(label, "ndim", 1) == 0 else label
        if not self.classes or isinstance(value, str | bool) or class_of(value) is None:
            return class_of(value)
        index = int(value)
        if not -1 <= index < len(self.classes):
            raise DataError(
                f"{NAME}[{number}] has the label {index}, and the data set names {len(self.classes)} classes, from 0 "
                f"to {len(self.classes) - 1}"
            )
        return class_of(self.classes[index]) if index >= 0 else None  # -1 stands for none


def _sized(given: Any) -> bool:
    return hasattr(given, "__len__") and hasattr(given, "__getitem__")


def _may_be_picture(value: Any) -> bool:
    if isinstance(value, str):
        return Path(value).suffix.lower() in PICTURE_SUFFIXES
    if isinstance(value, Mapping):
        return bool({"bytes", "path"} & value.keys())
    return is_picture(value) or (array_of(value) is not None and getattr(value, "ndim", 0) >= 2)
