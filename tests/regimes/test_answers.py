"""What a model answers to pictures: one row for each that can be read, and what is told of several repeats."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.groups import Series
from eyespot.evaluate.paired import Comparison
from eyespot.features.embed import Embedded
from eyespot.heads.head import Head
from eyespot.records import SetAside
from eyespot.regimes.answers import Answers, ask, on_val, weighed
from eyespot.regimes.prepare import Prepared

HEAD = Head(((np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),), "softmax")


def prepared(*parts: str) -> Prepared:
    hashed = [
        Hashed(Picture(f"{row}.png", label="ab"[row % 2], part=part, data=b""), f"{row:08x}")  # type: ignore[arg-type]
        for row, part in enumerate(parts)
    ]
    return Prepared(
        DataSet("noise", tuple(each.picture for each in hashed), ("a", "b")), hashed, True, False, [], [], ""
    )


def trunk(*, broken: str = "") -> Any:
    """The picture of that name cannot be read."""
    return SimpleNamespace(broken=broken)


@pytest.fixture(autouse=True)
def every_picture_has_the_features_1_0(monkeypatch):
    def embed(trunk: Any, hashed: list[Hashed], **_: Any) -> Embedded:
        left = [each for each in hashed if each.picture.name != trunk.broken]
        set_aside = [SetAside(picture=trunk.broken, reason="broken")] if trunk.broken else []
        features = np.tile(np.array([[1, 0]], np.float32), (len(left), 1))
        return Embedded(left, {"identity": features}, set_aside, len(left), ["a note"])

    monkeypatch.setattr("eyespot.regimes.answers.embed", embed)


def test_every_picture_that_can_be_read_is_answered_and_the_others_are_set_aside():
    data = prepared("val", "val", "val", "train")
    asked = on_val(data, trunk(broken="1.png"), HEAD)
    assert asked.answers is not None
    assert [each.picture.name for each in asked.answers.pictures] == ["0.png", "2.png"]
    assert asked.answers.labels.tolist() == [0, 0]
    assert asked.answers.logits.tolist() == [[[1, 0], [1, 0]]]
    assert [each.picture.name for each in asked.prepared.hashed] == ["0.png", "2.png", "3.png"]
    assert (asked.computed, asked.notes) == (2, ["a note"])


def test_where_nothing_can_be_read_there_are_no_answers():
    assert on_val(prepared("train"), trunk(), HEAD).answers is None
    data = prepared("val")
    asked = ask(data, data.hashed, trunk=trunk(broken="0.png"), head=HEAD)
    assert (asked.answers, asked.prepared.hashed) == (None, [])


def test_of_several_repeats_the_one_whose_accuracy_lies_in_the_middle_is_shown():
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    logits = np.array([[right, right], [wrong, wrong], [right, wrong]])
    answers = Answers(prepared("train", "train").hashed, np.array([0, 0]), logits)
    assert answers.accuracies.tolist() == [1, 0, 0.5]
    assert answers.middle.tolist() == logits[2].tolist()


def answers(right: list[int], *, names: list[int] | None = None) -> Answers:
    """Answers to pictures of class 1, which are right or not."""
    numbers = range(len(right)) if names is None else names
    logits = np.array([[0.0, 1.0] if each else [1.0, 0.0] for each in right])
    pictures = [Hashed(Picture(f"{number}.png", label="b"), content=f"{number:08x}") for number in numbers]
    return Answers(pictures, np.ones(len(right), np.int64), logits[None])


def test_only_pictures_that_both_have_answered_count_in_whatever_order_they_come():
    before = answers([1, 0, 0, 1], names=[1, 2, 3, 4])
    after = answers([0, 1, 1, 1], names=[9, 3, 2, 1])
    assert weighed(before, after, Series()).comparison == Comparison(won=2, lost=0, count=3)
