"""Whether a model refuses what shows none of its classes, and nothing else, and whether its sets hold the true class.

Three classes of clothing at a time are taken for unknown. Beside likeness stand the largest calibrated probability and
the likeness to the nearest training pictures (kNN), with the same promise.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from measuring import Bar, at_least, at_most
from numpy.typing import NDArray
from PIL import Image

import eyespot
from eyespot import machine
from eyespot.answering.rules import RuleOptions, rules_of
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.bundle.exported import Exported, WholeClassifier, read_exported
from eyespot.bundle.files import read_bundle
from eyespot.bundle.run import ClassAnswer, answers_in
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.sources import list_pictures, open_data_set
from eyespot.data.store import Store
from eyespot.evaluate.calibration import fit_temperature, probabilities
from eyespot.evaluate.likeness import class_means, likeness, out_of_fold, unit
from eyespot.evaluate.promises import class_set, least, probabilities_of_truth, promises
from eyespot.exporting.agreement import OnnxRuntime
from eyespot.exporting.files import onnx_file, openvino_files
from eyespot.features.decode import decode_pictures
from eyespot.features.embed import embed
from eyespot.heads.fit import FittedHead, fit_head, folds_of
from eyespot.heads.head import HeadOptions, Samples

PROMISED, LEFT_OUT, NEIGHBOURS, FEW = 0.05, 3, 10, 30
TRIPLES, SPLITS = range(100, 105), range(100, 120)
FITTED_ON = 2600
"""Pictures of a split that a head and its sets are fitted on; the others are asked."""
OF_EACH, ENGINES = 300, 100
HELD = (0.9, 0.95)
KNOWN_BARS = (
    at_least(4, "%", "of known pictures as many are refused as promised, no fewer"),
    at_most(6, "%", "and no more"),
)
FEW_BAR = at_most(6, "%", f"the same, learned from {FEW} pictures a class")
FAR_BAR = at_least(0.97, "", "of quite different pictures nearly all are refused")
WORST_BAR = at_least(0.93, "", "and of every kind of these")
SETS_BAR = at_most(1.5, "points", "sets hold the true class as often as promised, on average over splits")
SAME_BAR = at_most(0, "pictures", "ONNX Runtime and OpenVINO refuse the same pictures, and name the same sets")
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Clothing:
    """Features of all pictures, with their classes and parts."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    is_train: NDArray[np.bool_]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A way to tell what is unknown: scores of pictures, low for those that are."""

    unseen: Scores
    """Of the pictures that were learned from, each by a model that had not seen it."""
    score: Callable[[NDArray[np.float32]], Scores]
    """Of features (N, D)."""

    def refused(self, features: NDArray[np.float32]) -> float:
        """The share of the pictures that is refused with the promise."""
        below = least(self.unseen, PROMISED)
        assert below is not None
        return float((self.score(features) < below).mean())


def refusals(data: Path, store: Store) -> Iterator[tuple[Bar, float]]:
    """Of known pictures, of near and of far ones, by each rule, over triples of classes that are taken for unknown."""
    clothing, far = _clothing(data, store), dict(_far(data, store))
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in TRIPLES:
        random = np.random.default_rng(seed)
        unknown = random.choice(len(clothing.classes), LEFT_OUT, replace=False)
        is_near = np.isin(clothing.labels, unknown)
        train, asked = clothing.is_train & ~is_near, ~clothing.is_train & ~is_near
        samples = _samples(clothing, np.flatnonzero(train))
        few = _samples(clothing, _few_of_each(clothing, train, random))
        rules = {
            "likeness": _by_likeness(samples),
            "probability": _by_probability(samples),
            "kNN": _by_neighbours(samples),
        }
        for name, rule in {**rules, f"likeness, {FEW} a class": _by_likeness(few)}.items():
            shares = {kind: rule.refused(features) for kind, features in far.items()}
            near = {"known": rule.refused(clothing.features[asked]), "near": rule.refused(clothing.features[is_near])}
            rows.setdefault(name, []).append(near | shares)
    means = {
        name: {kind: float(np.mean([row[kind] for row in found])) for kind in found[0]} for name, found in rows.items()
    }
    _print_shares(means)
    ours, of_few = means["likeness"], means[f"likeness, {FEW} a class"]
    for bar in KNOWN_BARS:
        yield bar, 100 * ours["known"]
    yield FEW_BAR, 100 * of_few["known"]
    yield FAR_BAR, float(np.mean([ours[kind] for kind in far]))
    yield WORST_BAR, min(ours[kind] for kind in far)


