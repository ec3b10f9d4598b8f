"""What `train` returns of a detector; the keys are those of `--json` and of result.json."""

from __future__ import annotations

from eyespot.evaluate.box_records import DetectionScores
from eyespot.names import as_typed
from eyespot.records import Record, SetAside


class BoxedCount(Record):
    """Pictures and boxes of one part."""

    part: str
    pictures: int
    boxes: int
    """That are to be found."""


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
    views_computed: int
    """Views that were computed; all others came from the store."""
    notes: tuple[str, ...]
    seconds: float

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        run = as_typed(self.run)
        return (
            (f"eyespot predict {run} PICTURES --draw out/", "boxes in new pictures, drawn into copies of them"),
            (f"eyespot val {run} FOLDER", "average precision on other pictures with boxes"),
        )
