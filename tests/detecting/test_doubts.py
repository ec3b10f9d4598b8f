"""Labels that a detector speaks against, as they are written down, shown and said."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from eyespot.answering.box_evaluation import Judged
from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.data_set import Picture
from eyespot.detecting.doubts import Doubts
from eyespot.detecting.result import DetectorResult, DoubtfulBox
from eyespot.detecting.shown import MOST, doubted
from eyespot.evaluate.box_matches import Found, Truth

CLASSES = ("cat", "dog")
CAT, DOG = 0, 1
HERE, THERE, FAR = [10.0, 10, 50, 50], [100.0, 100, 140, 140], [150.0, 10, 190, 50]
MANIFEST = cast(Any, SimpleNamespace(classes=CLASSES, threshold=0.5))


def one(name: str, boxes: list[tuple[list[float], int]], seen: list[tuple[list[float], float, int]]) -> Judged:
    """A picture with its boxes and what is found in it."""
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), (120, 120, 120)).save(buffer, "PNG")
    xyxy = np.array([box for box, _ in boxes], float).reshape(-1, 4)
    labels, no = np.array([label for _, label in boxes], np.int64), np.zeros(len(boxes), bool)
    picture = BoxedPicture(Picture(name, data=buffer.getvalue()), 200, 200, Boxes(xyxy, labels, no, no))
    found = Found([box for box, *_ in seen], [score for _, score, _ in seen], [label for *_, label in seen])
    return Judged([picture], [Truth(xyxy, labels)], [found], [])


@pytest.fixture
def doubts() -> Doubts:
    """Of a validation picture that is as it is labelled, seven times, and of a test picture with one doubt a kind."""
    usual = one("val/usual.png", [(HERE, CAT), (THERE, DOG)], [(HERE, 0.6, CAT), (THERE, 0.6, DOG)])
    odd = one("test/odd.png", [(HERE, DOG), (THERE, CAT)], [(HERE, 0.7, CAT), (FAR, 0.8, DOG)])
    return Doubts.of(MANIFEST, [Judged.of([usual] * 7), odd])


def test_each_is_written_down_with_its_picture_box_and_classes(doubts: Doubts) -> None:
    assert [each.model_dump(by_alias=True) for each in doubts.records(CLASSES)] == [
        said("another class", "dog", "cat", 0.7, HERE),
        said("nothing found", "cat", None, 0.0, THERE),
        said("no box", None, "dog", 0.8, FAR),
    ]


def said(why: str, label: str | None, likelier: str | None, score: float, box: list[float]) -> dict[str, object]:
    return {
        "picture": "test/odd.png",
        "why": why,
        "class": label,
        "likelier": likelier,
        "score": score,
        "xyxy": tuple(box),
    }


def test_each_kind_is_shown_with_its_words(doubts: Doubts) -> None:
    kinds = list(doubted(doubts, CLASSES, threshold=0.5, levels=None))
    assert [(kind.count, [(cut.picture, cut.label, cut.words) for cut in kind.cuts]) for kind in kinds] == [
        (1, [("test/odd.png", "cat", "0.70: dog by the label")]),
        (1, [("test/odd.png", "cat", "by the label")]),
        (1, [("test/odd.png", "dog", "0.80: no box is there")]),
    ]


def test_of_many_the_first_are_shown_and_all_are_counted() -> None:
    usual = one("a.png", [(HERE, CAT)], [(HERE, 0.6, CAT)])
    odd = [one(f"{at}.png", [], [(FAR, 0.7 + at / 100, CAT)]) for at in range(MOST + 3)]
    [kind] = doubted(Doubts.of(MANIFEST, [usual, *odd]), CLASSES, threshold=0.5, levels=None)
    assert (kind.count, len(kind.cuts)) == (MOST + 3, MOST)
    assert kind.cuts[0].picture == f"{MOST + 2}.png"


def test_they_are_said_in_one_line(doubts: Doubts) -> None:
    records = tuple(doubts.records(CLASSES))
    assert words(records) == (
        "1 box on which another class is found, 1 box where nothing is found and 1 thing without a box, on pictures it "
        "did not train on: look at them in the report"
    )
    assert words(records[2:] * 2).startswith("2 things without a box, on pictures")
    assert words(()) == ""


def words(records: tuple[DoubtfulBox, ...]) -> str:
    return DetectorResult.model_construct(doubtful_boxes=records).on_labels
