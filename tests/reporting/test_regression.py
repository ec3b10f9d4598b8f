"""Where a run got worse than the one before, against binomial tables and by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.evaluate.paired import paired
from eyespot.regimes.answers import Answers
from eyespot.reporting.regression import Both, Regression, regression, regression_of
from eyespot.reporting.regression import run_before as read_run
from eyespot.runs.tables import write_csv

CLASSES = ("-hat", "boot", "cap")


def run_before(folder: Path, answers: np.ndarray) -> Path:
    """A run whose files say what it answered to pictures 0, 1, ..., and what it knows of others."""
    names = [f"={number}.jpg" for number in range(len(answers))]
    write_csv(
        folder / "split.csv",
        ("picture", "class", "part", "content_hash"),
        [*((name, "", "test", f"content {n}") for n, name in enumerate(names)), ("t.jpg", "", "train", "content 999")],
    )
    write_csv(
        folder / "predictions.csv",
        ("picture", "part", "answer"),
        [*((name, "test", CLASSES[answer]) for name, answer in zip(names, answers, strict=True)),
         ("t.jpg", "train (out of fold)", "boot"), ("bad.jpg", "", "")],
    )  # fmt: skip
    return folder


def run_after(labels: np.ndarray, answers: np.ndarray) -> Any:
    """What a run measured on the same pictures, in another order, and on some that are new."""
    order = np.random.default_rng(5).permutation(len(labels))
    logits = np.eye(len(CLASSES))[answers]
    pictures = [Hashed(Picture(f"new/{n}.jpg"), f"content {n}") for n in order]
    more = [Hashed(Picture("more.jpg"), "content 1000"), Hashed(Picture("trained.jpg"), "content 999")]
    answered = Answers(
        [*pictures, *more], np.append(labels[order], [0, 0]), np.concatenate([logits[order], logits[:2]])[None]
    )
    prepared = SimpleNamespace(data_set=SimpleNamespace(classes=CLASSES), group=lambda pictures: None)
    return SimpleNamespace(answers={"test": answered}, prepared=prepared)


def compared(folder: Path, labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> Regression:
    found = regression_of(read_run(run_before(folder, before)), run_after(labels, after))
    assert found is not None
    return found


def test_it_is_what_binomial_tables_and_holms_rule_say(tmp_path):
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 240)
    before, after = labels.copy(), labels.copy()
    before[random.random(240) < 0.1] = 1
    worse = random.random(240) < np.where(labels == 2, 0.35, 0.08)
    after[worse] = (labels[worse] + 1) % 3
    found = compared(tmp_path, labels, before, after)

    def p_worse(own: np.ndarray) -> float:
        """That a fair coin gives the new run no more of the pictures that only one has right; half of just as many."""
        won = ((after == labels) & (before != labels))[own].sum()
        differing = ((after == labels) ^ (before == labels))[own].sum()
        table = stats.binom(differing, 0.5)
        return float(table.cdf(won) - table.pmf(won) / 2)

    ps = [p_worse(labels == label) for label in range(3)]
    by_holm = [max(min(1.0, (3 - sum(other < q for other in ps)) * q) for q in ps if q <= p) for p in ps]
    assert found.p == pytest.approx(p_worse(labels >= 0))
    assert [each.p for each in found.classes] == pytest.approx(by_holm)
    assert [each.name for each in found.worse_classes] == ["cap"]
    assert found.worse
    assert (found.before.n, found.after.n, sum(each.n for each in found.classes)) == (240, 240, 240)
    assert found.before.accuracy == pytest.approx((before == labels).mean())
    assert found.after.accuracy == pytest.approx((after == labels).mean())
    assert found.difference == paired(before == labels, after == labels).gain
    assert [each.after for each in found.classes] == pytest.approx(
        [(after == labels)[labels == label].mean() for label in range(3)]
    )


def test_the_words_name_the_classes_that_got_worse(tmp_path):
    labels = np.repeat([0, 1], 40)
    after = labels.copy()
    after[:12] = 2
    whole, of_classes = compared(tmp_path, labels, labels, after).sentences
    assert whole == (
        f"on the 80 pictures that {tmp_path} was tested on, 0.850 of the answers are right, and 1.000 of that run's: "
        "-15.0 points (95 % interval -23.0 to -6.3), it got worse"
    )
    assert of_classes == "it got worse in '-hat' (0.700 where it was 1.000, 40 pictures): look at what came to it"


def test_equal_answers_are_no_worse(tmp_path):
    labels = np.arange(30) % 3
    found = compared(tmp_path, labels, labels, labels)
    assert (found.p, found.is_worse, found.difference.value) == (0.5, False, 0)
    [said] = found.sentences
    assert found.smallest_seen is not None
    assert said.endswith(
        f"no sign that it got worse (a difference under {100 * found.smallest_seen:.1f} points usually gives none)"
    )


def test_pictures_of_one_series_have_one_say():
    """Of 60 pictures ten got worse: by themselves a proof, as one series a single accident."""
    labels, before, after = np.zeros(60, np.int64), np.ones(60, bool), np.arange(60) >= 10
    alone = regression("before", CLASSES, Both(labels, before, after))
    series = regression("before", CLASSES, Both(labels, before, after, np.maximum(np.arange(60), 9)))
    assert (alone.is_worse, series.is_worse) == (True, False)
    assert (alone.p, series.p) == (pytest.approx(0.5**11), pytest.approx(0.25))
    assert series.after.high - series.after.low > alone.after.high - alone.after.low


def test_too_few_pictures_show_nothing(tmp_path):
    labels = np.arange(2)
    found = compared(tmp_path, labels, labels, labels)
    assert found.smallest_seen is None
    assert next(found.sentences).endswith("and so few pictures cannot show whether it got worse")


def test_without_pictures_of_both_or_without_the_runs_files_nothing_is_compared(tmp_path):
    labels = np.arange(6) % 3
    after = run_after(labels, labels)
    assert regression_of(read_run(tmp_path), after) is None
    before = read_run(run_before(tmp_path, labels[:0]))
    assert regression_of(before, after) is None
    assert regression_of(before, SimpleNamespace(answers={})) is None


def test_pictures_that_the_run_before_does_not_know_are_not_compared_and_counted(tmp_path):
    labels = np.arange(6) % 3
    run_before(tmp_path, labels)
    split = (tmp_path / "split.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "split.csv").write_text("".join([*split[:3], *split[4:]]), "utf-8")
    before = read_run(tmp_path)
    assert regression_of(before, run_after(labels, labels)).after.n == 5
    assert list(before.notes) == [
        f"1 picture that {tmp_path} was tested on cannot be compared: not named in its split.csv"
    ]
