"""Pictures with several labels each, or none: which lists say them, by what is there, and their data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from eyespot.data.data_set import (
    MOST_LETTERS,
    PARQUET_SUFFIX,
    TABLE_SUFFIXES,
    DataSet,
    Picture,
    notes_on_case,
    sort_classes,
)
from eyespot.data.label_cells import UNSAID, LabelCells
from eyespot.data.label_documents import EXPECTED, Document, may_be_labels
from eyespot.data.label_parquet import cells_of_parquet
from eyespot.data.label_tables import cells_of_table
from eyespot.data.part_names import part_of
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.data.sifting import folders_in, lone_folders, sift
from eyespot.data.tables import metadata_files, read_metadata, read_rows, read_table
from eyespot.errors import NoPictures
from eyespot.names import brief, printable
from eyespot.records import SetAside
from eyespot.words import counted, some

DOCUMENT = ".json"
LISTS = (
    "a CSV names pictures in image_path and their labels as cat|dog in one column, or in a column of 0 and 1 for each "
    f"label; JSON may be {EXPECTED}"
)


@dataclass(frozen=True)
class LabelList:
    """What lists pictures with their labels."""

    how: str
    """In words."""
    read: Callable[[], DataSet]
    """Gives the pictures as listed, unjudged."""


def find_labels(where: Path, how: ReadAs = AS_IT_IS, *, expected: bool = False) -> LabelList | None:
    """What says several labels of each picture; None where nothing there does. Quick for folders of classes.

    where: a table, a Parquet file, a JSON file, or a folder with a table of its pictures, or with one of those.
    expected: labels are wanted, so that a list says some even where no picture of it has more than one.
    Raises DataError for what cannot be read, and for a column of labels with other values than 0 and 1.
    """
    how = replace(how, labels=LabelCells() if expected else None)
    if where.is_file():
        return _in_file(where, how)
    if not where.is_dir():
        return None
    for inner in lone_folders(where):
        if tables := metadata_files(inner):
            cells = next((found for table in _train_first(tables) if (found := cells_of_table(table, how))), None)
            return _list_of(cells, how, partial(read_metadata, inner, tables))
        documents = [each for each in _listed(inner, DOCUMENT) if may_be_labels(each)]
        if len(documents) == 1 and not _has_classes(inner):
            return _in_file(documents[0], how)
    return _in_packed(where, how)


def open_labels(found: LabelList) -> DataSet:
    """The pictures that can be used, with their labels and the classes among these; the rest is set aside, and why.

    Raises NoPictures where none can be used.
    """
    listed = found.read()
    is_split = any(each.part for each in listed.pictures)
    reasons = [_reason_against(each, is_split=is_split) for each in listed.pictures]
    usable = [each for each, reason in zip(listed.pictures, reasons, strict=True) if not reason]
    refused = [SetAside(picture=p.name, reason=why) for p, why in zip(listed.pictures, reasons, strict=True) if why]
    kept, unknown = _without_unknown(usable)
    set_aside = (*listed.set_aside, *refused, *unknown)
    if not kept:
        first = "".join(f": {each.picture} {each.reason}" for each in set_aside[:1])
        raise NoPictures(f"{listed.name} holds no picture with labels that can be used{first}; {LISTS}")
    classes = sort_classes(label for each in kept for label in each.labels or ())
    return replace(
        listed,
        pictures=tuple(kept),
        classes=classes,
        set_aside=set_aside,
        notes=(*listed.notes, *_notes(kept, classes, found.how), *notes_on_case(classes)),
    )


def at_most(pictures: Sequence[Picture]) -> int:
    """Labels of the picture that has most."""
    return max((len(each.labels or ()) for each in pictures), default=0)


def _in_file(path: Path, how: ReadAs) -> LabelList | None:
    suffix = path.suffix.lower()
    if suffix == DOCUMENT:
        return LabelList("a list in JSON", lambda: read_rows(Document(path, how)))
    if suffix in TABLE_SUFFIXES:
        return _list_of(cells_of_table(path, how), how, partial(read_table, path))
    if suffix == PARQUET_SUFFIX:
        return _list_of(cells_of_parquet(path, how), how, partial(_parquet, path))
    return None


def _list_of(cells: LabelCells | None, how: ReadAs, read: Callable[[ReadAs], DataSet]) -> LabelList | None:
    return LabelList(_said(cells), lambda: read(replace(how, labels=cells))) if cells else None


def _in_packed(folder: Path, how: ReadAs) -> LabelList | None:
    """Of Parquet files in a folder or in one below it."""
    files = _listed(folder, PARQUET_SUFFIX) or [
        file for each in folders_in(folder)[:4] for file in _listed(each, PARQUET_SUFFIX)
    ]
    if not files or _has_classes(folder):
        return None
    return _list_of(cells_of_parquet(_train_first(files)[0], how), how, partial(_parquet_folder, folder))


def _parquet_folder(folder: Path, how: ReadAs) -> DataSet:
    from eyespot.data.parquet import read_folder

    return read_folder(sift(folder), how)


def _parquet(path: Path, how: ReadAs) -> DataSet:
    from eyespot.data.parquet import read_parquet

    return read_parquet({path: None}, name=printable(path.stem), how=how)


def _listed(folder: Path, suffix: str) -> list[Path]:
    """The files of a folder with that ending, in order."""
    try:
        return sorted(each for each in folder.iterdir() if each.suffix.lower() == suffix and each.is_file())
    except OSError:
        return []


def _train_first(paths: Sequence[Path]) -> list[Path]:
    """Those of the part train, by a folder's or a file's name, before the others: how labels are said, they say."""
    return sorted(paths, key=lambda each: "train" not in map(part_of, (each.parent.name, *each.stem.split("-")[:1])))


def _has_classes(folder: Path) -> bool:
    """Whether a folder has folders that may be classes, perhaps in parts: then no file beside them lists pictures."""
    parts = [each for each in folders_in(folder) if part_of(each.name)]
    return len(folders_in(folder)) - len(parts) > 1 or any(len(folders_in(part)) > 1 for part in parts)


def _said(cells: LabelCells) -> str:
    if cells.flags:
        passed = f" ({some([repr(brief(name)) for name in cells.passed])} left out)" if cells.passed else ""
        return f"a column of 0 and 1 for each of {counted(len(cells.flags), 'label')}{passed}"
    between = f" with {cells.separator!r} between them" if cells.separator else ""
    return f"lists of labels in the column {brief(cells.column)!r}{between}"


def _reason_against(picture: Picture, *, is_split: bool) -> str:
    """Why a listed picture cannot be used; empty where it can."""
    if picture.labels is None:
        return UNSAID
    longest = max(map(len, picture.labels), default=0)
    if longest > MOST_LETTERS:
        return f"has a label of {longest} letters, more than the {MOST_LETTERS} that are read"
    return "has no split, and others have one" if is_split and picture.part is None else ""


def _without_unknown(pictures: Sequence[Picture]) -> tuple[list[Picture], list[SetAside]]:
    """Pictures all of whose labels stand in the part train, too; nothing can be answered of others."""
    known = {label for each in pictures if each.part == "train" for label in each.labels or ()}
    if not any(each.part == "train" for each in pictures):
        return list(pictures), []
    kept, unknown = [], []
    for each in pictures:
        new = [label for label in each.labels or () if label not in known]
        if new:
            reason = f"its label {new[0]!r} stands at no picture in train: add some there, or name it as there"
            unknown.append(SetAside(picture=each.name, reason=reason))
        else:
            kept.append(each)
    return kept, unknown


def _notes(pictures: Sequence[Picture], classes: Sequence[str], how: str) -> Iterator[str]:
    """What was read, and what a person may not have meant."""
    most, without = at_most(pictures), sum(not each.labels for each in pictures)
    none = f", {counted(without, 'picture')} without any" if without else ""
    yield f"labels are read from {how}: {counted(most, 'label')} per picture at most{none}"
    if {len(each.labels or ()) for each in pictures} == {1}:
        yield (
            "every picture has exactly one label: where that is always so, a CSV with the columns image_path and label "
            "trains a model that names one class, and its probabilities sum to one"
        )
    counts = Counter(label for each in pictures for label in each.labels or ())
    if always := [repr(label) for label in classes if counts[label] == len(pictures)]:
        yield f"every picture has {some(always)}: nothing can be learned of what is always there"
