"""What `train` returns of a detector; the keys are those of `--json` and of result.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from pydantic import Field

from eyespot.answering.detector import Detector
from eyespot.answering.model import load
from eyespot.card import card, link
from eyespot.evaluate.box_doubts import Why
from eyespot.evaluate.box_records import DetectionScores
from eyespot.evaluate.trust import SeriesFound
from eyespot.names import as_typed
from eyespot.records import Fraction, Record, SetAside
from eyespot.words import counted, some

DOUBTED: Mapping[Why, str] = {
    "another class": "{} on which another class is found",
    "nothing found": "{} where nothing is found",
    "no box": "{} without a box",
}


class BoxedCount(Record):
    """Pictures and boxes of one part."""

    part: str
    pictures: int
    boxes: int
    """That are to be found."""


class DoubtfulBox(Record):
    """A label that the detector, which had not trained on the picture, speaks against: to be looked at."""

    picture: str
    why: Why
    class_: str | None = Field(serialization_alias="class")
    """By the label; None where there is no box."""
    likelier: str | None
    """The class that is found there; None where nothing is."""
    score: Fraction
    """Of what is found; where nothing is answered, of the surest find near the box, 0 for none."""
    xyxy: tuple[float, float, float, float]
    """Of the box, or else of what is found: left, top, right and bottom in pixels of the picture held upright."""


class DetectorResult(Record):
    """What `train` made of pictures with boxes, and measured."""

    run: str
    """The run folder."""
    bundle: str
    report: str
    task: str = "detection"
    network: str
    format: str
    """Of the boxes: YOLO, COCO or Pascal VOC."""
    classes: tuple[str, ...]
    parts: tuple[BoxedCount, ...]
    set_aside: tuple[SetAside, ...]
    image_width: int
    """Of the images that the network takes, pixels."""
    image_height: int
    views: int
    """Of each picture that was trained on."""
    steps: int
    """Of training, that were done."""
    threshold: float
    """Least score of a box that is answered."""
    validation: DetectionScores | None
    """None where no picture validates, or none has a box to be found."""
    test: DetectionScores | None
    series: SeriesFound
    doubtful_boxes: tuple[DoubtfulBox, ...]
    """Of the pictures that were not trained on; kind after kind, in a kind the surest first."""
    views_computed: int
    """Views that were computed; all others came from the store."""
    notes: tuple[str, ...]
    seconds: float

    @cached_property
    def model(self) -> Detector:
        """The trained detector, opened."""
        return load(self.run, Detector)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        rows = [
            ("Used", some([f"{counted(each.pictures, 'picture')} for {each.part}" for each in self.parts])),
            ("Model", f"{self.network}, images of {self.image_width} x {self.image_height} px"),
            *((part, f"mAP50 {found.map50}") for part, found in self._measured()),
            ("Report", link(self.report, self.report)),
        ]
        return card(self.run, rows)

    def _measured(self) -> list[tuple[str, DetectionScores]]:
        scores = (("Validation", self.validation), ("Test", self.test))
        return [(part, found) for part, found in scores if found]

    @property
    def on_labels(self) -> str:
        """What there is to look at, in words; empty where there is nothing."""
        counts = Counter(each.why for each in self.doubtful_boxes)
        kinds = [
            words.format(counted(counts[why], "thing") if why == "no box" else counted(counts[why], "box", "boxes"))
            for why, words in DOUBTED.items()
            if counts[why]
        ]
        return f"{some(kinds)}, on pictures it did not train on: look at them in the report" if kinds else ""

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        run = as_typed(self.run)
        return (
            (f"eyespot predict {run} PICTURES --draw out/", "boxes in new pictures, drawn into copies of them"),
            (f"eyespot serve {run}", "a page to try it"),
            (f"eyespot val {run} FOLDER", "average precision on other pictures with boxes"),
        )
