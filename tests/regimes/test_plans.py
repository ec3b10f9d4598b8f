"""Plans of training: every option reaches the loop, what is left open is the regime's own, rare classes count more."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from eyespot.augmenting.mixing import Mixing
from eyespot.regimes.plans import (
    FEW,
    FULL,
    NEW_TAIL,
    PARTIAL,
    SCRATCH_FEW,
    SCRATCH_MANY,
    SCRATCH_NORMED,
    Defaults,
    for_so_many,
    in_words,
    plan_for,
    scratch_defaults,
)
from eyespot.runs.options import OF_STEPS, USED_BY, TrainOptions, train_options

DOCUMENT = Path(__file__).parents[2] / "docs" / "training.md"
COLUMNS = {
    "partial": PARTIAL,
    "partial, new tail": NEW_TAIL,
    "full": FULL,
    f"scratch, up to {FEW:,} pictures": SCRATCH_FEW,
    "scratch, more": SCRATCH_MANY,
    "scratch, more, with BatchNorm": SCRATCH_NORMED,
}
ALIKE = np.array([0, 1, 2] * 4)


def plan(defaults: Defaults = PARTIAL, labels: np.ndarray = ALIKE, **options):
    return plan_for(train_options(**options), defaults, labels, classes=3)


GIVEN = {
    "epochs": 7,
    "batch": 5,
    "lr": 0.25,
    "optimizer": "sgd",
    "schedule": "step",
    "warmup": 0.5,
    "weight_decay": 0.125,
    "stage_factor": 0.5,
    "smoothing": 0.25,
    "average": 0.5,
    "patience": 2,
}


@pytest.mark.parametrize(("name", "value"), GIVEN.items())
def test_an_option_reaches_the_plan_and_changes_nothing_else(name, value):
    left_open, given = vars(plan()), vars(plan(**{name: value}))
    assert given == left_open | {name: value}
    assert given != left_open


@pytest.mark.parametrize("name", ["weight_decay", "smoothing", "average", "warmup"])
def test_a_zero_is_a_choice_and_not_left_open(name):
    assert getattr(plan(**{name: 0}), name) == 0


def test_every_option_of_the_steps_is_a_default_and_reaches_the_plan_or_the_network():
    of_steps = {name for name, users in USED_BY.items() if set(users) & set(OF_STEPS)} - {"head", "mirror", "weights"}
    elsewhere = {"freeze", "replace_tail", "views", "augment", "growing", "auxiliary", "dropout", "device"}
    own = {each.name for each in fields(Defaults)}
    assert own == of_steps - elsewhere
    assert own == GIVEN.keys() | {"mixup", "cutmix"}


def test_what_is_left_open_is_the_regimes_own():
    assert all(getattr(TrainOptions(), each.name) is None for each in fields(Defaults))
    made = vars(plan(FULL))
    assert {name: made[name] for name in GIVEN} == {name: getattr(FULL, name) for name in GIVEN}


@pytest.mark.parametrize(
    ("options", "mixing"),
    [
        ({}, None),
        ({"mixup": 0.4}, Mixing(mixup_probability=1, mixup_alpha=0.4)),
        ({"cutmix": 2}, Mixing(cutmix_probability=1, cutmix_alpha=2)),
        (
            {"mixup": 0.4, "cutmix": 2},
            Mixing(mixup_probability=0.5, mixup_alpha=0.4, cutmix_probability=0.5, cutmix_alpha=2),
        ),
        ({"mixup": 0, "cutmix": 0}, None),
    ],
    ids=str,
)
def test_mixing_takes_all_pairs_and_two_kinds_take_half_of_them_each(options, mixing):
    found = plan(FULL, **options).mixing
    assert (found is None) == (mixing is None)
    if found:
        shares = (found.mixup_probability, found.cutmix_probability)
        assert shares == (mixing.mixup_probability, mixing.cutmix_probability)
        assert not shares[0] or found.mixup_alpha == mixing.mixup_alpha
        assert not shares[1] or found.cutmix_alpha == mixing.cutmix_alpha


def test_mixup_that_is_a_regimes_own_can_be_left_out():
    assert PARTIAL.mixup > 0
    assert plan().mixing.mixup_alpha == PARTIAL.mixup
    assert plan(mixup=0).mixing is None


# --- classes


def test_classes_of_about_the_same_size_count_as_they_are():
    assert plan().class_weights is None
    assert plan(labels=np.array([0] * 3 + [1] * 2 + [2])).class_weights is None


def test_pictures_of_rare_classes_count_more_so_that_every_class_weighs_the_same():
    labels = np.array([0] * 12 + [1] * 3 + [2] * 1)
    weights = plan(labels=labels).class_weights
    assert weights == pytest.approx((16 / 36, 16 / 9, 16 / 3))
    assert np.array(weights)[labels].mean() == pytest.approx(1)
    assert len({round(weight * count, 9) for weight, count in zip(weights, (12, 3, 1), strict=True)}) == 1


def test_a_class_without_pictures_counts_nothing():
    assert plan(labels=np.array([0] * 12 + [2] * 2)).class_weights == pytest.approx((14 / 24, 0, 14 / 4))


def test_unequal_classes_can_be_left_as_they_are():
    assert plan(labels=np.array([0] * 12 + [1] * 3 + [2]), class_weight="none").class_weights is None


# --- from scratch


@pytest.mark.parametrize(
    ("count", "has_norms", "expected"),
    [
        (FEW, False, SCRATCH_FEW),
        (FEW, True, SCRATCH_FEW),
        (FEW + 1, False, SCRATCH_MANY),
        (FEW + 1, True, SCRATCH_NORMED),
    ],
)
def test_how_many_pictures_and_what_kind_of_network_decide_how_scratch_trains(count, has_norms, expected):
    assert scratch_defaults(count, has_norms=has_norms) is expected


@pytest.mark.parametrize(
    ("count", "epochs", "lr"), [(100, 40, 3.3e-4), (300, 17, 1e-3), (1_000, 5, 1e-3), (3_068, 4, 1e-3), (1, 40, 3.3e-6)]
)
def test_fewer_pictures_are_seen_more_often_and_the_fewest_at_a_lower_rate(count, epochs, lr):
    found = for_so_many(PARTIAL, count, most=40)
    assert (found.epochs, found.lr) == (epochs, lr)
    assert replace(found, epochs=PARTIAL.epochs, lr=PARTIAL.lr) == PARTIAL
    assert found.of(train_options(epochs=3, lr=0.5))["epochs"] == 3


# --- words


def test_the_report_says_what_the_steps_did():
    steps = {"batch": 5, "lr": 0.25, "schedule": "linear", "weight_decay": 0, "smoothing": 0}
    assert dict(in_words(plan(FULL, optimizer="sgd", **steps))) == {
        "Steps": "SGD with Nesterov's momentum, batches of 5, linear learning rate up to 0.25, weight decay 0"
    }
    assert dict(in_words(plan(mixup=0.4, cutmix=2, smoothing=0.25, labels=np.array([0] * 12 + [1] * 3 + [2])))) == {
        "Steps": f"AdamW, batches of 32, one-cycle learning rate up to {PARTIAL.lr:g}, weight decay 0.05, targets "
        "smoothed by 0.25",
        "Mixing": "mixup (alpha 0.4) and CutMix (alpha 2)",
        "Classes": "all weigh the same, whatever their number of pictures",
    }


def table() -> list[str]:
    """The table of docs/training.md. After a change of the numbers, copy it from this test's message."""
    lines = [f"| option | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    for each in fields(Defaults):
        values = (getattr(defaults, each.name) for defaults in COLUMNS.values())
        option = f"--{each.name.replace('_', '-')}"
        lines.append(f"| `{option}` | {' | '.join(map(_shown, values))} |")
    return lines


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def test_the_page_shows_the_numbers_of_every_regime():
    shown = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    expected = table()
    assert expected[0] in shown, "\n".join(expected)
    start = shown.index(expected[0])
    assert shown[start : start + len(expected)] == expected, "\n".join(expected)
