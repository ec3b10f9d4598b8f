"""What the verbs on boxes return, and print with `--json`. The keys are stable: docs/json.md names them all."""

from __future__ import annotations

from eyespot.records import Record, SetAside


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
