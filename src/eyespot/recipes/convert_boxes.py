"""`convert boxes`: pictures with boxes, from one format into another."""

from __future__ import annotations

import time
from pathlib import Path

from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.writing import FORMATS, require_empty, write_boxes
from eyespot.errors import OptionError
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.records import Record, SetAside
from eyespot.words import nearest


class ConvertResult(Record):
    """A data set of boxes in another format."""

    out: str
    """The folder that was written."""
    read: str
    """The format that was found: YOLO, COCO or Pascal VOC."""
    written: str
    """The format that was written."""
    classes: tuple[str, ...]
    pictures: dict[str, int]
    """By part: train, val and test, or all where the folder has no parts."""
    boxes: int
    """That were read, those that are to be ignored included."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float


def convert_boxes(data: str | Path, *, to: str, out: str | Path) -> ConvertResult:
    """The pictures and boxes of `data`, written into the folder `out` in the format `to`. Reading that gives the same.

    data: a folder with boxes in YOLO's, COCO's or Pascal VOC's format; which one shows in what is there.
    to: "yolo", "coco" or "voc".
    out: a new folder, or an empty one. Pictures are linked there where the disk can do that, else copied.
    What the format cannot hold is in `notes`. Raises OptionError, CannotWrite, DataError.
    """
    started = time.perf_counter()
    if to not in FORMATS:
        raise OptionError(f"the option to cannot be {to!r}: {nearest(to, FORMATS)}")
    source, target = from_home(data), from_home(out)
    if target.resolve().is_relative_to(source.resolve()):
        raise OptionError(
            f"the option out cannot be {printable(str(out))!r}, which is in the folder that is read: choose another"
        )
    require_empty(target)
    found = read_boxes(source)
    lost = write_boxes(found, target, format=FORMATS[to])
    return ConvertResult(
        out=printable(str(target)),
        read=found.format,
        written=FORMATS[to],
        classes=found.classes,
        pictures={part: len(pictures) for part, pictures in found.parts.items()},
        boxes=sum(len(each.boxes) for each in found.pictures),
        set_aside=found.set_aside,
        notes=(*found.notes, *lost),
        seconds=round(time.perf_counter() - started, 2),
    )
