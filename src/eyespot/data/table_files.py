"""Which file a table means: by its path, or where the table leaves out the ending, or the folder, the one that fits."""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from pathlib import Path

from eyespot.data.pictures import PICTURE_SUFFIXES
from eyespot.names import printable
from eyespot.words import counted, some

MOST_PLACES = 100
"""Folders beside a table in which its pictures are looked for."""
IN_VAIN = 1000
"""Rows in a row whose pictures were looked for there, and not found, before that is given up."""


class TableFiles:
    """The files that a table may name: by their path below its folder, or without the ending, or the folder."""

    def __init__(self, table: Path) -> None:
        self.folder = table.parent
        self._like_the_table = f"{table.stem}/"
        self._held: dict[str, dict[str, list[str]]] = {}
        self._beside: list[str] | None = None
        self._in_vain = 0
        self._completed: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        if not self._completed:
            return ()
        count = counted(len(self._completed), "picture")
        return (f"the table leaves out the folder or the ending of {count}: {some(self._completed, most=1)}",)

    def find(self, name: str) -> list[str]:
        """Names of the files that may be meant: one where it is clear."""
        if os.path.isfile(self.folder / name):
            return [name]
        if os.path.lexists(self.folder / name) or self._in_vain > IN_VAIN:
            return []
        found = self._in("", name) or [file for place in self._places() for file in self._in(place, name)]
        liked = [file for file in found if file.startswith(self._like_the_table)]  # as Kaggle's train.csv and train/
        found = liked if len(liked) == 1 else found
        self._in_vain = 0 if found else self._in_vain + 1
        if len(found) == 1:
            self._completed.append(f"{printable(name)} is {printable(found[0])}")
        return found

    def _in(self, place: str, name: str) -> list[str]:
        above, base = posixpath.split(posixpath.join(place, name))
        if above not in self._held:
            self._held[above] = _by_stem(self.folder / above)
        return [posixpath.join(above, file) for file in self._held[above].get(base, ())]

    def _places(self) -> list[str]:
        if self._beside is None:
            with os.scandir(self.folder) as entries:
                names = sorted(each.name for each in entries if each.is_dir() and not each.name.startswith("."))
            self._beside = names if len(names) <= MOST_PLACES else []
        return self._beside


def _by_stem(folder: Path) -> dict[str, list[str]]:
    """The pictures in a folder by their names, and by their names without the ending."""
    held: dict[str, list[str]] = defaultdict(list)
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return held
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in PICTURE_SUFFIXES:
            held[name].append(name)
            held[stem].append(name)
    return held
