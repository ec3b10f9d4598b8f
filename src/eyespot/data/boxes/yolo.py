"""Boxes in YOLO's format: a text for each picture, a line a box, and a `data.yaml` that names the classes.

The text of `images/a.jpg` is `labels/a.txt`, at whatever depth `images` lies; else `a.txt` beside the picture. Numbers
are shares of the picture's width and height. A polygon counts as the box around it.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from eyespot.data.boxes.claims import (
    LINES,
    Annotated,
    Claim,
    Found,
    LeftOut,
    number,
    oriented,
    other_files,
    paths_of,
    unique,
    without_pictures,
)
from eyespot.data.boxes.documents import Unusable, read_text
from eyespot.data.boxes.yolo_names import Described, describe
from eyespot.data.data_set import Picture
from eyespot.data.part_names import part_of
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError
from eyespot.records import Part, SetAside
from eyespot.words import counted, some

MOST_SHARE = 1.5
"""A number of a box that is greater counts pixels: boxes stand out of their picture a little, never by half."""
_CORNERS = 4
_RIGHT_ANGLE = 1e-3
"""Sides of a box that is written with six digits are upright within this share."""


@dataclass(frozen=True)
class _Text:
    """What the text of one picture holds."""

    claims: tuple[Claim, ...]
    left_out: tuple[LeftOut, ...] = ()
    corners: int = 0
    """Lines of four corners each, and of those the ones whose sides are not upright."""
    slanted: int = 0
    lines: int = 0


def read_yolo(sifted: Sifted) -> Found:
    """What the texts claim. Raises DataError."""
    texts = paths_of(sifted, ".txt")
    described = describe(sifted)
    pictures, outside = _with_parts(sifted.pictures, described)
    read: dict[str, _Text] = {}
    annotated: list[Annotated] = []
    set_aside: list[SetAside] = list(outside)
    without: list[Picture] = []
    texts_of = {each.name: file for each in sifted.pictures if (file := _text_of(each.name, texts))}
    owners = Counter(texts_of.values())
    for picture in pictures:
        file = texts_of.get(picture.name)
        if not file:
            without.append(picture)
            annotated.append(Annotated(picture, _texts_of(picture.name)[0], ()))
            continue
        try:
            if owners[file] > 1:
                raise Unusable("is the text of another picture, too: rename one of them")
            read[file] = _read(file, read_text(Path(texts[file])), described)
        except Unusable as reason:
            set_aside.append(SetAside(picture=picture.name, reason=f"has boxes in {file}, which {reason}"))
        else:
            annotated.append(Annotated(picture, file, read[file].claims, in_shares=True))
    _require_texts(pictures, without, described.where)
    _require_upright(read)
    notes = [f"{counted(len(without), 'picture')} without a text count as without objects"] if without else []
    unused = [file for file in texts if file not in owners and _may_hold_boxes(file)]
    return Found(
        format="YOLO",
        name=sifted.name,
        where=f"{described.where} (looked for texts such as {_example(pictures)})",
        classes=unique(described.names.values()),
        pictures=tuple(annotated),
        set_aside=(*set_aside, *without_pictures(unused), *other_files(sifted)),
        left_out=tuple(each for text in read.values() for each in text.left_out),
        notes=(*described.notes, *notes),
    )


def _with_parts(pictures: Sequence[Picture], described: Described) -> tuple[list[Picture], list[SetAside]]:
    """The pictures with the part that `data.yaml` gives them, or where it gives none the folders' names."""
    if not described.parts:
        return [replace(each, part=_part_in(each.name)) for each in pictures], []
    placed: list[Picture] = []
    outside: list[SetAside] = []
    for each in pictures:
        part = described.part_of(each.name)
        if part:
            placed.append(replace(each, part=part))
        else:
            outside.append(SetAside(picture=each.name, reason=f"lies in no folder that {described.file} names"))
    return placed, outside


def _part_in(name: str) -> Part | None:
    return next((part for folder in name.split("/")[:-1] if (part := part_of(folder))), None)


