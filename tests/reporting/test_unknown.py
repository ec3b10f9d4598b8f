"""What is found out about refusals before anybody asks: against loops, on features that a test makes up."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from eyespot.data.different import OF_EACH
from eyespot.evaluate.likeness import class_means, likeness, out_of_fold
from eyespot.evaluate.promises import least
from eyespot.features.embed import Embedded
from eyespot.regimes.answers import Answers
from eyespot.regimes.fitted import ClassMeans, Temperature
from eyespot.reporting import unknown as module
from eyespot.reporting.unknown import refusals, refused_of_different

CLASSES = ("circle", "square", "star")
D = 8


def features_of(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """(N, D): a direction for each class, and as much chance."""
    return np.eye(len(CLASSES), D)[labels] * 3 + np.random.default_rng(seed).gamma(1.0, size=(len(labels), D))


def fitted(count: int, **changes):
    """As much of a fitted model of three classes as is looked at."""
    labels = np.arange(count) % len(CLASSES)
    features = features_of(labels, seed=0)
    unseen = out_of_fold(features, labels, len(CLASSES), fold=np.arange(count) % 5)
    logits = features[None, :, : len(CLASSES)]
    known = {
        "regime": "frozen",
        "small_test": False,
        "means": ClassMeans(class_means(features, labels, len(CLASSES)), unseen, labels, "training pictures"),
        "temperature": Temperature(1.5, "answers", Answers([], labels, logits)),
        "prepared": SimpleNamespace(
            data_set=SimpleNamespace(classes=CLASSES), mirror_matters=False, group=lambda pictures: None
        ),
        "trunk": None,
    }
    return SimpleNamespace(**known | changes)


def answers(count: int, *, seed: int = 1) -> Answers:
    labels = np.arange(count) % len(CLASSES)
    features = features_of(labels, seed=seed)
    return Answers([], labels, features[None, :, :3], features)


def test_what_is_refused_is_decided_out_of_fold_and_measured_on_the_test_pictures():
    whole, test = fitted(300), answers(60)
    found = refusals(whole, {"val": answers(40, seed=2), "test": test}).unknown
    assert (found.n, found.fitted_on, found.measured_on) == (300, "training pictures", "test pictures")
    assert found.least(0.05) == least(whole.means.unseen.first, 0.05)
    below = likeness(test.features, whole.means.values).first < found.least(0.05)
    assert (found.refused.share, found.refused.n) == (below.mean(), 60)
    assert found.refused.low < found.refused.share < found.refused.high


@pytest.mark.parametrize(
    ("changes", "measured_on"),
    [
        ({}, "validation pictures"),
        ({"regime": "full"}, ""),  # they decided below which likeness a picture is refused
        ({"small_test": True}, "validation pictures"),
    ],
)
def test_pictures_that_decided_it_do_not_measure_it(changes, measured_on):
    held_out = {"val": answers(40)} | ({"test": answers(9)} if changes.get("small_test") else {})
    found = refusals(fitted(300, **changes), held_out).unknown
    assert found.measured_on == measured_on
    assert (found.refused is None) == (measured_on == "")


def test_each_class_is_left_out_in_turn():
    whole = fitted(300)
    means, labels = whole.means, whole.means.labels
    found = refusals(whole, {}).left_out
    assert [each.name for each in found] == [*CLASSES]
    features, fold = features_of(labels, seed=0), np.arange(300) % 5
    for number, each in enumerate(found):
        rest = labels != number
        alike = np.empty(300)
        for held_out in range(5):
            learned = class_means(features[fold != held_out], labels[fold != held_out], 3)[np.arange(3) != number]
            alike[fold == held_out] = likeness(features[fold == held_out], learned).first
        noticed = alike[~rest] < least(alike[rest], 0.05)
        assert (each.noticed.share, each.noticed.n) == (pytest.approx(noticed.mean()), 100)
    assert means.values.shape == (3, D)


@pytest.mark.parametrize("regime", ["partial", "full", "scratch"])
def test_a_network_that_learned_a_class_cannot_say_what_it_would_be_without_it(regime):
    assert refusals(fitted(300, regime=regime), {}).left_out == ()


def test_series_make_the_intervals_of_what_is_refused_wider():
    """Six pictures of each thing, two of each class, are worth one."""
    alone, test = fitted(300), answers(60)
    in_pairs = fitted(300)
    in_pairs.prepared.group = lambda pictures: np.arange(len(pictures)) // 6
    in_pairs.temperature.answers.pictures.extend([None] * 300)
    test.pictures.extend([None] * 60)
    one, other = (refusals(each, {"test": test}) for each in (alone, in_pairs))
    shares = [(one.unknown.refused, other.unknown.refused)]
    shares += [(first.noticed, second.noticed) for first, second in zip(one.left_out, other.left_out, strict=True)]
    for first, second in shares:
        assert (first.share, first.n) == (second.share, second.n)
        assert second.high - second.low > first.high - first.low


def test_where_that_would_take_long_it_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(module, "MOST_COMPARED", 899)
    assert refusals(fitted(300), {}).left_out == ()


def test_too_few_pictures_promise_less_and_at_last_nothing():
    assert [each.share for each in refusals(fitted(60), {}).unknown.refusing] == [0.1, 0.05, 0.02]
    few = fitted(12)
    assert [each.share for each in refusals(few, {}).unknown.refusing] == [0.1]
    assert refused_of_different(few, few.prepared, None) is None
    none = fitted(12, means=ClassMeans(few.means.values, None, np.zeros(0, np.int64), "nothing"))
    found = refusals(none, {})
    assert (found.unknown.refusing, found.unknown.n, found.left_out) == ((), 0, ())


def test_sets_come_from_calibrated_answers_out_of_fold():
    whole = fitted(300)
    logits, labels = whole.temperature.answers.logits[0] / 1.5, whole.means.labels
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truths = np.sort(shares[np.arange(300), labels])
    found = {each.share: each.least for each in refusals(whole, {}).sets}
    assert found == pytest.approx({0.8: truths[59], 0.9: truths[29], 0.95: truths[14], 0.99: truths[2]})
    assert refusals(fitted(300, temperature=Temperature(1.0, "nothing", None)), {}).sets == ()


@pytest.mark.parametrize("digits_may_be_classes", [False, True])
def test_pictures_that_are_brought_along_are_asked_about(monkeypatch, digits_may_be_classes):
    """The features of every other one are those of a class; the others are like none."""
    whole = fitted(300)

    def embed(trunk, hashed, *, store):
        rows = np.zeros((len(hashed), D))
        rows[::2, 0], rows[1::2, -1] = 1, 1
        return Embedded(list(hashed), {"identity": rows}, [], len(hashed), [])

    monkeypatch.setattr(module, "embed", embed)
    found = refused_of_different(whole, SimpleNamespace(mirror_matters=digits_may_be_classes), None)
    assert found.kinds == ("noise", "drawings", "digits")[: 2 if digits_may_be_classes else 3]
    assert (found.refused.share, found.refused.n) == (0.5, OF_EACH * len(found.kinds))
