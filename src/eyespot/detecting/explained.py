"""Why a detector drew a box: the place that told it, and which of its surroundings it rests on. Needs no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from pydantic import Field

from eyespot.answering.detections import Detection
from eyespot.answering.detector import Detector, chosen_cut, detections_of
from eyespot.answering.drawn import draw
from eyespot.bundle.boxes import found_at
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.framed import Framed, read_framed
from eyespot.data.pictures import naming, read_small
from eyespot.detecting.surroundings import Sides, Surroundings, ToldBox, place_of
from eyespot.engine.gate import BOXES, SCORES
from eyespot.errors import OptionError, UnreadablePicture
from eyespot.evaluate.boxes import clipped, to_picture
from eyespot.explaining.deletion import Deletion, deletion_test
from eyespot.explaining.drawing import PANEL, Explained, as_panel
from eyespot.explaining.heat import PATCHES, HeatMap, Method, occlusion_map
from eyespot.palette import PALE, color_of
from eyespot.records import Fraction, Record, Window
from eyespot.words import some

PLACES = 12
"""A side of the heat map, where it covers as many pixels."""
CAPTIONS = (
    "The picture. The heat map is of what is outlined.",
    "The box's heat map (occlusion). A light square told it.",
)


class BoxExplanation(Record):
    """Where one box comes from."""

    picture: str
    out: str
    """The PNG that was written."""
    class_: str = Field(serialization_alias="class")
    probability: Fraction
    xyxy: Sides
    """In pixels of the picture held upright."""
    box: int = Field(ge=1)
    """Its number among the boxes that are found in the picture, the surest being 1."""
    boxes: int = Field(ge=1)
    """How many are found."""
    stride: int
    """Pixels of the image between two places of the map on which the box was told."""
    place: Sides
    """What the place that told it stands for, in pixels of the picture."""
    method: Method
    places_hw: tuple[int, int]
    """Height and width of the heat map."""
    window: Window
    """The part of the picture that the heat map covers."""
    deletion: Deletion
    sentence: str
    """What the heat map can tell, and what it cannot."""


@dataclass(frozen=True)
class Seen:
    """A picture, and all that a detector finds in it."""

    name: str
    framed: Framed
    small: Image.Image
    """The whole picture, upright, as it is drawn."""
    boxes: tuple[Detection, ...]
    """The surest first."""
    told: tuple[ToldBox, ...]
    """The same as the network tells them."""


def explained_box(detector: Detector, seen: Seen, number: int, *, out: str) -> tuple[Explained, BoxExplanation]:
    """What is drawn of a box, and what is said of it.

    number: of the box, from 1. out: the PNG that will be written.
    """
    box, told = seen.boxes[number - 1], seen.told[number - 1]
    around = Surroundings(detector, seen.framed, told)
    [untouched] = around.ask([around.image])
    places = max(PATCHES, min(PLACES, *around.image.shape[:2]))
    values = occlusion_map(around.ask, around.image, untouched, places=places)
    heat = HeatMap("occlusion of a box", told.label, box.class_, untouched, values)
    deletion = deletion_test(around.ask, around.image, heat)
    stride, square = place_of(told.place, detector.manifest.preprocess.crop_hw, detector.manifest.strides)
    explained = Explained(
        _drawn(seen, number, detector.classes),
        around.image,
        around.window,
        heat,
        deletion,
        detector.classes,
        outlined=((around.shares(told.sides), color_of(told.label)), (around.shares(square), PALE)),
        captions=CAPTIONS,
    )
    said = BoxExplanation(
        picture=seen.name,
        out=out,
        class_=box.class_,
        probability=box.probability,
        xyxy=box.xyxy,
        box=number,
        boxes=len(seen.boxes),
        stride=stride,
        place=_in_picture(square, seen.framed),
        method=heat.method,
        places_hw=values.shape,
        window=around.window,
        deletion=deletion,
        sentence=heat.sentence,
    )
    return explained, said


def see(detector: Detector, file: bytes, *, name: str, threshold: float | None) -> Seen:
    """What the detector finds in a picture, as `predict` does.

    file, name: of the picture. threshold: least score of a box, or None for the model's own.
    Raises DataError if the picture cannot be read or answered.
    """
    preprocess = detector.manifest.preprocess
    cut = chosen_cut(detector.cut, threshold=threshold, iou=None, max_boxes=None)
    with naming(name):
        [framed] = read_framed([file], preprocess)
        if isinstance(framed, UnreadablePicture):
            raise framed
        outputs = detector.engine(1).run(framed.image[None])
        boxes, scores = outputs[BOXES][0], outputs[SCORES][0]
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            raise UnreadablePicture(NO_ANSWER)
        small = read_small(file, PANEL, preprocess.levels)
    found, places = found_at(framed, boxes, scores, cut)
    labels = np.asarray(found.labels).tolist()
    told = [ToldBox(label, _sides(boxes[at]), int(at)) for label, at in zip(labels, places, strict=True)]
    return Seen(name, framed, small, detections_of(found, detector.classes), tuple(told))


def chosen_box(seen: Seen, *, box: int | None, class_: str | None) -> int:
    """The number of the box to explain, from 1: `box`, or the surest of a class, or the surest of all.

    Raises OptionError if there is none.
    """
    if not seen.boxes:
        raise OptionError(
            f"nothing is found in {seen.name}: lower the option threshold, to explain a box that is less sure"
        )
    if box is not None:
        if box > len(seen.boxes):
            raise OptionError(f"the option box must be a number from 1 to {len(seen.boxes)}, not {box}: {_have(seen)}")
        return box
    if class_ is None:
        return 1
    of_class = [number for number, each in enumerate(seen.boxes, start=1) if each.class_ == class_]
    if not of_class:
        raise OptionError(f"no {class_!r} is found in {seen.name}: {_have(seen)}")
    return of_class[0]


def _have(seen: Seen) -> str:
    counts = Counter(each.class_ for each in seen.boxes)
    return f"found are {some([f'{count} {name}' for name, count in counts.items()])}"


def _drawn(seen: Seen, number: int, classes: Sequence[str]) -> Image.Image:
    """The picture with a box, which alone has its number."""
    height, width = seen.framed.picture_hw
    large = as_panel(seen.small)
    across, down = large.width / width, large.height / height
    box = seen.boxes[number - 1]
    sides = [side * factor for side, factor in zip(box.xyxy, (across, down, across, down), strict=True)]
    return draw(large, [(sides, color_of(classes.index(box.class_)), str(number))])


def _in_picture(sides: Sides, framed: Framed) -> Sides:
    """A box in pixels of the image, in those of the picture."""
    height, width = framed.picture_hw
    moved = to_picture([sides], picture_hw=framed.picture_hw, resized_hw=framed.shown_hw)
    return _sides(clipped(moved, width=width, height=height).round(2)[0])


def _sides(box: np.ndarray) -> Sides:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