def _texts_of(name: str) -> list[str]:
    """Where a picture's text may lie: the likeliest place first."""
    folders, file = posixpath.split(name)
    parts, text = folders.split("/"), posixpath.splitext(file)[0] + ".txt"
    places = [posixpath.join(folders, text)]
    lower = [each.lower() for each in parts]
    if "images" in lower:
        at = len(lower) - 1 - lower[::-1].index("images")
        places.insert(0, "/".join([*parts[:at], "labels", *parts[at + 1 :], text]))
    return places


def _text_of(name: str, texts: Mapping[str, str]) -> str | None:
    return next((each for each in _texts_of(name) if each in texts), None)


def _example(pictures: Sequence[Picture]) -> str:
    return _texts_of(pictures[0].name)[0] if pictures else "labels/NAME.txt"


def _may_hold_boxes(file: str) -> bool:
    """True for a text in a folder of labels."""
    return "labels" in file.lower().split("/")[:-1] and posixpath.basename(file) != "classes.txt"


def _read(file: str, text: str, described: Described) -> _Text:
    claims: list[Claim] = []
    left_out: list[LeftOut] = []
    corners = slanted = lines = 0
    for line, fields in _lines(text):
        where = f"line {line}"
        values = [number(field) for field in fields]
        polygon = list(zip(values[1::2], values[2::2], strict=False))
        lines += 1
        if any(abs(value) > MOST_SHARE and math.isfinite(value) for value in values[1:]):
            raise Unusable(
                f"has numbers above {MOST_SHARE} in {where}: shares of the picture's width and height are expected, "
                "between 0 and 1, not pixels"
            )
        if not values[0].is_integer() or not (len(values) == 5 or (len(values) >= 7 and len(values) % 2)):
            left_out.append(LeftOut("not written as `class x y width height`", f"{file}, {where}"))
            continue
        name = described.name_of(int(values[0]), where=f"{file}, {where}")
        if len(values) == 5:
            x, y, width, height = values[1:]
            xyxy = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        else:
            xyxy = _around(polygon)
            corners += len(polygon) == _CORNERS
            slanted += len(polygon) == _CORNERS and not _is_upright(polygon)
        claims.append(Claim(xyxy, name, where))
    return _Text(tuple(claims), tuple(left_out), corners, slanted, lines)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, content in enumerate(text.split("\n"), start=1):
        fields = re.split(r"[\s,]+", content.strip())
        if fields != [""]:
            yield line, fields


def _around(polygon: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """The box around a polygon; NaN where it has a NaN."""
    across, down = zip(*polygon, strict=True)
    if any(math.isnan(each) for each in (*across, *down)):
        return (math.nan,) * 4
    return min(across), min(down), max(across), max(down)


def _is_upright(corners: Sequence[tuple[float, float]]) -> bool:
    """True where each side goes straight across or straight down."""
    return all(
        min(abs(one[0] - other[0]), abs(one[1] - other[1])) < _RIGHT_ANGLE
        for one, other in pairwise([*corners, corners[0]])
    )


def _require_texts(pictures: Sequence[Picture], without: Sequence[Picture], where: str) -> None:
    """Raises DataError where so many pictures have no text that their texts must lie elsewhere."""
    if 2 * len(without) > len(pictures):
        first = without[0].name
        raise DataError(
            f"{len(without)} of {counted(len(pictures), 'picture')} in {where} have no boxes: for {first} the file "
            f"{' or '.join(_texts_of(first))} was looked for; put the texts into labels/, beside images/, an empty one "
            f"for a picture without objects; {LINES['YOLO']}"
        )
    names = {each.name for each in without}
    missing = {each.part for each in without} - {each.part for each in pictures if each.name not in names}
    if missing:
        parts = some(sorted(str(part) for part in missing))
        raise DataError(
            f"no picture of {parts} in {where} has a text of boxes: put them into labels/, an empty one for a picture "
            "without objects, or take that part away"
        )


def _require_upright(read: Mapping[str, _Text]) -> None:
    """Raises DataError where every line is four corners, and some of these are no upright box."""
    if sum(text.lines for text in read.values()) == sum(text.corners for text in read.values()):
        for file, text in read.items():
            if text.slanted:
                raise oriented(file, "YOLO")
