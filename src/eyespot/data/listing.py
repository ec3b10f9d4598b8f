"""What lies in a folder, by name alone: what the rules of `layouts` look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

Folder = tuple[str, ...]
"""The names on the way down to a folder."""


@dataclass(frozen=True)
class Listing:
    """The names of all that lies in a folder."""

    pictures: Mapping[Folder, int]
    """How many pictures lie in each folder itself."""
    others: Sequence[str] = ()
    """Other files, with '/' between folders."""
    names: Sequence[str] = ()
    """Some of the pictures."""


class Tree:
    """A listing by its folders: what lies below each."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.inside: dict[Folder, set[str]] = defaultdict(set)
        """Folders with pictures anywhere below them."""
        self.others: dict[Folder, set[str]] = defaultdict(set)
        """Folders with other files below them."""
        self.count: dict[Folder, int] = defaultdict(int)
        for folder, count in listing.pictures.items():
            self._add(self.inside, folder)
            for depth in range(len(folder) + 1):
                self.count[folder[:depth]] += count
        for folder in {tuple(name.split("/")[:-1]) for name in listing.others}:
            self._add(self.others, folder)

    @staticmethod
    def _add(inside: dict[Folder, set[str]], folder: Folder) -> None:
        for depth in range(len(folder)):
            inside[folder[:depth]].add(folder[depth])


@dataclass(frozen=True)
class Place:
    """One folder of a listing, as the rules look at it."""

    tree: Tree
    root: str
    """The listing's folder, as errors name it."""
    at: Folder = ()

    @property
    def name(self) -> str:
        return "/".join((self.root.rstrip("/"), *self.at))

    @property
    def folders(self) -> list[str]:
        """Its folders with pictures."""
        return sorted(self.tree.inside.get(self.at, ()))

    @property
    def loose(self) -> int:
        """Pictures in it that are in no folder of it."""
        return self.tree.listing.pictures.get(self.at, 0)

    @property
    def count(self) -> int:
        """Pictures anywhere in it."""
        return self.tree.count.get(self.at, 0)

    @property
    def only_holds_folders(self) -> bool:
        """True for a folder that holds folders of pictures, and no pictures itself."""
        return bool(self.folders) and not self.loose

    @property
    def folders_without_pictures(self) -> set[str]:
        return self.tree.others.get(self.at, set()) - {*self.folders}

    def inside(self, *names: str) -> Place:
        return replace(self, at=(*self.at, *names))

    def files(self, names: Iterable[str]) -> list[str]:
        """Those of the names that lie in this folder itself, without it."""
        above = "".join(f"{name}/" for name in self.at)
        return [name[len(above) :] for name in names if name.startswith(above) and "/" not in name[len(above) :]]
