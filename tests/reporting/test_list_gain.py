"""What a list is worth, where the heads are known: they look at one feature each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.groups import Series
from eyespot.errors import MachineError
from eyespot.evaluate.paired import paired
from eyespot.features.embed import Embedded
from eyespot.heads.head import Head
from eyespot.progress import silent
from eyespot.regimes.answers import Answers
from eyespot.regimes.fitted import SMALLEST_TEST, AsFound
from eyespot.regimes.prepare import Prepared
from eyespot.reporting.list_gain import Gained, list_gain

CLASSES = ("cat", "dog")
COUNT = 60
FEATURES = np.random.default_rng(0).choice([-1, 1], (COUNT, 2)).astype(np.float32)


def head(feature: int) -> Head:
    """Says dog where that feature is positive."""
    weight = np.zeros((2, 2), np.float32)
    weight[1, feature] = 1
    return Head(((weight, np.zeros(2, np.float32)),), "softmax")


def pictures(labels: np.ndarray) -> list[Hashed]:
    return [Hashed(Picture(f"{n}", label=CLASSES[label], part="test"), f"{n}") for n, label in enumerate(labels)]


def fitted(fit: Any, series: Series) -> Any:
    """A model that looks at the second feature, on pictures whose folders say what the first feature says."""
    hashed = pictures((FEATURES[:, 0] > 0).astype(int))
    found = Prepared(DataSet("pets", (), CLASSES), hashed, True, False, [], [], "0" * 32, series=series)
    return SimpleNamespace(as_found=AsFound(found, fit), head=head(1), trunk=None)


def judged(count: int = COUNT) -> Answers:
    """The first of the pictures, with the classes that the second feature says."""
    labels = (FEATURES[:count, 1] > 0).astype(np.int64)
    return Answers(pictures(labels), labels, head(1).logits(FEATURES[:count])[None], FEATURES[:count])


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch):
    def embed(trunk: None, hashed: list[Hashed], **given: Any) -> Embedded:
        return Embedded(hashed, {"identity": FEATURES[[int(each.content) for each in hashed]]}, [], 2, [])

    monkeypatch.setattr("eyespot.regimes.answers.embed", embed)


@pytest.mark.parametrize("series", [{}, {f"{n}": "0" for n in range(5)}], ids=["none", "one"])
def test_the_same_pictures_are_answered_by_both_heads(series):
    agree = FEATURES[:, 0] == FEATURES[:, 1]
    group = np.where(np.arange(COUNT) < 5, 0, np.arange(COUNT)) if series else np.arange(COUNT)
    found = list_gain(fitted(lambda: (head(0), 3), Series(series)), judged(40), store=None, progress=silent)
    assert (found.computed, found.notes) == (5, ())
    assert (found.found.judged.n, found.found.as_found.n) == (40, COUNT)
    assert found.found.judged.difference == paired(agree[:40], np.ones(40), series=group[:40]).gain
    assert found.found.as_found.difference == paired(np.ones(COUNT), agree, series=group).gain


def test_too_few_test_pictures_or_nothing_to_compare_with_say_nothing():
    def never() -> Any:
        raise AssertionError

    without_list = SimpleNamespace(as_found=None)
    few = judged(SMALLEST_TEST - 1)
    assert list_gain(fitted(never, Series()), few, store=None, progress=silent) == Gained()
    assert list_gain(fitted(never, Series()), None, store=None, progress=silent) == Gained()
    assert list_gain(without_list, judged(), store=None, progress=silent) == Gained()


def test_a_machine_that_is_too_small_for_a_second_head_costs_no_model():
    def no_room() -> Any:
        raise MachineError("the disk is full")

    found = list_gain(fitted(no_room, Series()), judged(), store=None, progress=silent)
    assert found == Gained(notes=("what your list is worth is not known: the disk is full",))
