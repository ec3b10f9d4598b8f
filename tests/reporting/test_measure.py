"""What is measured on which pictures: bf16 against fp32, calibration on unseen answers, small test parts, Ctrl-C."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.evaluate.calibration import calibration
from eyespot.evaluate.metrics import wilson
from eyespot.features.embed import Embedded
from eyespot.features.trunk import Trunk
from eyespot.heads.fit import folds_of
from eyespot.heads.head import Head
from eyespot.progress import silent
from eyespot.records import Preprocess
from eyespot.regimes.answers import Answers
from eyespot.regimes.fitted import AsFound, ClassMeans, Fitted, Temperature
from eyespot.regimes.prepare import Prepared
from eyespot.reporting.measure import CHECKED, MOST_COMPARED, measure

CLASSES = ("cat", "dog")
HEAD = Head(((np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),), "softmax")


@dataclass(frozen=True)
class FakeTrunk:
    precision: str = "fp32"
    signer: Any = None


def fake_embed(trunk, hashed, *, store=None, tap=None, progress=lambda done, total: None) -> Embedded:
    """Every picture's features are decided by its number and the precision: in bf16 every tenth answer differs."""
    assert not trunk.signer or trunk.signer.precision == trunk.precision
    progress(0, len(hashed))
    rows = [_row(int(each.content), trunk.precision) for each in hashed]
    return Embedded(list(hashed), {"identity": np.array(rows, np.float32)}, [], len(hashed), [])


def _row(number: int, precision: str) -> tuple[float, float]:
    other = number % 10 == 0 and precision == "bf16"
    says_dog = (number % 2 == 1) != other
    sure = 0.5 + number % 7
    return (0.0, sure) if says_dog else (sure, 0.0)


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch):
    for name in ("regimes.answers", "reporting.measure"):
        monkeypatch.setattr(f"eyespot.{name}.embed", fake_embed)


def pictures(part: str, count: int, *, first: int) -> list[Hashed]:
    return [
        Hashed(Picture(f"{number}.jpg", label=CLASSES[(number % 3) % 2], part=part, data=b""), str(number))
        for number in range(first, first + count)
    ]


def fitted(*, precision="fp32", train=40, val=40, test=40, **changes) -> Fitted:
    hashed = [
        *pictures("train", train, first=0),
        *pictures("val", val, first=100),
        *pictures("test", test, first=1000),
    ]
    data_set = DataSet("pets", tuple(each.picture for each in hashed), CLASSES)
    prepared = Prepared(data_set, hashed, True, False, [], [], "0" * 32)
    answers = out_of_fold(prepared, "train")
    whole = Fitted(
        regime="frozen",
        prepared=prepared,
        trunk=FakeTrunk(precision),
        head=HEAD,
        held_out=("val", "test"),
        small_test=False,
        temperature=Temperature(2.0, "answers to the training pictures", answers),
        means=ClassMeans.judged_on(np.eye(2, dtype=np.float32), None, "nothing"),
        trained_on=train,
        mirror=False,
        l2=1.0,
        out_of_fold=None,
        table=(),
        how=(),
        views_computed=0,
    )
    return replace(whole, **changes)


def trunk_of_nothing(signer: Trunk | None = None) -> Trunk:
    preprocess = Preprocess(
        short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(0, 0, 0), scale=(1, 1, 1), exact=False
    )
    return Trunk(b"", network=None, preprocess=preprocess, precision="bf16", folder=None, signer=signer)


def out_of_fold(prepared: Prepared, part: str) -> Answers:
    hashed = prepared.part(part)
    features = fake_embed(FakeTrunk(), hashed).features["identity"]
    return Answers(hashed, prepared.labels(hashed), HEAD.logits(features)[None])


def measured(whole: Fitted):
    return measure(whole, store=None, progress=silent)


# --- bf16


def test_the_agreement_of_bf16_has_its_interval_and_its_number_of_pictures():
    found = measured(fitted(precision="bf16")).precision
    expected = wilson(36, 40)  # one answer in ten is another
    assert (found.agreement, found.low, found.high, found.n) == (
        expected.accuracy,
        expected.low,
        expected.high,
        expected.n,
    )
    assert found.largest_difference > 0


def test_what_fp32_sees_is_not_kept_as_signatures_in_bf16():
    whole = fitted(precision="bf16")
    measured(replace(whole, trunk=FakeTrunk("bf16", signer=FakeTrunk("bf16"))))
    with pytest.raises(AssertionError):
        replace(trunk_of_nothing(signer=trunk_of_nothing()), precision="fp32")


@pytest.mark.parametrize("val", [MOST_COMPARED - 1, MOST_COMPARED, MOST_COMPARED + 1, 3 * MOST_COMPARED - 1])
def test_bf16_is_compared_on_a_limited_number_of_pictures_that_is_told(val):
    found = measured(fitted(precision="bf16", val=val))
    assert MOST_COMPARED / 2 <= found.precision.n <= MOST_COMPARED
    assert found.views_computed == val + 40 + 2 * found.precision.n  # also those that only the comparison needed


