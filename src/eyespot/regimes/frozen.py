"""The frozen regime: features of every picture once, then an exact head with a cross-validated L2. No torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from eyespot.data.groups import effective_count
from eyespot.data.room import release
from eyespot.data.store import Store
from eyespot.data.store_values import key_of
from eyespot.distributed.world import ALONE
from eyespot.errors import StoreError
from eyespot.evaluate.likeness import class_means, out_of_fold
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.events import Event
from eyespot.features.embed import Embedded, embed
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.heads.fit import FittedHead, Trial, fit_head, folds_of, out_of_fold_logits, require_memory
from eyespot.heads.head import Head, HeadOptions, Samples
from eyespot.heads.problems import expected_accuracy
from eyespot.progress import Progress
from eyespot.records import Part, View
from eyespot.regimes.answers import Answers
from eyespot.regimes.findings import REPEATS, Findings, find, steadied
from eyespot.regimes.findings import VERSION as FINDINGS_VERSION
from eyespot.regimes.fitted import AsFound, ClassMeans, Fitted, Temperature, stopped_note
from eyespot.regimes.prepare import Prepared, notes_on_trained
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions

COMPUTING = "computing features"
"""The step that takes longest."""
NESTED_UP_TO = 1_000
"""Up to this many pictures, out-of-fold heads choose their own L2; beyond, one choice on many is safe to share."""
DIGESTED = 4096
"""Rows that are read at a time."""
FIT_VERSION = 5
"""Changes whenever the same features would give another head."""


def fit_frozen(prepared: Prepared, trunk: Trunk, job: Job, *, small_test: bool, tap: Tap | None = None) -> Fitted:
    """A head on the trunk's features.

    small_test: the test part is too small to measure on; then the head is fitted on every picture that the folders
    do not reserve, and out-of-fold answers stand for its quality.
    tap: activations that are kept on the way.
    """
    parts: tuple[Part, ...] = ("train", "val", "test") if small_test and not prepared.was_split else ("train",)
    views = prepared.views(job.options.mirror)
    embedded = _embedded(prepared, parts, trunk, views=views, job=job, tap=tap)
    prepared = prepared.without(embedded.set_aside)
    notes = notes_on_trained(prepared, embedded.pictures)
    memory = _Memory(job.store, _samples(embedded, prepared), _head_options(job.options, views))
    job.progress("fitting the head", 0, 2)
    fitted = memory.fit()
    _tell(fitted, job)
    answers = Answers(embedded.pictures, memory.samples.labels, fitted.out_of_fold[None])
    fold = folds_of(memory.samples.labels, seed=job.options.seed, group=memory.samples.group)
    out_of_fold, stopped = _out_of_fold(answers, fitted, memory=memory, wanted=small_test, progress=job.progress)
    return Fitted(
        regime="frozen",
        trunk=trunk,
        head=fitted.head,
        temperature=Temperature.fitted_on(
            answers, "answers to the training pictures by heads that had not seen them (cross-validation)"
        ),
        means=_means(memory.samples, fold),
        prepared=prepared,
        trained_on=len(embedded.pictures),
        mirror=fitted.chosen.mirror,
        l2=fitted.chosen.l2,
        held_out=("val", "test") if parts == ("train",) else (),
        small_test=small_test,
        out_of_fold=out_of_fold,
        table=tuple(_row(trial, chosen=trial == fitted.chosen) for trial in fitted.trials),
        how=tuple(_how(embedded, fitted, job.options, views, folds=len(np.unique(fold)), group=memory.samples.group)),
        views_computed=embedded.computed,
        notes=[*embedded.notes, *notes, *stopped],
        findings=memory.findings(fitted),
    )


def _tell(fitted: FittedHead, job: Job) -> None:
    """An event for each L2 that was tried."""
    for number, trial in enumerate(fitted.trials, start=1):
        job.events.tell(
            Event("cross-validation", regime="frozen", step=number, loss=trial.loss, accuracy=trial.accuracy)
        )


def as_found(prepared: Prepared, trunk: Trunk, job: Job) -> AsFound | None:
    """What says whether the person's list is a gain; None without one that changes something, and where a time was
    given, of which a second head would take too much.
    """
    found = None if job.options.time else prepared.as_found
    return AsFound(found, lambda: _head_alone(found, trunk, replace(job, world=ALONE))) if found else None


def _head_alone(prepared: Prepared, trunk: Trunk, job: Job) -> tuple[Head, int]:
    """The head that `fit_frozen` would fit on the train part, and the views computed for it."""
    views = prepared.views(job.options.mirror)
    embedded = _embedded(prepared, ("train",), trunk, views=views, job=job, tap=None)
    memory = _Memory(job.store, _samples(embedded, prepared), _head_options(job.options, views))
    return memory.fit().head, embedded.computed


def mirror_helps(prepared: Prepared, trunk: Trunk, job: Job, *, least: float | None) -> bool:
    """Whether a head on the train part, whose features are stored, is no worse with mirror images.

    least: by how much it must expect to be more often right, out of fold; None for not at all.
    """
    views = prepared.views(job.options.mirror)
    samples = _samples(_embedded(prepared, ("train",), trunk, views=views, job=job, tap=None), prepared)
    options = _head_options(job.options, views)
    if least is None:
        return _Memory(job.store, samples, options).fit().chosen.mirror
    without, mirrored = (_Memory(job.store, samples, replace(options, mirror=wish)).fit() for wish in ("no", "yes"))
    sure = [expected_accuracy(each.out_of_fold, samples.labels) for each in (without, mirrored)]
    return sure[1] - sure[0] >= least


def _embedded(
    prepared: Prepared, parts: Sequence[Part], trunk: Trunk, *, views: Sequence[View], job: Job, tap: Tap | None
) -> Embedded:
    ordered = sorted(prepared.part(*parts), key=lambda each: each.content)  # so that file names decide nothing
    require_memory(len(views) * len(ordered), len(prepared.data_set.classes))
    return embed(
        trunk,
        ordered,
        views=views,
        store=job.store,
        tap=tap,
        world=job.world,
        progress=lambda d, n: job.progress(COMPUTING, d, n),
    )


def _samples(embedded: Embedded, prepared: Prepared) -> Samples:
    labels, classes = prepared.labels(embedded.pictures), len(prepared.data_set.classes)
    group = prepared.group(embedded.pictures)
    return Samples(embedded.features["identity"], embedded.features.get("mirror"), labels, classes, group)


def _head_options(options: TrainOptions, views: Sequence[View]) -> HeadOptions:
    return HeadOptions(
        hidden=options.head,
        output=options.output,
        class_weight=options.class_weight,
        mirror=options.mirror if "mirror" in views else "no",
        seed=options.seed,
    )


def _out_of_fold(
    answers: Answers, fitted: FittedHead, *, memory: _Memory, wanted: bool, progress: Progress
) -> tuple[Answers | None, list[str]]:
    """The answers that stand for the head's quality, where they are wanted; and a note where Ctrl-C ended this."""
    out_of_fold = None
    try:
        progress("fitting the head", 1, 2)
        if wanted:
            out_of_fold = replace(answers, logits=memory.out_of_fold(fitted))
        progress("fitting the head", 2, 2)
    except KeyboardInterrupt:
        return out_of_fold, [stopped_note("cross-validation")]
    return out_of_fold, []


