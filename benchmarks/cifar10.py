"""CIFAR-10 from scratch by `eyespot train DATA`, with an empty cache: test accuracy, minutes and operations.

    python benchmarks/cifar10.py DATA
    python benchmarks/cifar10.py DATA --model NETWORK --epochs N

DATA is a folder with CIFAR-10's Parquet files, 50,000 pictures to train on and 10,000 to test. Options that are not
listed here go to `eyespot train`; without any they are `--model resnet20 --regime scratch`. The operations are those of
the convolutions, a multiply-add being two, for three passes over every picture of every epoch, at the size that its
images have in that epoch. The published recipes for 94 % need 0.3 to 0.4 PFLOP.
"""

from __future__ import annotations

import csv
import json
import statistics
from collections import Counter
from pathlib import Path

import measuring
import peak
from measuring import Trained, at_least, at_most
from training_step import PASSES

from eyespot import zoo
from eyespot.building.sizes import takes_any_size
from eyespot.regimes.plans import FEW, growing_sides

GIVEN = ("--model", "resnet20", "--regime", "scratch")
ACCURACY_BAR = at_least(0.91, "accuracy", "ResNet-20 from scratch has a test accuracy of at least 91.0 % on CIFAR-10")
MINUTES_BAR = at_most(25, "minutes", "within 25 minutes from the start of the process")
STRETCH = at_least(0.94, "accuracy", "a small residual network has 94.0 % within 45 minutes"), 45


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", help="the folder with CIFAR-10's files")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, ..., a run each (default 1)")
    options, given = parser.parse_known_args()
    print(measuring.heading(), flush=True)
    accuracies, minutes = [], []
    for seed, run in enumerate(measuring.cold_runs(options.data, seeds=options.seeds, given=given or GIVEN)):
        accuracies.append(1 - run.test_error)
        minutes.append(run.seconds / 60)
        print(f"seed {seed}: test accuracy {accuracies[-1]:.4f}, {minutes[-1]:.1f} minutes; {work(run)}", flush=True)
    print(measuring.runs_line("test accuracy", accuracies, ""))
    print(measuring.runs_line("whole process", minutes, "minutes"))
    accuracy, spent = statistics.median(accuracies), statistics.median(minutes)
    print(ACCURACY_BAR.verdict(accuracy))
    print(MINUTES_BAR.verdict(spent))
    bar, within = STRETCH
    print(bar.verdict(accuracy if spent <= within else 0.0))


def work(run: Trained) -> str:
    """What was trained, how long, and the operations it took."""
    folder = Path(run.result["run"])
    manifest, options = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("bundle/manifest.json", "args.json")
    )
    with (folder / "results.csv").open(encoding="utf-8", newline="") as table:
        epochs = len(list(csv.DictReader(table)))
    pictures, side = manifest["data"]["trained_on"], min(manifest["preprocess"]["crop_hw"])
    net = zoo.create(manifest["network"]["name"], **manifest["network"]["arguments"])
    regime = manifest["regime"]
    if regime in ("frozen", "partial"):
        return f"{run.result['network']} {regime}"
    grows = regime == "scratch" and options.get("growing") == "auto" and pictures > FEW and takes_any_size(net)
    early = growing_sides(epochs, side) if grows else ()
    channels = 1 if manifest["preprocess"]["color"] == "gray" else 3
    sides = Counter([*early, *[side] * (epochs - len(early))])
    each = {side: peak.multiply_adds_of(net, (channels, side, side)) for side in sides}
    flop = PASSES * 2 * pictures * sum(count * each[side] for side, count in sides.items())
    return f"{run.result['network']} {regime}, {epochs} epochs of {pictures} pictures, {flop / 1e15:.3f} PFLOP"


if __name__ == "__main__":
    main()