@pytest.mark.parametrize("held_out", [("val", "test"), ()])
def test_the_answers_that_check_the_written_model_are_its_own_and_views_for_them_are_counted(held_out):
    found = measured(fitted(held_out=held_out))
    assert {each.picture.part for each in found.own.pictures} == {"val" if held_out else "train"}
    assert len(found.own.pictures) == CHECKED
    own = fake_embed(FakeTrunk(), found.own.pictures).features["identity"]
    np.testing.assert_array_equal(found.own.middle, HEAD.logits(own))
    assert found.views_computed == (80 if held_out else CHECKED)


def test_bf16_is_compared_on_training_pictures_where_none_are_held_out():
    whole = fitted(precision="bf16", val=0, test=0)
    small = replace(whole, held_out=(), small_test=True, out_of_fold=whole.temperature.answers)
    assert measured(small).precision.n == 40


def test_fp32_is_compared_with_nothing():
    found = measured(fitted())
    assert (found.precision.agreement, found.precision.n, found.views_computed) == (None, 0, 80)


# --- calibration


def expected_calibration(answers: Answers, measured_on: str, *, by_folds: bool):
    fold, source = folds_of(answers.labels, seed=0) if by_folds else None, "answers to the training pictures"
    return calibration(answers.middle, answers.labels, 2.0, source, measured_on=measured_on, fold=fold)


def test_calibration_is_measured_on_test_or_else_on_the_own_val_part():
    whole = fitted()
    assert measured(whole).scores.calibration == expected_calibration(
        out_of_fold(whole.prepared, "test"), "test pictures", by_folds=False
    )
    whole = fitted(test=0)
    assert measured(whole).scores.calibration == expected_calibration(
        out_of_fold(whole.prepared, "val"), "validation pictures", by_folds=False
    )


def test_a_small_test_run_measures_calibration_on_the_own_val_part():
    whole = fitted(test=5)
    small = replace(whole, small_test=True, out_of_fold=whole.temperature.answers)
    assert measured(small).scores.calibration == expected_calibration(
        out_of_fold(whole.prepared, "val"), "validation pictures", by_folds=False
    )


def test_calibration_is_measured_by_folds_where_only_the_fitted_answers_are_left():
    whole = fitted(val=0, test=0)
    small = replace(whole, held_out=(), small_test=True, out_of_fold=whole.temperature.answers)
    found = measured(small).scores.calibration
    assert found.cross_fitted
    assert found == expected_calibration(whole.temperature.answers, "out-of-fold pictures", by_folds=True)


def test_from_scratch_the_val_part_gave_the_temperature_so_it_is_measured_by_folds():
    whole = fitted(test=0)
    own = out_of_fold(whole.prepared, "val")
    found = measured(
        replace(whole, regime="scratch", temperature=replace(whole.temperature, answers=own))
    ).scores.calibration
    assert found == expected_calibration(own, "validation pictures", by_folds=True)
    assert found.n == 40


def test_nothing_answered_means_nothing_calibrated():
    whole = fitted(val=0, test=0, temperature=Temperature(1.0, "nothing", None))
    assert measured(whole).scores.calibration is None


# --- small test parts


def test_a_small_test_part_is_measured_but_is_not_the_test_figure():
    whole = fitted(test=12)
    found = measured(replace(whole, small_test=True, out_of_fold=whole.temperature.answers))
    assert found.scores.test is None
    assert found.scores.small_test.overall.n == 12
    assert found.scores.validation.overall.n == 40
    assert found.scores.out_of_fold.n == 40
    assert "the test part has only 12 pictures" in found.scores.out_of_fold_reason
    assert sorted(found.answers) == ["test", "train", "val"]


# --- Ctrl-C


@pytest.mark.parametrize(("at", "validation", "notes"), [("val", None, 1), ("test", 40, 1), (None, 40, 0)])
def test_ctrl_c_while_measuring_keeps_what_was_measured_and_says_that_it_is_incomplete(at, validation, notes):
    def stop(step, done, total):
        if step == f"measuring on {at}":
            raise KeyboardInterrupt

    found = measure(fitted(), store=None, progress=stop)
    assert (found.scores.validation and found.scores.validation.overall.n) == validation
    assert (found.scores.test is None) == (at is not None)
    assert len(found.notes) == notes
    assert all("complete and usable, but its figures are incomplete" in note for note in found.notes)


def test_ctrl_c_while_the_list_is_judged_costs_nothing_but_that():
    def stop():
        raise KeyboardInterrupt

    whole = fitted()
    found = measured(replace(whole, as_found=AsFound(whole.prepared, stop)))
    assert (found.list_gain, found.scores.test.overall.n, len(found.notes)) == (None, 40, 1)


def test_views_that_were_computed_to_judge_the_list_are_counted():
    whole = fitted()
    found = measured(replace(whole, as_found=AsFound(whole.prepared, lambda: (HEAD, 7))))
    assert found.list_gain.judged.difference.value == 0
    assert found.views_computed == measured(whole).views_computed + 7 + 40