def _means(samples: Samples, fold: np.ndarray) -> ClassMeans:
    """Of all pictures; those that had no part are each picture's own fold, as in cross-validation."""
    features, labels = samples.identity, samples.labels
    unseen = out_of_fold(features, labels, samples.classes, fold=fold)
    source = "training pictures, each compared with means of the others (cross-validation)"
    return ClassMeans(class_means(features, labels, samples.classes), unseen, labels, source)


def _row(trial: Trial, *, chosen: bool) -> dict[str, float | int | bool]:
    return {
        "l2": trial.l2,
        "mirror": trial.mirror,
        "cross_validation_accuracy": trial.accuracy,
        "cross_validation_loss": trial.loss,
        "chosen": chosen,
    }


def _how(
    embedded: Embedded,
    fitted: FittedHead,
    options: TrainOptions,
    views: Sequence[View],
    *,
    folds: int,
    group: np.ndarray | None,
) -> Iterator[tuple[str, str]]:
    yield "What was trained", f"a softmax head on {embedded.features['identity'].shape[1]} features; all else is frozen"
    if options.head:
        yield "Hidden layers", ", ".join(str(width) for width in options.head)
    tried = len({trial.l2 for trial in fitted.trials})
    yield "L2", f"{fitted.chosen.l2:.3g}, the best of {tried} values tried in cross-validation with {folds} folds"
    used = "used" if fitted.chosen.mirror else "not used: cross-validation was worse with them"
    yield (
        "Mirror images",
        used
        if "mirror" in views
        else "not used: a mirror image may be another class, was not wanted, or is not worth the time that it takes",
    )
    worth = None if group is None else effective_count(group)
    accuracy = wilson_fraction(fitted.chosen.accuracy, len(embedded.pictures), worth=worth)
    yield "Cross-validation", f"accuracy {accuracy}, mean loss {fitted.chosen.loss:.3f}; the L2 was chosen by it"


