"""What a person should look at: which boxes are shown, with which words, and what is drawn."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from eyespot.answering.box_evaluation import Judged
from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.data_set import Picture
from eyespot.detecting.shown import MOST, STRIP, Shown, shown
from eyespot.evaluate.box_matches import Found, Truth, matches
from eyespot.palette import color_of

CLASSES = ("cat", "dog")
SIDE = 200


def gray() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (120, 120, 120)).save(buffer, "PNG")
    return buffer.getvalue()


def looked_at(true: list[list[float]], found: list[list[float]], *, pictures: int = 1, gone: int = 0) -> Shown:
    """Of pictures that have all these boxes of cats each, found with a score of 0.9; the first ones cannot be read."""
    no = np.zeros(len(true), bool)
    boxes = Boxes(np.array(true, float).reshape(-1, 4), np.zeros(len(true), np.int64), no, no)
    asked = [
        BoxedPicture(
            Picture(f"{number}.png", path=Path("/nowhere/gone.png"))
            if number < gone
            else Picture(f"{number}.png", data=gray()),
            SIDE,
            SIDE,
            boxes,
        )
        for number in range(pictures)
    ]
    truths = [Truth(boxes.xyxy, boxes.labels)] * pictures
    founds = [Found(np.array(found, float).reshape(-1, 4), [0.9] * len(found), [0] * len(found))] * pictures
    judged = Judged(asked, truths, founds, [])
    return shown(judged, matches(truths, founds, classes=2), CLASSES, threshold=0.5, levels=None)


def test_each_box_has_its_words() -> None:
    pictures = looked_at(
        [[10, 10, 50, 50], [100, 100, 140, 140]], [[10, 10, 50, 50], [100, 60, 140, 110], [5, 150, 30, 190]]
    )
    assert [(each.label, each.words) for each in pictures.wrong] == [
        ("cat", "0.90: lies beside a thing of its class"),
        ("cat", "0.90: there is nothing of the kind, by the labels"),
    ]
    assert [(each.label, each.words) for each in pictures.missed] == [("cat", "no box")]
    assert [each.words for each in pictures.found] == ["3 found, 2 by the labels"]


def test_the_name_of_a_box_is_not_crossed_by_the_line_of_its_label() -> None:
    [wrong] = looked_at([[80, 70, 120, 110]], [[80, 90, 120, 130]]).wrong
    pixels = np.asarray(Image.open(io.BytesIO(wrong.image)).convert("RGB"), int)
    name = np.abs(pixels - color_of(0)).max(axis=2) < 60
    rows = np.flatnonzero(name.sum(axis=1) > 20)  # of the name's ground, and of the box's upper and lower line
    assert len(rows) >= 12


def test_few_of_many_are_shown_and_those_that_are_gone_are_passed_over() -> None:
    pictures = looked_at([[10, 10, 50, 50]], [[100, 100, 140, 140]], pictures=20, gone=3)
    assert len(pictures.wrong) == len(pictures.missed) == MOST
    assert [each.picture for each in pictures.found] == [f"{number}.png" for number in range(3, 3 + STRIP)]
