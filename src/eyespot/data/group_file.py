"""Which pictures belong together, as only a person can know it: a CSV with the columns picture and group.

A group is a person, a patient, a camera, an evening. Its pictures stay on one side of the split, since whoever has seen
some of them has seen something of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.written_lists import Entry, name_key, read_list
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.words import counted, some

COLUMNS = ("picture", "group")


@dataclass(frozen=True)
class GroupFile:
    """The file, read."""

    where: str
    """Its path, as errors and notes name it."""
    group_of: Mapping[str, str]
    """The group of each picture, by the `name_key` of the picture's name; empty cells name none."""


@dataclass(frozen=True)
class Groups:
    """The groups of a data set's pictures."""

    of: tuple[str | None, ...]
    """The group of each picture; None where it is by itself."""
    notes: tuple[str, ...]


def read_groups(path: Path) -> GroupFile:
    """The groups that a file names. Raises DataError, with the line, where a picture has two of them or has no name."""
    where = printable(str(path))
    first: dict[str, Entry] = {}
    for entry in read_list(path, needed=COLUMNS, what="a list of groups"):
        if not entry["group"]:
            continue
        if not entry["picture"]:
            raise DataError(
                f"line {entry.line} of {where} has a group and no picture: write the picture's path below its folder"
            )
        before = first.setdefault(name_key(entry["picture"]), entry)
        if before["group"] != entry["group"]:
            raise DataError(
                f"lines {before.line} and {entry.line} of {where} put {printable(entry['picture'])} into two groups, "
                f"{printable(before['group'])!r} and {printable(entry['group'])!r}: clear one"
            )
    return GroupFile(where, {key: entry["group"] for key, entry in first.items()})


def groups_of(names: Sequence[str], file: GroupFile) -> Groups:
    """The groups of pictures of these names, as split.csv has them. One that the file does not name is its own group.

    Raises DataError where the file names none of them.
    """
    keys = [name_key(name) for name in names]
    unnamed = [name for name, key in zip(names, keys, strict=True) if key not in file.group_of]
    if len(unnamed) == len(names):
        named = next(map(repr, map(printable, file.group_of)), "nothing")
        raise DataError(
            f"{file.where} names no picture of the data: it names {named}, and the first picture is {names[0]!r}: "
            "write the column picture as a run's split.csv has it"
        )
    known = {*keys}
    foreign = [printable(key) for key in file.group_of if key not in known]
    return Groups(tuple(map(file.group_of.get, keys)), tuple(_notes(file, unnamed, foreign)))


def _notes(file: GroupFile, unnamed: Sequence[str], foreign: Sequence[str]) -> Iterator[str]:
    """unnamed: pictures of the data that the file does not name; foreign: pictures that only the file names."""
    if unnamed:
        named = f"{counted(len(unnamed), 'picture')} of the data, so each of them is a group of its own"
        yield f"{file.where} does not name {named}: {some(unnamed, most=3)}"
    if foreign:
        are = "is" if len(foreign) == 1 else "are"
        named = some(foreign, most=3)
        yield f"{counted(len(foreign), 'picture')} of {file.where} {are} not in the data: {named}"
