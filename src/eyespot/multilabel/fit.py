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
from eyespot.regimes.featured import FEATURES_KEPT, NO_MODEL_YET
from eyespot.regimes.fitted import SMALLEST_TEST
from eyespot.regimes.frozen import COMPUTING, NESTED_UP_TO
from eyespot.regimes.kept_features import with_features
from eyespot.regimes.series import SMALLEST_SIDE, default_signer, with_series
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
    """Of every picture that was trained on, by heads that had not seen it, and by Platt's numbers of other pictures."""
    said: np.ndarray
    """Which labels those are given, (N, K), by thresholds of other pictures, too."""
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
    views: tuple[View, ...] = prepared.views(options.mirror)
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
    unseen, said = answers_of_other_folds(heads.out_of_fold, truths, prepared.group(embedded.pictures))
    weight, bias = heads.layer
    few, one = notes_on_few(prepared, embedded.pictures), _on_one_series(prepared.classes, heads.unmeasured)
    notes = [*embedded.notes, *few, *one, *_on_untold(prepared.classes, truths, chances, but=heads.unmeasured)]
    return FittedLabels(
        prepared=prepared,
        trunk=trunk,
        layer=(weight * slope[:, None], bias * slope + shift),
        thresholds=best_thresholds(truths, chances),
        out_of_fold=Told(embedded.pictures, truths, unseen, heads.out_of_fold),
        said=said,
        heads=heads,
        small_test=small_test,
        views_computed=embedded.computed,
        notes=notes if small_test else [*notes, *prepared.on_lacking()],
    )


def _on_one_series(classes: Sequence[str], unmeasured: np.ndarray) -> Iterator[str]:
    """A sentence on labels of which near-copies alone could be asked, if there are any."""
    names = [repr(classes[k]) for k in np.flatnonzero(unmeasured).tolist()]
    if names:
        each = names[0] if len(names) == 1 else f"each of {some(names)}"
        yield (
            f"all pictures to train on with {each}, or all without it, are of one series, so nothing can be measured "
            "of it, and its probability is the same for every picture: add pictures that were taken apart, or give "
            "--group off where these were"
        )


def _on_untold(classes: Sequence[str], truths: np.ndarray, chances: np.ndarray, *, but: np.ndarray) -> Iterator[str]:
    """A sentence on labels that some pictures have and that are told no better than by guessing, if there are any.

    but: (K,), True of those that are left out.
    """
    untold = [
        repr(name)
        for k, name in enumerate(classes)
        if not but[k] and 1 < truths[:, k].sum() < len(truths) and not is_told(truths[:, k], chances[:, k])
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


def answers_of_other_folds(
    logits: np.ndarray, truths: np.ndarray, group: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and answers out of fold, (N, K) each, by Platt's numbers and thresholds of other folds.

    group: (N,), a number that pictures of one series share: they are in one fold.
    """
    index = np.arange(len(logits)) if group is None else np.unique(group, return_inverse=True)[1]
    fold = np.random.default_rng(0).permutation(int(index.max()) + 1)[index] % FOLDS  # (N,)
    chances, said = sigmoid(logits), np.zeros(truths.shape, bool)
    for each in range(FOLDS):
        mine = fold == each
        if mine.any() and not mine.all():
            slope, shift = _platt(logits[~mine], truths[~mine])
            calibrated = sigmoid(logits * slope + shift)
            chances[mine] = calibrated[mine]
            said[mine] = calibrated[mine] >= best_thresholds(truths[~mine], calibrated[~mine])
    return chances, said


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
