"""What a detector answers, and how it does on pictures whose boxes are known; the keys are those of `--json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from eyespot.card import bar, card
from eyespot.evaluate.box_records import DetectionScores
from eyespot.records import Fraction, Record, SetAside
from eyespot.words import some


@dataclass(frozen=True)
class BoxOptions:
    """Which boxes a detector names, and what is written of them, each into its own folder.

    With `where` a model that names classes takes those of what is written, too: it estimates one box a picture.
    """

    threshold: float | None = None
    """Least score; None for the one with the best F1 on validation."""
    iou: float | None = None
    """Of two boxes of a class that overlap by more, only the surer one."""
    max_boxes: int | None = None
    """For a picture."""
    draw: str | Path | None = None
    """Of copies of the pictures with their boxes."""
    save_txt: str | Path | None = None
    """Of a text for each picture as YOLO has them: class, middle, width and height as shares; of a detector also the
    probability, and of estimated boxes, which are labels to be corrected, the names of the classes beside."""
    save_crop: str | Path | None = None
    """Of folders of classes, with each box cut out of its picture."""

    overwrite: bool = False
    """Whether files that are there are replaced."""


class Detection(Record):
    """One box."""

    class_: str = Field(serialization_alias="class")
    probability: Fraction
    """The score of the class: how well the box fits, as the model expects it."""
    xyxy: tuple[float, float, float, float]
    """Left, top, right and bottom in pixels of the picture held upright."""

    @property
    def label(self) -> str:
        """The class."""
        return self.class_


class Detections(Record):
    """The boxes in one picture, the surest first; none, and the reason, where it cannot be read."""

    picture: str
    width: int
    """In pixels, of the picture held upright; 0 where it cannot be read."""
    height: int
    detections: tuple[Detection, ...]
    set_aside: str | None = None
    note: str | None = None
    """What makes the answer doubtful, in words."""

    def __str__(self) -> str:
        counts = Counter(box.class_ for box in self.detections)
        return some([f"{count} {name}" for name, count in counts.items()], most=len(counts)) or "nothing"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        rows = [(each.class_, bar(each.probability), ", ".join(map(str, each.xyxy))) for each in self.detections]
        said = [self.set_aside, self.note, None if self.detections else "nothing is found"]
        return card(self.picture, rows, below="; ".join(filter(None, said)))

    def yolo_line(self, box: Detection, label: int) -> str:
        """One of the boxes as YOLO's texts have it: the class's number, middle, width and height as shares."""
        left, top, right, bottom = box.xyxy
        x, y = (left + right) / 2 / self.width, (top + bottom) / 2 / self.height
        width, height = (right - left) / self.width, (bottom - top) / self.height
        return f"{label} {x:.6f} {y:.6f} {width:.6f} {height:.6f}"

    @staticmethod
    def header() -> tuple[str, ...]:
        """The columns of `rows`."""
        return ("picture", "class", "probability", "left", "top", "right", "bottom", "set_aside")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """A line of a table for each box, or one with the reason why there is none."""
        for box in self.detections:
            yield self.picture, box.class_, f"{box.probability:.6f}", *box.xyxy, ""
        if self.set_aside is not None:
            yield self.picture, "", "", "", "", "", "", self.set_aside


class DetectionValResult(DetectionScores):
    """How a detector does on pictures whose boxes are known: the scores, and on what."""

    model: str
    data: str
    part: str
    classes: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float
