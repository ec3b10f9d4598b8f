"""What lies in a folder, by name alone: what the rules of `layouts` look at, and the reading that they come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from eyespot.data.read_as import Layout
from eyespot.records import Part

Folder = tuple[str, ...]
"""The names on the way down to a folder."""
_OUTSIDE_PARTS = "lies outside train/, val/ and test/"
_OUTSIDE_CLASSES = "lies outside any class folder"


@dataclass(frozen=True)
class Listing:
    """The names of all that lies in a folder."""

    pictures: Mapping[Folder, int]
    """How many pictures lie in each folder itself."""
    others: Sequence[str] = ()
    """Other files, with '/' between folders."""
    names: Sequence[str] = ()
    """Some of the pictures."""

    @cached_property
    def with_pictures(self) -> Mapping[Folder, set[str]]:
        """The folders with pictures anywhere below them, by the folder that they lie in."""
        return _by_holder(self.pictures)

    @cached_property
    def with_others(self) -> Mapping[Folder, set[str]]:
        """The same of other files."""
        return _by_holder({tuple(name.split("/")[:-1]) for name in self.others})


@dataclass(frozen=True)
class Place:
    """One folder of a listing, as the rules look at it."""

    listing: Listing
    root: str
    """The listing's folder, as errors name it."""
    at: Folder = ()

    @property
    def name(self) -> str:
        return "/".join((self.root.rstrip("/"), *self.at))

    @property
    def folders(self) -> list[str]:
        """Its folders with pictures."""
        return sorted(self.listing.with_pictures.get(self.at, ()))

    @property
    def loose(self) -> int:
        """Pictures in it that are in no folder of it."""
        return self.listing.pictures.get(self.at, 0)

    @property
    def count(self) -> int:
        """Pictures anywhere in it."""
        return sum(count for folder, count in self.listing.pictures.items() if folder[: len(self.at)] == self.at)

    @property
    def only_holds_folders(self) -> bool:
        """True for a folder that holds folders of pictures, and no pictures itself."""
        return bool(self.folders) and not self.loose

    @property
    def folders_without_pictures(self) -> set[str]:
        return self.listing.with_others.get(self.at, set()) - {*self.folders}

    def inside(self, *names: str) -> Place:
        return replace(self, at=(*self.at, *names))

    def files(self, names: Iterable[str]) -> list[str]:
        """Those of the names that lie in this folder itself, without it."""
        above = "".join(f"{name}/" for name in self.at)
        return [name[len(above) :] for name in names if name.startswith(above) and "/" not in name[len(above) :]]


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


def _by_holder(folders: Iterable[Folder]) -> Mapping[Folder, set[str]]:
    """The names of folders, and of all above them, by the folder that they lie in."""
    held: dict[Folder, set[str]] = defaultdict(set)
    for folder in folders:
        for depth, name in enumerate(folder):
            held[folder[:depth]].add(name)
    return held
