"""Accuracy on validation and test, medians over seeds, and scikit-learn's LogisticRegressionCV on the same features.

    python benchmarks/accuracy.py DATA --seeds 3

DATA has folders train, val and test: then a seed decides the folds of cross-validation only. LogisticRegressionCV gets
eyespot's own features of the training pictures and their mirror images, which stay in one fold.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import measuring
from measuring import Trained, at_least, at_most
from plain_way import Rows, fit
from subset import arguments_parser, workplace

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.features.embed import embed
from eyespot.progress import silent
from eyespot.records import Part, View
from eyespot.regimes.prepare import Prepared, prepare
from eyespot.runs.storage import open_store

ACCURACY_BARS = {
    "val": at_least(0.86, "accuracy", "on the ten kinds of clothing, validation accuracy is at least 0.86"),
    "test": at_least(0.885, "accuracy", "and test accuracy at least 0.885"),
}
CORRECT_BAR = at_most(
    3, "pictures", "the head is not worse than LogisticRegressionCV on the same features by more than 3 pictures"
)
HEADS = {"LogisticRegressionCV": {}, "LogisticRegressionCV, balanced": {"class_weight": "balanced"}}
HELD_OUT: tuple[Part, ...] = ("val", "test")


def main() -> None:
    parser = arguments_parser(__doc__, data="a folder with train, val and test, as `eyespot train` takes it")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... (default 3)")
    parser.add_argument("--max-iter", type=int, default=100, help="of LogisticRegressionCV (default 100, as its own)")
    options = parser.parse_args()
    with workplace(options) as (folder, data):
        cache = measuring.converted_trunk(folder / "cache")
        prepared = prepare(data, seed=0, progress=silent)
        if not prepared.was_split or not all(prepared.part(part) for part in HELD_OUT):
            raise SystemExit(f"{options.data} needs the folders train, val and test")
        asked = {"cache": cache, "out": folder / "runs", "given": measuring.FROZEN}
        runs = [measuring.train(data, seed=seed, **asked) for seed in range(options.seeds)]
        rows = features(prepared, cache)
    ours = report_eyespot(runs, rows)
    for head, arguments in HEADS.items():
        report_head(head, {"max_iter": options.max_iter, **arguments}, rows, ours)


def features(prepared: Prepared, cache: Path) -> dict[Part, Rows]:
    """Features from eyespot's store, the training pictures' mirror images behind them."""
    import numpy as np

    os.environ[machine.CACHE_VARIABLE] = str(cache)
    trunk = DEFAULT.trunk(cache, choose_precision("auto"))
    names = np.array(prepared.data_set.classes)
    rows: dict[Part, Rows] = {}
    with open_store(cache, []) as store:
        for part in ("train", *HELD_OUT):
            views: tuple[View, ...] = ("identity", "mirror") if part == "train" else ("identity",)
            embedded = embed(trunk, prepared.part(part), views=views, store=store)
            labels = names[prepared.labels(embedded.pictures)]
            rows[part] = Rows(np.concatenate([embedded.features[v] for v in views]), np.tile(labels, len(views)))
    return rows


def report_eyespot(runs: list[Trained], rows: dict[Part, Rows]) -> dict[Part, float]:
    """Prints accuracies and bars; the median count of right answers by part."""
    counts: dict[Part, float] = {}
    for part, key in zip(HELD_OUT, ("validation", "test"), strict=True):
        metrics = [run.result[key] for run in runs]
        if None in metrics:
            print(f"eyespot, {part}: fewer than 30 pictures, so that eyespot does not measure on them")
            continue
        print(measuring.runs_line(f"eyespot, {part} accuracy", [metric["accuracy"] for metric in metrics], ""))
        counts[part] = statistics.median(round(metric["accuracy"] * metric["n"]) for metric in metrics)
        print(f"eyespot, {part}: median {counts[part]:g} of {len(rows[part].labels)} right")
        print(ACCURACY_BARS[part].verdict(statistics.median(metric["accuracy"] for metric in metrics)), flush=True)
    return counts


def report_head(name: str, arguments: dict[str, object], rows: dict[Part, Rows], ours: dict[Part, float]) -> None:
    head, notes = fit(rows["train"], views=2, **arguments)
    for part, count in ours.items():
        right = int((head.predict(rows[part].features) == rows[part].labels).sum())
        print(f"{name}, {part}: {right} of {len(rows[part].labels)} right ({right / len(rows[part].labels):.4f})")
        print(CORRECT_BAR.verdict(right - count), flush=True)
    for note in notes:
        print(f"  it says: {note[:110]}")


if __name__ == "__main__":
    main()
