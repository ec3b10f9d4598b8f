"""What a data set is: named pictures, each with its class and perhaps its part, and what was left out."""

from __future__ import annotations

import errno
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from eyespot.errors import NoPictures
from eyespot.names import printable
from eyespot.records import Part, SetAside
from eyespot.words import some

PARTS: dict[str, Part] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Every name of a part, in lower case."""
TABLE_SUFFIXES = {".csv", ".tsv", ".txt", ".jsonl"}
"""Endings of tables that list pictures."""
PARQUET_SUFFIX = ".parquet"
LISTS = (
    "a CSV names pictures in the columns image_path, label and perhaps split, a metadata.jsonl by the keys file_name, "
    "label and perhaps split, and a Parquet file holds them in the columns image and label"
)
LARGEST_FLOAT = 2**53
"""Below it a float holds every whole number."""
_WHOLE = re.compile(r"-?[0-9]+(\.0*)?")
MOST_BYTES = 2**28
"""Of a picture's file."""
NO_LABEL = "(no label)"
MOST_LETTERS = 255
"""Longest name of a class: that of a folder, too, on most systems."""


class Packed(Protocol):
    """A file within another one."""

    def read(self) -> bytes:
        """Its content. OSError where it cannot be read."""


class Openable(Protocol):
    """A file that is read in parts: a Path, or what lies behind an address."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO: ...


@dataclass(frozen=True)
class Picture:
    """One picture, unread: its bytes are at `path`, or are what `member` reads, or `data` itself."""

    name: str
    """Path below the data set's folder, with '/' on every system."""
    label: str | None = None
    part: Part | None = None
    path: Path | None = None
    data: bytes | None = None
    member: Packed | None = None
    """Of an archive, or behind an address."""
    labels: tuple[str, ...] | None = None
    """Where a picture may have several, or none, all of them, sorted; `label` is then the same as one text."""

    @property
    def is_file(self) -> bool:
        """Whether it is one by itself, here or in an archive."""
        return self.path is not None or self.member is not None

    def read(self) -> bytes:
        """The encoded picture's bytes. OSError where the file cannot be read, or has more than `MOST_BYTES`."""
        if self.data is not None:
            return self.data
        if self.member is not None:
            return self.member.read()
        assert self.path is not None
        if self.path.stat().st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, f"it has more than the {MOST_BYTES // 2**20} MB that are read")
        return self.path.read_bytes()


@dataclass(frozen=True)
class DataSet:
    """Pictures with their classes, and what was left out on the way."""

    name: str
    pictures: tuple[Picture, ...]
    classes: tuple[str, ...] = ()
    """Sorted; in numeric order where every name is a number."""
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()
    unlabelled: str = ""
    """Of a list: why no picture has a class, where none has."""
    mirror_changes_meaning: bool = False
    """True for digits, letters and the like: their mirror image is another thing."""


def sort_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in order: numeric where every name is a number, else alphabetic."""
    names = set(names)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def spelled_alike(spelling: str) -> str:
    """The class that a name stands for: macOS spells accented letters in two characters, others in one."""
    return unicodedata.normalize("NFC", spelling)


def class_of(value: object) -> str | None:
    """The class that a value of a table names: a text or a whole number; None for every other value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_FLOAT:
        value = int(value)
    if isinstance(value, int):
        return str(value)
    return spelled_alike(printable(value.strip())) or None if isinstance(value, str) else None


def as_one(labels: Sequence[str]) -> str:
    """Several labels of a picture as one text, by which pictures with the same ones are known."""
    return "|".join(labels) or NO_LABEL


def labelled(listed: DataSet) -> DataSet:
    """The pictures of a list that have a class, and a part where others have one; the rest is set aside, and why.

    listed: what a source other than folders holds, with pictures as it gives them. Raises NoPictures.
    """
    if listed.pictures and not any(picture.label for picture in listed.pictures):
        why = f": {listed.unlabelled}" if listed.unlabelled else ""
        raise NoPictures(f"{listed.name} gives no picture a label{why}; {LISTS}")
    listed = replace(listed, pictures=tuple(_with_whole_labels(listed.pictures)))
    is_split = any(picture.part for picture in listed.pictures)
    judged = judge(listed, [_reason_against(picture, is_split=is_split) for picture in listed.pictures])
    if not judged.pictures:
        first = "".join(f": {each.picture} {each.reason}" for each in judged.set_aside[:1])
        raise NoPictures(f"{listed.name} holds no picture that can be used{first}; {LISTS}")
    return replace(judged, notes=(*judged.notes, *notes_on_case(judged.classes)))


