"""How good a fitted model is: on validation, on test (answered here, once, when all is decided), or out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eyespot.data.groups import effective_count
from eyespot.data.store import Store
from eyespot.evaluate.calibration import calibration, probabilities
from eyespot.evaluate.metrics import part_metrics, wilson
from eyespot.evaluate.trust import ListGain, SeriesFound
from eyespot.evaluate.verdict import RunScores
from eyespot.features.embed import embed
from eyespot.heads.fit import folds_of
from eyespot.progress import Progress
from eyespot.records import Calibration, Part, PartMetrics, Precision
from eyespot.regimes.answers import Answers, Asked, ask
from eyespot.regimes.fitted import Fitted, despite_ctrl_c, stopped_note
from eyespot.regimes.prepare import Prepared
from eyespot.reporting.list_gain import Gained, list_gain
from eyespot.reporting.unknown import Refusals, refusals, refused_of_different
from eyespot.words import counted

MOST_COMPARED = 100
"""Pictures on which bf16 is compared with fp32."""
CHECKED = 8
"""Pictures that the written model is asked; few enough to be asked one at a time, as most pictures will be."""


@dataclass(frozen=True)
class Measurements:
    """Everything that was measured."""

    prepared: Prepared
    """Without the pictures that turned out to be unreadable."""
    answers: Mapping[Part, Answers]
    """To every picture that was held out, by part: val, test, and as train what was answered out of fold."""
    own: Answers | None
    """The trained model's own, to a few pictures: by them the written model is checked. None if none can be read."""
    scores: RunScores
    refusals: Refusals
    series: SeriesFound
    list_gain: ListGain | None
    """What the person's list is worth; None where that is not known."""
    precision: Precision
    views_computed: int
    notes: list[str]


def measure(fitted: Fitted, *, store: Store | None, progress: Progress, briefly: bool = False) -> Measurements:
    """The measurements of a fitted model; what it answers to val and test is looked at here for the first time.

    briefly: without a comparison in full precision. Ctrl-C ends measuring, not the run: what was measured until then
    counts, and a note says that it is incomplete.
    """
    if fitted.regime != "frozen":
        store = None  # no other run will ask for the features of a network that was trained just now
    prepared, notes, computed = fitted.prepared, [], 0
    found: dict[Part, Answers] = {}
    precision = Precision(name=fitted.trunk.precision, agreement=None, largest_difference=None, n=0)
    different, gained = None, Gained()
    try:
        for part in fitted.held_out:
            asked = _asked(part, fitted, prepared, store, progress)
            prepared, computed = asked.prepared, computed + asked.computed
            notes += asked.notes
            if asked.answers:
                found[part] = asked.answers
        precision, views = _agreement(fitted, found, store, briefly=briefly)
        computed += views
        different = refused_of_different(fitted, prepared, store)
        gained = list_gain(fitted, found.get("test"), store=store, progress=progress)
    except KeyboardInterrupt:
        notes.append(stopped_note("measuring"))
    (own, views), _ = despite_ctrl_c(lambda: _own_answers(fitted, prepared, list(found.values()), store))
    series = _series(fitted, found.get("test"))
    answered = {each.content for known in found.values() for each in known.pictures}
    return Measurements(
        prepared=prepared,
        answers=found | _unseen_answers(fitted, answered),
        own=own,
        scores=_scores(fitted, found),
        refusals=replace(refusals(fitted, found), different=different),
        series=series,
        list_gain=gained.found,
        precision=precision,
        views_computed=computed + views + gained.computed,
        notes=[*notes, *gained.notes, *series.notes()],
    )


def _asked(part: Part, fitted: Fitted, prepared: Prepared, store: Store | None, progress: Progress) -> Asked:
    """The model's answers to a part: those that are known already, or anew."""
    if part == "val" and fitted.answers_on_val:
        return Asked(prepared, fitted.answers_on_val, computed=0, notes=[])
    return ask(
        prepared,
        prepared.part(part),
        trunk=fitted.trunk,
        head=fitted.head,
        store=store,
        progress=lambda done, total: progress(f"measuring on {part}", done, total),
    )


def _scores(fitted: Fitted, found: Mapping[Part, Answers]) -> RunScores:
    """found: the model's own answers, by part."""
    metrics = {part: _metrics(each, fitted) for part, each in found.items()}
    folds = fitted.out_of_fold
    return RunScores(
        calibration=_calibration(fitted, found),
        validation=metrics.get("val"),
        test=None if fitted.small_test else metrics.get("test"),
        small_test=metrics.get("test") if fitted.small_test else None,
        out_of_fold=folds.metric(fitted.prepared.series) if folds else None,
        out_of_fold_detail=_metrics(folds, fitted) if folds else None,
        out_of_fold_reason=_reason(folds, fitted) if folds else "",
    )


