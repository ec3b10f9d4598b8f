"""Which pictures belong together, as only a person can know it: a CSV with the columns picture and group.

A group is a person, a patient, a camera, an evening. Its pictures stay on one side of the split, since whoever has seen
some of them has seen something of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyespot.data.written_lists import Entry, name_key, read_list
from eyespot.errors import DataError
from eyespot.names import brief, printable
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

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each content that is in one. Identical files may be in several, which are one group then."""
    notes: tuple[str, ...] = ()


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
                f"lines {before.line} and {entry.line} of {where} put {brief(entry['picture'])} into two groups, "
                f"{brief(before['group'])!r} and {brief(entry['group'])!r}: clear one"
            )
    return GroupFile(where, {key: entry["group"] for key, entry in first.items()})


def groups_of(pictures: Mapping[str, str], file: GroupFile, *, others: Mapping[str, str]) -> Groups:
    """The groups of a data set's pictures. One that the file does not name is its own group.

    pictures: the content of each that is used, by its name as split.csv has it. others: that of other files, as copies.
    Raises DataError where the file names none of them.
    """
    content_of = {**others, **pictures}
    keys = {name: name_key(name) for name in content_of}
    of: dict[str, tuple[str, ...]] = {}
    for name, content in content_of.items():
        group, known = file.group_of.get(keys[name]), of.get(content, ())
        if group is not None and group not in known:
            of[content] = (*known, group)
    if not of:
        named = next(map(repr, map(brief, file.group_of)), "nothing")
        raise DataError(
            f"{file.where} names no picture of the data: it names {named}, and the first picture is "
            f"{next(iter(pictures))!r}: write the column picture as a run's split.csv has it"
        )
    unnamed = [name for name, content in pictures.items() if content not in of]
    there = {*keys.values()}
    foreign = [brief(key) for key in file.group_of if key not in there]
    several = [name for name, content in content_of.items() if len(of.get(content, ())) > 1]
    return Groups(of, tuple(_notes(file, unnamed, foreign, several)))


def _notes(file: GroupFile, unnamed: Sequence[str], foreign: Sequence[str], several: Sequence[str]) -> Iterator[str]:
    """unnamed: pictures of the data that the file does not name; foreign: pictures that only the file names; several:
    identical files that it puts into several groups."""
    if several:
        yield f"{file.where} puts identical files into several groups, which are one now: {some(several, most=3)}"
    if unnamed:
        named = f"{counted(len(unnamed), 'picture')} of the data, so each of them is a group of its own"
        yield f"{file.where} does not name {named}: {some(unnamed, most=3)}"
    if foreign:
        are = "is" if len(foreign) == 1 else "are"
        named = some(foreign, most=3)
        yield f"{counted(len(foreign), 'picture')} of {file.where} {are} not in the data: {named}"