def sets(data: Path, store: Store) -> Iterator[tuple[Bar, float]]:
    """How often sets hold the true class, and how large they are, over splits of all clothing."""
    clothing = _clothing(data, store)
    held: dict[float, list[float]] = {share: [] for share in HELD}
    sizes: dict[float, list[float]] = {share: [] for share in HELD}
    for seed in SPLITS:
        order = np.random.default_rng(seed).permutation(len(clothing.labels))
        samples, asked = _samples(clothing, order[:FITTED_ON]), order[FITTED_ON:]
        fitted = fit_head(samples, HeadOptions(mirror="no"))
        temperature = fit_temperature(fitted.out_of_fold, samples.labels)
        unseen = probabilities(fitted.out_of_fold, temperature=temperature)
        rows = probabilities(fitted.head.logits(clothing.features[asked]), temperature=temperature)
        for promise in promises(probabilities_of_truth(unseen, samples.labels), HELD, below=False):
            found = [class_set(row, promise.least) for row in rows]
            truths = clothing.labels[asked]
            held[promise.share].append(float(np.mean([t in each for t, each in zip(truths, found, strict=True)])))
            sizes[promise.share].append(float(np.mean([len(each) for each in found])))
    for share in HELD:
        mean, size = float(np.mean(held[share])), float(np.mean(sizes[share]))
        ends = f"{min(held[share]):.3f} to {max(held[share]):.3f}"
        print(f"sets of {share:g}: hold the true class {mean:.3f} ({ends} in a split), {size:.2f} classes on average")
        yield replace(SETS_BAR, sentence=f"{SETS_BAR.sentence}: {share:g}"), abs(100 * (mean - share))


