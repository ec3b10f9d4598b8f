"""How the folders of a data set are read: which class, and which part, the pictures of each are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from eyespot.data.listing import Folder
from eyespot.records import Part

Layout = Literal["auto", "class", "part/class", "class/part", "any/class"]
"""What the folders on each level are; `auto` finds it out."""
LAYOUTS: tuple[str, ...] = get_args(Layout)
_OUTSIDE_PARTS = "lies outside train/, val/ and test/"
_OUTSIDE_CLASSES = "lies outside any class folder"


@dataclass(frozen=True)
class Placed:
    """What a folder's pictures are."""

    label: str
    part: Part | None = None


@dataclass(frozen=True)
class Reading:
    """How the folders are read."""

    layout: Layout
    top: Folder = ()
    """The folder that holds the classes, or the parts."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """The part for which each folder stands."""
    ways: Mapping[str, Folder] = field(default_factory=dict)
    """From the top to the class folders of a part, where these lie deeper than in it."""
    notes: tuple[str, ...] = ()

    def way(self, part: str) -> Folder:
        return self.ways.get(part, (part,))

    def place(self, folder: Folder) -> Placed | str:
        """The class and part of the pictures in a folder, or why they have none."""
        if folder[: len(self.top)] != self.top:
            return f"lies outside {'/'.join(self.top)}/, which is read"
        first, second = (*folder[len(self.top) :], "", "")[:2]
        if self.layout == "part/class":
            return self._in_part(folder[len(self.top) :])
        if self.layout == "class/part" and second:
            return Placed(first, self.parts[second]) if second in self.parts else _OUTSIDE_PARTS
        label = first if self.layout == "class" else second
        return Placed(label) if label else _OUTSIDE_CLASSES

    def _in_part(self, folder: Folder) -> Placed | str:
        if not folder or folder[0] not in self.parts:
            return _OUTSIDE_PARTS
        way = self.way(folder[0])
        is_below = len(folder) > len(way) and folder[: len(way)] == way
        return Placed(folder[len(way)], self.parts[folder[0]]) if is_below else _OUTSIDE_CLASSES
