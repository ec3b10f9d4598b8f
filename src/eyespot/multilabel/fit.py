"""A head for each label on a frozen network's features; probabilities and thresholds by answers to unseen pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from eyespot.building.backbone import choose_backbone
from eyespot.data.copies import Hashed
from eyespot.errors import Stopped
from eyespot.evaluate.multilabel import best_thresholds, is_told
from eyespot.evaluate.platt import fit_platt
from eyespot.features.embed import Embedded, embed
from eyespot.features.trunk import Trunk
from eyespot.features.views import AnyView
from eyespot.heads.fit import require_memory
from eyespot.heads.head import HeadOptions, Layer
from eyespot.heads.one_against_rest import OneAgainstRest, Targets, fit_each
from eyespot.multilabel.prepare import PreparedLabels, network_of, notes_on_few, require_labels
from eyespot.records import Part, View
from eyespot.regimes.fitted import SMALLEST_TEST
from eyespot.regimes.fitting import FEATURES_KEPT, NO_MODEL_YET
from eyespot.regimes.frozen import COMPUTING, NESTED_UP_TO, views_of
from eyespot.regimes.series import SMALLEST_SIDE, default_signer, with_features, with_series
from eyespot.runs.job import Job
from eyespot.words import some

FOLDS = 5
"""In which thresholds are chosen without the pictures that they are measured on."""
FITTING = "fitting the heads"


@dataclass(frozen=True, eq=False)
class Told:
    """What a model says of some pictures."""

    pictures: list[Hashed]
    truths: np.ndarray
    """(N, K), bool."""
    chances: np.ndarray
    """(N, K), probabilities."""
    logits: np.ndarray
    """(N, K), before they were made to mean what they say."""


@dataclass(frozen=True, eq=False)
class FittedLabels:
    """A trained model of several labels before it is measured."""

    prepared: PreparedLabels
    """Without the pictures that turned out to be unreadable."""
    trunk: Trunk
    layer: Layer
    """Weights (K, D) and biases (K,), of calibrated logits."""
    thresholds: np.ndarray
    """(K,)."""
    out_of_fold: Told
    """Of every picture that was trained on, by heads that had not seen it."""
    heads: OneAgainstRest
    small_test: bool
    """True where too few pictures are held out, so that the answers out of fold stand for the model's quality."""
    views_computed: int
    notes: list[str] = field(default_factory=list)

    def parts_of(self) -> list[tuple[str, Part]]:
        """The content of each picture with the part that it had for this model."""
        trained = {each.content for each in self.out_of_fold.pictures}
        return [
            (each.content, "train" if each.content in trained else each.picture.part or "train")
            for each in self.prepared.hashed
        ]

    def tell(self, pictures: Sequence[Hashed], job: Job, *, doing: str) -> tuple[Told | None, PreparedLabels, int]:
        """What it says of these pictures, None where none can be read; the data without those that cannot; the views
        that were computed."""
        embedded = embed(
            self.trunk, pictures, store=job.store, progress=lambda done, total: job.progress(doing, done, total)
        )
        prepared = self.prepared.without(embedded.set_aside)
        assert isinstance(prepared, PreparedLabels)
        if not embedded.pictures:
            return None, prepared, embedded.computed
        features = embedded.features["identity"]
        weight, bias = self.layer
        truths = prepared.truths(embedded.pictures)
        chances = sigmoid(features @ weight.T + bias)
        return Told(embedded.pictures, truths, chances, self.heads.logits(features)), prepared, embedded.computed


def fit_labels(prepared: PreparedLabels, job: Job) -> FittedLabels:
    """The heads, fitted on the training pictures; with a small test part on all that the list does not reserve.

    Raises Stopped on Ctrl-C, DataError where too few pictures can be decoded, OptionError for a network.
    """
    try:
        return _fit(prepared, job)
    except KeyboardInterrupt:
        raise Stopped(NO_MODEL_YET + (FEATURES_KEPT if job.store else "")) from None


def _fit(prepared: PreparedLabels, job: Job) -> FittedLabels:
    options = job.options
    backbone = choose_backbone(network_of(options), options.weights, size=options.imgsz, levels=prepared.levels)
    trunk = _whole(backbone.trunk(job.cache_folder, job.precision, job.progress))
    computed = with_features(prepared, trunk, job, tap=None, all_train=_has_small_test(prepared))
    prepared = _labels(with_series(prepared, _signer(trunk, prepared, job), job))
    small_test = _has_small_test(prepared)
    parts: tuple[Part, ...] = ("train", "val", "test") if small_test and not prepared.was_split else ("train",)
    views: tuple[View, ...] = views_of(prepared, options)
    ordered = sorted(prepared.part(*parts), key=lambda each: each.content)  # so that file names decide nothing
    require_memory(len(views) * len(ordered), 2)
    embedded = embed(
        trunk,
        ordered,
        views=views,
        store=job.store,
        progress=lambda done, total: job.progress(COMPUTING, done, total),
    )
    prepared = _labels(prepared.without(embedded.set_aside))
    require_labels(prepared, embedded.pictures)
    heads = _heads(prepared, embedded.pictures, embedded.features, job, nested=small_test)
    fitted = _calibrated(prepared, trunk, embedded, heads, small_test=small_test)
    return replace(fitted, views_computed=computed + embedded.computed)


