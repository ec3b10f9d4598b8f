"""What a `data.yaml` says: what the classes are called, and which folders are train, val and test."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.boxes.claims import class_name, paths_of
from eyespot.data.boxes.documents import Unusable, read_text
from eyespot.data.boxes.small_yaml import Value, read_keys
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError
from eyespot.names import brief, printable
from eyespot.records import Part
from eyespot.words import counted, some

YAML = (".yaml", ".yml")
NAMES = ("classes.txt", "obj.names")
"""Files with a class's name on each line, as labelImg and Darknet write them."""
MOST_STEPS = 200
"""Folders in folders of a path."""
_PARTS: dict[str, Part] = {"train": "train", "val": "val", "valid": "val", "test": "test"}
_KEYS = ("names", "path", *_PARTS)
_EXAMPLE = "write `names: [cat, dog]` into data.yaml, a name for each number"


@dataclass(frozen=True)
class Described:
    """What is said of a folder's pictures."""

    where: str
    """The folder, as errors name it."""
    file: str
    """The file that says it, below the folder."""
    names: Mapping[int, str]
    """Of the classes, by their numbers."""
    parts: Mapping[str, Part]
    """Of folders, or of single pictures; empty where nothing is said of them."""
    notes: tuple[str, ...] = ()

    def part_of(self, picture: str) -> Part | None:
        """The part that a picture is in: what says most of its path counts."""
        parents = [picture]
        while parents[-1]:
            parents.append(posixpath.dirname(parents[-1]))
        return next((self.parts[each] for each in parents if each in self.parts), None)

    def name_of(self, number: int, *, where: str) -> str:
        """A class's name. Raises DataError for a number that has none."""
        if number not in self.names:
            has = f"{counted(len(self.names), 'name')}, for the numbers {_range(self.names)}"
            raise DataError(f"{where} has the class number {number}, and {self.file} has {has}: {_EXAMPLE}")
        return self.names[number]


def names_file(names: Collection[str]) -> str | None:
    """Of the names of files in a folder, the one that names the classes: `data.yaml`, else another."""
    found = [name for name in sorted(names) if name.lower().endswith(YAML)]
    first = [name for name in found if name.lower().startswith("data.")]
    return next(iter([*first, *found, *(name for name in NAMES if name in names)]), None)


def describe(sifted: Sifted) -> Described:
    """What the file that names the classes says. Raises DataError."""
    where = printable(str(sifted.root))
    paths = paths_of(sifted, *YAML, *NAMES)
    top = [name for name in paths if "/" not in name]
    file = names_file([*top]) or next((name for name in paths if posixpath.basename(name) in NAMES), None)
    if not file:
        raise DataError(f"{where} holds boxes in YOLO's format, and nothing says what their classes are: {_EXAMPLE}")
    try:
        text = read_text(Path(paths[file]))
        if not file.lower().endswith(YAML):
            return Described(where, file, _names(_without_empty_end(text.splitlines()), file), {})
        keys = read_keys(text, _KEYS)
    except Unusable as reason:
        raise DataError(f"{printable(str(sifted.root / file))} {reason}") from reason
    names = _names(keys.get("names"), file)
    parts, notes = _parts(keys, sifted, file)
    twins = [name for name, count in Counter(names.values()).items() if count > 1]
    if twins:
        notes.append(f"{some(sorted(map(repr, twins)))} stands for several numbers in {file}: it is one class")
    return Described(where, file, names, parts, tuple(notes))


def _names(value: Value | None, file: str) -> dict[int, str]:
    if not value or isinstance(value, str):
        raise DataError(f"{file} names no classes: {_EXAMPLE}")
    if isinstance(value, list):
        return _numbered(value, file)
    wrong = [key for key in value if not key.isdecimal() or len(key) > 9]
    if wrong:
        raise DataError(f"{file} names the classes by number, and {brief(wrong[0])!r} is none: {_EXAMPLE}")
    numbers = {int(key): name for key, name in value.items()}
    return {key: _name(name, key, file) for key, name in sorted(numbers.items())}


def _numbered(names: Sequence[str], file: str) -> dict[int, str]:
    return {number: _name(name, number, file) for number, name in enumerate(names)}


def _name(text: str, number: int, file: str) -> str:
    name = class_name(text, where=file)
    if not name:
        raise DataError(f"{file} gives the class number {number} an empty name: {_EXAMPLE}")
    return name


def _without_empty_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _parts(keys: Mapping[str, Value], sifted: Sifted, file: str) -> tuple[dict[str, Part], list[str]]:
    """The part of each folder that is named; empty where the part train is not named. Raises DataError."""
    above = keys.get("path", "")
    given = {key: value for key in _PARTS if (value := keys.get(key))}
    if "train" not in given or not isinstance(above, str):
        return {}, []
    folders = {folder for each in sifted.pictures for folder in _parents(each.name)}
    parts: dict[str, Part] = {}
    notes: list[str] = []
    for key, value in given.items():
        places = [value] if isinstance(value, str) else [*value]
        for place in places:
            named = _pictures_named(place, above, sifted) if place.endswith(".txt") else _inside(place, above, folders)
            if not named and key == "train":
                raise DataError(
                    f"{file} says that the pictures to train on lie in {brief(place)}, and "
                    f"{printable(str(sifted.root))} has no such folder with pictures: correct the path, as "
                    "seen from that file"
                )
            again = [name for name in named if name in parts]
            if not named:
                notes.append(f"{file} names {brief(place)} for {key}, and no pictures are there")
            elif again:
                notes.append(
                    f"{file} names {brief(place)} for {key}, which is {parts[again[0]]} already: it is not used twice"
                )
            parts |= {name: _PARTS[key] for name in named if name not in parts}
    return parts, notes


def _parents(name: str) -> list[str]:
    found = [posixpath.dirname(name)]
    while found[-1]:
        found.append(posixpath.dirname(found[-1]))
    return found


def _inside(place: str, above: str, known: Collection[str]) -> list[str]:
    """The folder beside the yaml that a path means: `path` may be that of another computer, or lead out of the folder.

    Of an absolute path, the longest end that is there counts; but for `images`, which lies in many places.
    """
    steps, before = _steps(place), _steps(above)[-MOST_STEPS:]
    if len(steps) > MOST_STEPS:
        return []
    least = len(steps)
    if re.match(r"[/\\~]|\w:", place):
        least = 2 if steps[-1:] == ["images"] else 1
    whole = [*before, *steps]
    ends = ["/".join(whole[start:]) for start in range(len(whole) - least + 1)]
    return next(([end] for end in ends if end in known), [])


def _steps(path: str) -> list[str]:
    return [step for step in path.replace("\\", "/").split("/") if step not in ("", ".", "..")]


def _pictures_named(place: str, above: str, sifted: Sifted) -> list[str]:
    """The pictures that a text names, a line each."""
    texts = paths_of(sifted, ".txt")
    pictures = {each.name for each in sifted.pictures}
    try:
        lines = [line for name in _inside(place, above, texts) for line in read_text(Path(texts[name])).splitlines()]
    except Unusable as reason:
        raise DataError(f"{brief(place)} {reason}") from reason
    return [name for line in lines if line.strip() for name in _inside(line.strip(), above, pictures)]


def _range(numbers: Collection[int]) -> str:
    whole = sorted(numbers)
    are_all = len(whole) == whole[-1] - whole[0] + 1
    return f"{whole[0]} to {whole[-1]}" if are_all else some([*map(str, whole)])