def engines(data: Path, store: Store) -> Iterator[tuple[Bar, float]]:
    """A trained model's file in ONNX Runtime and OpenVINO: what is refused, and the sets, picture for picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = eyespot.train(data / "clothing", regime="frozen", out=folder).run
        bundle = read_bundle(run)
        graph = onnx_file(bundle)
        for path, content in zip(("m.xml", "m.bin"), openvino_files(bundle), strict=True):
            (folder / path).write_bytes(content)
        exported = read_exported(folder / "m.xml")
    assert isinstance(exported, Exported)
    openvino, runtime = WholeClassifier(exported, cache_folder=None, precision="fp32"), OnnxRuntime(graph)
    found, _ = list_pictures([data / "clothing" / "test", data / "imagenet-100"])
    images = list(
        decode_pictures([(each, None) for each in found], bundle.manifest.preprocess, {}, ahead=16, resized=False)
    )
    ours = dict(openvino.stream(images, many=True))
    theirs = {number: answers_in(outputs, bundle)[0] for number, outputs in runtime.stream(images)}
    rules = rules_of(bundle.manifest, RuleOptions(set=0.95))
    differ, apart = 0, 0.0
    for number, other in theirs.items():
        own = ours[number]
        assert isinstance(own, ClassAnswer)
        assert own.likeness is not None
        assert other.likeness is not None
        differ += (rules.is_known(own), rules.set_of(own)) != (rules.is_known(other), rules.set_of(other))
        apart = max(apart, abs(own.likeness - other.likeness))
    print(f"{len(theirs)} pictures: likenesses differ by at most {apart:.1e}")
    yield SAME_BAR, differ


def _by_likeness(samples: Samples) -> Rule:
    means = class_means(samples.identity, samples.labels, samples.classes)
    fold = folds_of(samples.labels, seed=0)
    unseen = out_of_fold(samples.identity, samples.labels, samples.classes, fold=fold).first
    return Rule(unseen.astype(np.float64), lambda features: likeness(features, means).first.astype(np.float64))


def _by_probability(samples: Samples) -> Rule:
    fitted: FittedHead = fit_head(samples, HeadOptions(mirror="no"))
    temperature = fit_temperature(fitted.out_of_fold, samples.labels)

    def surest(logits: NDArray[np.float32]) -> Scores:
        return probabilities(logits, temperature=temperature).max(axis=1)

    return Rule(surest(fitted.out_of_fold), lambda features: surest(fitted.head.logits(features)))


def _by_neighbours(samples: Samples) -> Rule:
    """The mean cosine to the nearest pictures of other folds."""
    known, fold = unit(samples.identity), folds_of(samples.labels, seed=0)

    def nearest(cosines: NDArray[np.float32]) -> Scores:
        return np.asarray(np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1), np.float64)

    unseen = nearest(np.where(fold[:, None] == fold, -1, known @ known.T).astype(np.float32))
    return Rule(unseen, lambda features: nearest(unit(features) @ known.T))


def _samples(clothing: Clothing, rows: NDArray[np.int64]) -> Samples:
    """The pictures of these rows, their classes numbered anew."""
    classes, labels = np.unique(clothing.labels[rows], return_inverse=True)
    return Samples(clothing.features[rows], None, labels, len(classes))


def _few_of_each(clothing: Clothing, train: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.int64]:
    rows = np.flatnonzero(train)
    of_class = (rows[clothing.labels[rows] == each] for each in np.unique(clothing.labels[rows]))
    return np.concatenate([random.choice(members, FEW, replace=False) for members in of_class])


def _clothing(data: Path, store: Store) -> Clothing:
    data_set = open_data_set(data / "clothing")
    features = _features(data_set.pictures, store)
    labels = np.array([data_set.classes.index(str(each.label)) for each in data_set.pictures])
    is_train = np.array([each.part == "train" for each in data_set.pictures])
    return Clothing(features, labels, is_train, data_set.classes)


def _far(data: Path, store: Store) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Features of quite different pictures, by their kind."""
    random = np.random.default_rng(0)
    digits = open_data_set(data / "mnist").pictures
    things, _ = list_pictures([data / "cifar10" / "test-00000-of-00001.parquet"])
    animals, _ = list_pictures([data / "imagenet-100"])
    for kind, pictures in {"mnist": digits, "cifar10": things}.items():
        drawn = random.choice(len(pictures), OF_EACH, replace=False)
        yield kind, _features([pictures[row] for row in drawn], store)
    yield "imagenet-100", _features(animals, store)
    yield "noise", _features([_noise(number, random) for number in range(OF_EACH)], store)
    paths = sorted((data / "style").glob("*.jpg"))
    yield "style", _features([_window(paths[number % len(paths)], random) for number in range(OF_EACH // 5)], store)


def _noise(number: int, random: np.random.Generator) -> Picture:
    cells = int(random.integers(4, 225))
    return _as_picture(f"noise {number}", Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8)))


def _window(path: Path, random: np.random.Generator) -> Picture:
    """A part of a photo or a painting, from a third of its shorter side on."""
    with Image.open(path) as image:
        side = int(min(image.size) * random.uniform(1 / 3, 1))
        left, top = (int(random.integers(0, whole - side + 1)) for whole in image.size)
        return _as_picture(path.name, image.convert("RGB").crop((left, top, left + side, top + side)))


def _as_picture(name: str, image: Image.Image) -> Picture:
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(name, data=file.getvalue())


def _features(pictures: Sequence[Picture], store: Store) -> NDArray[np.float32]:
    """(N, D), of the default backbone."""
    trunk = DEFAULT.trunk(machine.cache_folder(), choose_precision("auto"))
    hashed = [Hashed(each, content_hash(each.read())) for each in pictures]
    embedded = embed(trunk, hashed, store=store)
    assert not embedded.set_aside
    return np.asarray(embedded.features["identity"], np.float32)


def _print_shares(means: dict[str, dict[str, float]]) -> None:
    """Shares refused, a line for each rule."""
    kinds = next(iter(means.values()))
    print(f"{f'refused, of {len(TRIPLES)} triples':24}" + "".join(f"{kind:>14}" for kind in kinds))
    for name, found in means.items():
        print(f"{name:24}" + "".join(f"{found[kind]:14.3f}" for kind in kinds))
