"""How good a fitted model is: on validation, on test (read here, once, after everything is decided), or out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.data.store import Store
from eyespot.evaluate.calibration import calibration, probabilities
from eyespot.evaluate.intervals import wilson, wilson_fraction
from eyespot.evaluate.metrics import part_metrics
from eyespot.recipes.prepare import Prepared
from eyespot.recipes.progress import Progress
from eyespot.recipes.regime import Fitted, despite_ctrl_c, stopped_note
from eyespot.records import Calibration, Metric, Part, PartMetrics, Precision
from eyespot.training.fit import folds_of

COMPARED = 100
"""Pictures on which bf16 is compared with fp32, at most."""
CHECKED = 8
"""Pictures that the written model is asked; few enough to be asked one at a time, as most pictures will be."""


@dataclass(frozen=True)
class Answers:
    """Logits of pictures, and what they should say."""

    part: Part
    pictures: list[Hashed]
    labels: np.ndarray
    """(N,)."""
    logits: np.ndarray
    """(N, classes), before the temperature."""


@dataclass(frozen=True)
class Measurements:
    """Everything that was measured."""

    prepared: Prepared
    """Without the pictures that turned out to be unreadable."""
    answers: tuple[Answers, ...]
    """To every picture that was held out: val, test, and out of fold what was trained on."""
    own: Answers
    """The trained model's own, to a few pictures: by them the written model is checked."""
    validation: PartMetrics | None
    test: PartMetrics | None
    small_test: PartMetrics | None
    """On a test part that is too small to be the measure: worth showing, not worth relying on."""
    out_of_fold: Metric | None
    out_of_fold_detail: PartMetrics | None
    out_of_fold_reason: str
    calibration: Calibration | None
    precision: Precision
    views_computed: int
    notes: list[str]


def measure(fitted: Fitted, *, store: Store | None, progress: Progress) -> Measurements:
    """The measurements of a fitted model; pictures of val and test are decoded here for the first time.

    Ctrl-C ends measuring, not the run: what was measured until then counts, and a note says that it is incomplete.
    """
    if fitted.regime != "frozen":
        store = None  # no other run will ask for the features of a network that was trained just now
    prepared, notes, computed = fitted.prepared, [], 0
    found: dict[Part, Answers] = {}
    precision = Precision(name=fitted.trunk.precision, agreement=None, largest_difference=None, n=0)
    try:
        for part in fitted.held_out:
            if part == "val" and fitted.answers_on_val:
                known = fitted.answers_on_val
                found[part] = Answers(part, known.pictures, known.labels, known.middle)
                continue
            embedded = fitted.trunk.embed(
                prepared.part(part),
                views=("identity",),
                store=store,
                progress=lambda done, total, part=part: progress(f"measuring on {part}", done, total),  # type: ignore[misc]
            )
            prepared = prepared.without(embedded.set_aside)
            computed += embedded.computed
            notes += embedded.notes
            if embedded.pictures:
                logits = fitted.head.logits(embedded.features["identity"])
                found[part] = Answers(part, embedded.pictures, prepared.labels(embedded.pictures), logits)
        precision, views = _agreement(fitted, [*found.values(), *_train_answers(fitted, set())], store)
        computed += views
    except KeyboardInterrupt:
        notes.append(stopped_note("measuring"))
    (own, views), _ = despite_ctrl_c(lambda: _own_answers(fitted, prepared, list(found.values()), store))
    computed += views
    metrics = {part: _metrics(each.labels, each.logits, fitted) for part, each in found.items()}
    out_of_fold, detail = _out_of_fold(fitted)
    return Measurements(
        prepared=prepared,
        answers=(
            *found.values(),
            *_train_answers(fitted, {each.content for known in found.values() for each in known.pictures}),
        ),
        own=own,
        validation=metrics.get("val"),
        test=None if fitted.small_test else metrics.get("test"),
        small_test=metrics.get("test") if fitted.small_test else None,
        out_of_fold=out_of_fold,
        out_of_fold_detail=detail,
        out_of_fold_reason=_reason(fitted) if fitted.out_of_fold else "",
        calibration=_calibration(fitted, found),
        precision=precision,
        views_computed=computed,
        notes=notes,
    )


