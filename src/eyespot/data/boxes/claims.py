"""What files of boxes claim, before anything is known of the pictures: what each format's reader makes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eyespot.data.boxes.records import Format
from eyespot.data.data_set import MOST_LETTERS, Picture, class_of, spelled_alike
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError
from eyespot.records import SetAside

ANNOTATIONS = (".txt", ".xml", ".json", ".yaml", ".yml", ".names", ".data", ".cache", ".md")
"""Endings of files that lie beside boxes, and are no pictures that could have been meant."""
LINES: dict[Format, str] = {
    "YOLO": "a line of labels/NAME.txt is `class x y width height`, such as `0 0.5 0.5 0.2 0.1`: the class's number, "
    "the box's center and its size, as shares of the picture's width and height",
    "COCO": 'each of "annotations" is {"id": 1, "image_id": 1, "category_id": 1, "bbox": [left, top, width, height]}, '
    "in pixels",
    "Pascal VOC": "each box is <object><name>cell</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>50</xmax>"
    "<ymax>60</ymax></bndbox></object>, in pixels",
}
"""What a box looks like in each format."""


@dataclass(frozen=True)
class Claim:
    """A box, as a file has it: perhaps outside of the picture, or without area."""

    xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom; in pixels, of YOLO as shares of the picture's width and height."""
    name: str
    """Of its class."""
    where: str
    """In the file: `line 3`."""
    ignored: bool = False
    crowd: bool = False


@dataclass(frozen=True)
class Annotated:
    """A picture with what a file claims of it."""

    picture: Picture
    file: str
    """The file's name below the data set's folder."""
    claims: tuple[Claim, ...]
    size: tuple[int, int] = (0, 0)
    """The picture's width and height, as the file says; 0 where it says nothing."""
    in_shares: bool = False
    """True where boxes are shares of the picture's width and height, as in YOLO's format."""


@dataclass(frozen=True)
class LeftOut:
    """A box that is not used."""

    reason: str
    """Goes on after `1 box`: `without area`."""
    where: str
    """File and place."""


@dataclass(frozen=True)
class Found:
    """All that was read of a folder's files of boxes."""

    format: Format
    name: str
    """The folder's own."""
    where: str
    """The folder, and what was looked for in it, as errors name it."""
    classes: tuple[str, ...]
    pictures: tuple[Annotated, ...]
    set_aside: tuple[SetAside, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def number(value: object) -> float:
    """A number of a file; NaN for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def class_name(value: object, *, where: str) -> str:
    """The class that a value names, without spaces at its ends; empty where it names none. Raises DataError."""
    name = class_of(value) or ""
    if len(name) > MOST_LETTERS:
        raise DataError(f"{where} names a class of {len(name)} letters, and at most {MOST_LETTERS} are read")
    return name


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order."""
    return tuple(dict.fromkeys(names))


def oriented(where: str, format: Format) -> DataError:
    """The error on boxes that are not upright."""
    return DataError(f"{where} holds oriented boxes, and only upright ones are learned: {LINES[format]}")


def other_files(sifted: Sifted) -> list[SetAside]:
    """What lies in the folder and is neither a picture nor a file that may belong to boxes."""
    others = {sifted.below(path) for path in sifted.others if path.lower().endswith(ANNOTATIONS)}
    return [each for each in sifted.set_aside if each.picture not in others]


def paths_of(sifted: Sifted, *endings: str) -> dict[str, str]:
    """The files with one of these endings: the path of each by its name, in order."""
    return {sifted.below(path): path for path in sifted.others if path.lower().endswith(endings)}


def without_pictures(files: Iterable[str]) -> list[SetAside]:
    """Files of boxes that belong to no picture."""
    return [SetAside(picture=file, reason="holds boxes, and there is no picture of that name") for file in files]


def best_match(path: str, by_name: Mapping[str, Sequence[str]]) -> list[str]:
    """Of the names with the same last part as the path, those that share the most of its end.

    by_name: all names, by their last part, `spelled_alike`.
    """
    parts = spelled_alike(path.replace("\\", "/")).split("/")
    names = by_name.get(parts[-1], ())
    shared = {name: _shared(parts, spelled_alike(name).split("/")) for name in names}
    return [name for name in names if shared[name] == max(shared.values())]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the last parts are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
