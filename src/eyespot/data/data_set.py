"""What a data set is: named pictures, each with its class and perhaps its part, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eyespot.records import Part, SetAside

PARTS: dict[str, Part] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Every name of a part, in lower case."""


@dataclass(frozen=True)
class Picture:
    """One picture, unread: its bytes are at `path`, or are `data` for pictures that are not files."""

    name: str
    """Path below the data set's folder, with '/' on every system."""
    label: str | None = None
    part: Part | None = None
    path: Path | None = None
    data: bytes | None = None

    def read(self) -> bytes:
        """The encoded picture's bytes. OSError where the file cannot be read."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()


@dataclass(frozen=True)
class DataSet:
    """Pictures with their classes, and what was left out on the way."""

    name: str
    pictures: tuple[Picture, ...]
    classes: tuple[str, ...]
    """Sorted; in numeric order where every name is a number."""
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()
    mirror_changes_meaning: bool = False
    """True for digits, letters and the like: their mirror image is another thing."""


def sort_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in order: numeric where every name is a number, else alphabetic."""
    names = set(names)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))