class _Memory:
    """Heads already fitted on exactly these features with exactly these options, kept in the store."""

    def __init__(self, store: Store | None, samples: Samples, options: HeadOptions) -> None:
        self.samples, self._options, self._store = samples, options, store
        self._key = key_of(
            kind="head",
            version=FIT_VERSION,
            samples=_digest(samples),
            classes=samples.classes,
            options={name: getattr(options, name) for name in ("hidden", "output", "class_weight", "mirror", "seed")},
        )

    def fit(self) -> FittedHead:
        layers = [f"{kind}{depth}" for depth in range(len(self._options.hidden) + 1) for kind in ("weight", "bias")]
        names = [f"{self._key}-{name}" for name in ("trials", "logits", *layers)]
        found = self._get(names)
        if len(found) == len(names):
            return _unpack([found[name] for name in names], self._options)
        fitted = fit_head(self.samples, self._options)
        self._put(dict(zip(names, _pack(fitted), strict=True)))
        return fitted

    def out_of_fold(self, fitted: FittedHead) -> np.ndarray:
        """Logits (repeats, N, classes)."""
        name = f"{self._key}-out-of-fold-{FINDINGS_VERSION}"
        found = self._get([name])
        if found:
            return found[name]
        if len(self.samples) <= NESTED_UP_TO:
            logits = out_of_fold_logits(self.samples, self._options, repeats=REPEATS)
        else:
            logits = steadied(self.samples, self._options, fitted)
        self._put({name: logits})
        return logits

    def findings(self, fitted: FittedHead) -> Findings:
        name = f"{self._key}-findings-{FINDINGS_VERSION}"
        if found := self._get([name]):
            return Findings.model_validate_json(found[name].tobytes())
        findings = find(self.samples, self._options, fitted)
        self._put({name: np.frombuffer(findings.model_dump_json().encode(), np.uint8)})
        return findings

    def _get(self, names: list[str]) -> dict[str, np.ndarray]:
        try:
            return dict(self._store.get(names)) if self._store else {}
        except StoreError:
            return {}  # the embedding has already said that the store cannot be used

    def _put(self, arrays: dict[str, np.ndarray]) -> None:
        try:
            if self._store:
                self._store.put(arrays)
        except StoreError:
            self._store = None


def _digest(samples: Samples) -> str:
    """A hash of all features and labels: whatever made the features otherwise, such as a new decoder, is in them."""
    digest = hashlib.blake2b(digest_size=16)
    for array in (samples.identity, samples.mirror, samples.labels, samples.group):
        digest.update(b"none" if array is None else repr(array.shape).encode())
        if array is not None:
            for start in range(0, len(array), DIGESTED):
                digest.update(np.ascontiguousarray(array[start : start + DIGESTED]).data)
                release(array)
    return digest.hexdigest()


def _pack(fitted: FittedHead) -> list[np.ndarray]:
    rows = [[t.l2, t.mirror, t.accuracy, t.loss, t == fitted.chosen] for t in fitted.trials]
    return [np.array(rows, np.float64), fitted.out_of_fold, *(array for layer in fitted.head.layers for array in layer)]


def _unpack(arrays: list[np.ndarray], options: HeadOptions) -> FittedHead:
    rows, logits, *flat = arrays
    trials = tuple(Trial(row[0], bool(row[1]), row[2], row[3]) for row in rows.tolist())
    chosen = trials[int(rows[:, 4].argmax())]
    return FittedHead(Head(tuple(zip(flat[::2], flat[1::2], strict=True)), options.output), chosen, trials, logits)
