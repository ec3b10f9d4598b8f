"""How well several labels per picture are told, beside scikit-learn's one-against-rest on the same features.

Photos of clothing are laid side by side, two or three in a picture, into a temporary folder; the label of each photo is
a label of the picture. Measured on the test pictures of the run:

- mAP of `eyespot train`, and of `OneVsRestClassifier(LogisticRegressionCV)` on the same features: 3 points apart at
  most;
- how often the 95 % intervals hold the true figure, in a simulation whose true average precision and F1 are known.

    python benchmarks/multilabel.py CLOTHING --pictures 600
    python benchmarks/multilabel.py --simulate 400

CLOTHING is a folder of class folders, or of parts that have such.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from measuring import arguments_parser, at_least, at_most, heading
from PIL import Image

import eyespot
from eyespot.data.sources import open_data_set
from eyespot.evaluate.multilabel import average_precision, multilabel_scores

HEIGHT = 200
"""Of a picture, pixels."""
APART = at_most(3.0, "points", "mean average precision is no more than 3 points below one-against-rest of scikit-learn")
COVERS = at_least(0.9, "share", "intervals of 95 % hold the true figure in at least 9 of 10 draws")


def make(clothing: Path, folder: Path, *, count: int, seed: int) -> Path:
    """A table of `count` pictures that are made of two or three photos each; no photo is in two of them."""
    chance = random.Random(seed)
    photos = [*open_data_set(clothing).pictures]
    chance.shuffle(photos)
    folder.mkdir()
    table = folder.parent / "clothing.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_path", "labels"])
        for number in range(count):
            chosen = [photos.pop() for _ in range(chance.choice((2, 3))) if photos]
            if not chosen:
                break
            side_by_side([each.path for each in chosen if each.path]).save(folder / f"{number:05}.jpg", quality=90)
            labels = sorted({str(each.label) for each in chosen})
            writer.writerow([f"{folder.name}/{number:05}.jpg", "|".join(labels)])
    return table


def side_by_side(paths: Sequence[Path]) -> Image.Image:
    """The photos at one height, from left to right."""
    images = [Image.open(path).convert("RGB") for path in paths]
    images = [image.resize((max(1, round(image.width * HEIGHT / image.height)), HEIGHT)) for image in images]
    whole = Image.new("RGB", (sum(image.width for image in images), HEIGHT))
    left = 0
    for image in images:
        whole.paste(image, (left, 0))
        left += image.width
    return whole


def features_of(run: Path, table: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Features and labels of the training and of the test pictures, as the run had them; and the labels' names."""
    from eyespot.answering.multilabel import MultilabelModel
    from eyespot.data.pictures import read_image
    from eyespot.explaining.network import Network

    model = eyespot.load(run)
    assert isinstance(model, MultilabelModel)
    network, index = Network(model.bundle, cache_folder=None), {name: k for k, name in enumerate(model.classes)}
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"train": [], "test": []}
    with (run / "split.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["part"] in found:
                image = read_image((table.parent / row["picture"]).read_bytes(), model.manifest.preprocess)
                truth = np.zeros(len(index), bool)
                truth[[index[label] for label in row["labels"].split("|") if label in index]] = True
                found[row["part"]].append((network.answer(image).features, truth))
    arrays = [np.stack(each) for part in ("train", "test") for each in zip(*found[part], strict=True)]
    return arrays[0], arrays[1], arrays[2], arrays[3], [*model.classes]


def one_against_rest(train: np.ndarray, truths: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Probabilities (N, K) by scikit-learn, L2 by cross-validation."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    each = LogisticRegressionCV(Cs=np.logspace(-5, -1, 5), cv=5, scoring="neg_log_loss", max_iter=1000)
    warnings.simplefilter("ignore", FutureWarning)  # on options to come
    model = OneVsRestClassifier(make_pipeline(StandardScaler(), each)).fit(train, truths)
    return np.asarray(model.predict_proba(test))


def beside_sklearn(clothing: Path, *, count: int, seed: int) -> float:
    """How many points of mAP eyespot is below scikit-learn."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        table = make(clothing, folder / "pictures", count=count, seed=seed)
        began = time.perf_counter()
        result = eyespot.train(table, out=folder / "runs", name="clothing", seed=seed)
        print(f"eyespot: {time.perf_counter() - began:.1f} s; {result.scores}", flush=True)
        train, truths, test, wanted, names = features_of(Path(result.run), table)
        began = time.perf_counter()
        chances = one_against_rest(train, truths, test)
        print(f"scikit-learn: {time.perf_counter() - began:.1f} s on {len(train)} pictures, features not counted")
        theirs = [average_precision(wanted[:, k], chances[:, k])[0] for k in range(len(names))]
        ours = [each.ap.value if each.ap else np.nan for each in result.scores.per_class]
        for name, one, other in zip(names, ours, theirs, strict=True):
            print(f"  {name:12} eyespot {one:.3f}  scikit-learn {other:.3f}")
        print(f"mAP: eyespot {np.nanmean(ours):.4f}, scikit-learn {np.nanmean(theirs):.4f}, {len(test)} test pictures")
        return 100 * float(np.nanmean(theirs) - np.nanmean(ours))


def coverage(draws: int, *, copies: int, seed: int) -> dict[str, float]:
    """The share of draws whose intervals hold the true figure: 300 pictures, eight labels of 4 to 40 in 100.

    copies: as which each of them comes, in one series.
    """
    random_ = np.random.default_rng(seed)
    shares, gaps = np.linspace(0.04, 0.4, 8), np.linspace(0.5, 2.5, 8)
    many_truths, many_chances = _drawn(random_, 200_000, shares, gaps)
    thresholds = np.full(8, 0.4)
    true_ap = [average_precision(many_truths[:, k], many_chances[:, k])[0] for k in range(8)]
    true_f1 = [_f1(many_truths[:, k], many_chances[:, k] >= 0.4) for k in range(8)]
    said = many_chances >= thresholds
    true_micro = 2 * (said & many_truths).sum() / (said.sum() + many_truths.sum())
    true_exact = float((said == many_truths).all(axis=1).mean())
    held: dict[str, list[bool]] = {name: [] for name in ("AP", "F1", "mAP", "macro F1", "micro F1", "all right")}
    for _ in range(draws):
        truths, chances = (np.repeat(each, copies, axis=0) for each in _drawn(random_, 300, shares, gaps))
        series = np.repeat(np.arange(300), copies)
        names = [str(k) for k in range(8)]
        scores = multilabel_scores(truths, chances, names, thresholds=thresholds, series=series)
        for k, each in enumerate(scores.per_class):
            if each.ap and each.f1:
                held["AP"].append(each.ap.low <= true_ap[k] <= each.ap.high)
                held["F1"].append(each.f1.low <= true_f1[k] <= each.f1.high)
        truth = {"mAP": (scores.map, np.mean(true_ap)), "macro F1": (scores.macro_f1, np.mean(true_f1))}
        truth |= {"micro F1": (scores.micro_f1, true_micro), "all right": (scores.exact_match, true_exact)}
        for name, (found, value) in truth.items():
            held[name].append(found.low <= value <= found.high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def _drawn(
    chance: np.random.Generator, count: int, shares: np.ndarray, gaps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Labels that go together a little, and probabilities that are higher where a picture has the label."""
    common = chance.normal(size=(count, 1))
    level = np.array([_quantile(share) for share in shares])
    truths = 0.5 * common + np.sqrt(0.75) * chance.normal(size=(count, len(shares))) < level
    scores = truths * gaps + chance.normal(size=truths.shape)
    logits = gaps * scores - gaps**2 / 2 + np.log(shares / (1 - shares))
    return truths, 1 / (1 + np.exp(-logits))


def _quantile(share: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)


def _f1(truths: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (truths & said).sum() / max(truths.sum() + said.sum(), 1))


def main() -> None:
    parser = arguments_parser(__doc__)
    parser.add_argument("clothing", nargs="?", type=Path)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--simulate", type=int, default=0, metavar="DRAWS")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(heading())
    passed = True
    if options.simulate:
        for copies in (1, 3):
            print(f"{copies} of each picture, in one series" if copies > 1 else "each picture by itself", flush=True)
            for name, share in coverage(options.simulate, copies=copies, seed=options.seed).items():
                print(f"{name:10} {COVERS.verdict(share)}")
                passed = passed and share >= COVERS.limit
    if options.clothing:
        apart = beside_sklearn(options.clothing, count=options.pictures, seed=options.seed)
        print(APART.verdict(apart))
        passed = passed and apart <= APART.limit
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