def judge(listed: DataSet, reasons: Sequence[str]) -> DataSet:
    """The pictures that can be used, with their classes and notes on parts; the others are set aside.

    reasons: of each picture, why it cannot be used; empty where it can.
    """
    judged = list(zip(listed.pictures, reasons, strict=True))
    usable = [picture for picture, reason in judged if not reason]
    refused = [SetAside(picture=picture.name, reason=reason) for picture, reason in judged if reason]
    kept, unknown = _without_unknown_classes(usable)
    return replace(
        listed,
        pictures=tuple(kept),
        classes=sort_classes(str(picture.label) for picture in kept),
        set_aside=(*listed.set_aside, *refused, *unknown),
        notes=(*listed.notes, *_notes_on_parts(usable)),
    )


def _with_whole_labels(pictures: Sequence[Picture]) -> Iterable[Picture]:
    """The same, with `1` for `1.0` where every class is a whole number: programs write those as floats."""
    labels = {str(picture.label) for picture in pictures if picture.label}
    if not all(map(_WHOLE.fullmatch, labels)) or not any("." in label for label in labels):
        return pictures
    whole = {label: label.partition(".")[0] for label in labels}
    return [replace(picture, label=whole[picture.label] if picture.label else None) for picture in pictures]


def _without_unknown_classes(pictures: Sequence[Picture]) -> tuple[list[Picture], list[SetAside]]:
    """Pictures of classes that the part train has; the others cannot be answered rightly and are set aside.

    Where nothing is for training, every class stays.
    """
    known = {picture.label for picture in pictures if picture.part == "train"}
    if not known:
        return list(pictures), []
    kept = [picture for picture in pictures if picture.label in known]
    reason = "its class {!r} has no pictures in train: add some there, or name it as there"
    unknown = [
        SetAside(picture=picture.name, reason=reason.format(picture.label))
        for picture in pictures
        if picture.label not in known
    ]
    return kept, unknown


def _notes_on_parts(pictures: Iterable[Picture]) -> Iterator[str]:
    """Sentences on classes that are trained on, and that val or test lacks."""
    labels = {(picture.part, str(picture.label)) for picture in pictures}
    trained = {label for part, label in labels if part == "train"}
    for name in ("val", "test"):
        tested = {label for part, label in labels if part == name}
        missing = [repr(label) for label in sort_classes(trained - tested)] if tested else []
        if len(missing) == 1:
            yield f"class {missing[0]} has no pictures in {name}: nothing can be said of it there"
        elif missing:
            yield f"the classes {some(missing)} have no pictures in {name}: nothing can be said of them there"


def case_twins(labels: Iterable[str]) -> list[str]:
    """Classes that differ in upper and lower case only, as words: "'Cat' and 'cat'"."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        spellings[label.casefold()].add(label)
    return [" and ".join(repr(name) for name in sorted(twins)) for twins in spellings.values() if len(twins) > 1]


def notes_on_case(classes: Iterable[str]) -> Iterator[str]:
    """A sentence on classes that differ in upper and lower case only, if there are any."""
    twins = case_twins(classes)
    if twins:
        names = some(twins, most=3) if len(twins) > 1 else twins[0]
        yield f"the classes {names} differ in upper and lower case only: they are learned as different classes"


def _reason_against(picture: Picture, *, is_split: bool) -> str:
    """Why a listed picture cannot be used; empty where it can."""
    if not picture.label:
        return "has no label, which is a text or a whole number"
    if len(picture.label) > MOST_LETTERS:
        return f"has a label of {len(picture.label)} letters, more than the {MOST_LETTERS} that are read"
    return "has no split, and others have one" if is_split and picture.part is None else ""
