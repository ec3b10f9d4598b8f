"""How good a fitted model is: on validation, on test (read here, once, after everything is decided), or out of fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.data.store import Store
from eyespot.evaluate.calibration import calibration, probabilities
from eyespot.evaluate.intervals import wilson_fraction
from eyespot.evaluate.metrics import part_metrics
from eyespot.recipes.prepare import Prepared
from eyespot.recipes.progress import Progress
from eyespot.recipes.regime import Fitted
from eyespot.records import Calibration, Metric, Part, PartMetrics, Precision

COMPARED = 100
"""Pictures on which bf16 is compared with fp32."""


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
    validation: PartMetrics | None
    test: PartMetrics | None
    out_of_fold: Metric | None
    out_of_fold_detail: PartMetrics | None
    out_of_fold_reason: str
    calibration: Calibration | None
    precision: Precision
    views_computed: int
    notes: list[str]


def measure(fitted: Fitted, *, store: Store | None, progress: Progress) -> Measurements:
    """The measurements of a fitted model; pictures of val and test are decoded here for the first time."""
    prepared, notes, computed = fitted.prepared, [], 0
    answers: list[Answers] = []
    held_out: list[Part] = [] if fitted.out_of_fold and not prepared.was_split else ["val"]
    if not fitted.out_of_fold:
        held_out.append("test")
    for part in held_out:
        hashed = prepared.part(part)
        if not hashed:
            continue
        embedded = fitted.trunk.embed(
            hashed,
            views=("identity",),
            store=store if fitted.regime == "frozen" else None,
            progress=lambda done, total, part=part: progress(f"measuring on {part}", done, total),  # type: ignore[misc]
        )
        prepared = prepared.without(embedded.set_aside)
        computed += embedded.computed
        notes += embedded.notes
        if embedded.pictures:
            logits = fitted.head.logits(embedded.features["identity"])
            answers.append(Answers(part, embedded.pictures, prepared.labels(embedded.pictures), logits))
    found = {each.part: each for each in answers}
    metrics = {part: _metrics(each.labels, each.logits, fitted) for part, each in found.items()}
    out_of_fold, detail = _out_of_fold(fitted)
    judged = found.get("test") or (None if fitted.out_of_fold else found.get("val"))
    return Measurements(
        prepared=prepared,
        answers=(*answers, *_train_answers(fitted, {each.content for known in answers for each in known.pictures})),
        validation=metrics.get("val"),
        test=metrics.get("test"),
        out_of_fold=out_of_fold,
        out_of_fold_detail=detail,
        out_of_fold_reason=_reason(fitted) if fitted.out_of_fold else "",
        calibration=_calibration(fitted, judged),
        precision=_agreement(fitted, found.get("val"), store),
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
    have = f"the test part has only {count} pictures" if count else "there is no test part"
    repeats = len(answers.logits)
    times = "" if repeats == 1 else f", {repeats} times over"
    return (
        f"{have}, too few to say much; instead each of the {len(answers.labels)} pictures was answered by models that "
        f"had not seen it (five folds{times})"
    )


def _train_answers(fitted: Fitted, answered: set[str]) -> list[Answers]:
    """Out-of-fold answers to the pictures that were trained on and are not `answered` (content hashes) otherwise."""
    folds = fitted.out_of_fold or fitted.answers_on_train
    if folds is None:
        return []
    rows = [row for row, each in enumerate(folds.pictures) if each.content not in answered]
    return [Answers("train", [folds.pictures[row] for row in rows], folds.labels[rows], folds.middle[rows])]


def _calibration(fitted: Fitted, judged: Answers | None) -> Calibration | None:
    if judged is not None:
        labels, logits = judged.labels, judged.logits
    elif fitted.out_of_fold is not None:
        labels, logits = fitted.out_of_fold.labels, fitted.out_of_fold.middle
    else:
        return None
    return calibration(logits, labels, fitted.temperature, fitted.temperature_from)


def _agreement(fitted: Fitted, validation: Answers | None, store: Store | None) -> Precision:
    """bf16 against fp32 on the user's own pictures."""
    name = fitted.trunk.precision
    if name == "fp32" or validation is None:
        return Precision(name=name, agreement=None, largest_difference=None, n=0)
    pictures = validation.pictures[:: max(1, len(validation.pictures) // COMPARED)]
    features = [
        trunk.embed(pictures, views=("identity",), store=store).features["identity"]
        for trunk in (fitted.trunk, fitted.trunk.in_precision("fp32"))
    ]
    fast, full = (probabilities(fitted.head.logits(x), temperature=fitted.temperature) for x in features)
    return Precision(
        name=name,
        agreement=float((fast.argmax(axis=1) == full.argmax(axis=1)).mean()),
        largest_difference=min(1.0, float(np.abs(fast - full).max())),
        n=len(pictures),
    )
