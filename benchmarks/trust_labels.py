"""Labels: whether turned ones are found, and what leaving them out is worth, beside cleanlab where that is installed.

Of the training pictures 2, 5 and 10 % get another class, drawn by seeds 0, 1 and 2; constants were chosen on 2000 to
2005.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from measuring import Bar, at_least, at_most, runs_line

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.store import Store
from eyespot.evaluate.calibration import fit_temperature, probabilities
from eyespot.evaluate.doubts import is_suspicious, label_scores
from eyespot.evaluate.neighbours import nearest_pictures
from eyespot.features.embed import embed
from eyespot.heads.fit import FittedHead, fit_head, folds_of
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.second_look import second_look
from eyespot.progress import silent
from eyespot.records import Part
from eyespot.regimes.prepare import prepare

SEEDS = range(3)
FOUND_BARS = {
    0.02: at_least(0.75, "precision", "of as many suspects as labels that were turned, 2 %, that many were"),
    0.05: at_least(0.85, "precision", "the same at 5 %"),
    0.10: at_least(0.86, "precision", "the same at 10 %"),
}
CLEANED_BAR = at_most(0.7, "points", "with the suspects left out, 10 % turned labels cost that much accuracy at most")
OPTIONS = HeadOptions()
FEW_CLASSES = ((0, 9), (1, 2), (3, 5), (1, 5, 8))
"""Of ten, by number: with few classes a wrong label is likelier to be this one."""


def wrong_labels(data: Path, store: Store) -> Iterator[tuple[Bar, float]]:
    """Turned labels among the first suspects, and what leaving those out is worth."""
    train, held_out = samples_of(data, store, "train"), samples_of(data, store, "val", "test")
    fitted = fit_head(train, OPTIONS)
    clean, looked = accuracy(fitted, held_out), _second_look(train, fitted)
    print(f"as they are: accuracy {clean:.4f}; {is_suspicious(looked, train.labels).sum()} of {len(train)} are listed")
    if find_spec("cleanlab") is None:
        print("cleanlab: not installed")
    for share, bar in FOUND_BARS.items():
        found = [_found(train, held_out, share, seed) for seed in SEEDS]
        for name in found[0]:
            print(runs_line(f"{share:.0%} turned, {name}", [each[name] for each in found], ""), flush=True)
        yield bar, mean(found, "precision")
    for classes in (each for each in FEW_CLASSES if max(each) < train.classes):
        for share in (0.10, 0.20):
            few = [_listed(with_wrong_labels(_of_classes(train, classes), share, seed)) for seed in SEEDS]
            right, seen = zip(*few, strict=True)
            print(runs_line(f"classes {classes}, {share:.0%} turned, wrong of the listed", right, ""))
            print(runs_line(f"classes {classes}, {share:.0%} turned, listed of the wrong", seen, ""), flush=True)
    yield CLEANED_BAR, 100 * (clean - mean(found, "accuracy without the first"))


def samples_of(data: Path, store: Store, *parts: Part) -> Samples:
    """The features of these parts' clothes and of their mirror images, with the labels of their folders."""
    prepared = prepare(data / "clothing", seed=0, progress=silent)
    trunk = DEFAULT.trunk(machine.cache_folder(), choose_precision("auto"))
    ordered = sorted(prepared.part(*parts), key=lambda each: each.content)
    embedded = embed(trunk, ordered, views=("identity", "mirror"), store=store)
    labels, classes = prepared.labels(embedded.pictures), len(prepared.data_set.classes)
    return Samples(embedded.features["identity"], embedded.features["mirror"], labels, classes)


def with_wrong_labels(samples: Samples, share: float, seed: int) -> tuple[Samples, np.ndarray]:
    """The same pictures, of which this share has another class, and which they are, (N,)."""
    random = np.random.default_rng(seed)
    turned = random.permutation(len(samples))[: max(1, round(share * len(samples)))]
    labels = samples.labels.copy()
    labels[turned] = (labels[turned] + random.integers(1, samples.classes, len(turned))) % samples.classes
    return replace(samples, labels=labels), labels != samples.labels


def _of_classes(samples: Samples, classes: Sequence[int]) -> Samples:
    """Those of some classes, which are numbered anew."""
    some = samples.take(np.isin(samples.labels, classes))
    return replace(some, labels=np.searchsorted(classes, some.labels), classes=len(classes))


def accuracy(fitted: FittedHead, samples: Samples) -> float:
    return float((fitted.head.logits(samples.identity).argmax(axis=1) == samples.labels).mean())


def mean(found: Sequence[dict[str, float]], name: str) -> float:
    return statistics.mean(each[name] for each in found)


def _found(train: Samples, held_out: Samples, share: float, seed: int) -> dict[str, float]:
    """How well one draw's wrong labels are found."""
    given, is_wrong = with_wrong_labels(train, share, seed)
    fitted = fit_head(given, OPTIONS)
    looked = _second_look(given, fitted)
    neighbours = nearest_pictures(given.identity)
    order = np.argsort(label_scores(looked, given.labels, neighbours), kind="stable")
    first, others = order[: is_wrong.sum()], np.sort(order[is_wrong.sum() :])
    listed = is_suspicious(looked, given.labels)
    calibrated = probabilities(fitted.out_of_fold, temperature=fit_temperature(fitted.out_of_fold, given.labels))
    alone = np.argsort(calibrated[np.arange(len(given)), given.labels], kind="stable")[: is_wrong.sum()]
    return {
        "precision": float(is_wrong[first].mean()),
        "precision of p(label) alone": float(is_wrong[alone].mean()),
        "listed": float(listed.sum()),
        "wrong of the listed": float(is_wrong[listed].mean()),
        "listed of the wrong": float(listed[is_wrong].mean()),
        "accuracy": accuracy(fitted, held_out),
        "accuracy without the first": accuracy(fit_head(given.take(others), OPTIONS), held_out),
        "accuracy without the listed": accuracy(fit_head(given.take(~listed), OPTIONS), held_out),
    } | {f"cleanlab, {name}": figure for name, figure in _cleanlab(calibrated, given.labels, is_wrong).items()}


def _listed(given: tuple[Samples, np.ndarray]) -> tuple[float, float]:
    """The share of the listed that are wrong, and of the wrong that are listed."""
    samples, is_wrong = given
    listed = is_suspicious(_second_look(samples, fit_head(samples, OPTIONS)), samples.labels)
    return float(is_wrong[listed].sum() / max(listed.sum(), 1)), float(listed[is_wrong].mean())


def _second_look(samples: Samples, fitted: FittedHead) -> np.ndarray:
    return second_look(samples, OPTIONS, fitted, fold=folds_of(samples.labels, seed=OPTIONS.seed))


def _cleanlab(calibrated: np.ndarray, labels: np.ndarray, is_wrong: np.ndarray) -> dict[str, float]:
    """The precision of cleanlab's ranking at the true number, and what its filter finds; empty where it is missing."""
    if find_spec("cleanlab") is None:
        return {}
    rank: Callable[..., np.ndarray] = import_module("cleanlab.rank").get_label_quality_scores
    find: Callable[..., np.ndarray] = import_module("cleanlab.filter").find_label_issues
    first = np.argsort(rank(labels, calibrated), kind="stable")[: is_wrong.sum()]
    found = find(labels, calibrated)
    return {
        "precision": float(is_wrong[first].mean()),
        "listed": float(found.sum()),
        "wrong of the listed": float(is_wrong[found].mean()),
        "listed of the wrong": float(found[is_wrong].mean()),
    }
