"""The sentences say what the numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.evaluate import verdict
from eyespot.evaluate.calibration import calibration
from eyespot.evaluate.metrics import part_metrics, wilson, wilson_fraction


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0 %"), (1, "100.0 %"), (0.1, "10.0 %"), (0.01, "1.0 %"), (0.9996, "99.96 %"), (0.0002, "0.02 %")],
)
def test_percent_is_never_rounded_to_all_or_nothing(share, text):
    assert plain(verdict.percent(share)) == text


def test_the_accuracy_on_unseen_pictures_is_said_in_words():
    metric = wilson(339, 372)
    said = plain(f"{verdict.accuracy_sentence(metric, 'test')} {verdict.interval_sentence(metric)}")
    assert said.startswith("In 339 of 372 test pictures, which it had never seen, the answer was right: 91.1 %.")
    assert "lies between 87.8 % and 93.6 %" in said


def test_a_mean_over_repeats_is_not_said_as_a_count():
    said = plain(verdict.accuracy_sentence(wilson_fraction(0.8823, 96), "out-of-fold"))
    assert "96 pictures" in said
    assert "88.2 %" in said
    assert " of 96" not in said.replace("Each of the 96", "")


def test_many_pictures_and_even_classes_need_no_warning():
    labels = np.arange(2000) % 2
    metrics = part_metrics(labels, np.eye(2)[np.where(np.arange(2000) % 10 == 0, 1 - labels, labels)], ["a", "b"])
    assert verdict.limits(metrics.overall, metrics.per_class) == ()


def test_few_pictures_a_perfect_score_and_empty_classes_are_each_warned_of():
    labels = np.arange(20) % 2
    metrics = part_metrics(labels, np.eye(3)[labels], ["cat", "dog", "eel"])
    said = plain(" ".join(verdict.limits(metrics.overall, metrics.per_class)))
    assert "With only 20 pictures, take" in said
    assert f"up to {100 * (1 - metrics.overall.low):.1f} % mistakes" in said
    assert "2 classes (cat and dog)" in said
    assert "one class (eel)" in said


def test_at_most_five_classes_are_named():
    names = [f"c{i}" for i in range(8)]
    metrics = part_metrics(range(8), np.eye(8), names)
    assert "8 classes (c0, c1, c2, c3, c4 and 3 more)" in " ".join(verdict.limits(metrics.overall, metrics.per_class))


def test_the_baseline_is_the_share_of_the_largest_class():
    metrics = part_metrics([0, 1, 1, 1], np.eye(2)[[0, 1, 1, 0]], ["a", "b"])
    assert "class, b, would be right in 75.0 %" in plain(verdict.baseline_sentence(metrics.per_class))


@pytest.mark.parametrize(("temperature", "word"), [(1.3, "too sure"), (0.7, "too cautious"), (1.0, "left as it was")])
def test_the_temperature_is_explained(temperature, word):
    assert word in verdict.temperature_sentence(temperature)


def test_calibration_is_judged_against_chance():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (3000, 2))
    shares = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    labels = (rng.random(3000) < shares).astype(int)
    good = calibration(logits * 3, labels, 3.0, "x")
    assert "no more than chance" in verdict.calibration_sentence(good)
    bad = calibration(logits, labels, 0.2, "x")
    assert "rough guide" in verdict.calibration_sentence(bad)
    assert "no gain" in verdict.calibration_sentence(bad)
