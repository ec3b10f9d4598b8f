"""What a model answers to pictures: one row for each that can be read, and what is told of several repeats."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.features.embed import Embedded
from eyespot.heads.head import Head
from eyespot.records import SetAside
from eyespot.regimes.answers import Answers, Comparison, ask, compared, on_val
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


@pytest.mark.parametrize("seed", range(5))
def test_difference_and_error_are_mean_and_standard_error_of_the_paired_differences(seed):
    random = np.random.default_rng(seed)
    before, after = random.integers(0, 2, (2, 60))
    found = compared(answers(before.tolist()), answers(after.tolist()))
    assert found.difference == pytest.approx((after - before).mean())
    assert found.standard_error == pytest.approx(stats.sem(after - before, ddof=0))
    assert found.is_better == ((after - before).mean() > stats.sem(after - before, ddof=0))


def test_the_error_is_that_of_resampled_pictures():
    before, after = np.repeat([[1, 1], [0, 1], [1, 0], [0, 0]], [70, 20, 8, 2], axis=0).T
    found = compared(answers(before.tolist()), answers(after.tolist()))
    resampled = np.random.default_rng(0).choice(after - before, (20_000, len(after))).mean(axis=1)
    assert found.standard_error == pytest.approx(resampled.std(), rel=0.03)
    assert (found.won, found.lost, found.count, found.is_better) == (20, 8, 100, True)


@pytest.mark.parametrize(
    ("won", "lost", "is_better"),
    [(0, 0, False), (3, 3, False), (0, 3, False), (4, 2, False), (6, 2, True), (1, 0, False), (2, 0, True)],
)
def test_better_is_what_wins_by_more_than_the_error(won, lost, is_better):
    assert Comparison(won, lost, 100).is_better == is_better


def test_nothing_but_wins_has_no_error():
    assert Comparison(won=100, lost=0, count=100).standard_error == 0
    assert Comparison(won=100, lost=0, count=100).is_better


def test_only_pictures_that_both_have_answered_count_in_whatever_order_they_come():
    before = answers([1, 0, 0, 1], names=[1, 2, 3, 4])
    after = answers([0, 1, 1, 1], names=[9, 3, 2, 1])
    assert compared(before, after) == Comparison(won=2, lost=0, count=3)


def test_it_is_said_in_words():
    said = Comparison(won=7, lost=2, count=50).in_words("frozen")
    assert said == "7 more right and 2 more wrong than frozen: +10.0 points, standard error 5.8"
    assert "-6.0 points" in Comparison(won=0, lost=3, count=50).in_words("partial")