def _series(fitted: Fitted, test: Answers | None) -> SeriesFound:
    """test: the model's answers to the test pictures."""
    prepared, series = fitted.prepared, fitted.prepared.series
    trained = series.names(each.content for each in prepared.part("train"))
    is_apart = [series.of.get(each.content) not in trained for each in test.pictures] if test else []
    shared = len(is_apart) - sum(is_apart)
    return SeriesFound(
        series=len(series),
        pictures=len(series.of),
        named=sum(content in prepared.named for content in series.of),
        largest=series.largest,
        cut=series.cut,
        shared=shared,
        shared_val=sum(series.of.get(each.content) in trained for each in prepared.part("val")),
        apart=_metrics(test.take(np.array(is_apart)), fitted).overall if test and 0 < shared < len(is_apart) else None,
        together=fitted.findings.together,
        torn=fitted.findings.torn,
        folds_tear=fitted.findings.folds_tear,
    )


def _metrics(answers: Answers, fitted: Fitted) -> PartMetrics:
    chances = probabilities(answers.middle, temperature=fitted.temperature.value)
    group = fitted.prepared.group(answers.pictures)
    return part_metrics(answers.labels, chances, fitted.prepared.data_set.classes, group=group)


def _reason(answers: Answers, fitted: Fitted) -> str:
    count, different = len(fitted.prepared.part("test")), fitted.prepared.different("test")
    differ = " that differ, series of them counted as one" if different < count else ""
    few = f"the test part has only {counted(different, 'picture')}{differ}, too few to say much"
    have = few if count else "there is no test part"
    repeats = len(answers.logits)
    times = "" if repeats == 1 else f", {repeats} times over"
    return (
        f"{have}; instead each of the {len(answers.labels)} pictures was answered by models that "
        f"had not seen it (cross-validation{times})"
    )


def _own_answers(
    fitted: Fitted, prepared: Prepared, found: Sequence[Answers], store: Store | None
) -> tuple[Answers | None, int]:
    """The trained model's answers to a few pictures, held-out ones if there are any; and the views computed for it."""
    for each in found:
        return each.first(CHECKED), 0
    few = prepared.part("train")[:CHECKED]
    asked = ask(prepared, few, trunk=fitted.trunk, head=fitted.head, store=store)
    return asked.answers, asked.computed


def _unseen_answers(fitted: Fitted, answered: set[str]) -> dict[Part, Answers]:
    """As train, the answers out of fold to pictures that are not `answered` (content hashes) otherwise, if any."""
    folds = fitted.out_of_fold or fitted.answers_on_train
    rows = [row for row, each in enumerate(folds.pictures) if each.content not in answered] if folds else []
    if not folds or not rows:
        return {}
    return {"train": Answers([folds.pictures[row] for row in rows], folds.labels[rows], folds.middle[rows][None])}


def _calibration(fitted: Fitted, found: Mapping[Part, Answers]) -> Calibration | None:
    """On pictures that the temperature was not fitted on where there are enough; else by folds, on those it was."""
    temperature, source = fitted.temperature.value, fitted.temperature.source
    unseen: list[Part] = [] if fitted.small_test else ["test"]
    if fitted.regime == "frozen":  # otherwise val is what the temperature was fitted on
        unseen.append("val")
    for part in unseen:
        if part in found:
            answers, name = found[part], "test pictures" if part == "test" else "validation pictures"
            group = fitted.prepared.group(answers.pictures)
            return calibration(answers.middle, answers.labels, temperature, source, measured_on=name, group=group)
    own = fitted.out_of_fold or fitted.temperature.answers
    if own is None:
        return None
    name = "validation pictures" if own.pictures[0].picture.part == "val" else "out-of-fold pictures"
    group = fitted.prepared.group(own.pictures)
    fold = folds_of(own.labels, seed=0, group=group)
    return calibration(own.middle, own.labels, temperature, source, measured_on=name, fold=fold, group=group)


def _agreement(
    fitted: Fitted, found: Mapping[Part, Answers], store: Store | None, *, briefly: bool
) -> tuple[Precision, int]:
    """bf16 against fp32 on the person's own pictures, held-out ones if there are any; and the views computed for it."""
    name, answers = fitted.trunk.precision, [*found.values(), *_unseen_answers(fitted, set()).values()]
    if name == "fp32" or briefly or not answers:
        return Precision(name=name, agreement=None, largest_difference=None, n=0), 0
    pictures = answers[0].pictures
    pictures = pictures[:: -(-len(pictures) // MOST_COMPARED)]
    exact = replace(fitted.trunk, precision="fp32", signer=None)
    both = [embed(trunk, pictures, store=store) for trunk in (fitted.trunk, exact)]
    temperature = fitted.temperature.value
    fast, full = (
        probabilities(fitted.head.logits(each.features["identity"]), temperature=temperature) for each in both
    )
    group = fitted.prepared.group(pictures)
    worth = None if group is None else effective_count(group)
    same = wilson(int((fast.argmax(axis=1) == full.argmax(axis=1)).sum()), len(pictures), worth=worth)
    return Precision(
        name=name,
        agreement=same.accuracy,
        low=same.low,
        high=same.high,
        largest_difference=min(1.0, float(np.abs(fast - full).max())),
        n=same.n,
    ), sum(each.computed for each in both)