def _metrics(labels: np.ndarray, logits: np.ndarray, fitted: Fitted) -> PartMetrics:
    names = fitted.prepared.data_set.classes
    return part_metrics(labels, probabilities(logits, temperature=fitted.temperature), names)


def _out_of_fold(fitted: Fitted) -> tuple[Metric | None, PartMetrics | None]:
    answers = fitted.out_of_fold
    if answers is None:
        return None, None
    metric = wilson_fraction(float(answers.accuracies.mean()), len(answers.labels))
    return metric, _metrics(answers.labels, answers.middle, fitted)


def _reason(fitted: Fitted) -> str:
    answers, count = fitted.out_of_fold, len(fitted.prepared.part("test"))
    assert answers is not None
    have = f"the test part has only {count} picture{'s' * (count != 1)}" if count else "there is no test part"
    repeats = len(answers.logits)
    times = "" if repeats == 1 else f", {repeats} times over"
    return (
        f"{have}, too few to say much; instead each of the {len(answers.labels)} pictures was answered by models that "
        f"had not seen it (cross-validation{times})"
    )


def _own_answers(
    fitted: Fitted, prepared: Prepared, found: Sequence[Answers], store: Store | None
) -> tuple[Answers, int]:
    """The trained model's answers to a few pictures, held-out ones if there are any; and the views computed for it."""
    for each in found:
        return Answers(each.part, each.pictures[:CHECKED], each.labels[:CHECKED], each.logits[:CHECKED]), 0
    embedded = fitted.trunk.embed(prepared.part("train")[:CHECKED], views=("identity",), store=store)
    logits = np.empty((0, len(prepared.data_set.classes)), np.float32)
    if embedded.pictures:
        logits = fitted.head.logits(embedded.features["identity"])
    return Answers("train", embedded.pictures, prepared.labels(embedded.pictures), logits), embedded.computed


def _train_answers(fitted: Fitted, answered: set[str]) -> list[Answers]:
    """Out-of-fold answers to the pictures that were trained on and are not `answered` (content hashes) otherwise."""
    folds = fitted.out_of_fold or fitted.answers_on_train
    if folds is None:
        return []
    rows = [row for row, each in enumerate(folds.pictures) if each.content not in answered]
    return [Answers("train", [folds.pictures[row] for row in rows], folds.labels[rows], folds.middle[rows])]


def _calibration(fitted: Fitted, found: dict[Part, Answers]) -> Calibration | None:
    """On pictures that the temperature was not fitted on where there are enough; else by folds, on those it was."""
    temperature, source = fitted.temperature, fitted.temperature_from
    unseen = None if fitted.small_test else found.get("test")
    if fitted.regime == "frozen":  # otherwise val is what the temperature was fitted on
        unseen = unseen or found.get("val")
    if unseen:
        name = "test pictures" if unseen.part == "test" else "validation pictures"
        return calibration(unseen.logits, unseen.labels, temperature, source, measured_on=name)
    own = fitted.out_of_fold or fitted.calibrated_on
    if own is None:
        return None
    name = "validation pictures" if own.pictures[0].picture.part == "val" else "out-of-fold pictures"
    fold = folds_of(own.labels, seed=0)
    return calibration(own.middle, own.labels, temperature, source, measured_on=name, fold=fold)


def _agreement(fitted: Fitted, answers: list[Answers], store: Store | None) -> tuple[Precision, int]:
    """bf16 against fp32 on the person's own pictures, held-out ones if there are any; and the views computed for it."""
    name = fitted.trunk.precision
    if name == "fp32" or not answers:
        return Precision(name=name, agreement=None, largest_difference=None, n=0), 0
    pictures = answers[0].pictures
    pictures = pictures[:: -(-len(pictures) // COMPARED)]
    both = [
        trunk.embed(pictures, views=("identity",), store=store)
        for trunk in (fitted.trunk, fitted.trunk.in_precision("fp32"))
    ]
    fast, full = (
        probabilities(fitted.head.logits(each.features["identity"]), temperature=fitted.temperature) for each in both
    )
    same = wilson(int((fast.argmax(axis=1) == full.argmax(axis=1)).sum()), len(pictures))
    return Precision(
        name=name,
        agreement=same.accuracy,
        low=same.low,
        high=same.high,
        largest_difference=min(1.0, float(np.abs(fast - full).max())),
        n=same.n,
    ), sum(each.computed for each in both)