def _calibrated(
    prepared: PreparedLabels, trunk: Trunk, embedded: Embedded, heads: OneAgainstRest, *, small_test: bool
) -> FittedLabels:
    """The model of these heads: by their answers out of fold, probabilities that mean what they say, and thresholds."""
    truths = prepared.truths(embedded.pictures)
    slope, shift = _platt(heads.out_of_fold, truths)
    chances = sigmoid(heads.out_of_fold * slope + shift)
    weight, bias = heads.layer
    few, untold = notes_on_few(prepared, embedded.pictures), _on_untold(prepared.classes, truths, chances)
    notes = [*embedded.notes, *few, *untold]
    return FittedLabels(
        prepared=prepared,
        trunk=trunk,
        layer=(weight * slope[:, None], bias * slope + shift),
        thresholds=best_thresholds(truths, chances),
        out_of_fold=Told(embedded.pictures, truths, chances, heads.out_of_fold),
        heads=heads,
        small_test=small_test,
        views_computed=embedded.computed,
        notes=notes if small_test else [*notes, *prepared.on_lacking()],
    )


def _on_untold(classes: Sequence[str], truths: np.ndarray, chances: np.ndarray) -> Iterator[str]:
    """A sentence on labels that some pictures have and that are told no better than by guessing, if there are any."""
    untold = [
        repr(name)
        for k, name in enumerate(classes)
        if 1 < truths[:, k].sum() < len(truths) and not is_told(truths[:, k], chances[:, k])
    ]
    if untold:
        are = "is" if len(untold) == 1 else "are"
        yield (
            f"in cross-validation {some(untold)} {are} told no better than by guessing, so a "
            "probability of 0.5 is asked for: more pictures with it may help"
        )


def _platt(logits: np.ndarray, truths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and shift of each label, (K,), by logits (N, K) of pictures that the heads had not seen."""
    found = [fit_platt(logits[:, k], truths[:, k]) for k in range(truths.shape[1])]
    slope, shift = np.array(found, np.float32).T
    return slope, shift


def _whole(trunk: Trunk) -> Trunk:
    """The trunk that is shown whole pictures: what a label stands for may be at the edge, which a crop cuts off."""
    return replace(trunk, preprocess=trunk.preprocess.model_copy(update={"fit": "letterbox"}))


def _signer(trunk: Trunk, prepared: PreparedLabels, job: Job) -> Trunk | None:
    """Gives the pictures' signatures; None where the images are too small for any."""
    is_large = min(trunk.preprocess.crop_hw) >= SMALLEST_SIDE
    return default_signer(job, levels=prepared.levels) if is_large else None


def _heads(
    prepared: PreparedLabels, pictures: list[Hashed], features: dict[AnyView, np.ndarray], job: Job, *, nested: bool
) -> OneAgainstRest:
    """nested: cross-validation is what the model is judged by, so its heads choose their L2 without the picture."""
    targets = Targets(features["identity"], features.get("mirror"), prepared.truths(pictures), prepared.group(pictures))
    mirror = job.options.mirror if "mirror" in features else "no"
    done: Callable[[int], None] = lambda count: job.progress(FITTING, count, len(prepared.classes))  # noqa: E731
    few = len(pictures) <= NESTED_UP_TO
    return fit_each(targets, HeadOptions(mirror=mirror, seed=job.options.seed), nested=nested and few, done=done)


def unseen_answers(fitted: FittedLabels) -> np.ndarray:
    """Which labels are answered out of fold, (N, K), by thresholds that were chosen without the picture's own fold."""
    told = fitted.out_of_fold
    group = fitted.prepared.group(told.pictures)
    index = np.arange(len(told.pictures)) if group is None else np.unique(group, return_inverse=True)[1]
    fold = np.random.default_rng(0).permutation(int(index.max()) + 1)[index] % FOLDS  # (N,)
    said = np.zeros(told.truths.shape, bool)
    for each in range(FOLDS):
        mine = fold == each
        if mine.any() and not mine.all():
            said[mine] = told.chances[mine] >= best_thresholds(told.truths[~mine], told.chances[~mine])
    return said


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, float64."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60))))


def _has_small_test(prepared: PreparedLabels) -> bool:
    """Whether too few different pictures are held out to measure on."""
    test, validation = prepared.different("test"), prepared.different("val")
    return test < SMALLEST_TEST and (test > 0 or validation < SMALLEST_TEST)


def _labels(prepared: object) -> PreparedLabels:
    assert isinstance(prepared, PreparedLabels)
    return prepared
