"""What a person decided in the list of an earlier audit: it goes on to the new one, which else would decide nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eyespot.auditing.result import LIST
from eyespot.data.decisions import Decision, read_decisions
from eyespot.errors import DataError


@dataclass(frozen=True)
class Before:
    """The decisions of the latest list that has some on pictures that are there."""

    by_content: Mapping[str, Decision] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Sentences on lists that cannot be understood."""


def decided_before(folder: Path, name: str, *, contents: Collection[str], classes: tuple[str, ...]) -> Before:
    """What was decided in `name`, `name-2` and so on, beside the new audit's folder, in the list written last.

    contents: the hashes of the pictures that are there. classes: those that the data have.
    """
    if len(classes) < 2:
        return Before()
    lists = [path for path in folder.parent.glob(f"*/{LIST}") if path.parent != folder and _is_of(path.parent, name)]
    notes: list[str] = []
    for path in sorted(lists, key=lambda each: each.stat().st_mtime, reverse=True):
        try:
            found = read_decisions(path, classes=classes).by_content
        except DataError as error:
            notes.append(f"the decisions of an earlier list are not in the new one: {error}")
            continue
        there = {content: each for content, each in found.items() if content in contents}
        if there:
            return Before(there, tuple(notes))
    return Before({}, tuple(notes))


def _is_of(folder: Path, name: str) -> bool:
    """Whether an audit of that name made the folder."""
    return re.fullmatch(re.escape(name) + r"(-\d+)?", folder.name) is not None
