"""`eyespot train` on pictures with boxes: how good, how soon, and beside two other ways to a detector.

    python benchmarks/detection.py CELLS
    python benchmarks/detection.py CELLS --peers ENVIRONMENT/bin/python --minutes 40

CELLS is a folder of pictures with boxes that says which train, validate and test (BCCD as Pascal VOC). Every run is a
process of its own, timed from its start to its end. With --peers, the Python of an environment with ultralytics,
torchvision and pycocotools, three others train on the same pictures for the time that eyespot took
(detection_peers.py); Ultralytics then goes on until it is as good, or --minutes are over. All are judged on the same
test boxes.
"""

from __future__ import annotations

import json
import math
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from measuring import at_least, at_most

import eyespot
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture
from eyespot.data.boxes.splitting import split_boxes
from eyespot.data.boxes.writing import write_boxes
from eyespot.palette import TEAL
from eyespot.reporting.canvas import HUNDRED, SOFT, Canvas, Square

ROWS = ("whole", "soon", "few", "answer", "equal", "long")
SEEDS = (10, 11, 12)
"""None of them was looked at while the defaults were chosen, on the validation pictures."""
FEW = (10, 30, 100)
MAP50 = at_least(0.84, "of 1", "mAP50 on the test pictures")
MAP50_95 = at_least(0.48, "of 1", "mAP50-95 on the test pictures")
RARE = at_least(0.60, "of 1", "AP50 of the class with the fewest boxes")
SECONDS = at_most(300, "s", "from the start of the process to its end, nothing cached")
SOON = at_least(0.76, "of 1", "mAP50 within two minutes (--time 2m)")
SOON_SECONDS = at_most(122.4, "s", "two minutes, and 2 % of them")
AGAIN = at_most(0.10, "of the first run", "the same again, nothing changed")
OTHER = at_most(0.60, "of the first run", "another seed, views stored by the first")
MEMORY = at_most(2.0, "GB", "peak memory of the process")
ANSWER = at_most(1.0, "s", "one picture, from the start of the process to its end")
SOONER = at_least(20, "times", "sooner than Ultralytics' smallest network from scratch, to the same mAP50")
HIGHER = {
    "ultralytics": at_least(0.0, "of 1", "higher than Ultralytics' smallest network from scratch in the same time"),
    "ssdlite": at_least(0.0, "of 1", "higher than torchvision's SSDLite on the same frozen network in the same time"),
    "fcos": at_least(0.0, "of 1", "higher than torchvision's FCOS on the same frozen network in the same time"),
}
PEERS = Path(__file__).with_name("detection_peers.py")


@dataclass(frozen=True)
class Run:
    """One run of `eyespot train`."""

    seconds: float
    processor_seconds: float
    gigabytes: float
    result: dict[str, Any]

    @property
    def map50(self) -> float:
        return float(self.result["test"]["map50"]["value"])

    @property
    def map50_95(self) -> float:
        return float(self.result["test"]["map50_95"]["value"])

    @property
    def rarest(self) -> float:
        """AP50 of the class with the fewest boxes in the test pictures."""
        measured = [each for each in self.result["test"]["per_class"] if each["ap50"]]
        return float(min(measured, key=lambda each: each["boxes"])["ap50"]["value"])

    def __str__(self) -> str:
        test = self.result["test"]["map50"]
        return (
            f"mAP50 {self.map50:.3f} ({test['low']:.3f} to {test['high']:.3f}), mAP50-95 {self.map50_95:.3f}, "
            f"rarest {self.rarest:.3f}; {self.seconds:.1f} s, processor {self.processor_seconds:.1f} s, "
            f"{self.gigabytes:.2f} GB"
        )


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="a folder of pictures with boxes, in parts")
    parser.add_argument("--peers", type=Path, help="Python of an environment with ultralytics and torchvision")
    parser.add_argument("--minutes", type=float, default=40, help="for Ultralytics to become as good (default 40)")
    parser.add_argument("--only", nargs="+", choices=ROWS, help="some rows")
    parser.add_argument("--ours", type=float, nargs=2, metavar=("MAP50", "SECONDS"), help="for `long` without `equal`")
    parser.add_argument("--curve", type=Path, metavar="PNG", help="where `few` is drawn")
    options = parser.parse_args()
    if not options.peers and {"equal", "long"} & set(options.only or ()):
        parser.error("the rows equal and long need --peers, the Python of an environment that has the others")
    if "long" in (options.only or ()) and "equal" not in options.only and not options.ours:
        parser.error("the row long without equal needs --ours, what it would have measured")
    wanted = options.only or (ROWS if options.peers else ROWS[:4])
    ours = options.ours
    print(measuring.heading(), flush=True)
    measuring.read_through(options.data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "whole" in wanted:
            whole(options.data, folder)
        if "soon" in wanted:
            soon(options.data, folder)
        if "few" in wanted:
            few(options.data, folder, options.curve)
        if "answer" in wanted:
            answer(options.data, folder)
        if "equal" in wanted:
            ours = equal(options.data, folder, options.peers)
        if "long" in wanted:
            until_as_good(options.data, folder, options.peers, ours=ours, minutes=options.minutes)


def trained(data: Path, folder: Path, *, cache: str, seed: int = SEEDS[0], given: Sequence[str] = ()) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = measuring.train(data, cache=folder / cache, out=folder / "runs", seed=seed, given=given)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(run.seconds, processor, (run.peak_bytes or 0) / 1e9, run.result)


def whole(data: Path, folder: Path) -> None:
    """As it is, nothing cached; again; with another seed."""
    runs, again, other = [], [], []
    for number, seed in enumerate(SEEDS):
        cache = f"cache{number}"
        runs.append(trained(data, folder, cache=cache, seed=seed))
        print(f"seed {seed}, nothing cached: {runs[-1]}", flush=True)
        again.append(trained(data, folder, cache=cache, seed=seed).seconds / runs[-1].seconds)
        other.append(trained(data, folder, cache=cache, seed=seed + 10).seconds / runs[-1].seconds)
        print(f"the same again {again[-1]:.3f}, another seed {other[-1]:.3f} of its time", flush=True)
    print(MAP50.verdict(min(run.map50 for run in runs)))
    print(MAP50_95.verdict(min(run.map50_95 for run in runs)))
    print(RARE.verdict(min(run.rarest for run in runs)))
    print(SECONDS.verdict(max(run.seconds for run in runs)))
    print(MEMORY.verdict(max(run.gigabytes for run in runs)))
    print(AGAIN.verdict(statistics.median(again)))
    print(OTHER.verdict(statistics.median(other)), flush=True)


def soon(data: Path, folder: Path) -> None:
    """With two minutes, nothing cached."""
    runs = []
    for seed in SEEDS:
        runs.append(trained(data, folder, cache=f"soon{seed}", seed=seed, given=("--time", "2m")))
        print(f"seed {seed}, --time 2m: {runs[-1]}", flush=True)
    print(SOON.verdict(min(run.map50 for run in runs)))
    print(SOON_SECONDS.verdict(max(run.seconds for run in runs)), flush=True)


def few(data: Path, folder: Path, curve: Path | None) -> None:
    """With some of the training pictures, and with all."""
    boxed = split_boxes(read_boxes(data), seed=0)
    train = sorted(boxed.parts["train"], key=lambda each: each.content)  # an order that no file name has a part in
    found: list[tuple[int, Run]] = []
    for count in sorted({min(count, len(train)) for count in (*FEW, len(train))}):
        smaller = written(boxed, train[:count], folder / f"few{count}")
        for seed in SEEDS:
            run = trained(smaller, folder, cache="few", seed=seed)
            found.append((count, run))
            print(f"{count} pictures, seed {seed}: {run}", flush=True)
    if curve is not None:
        estimates = [run.result["test"]["map50"] for _, run in found]
        rows = [
            (count, *(each[name] for name in ("value", "low", "high")))
            for (count, _), each in zip(found, estimates, strict=True)
        ]
        curve.write_bytes(drawn_curve(rows))


def drawn_curve(rows: Sequence[tuple[int, float, float, float]]) -> bytes:
    """mAP50 over the number of training pictures as a PNG: a dot and its interval for each run, a line for the means.

    rows: training pictures, mAP50, and the ends of its interval, of each run.
    """
    counts = sorted({count for count, *_ in rows})
    first, last = math.log(counts[0]), math.log(counts[-1])
    places = {count: 0.06 + 0.88 * (math.log(count) - first) / (last - first) for count in counts}
    square = Square(70, 50, 420)
    canvas = Canvas(520, 540)
    marks = tuple((place, str(count)) for count, place in places.items())
    canvas.axes(square, across=marks, up=HUNDRED, names=("training pictures", "mAP50 on the test pictures, %"))
    for number, (count, value, low, high) in enumerate(rows):
        place = places[count] + 0.015 * (number % len(SEEDS) - 1)
        canvas.line([square.at(place, low), square.at(place, high)], SOFT, width=1.5)
        x, y = square.at(place, value)
        canvas.fill(x - 3, y - 3, x + 3, y + 3, TEAL)
    means = [statistics.mean(value for at, value, *_ in rows if at == count) for count in counts]
    canvas.line([square.at(places[count], mean) for count, mean in zip(counts, means, strict=True)], TEAL, width=2)
    return canvas.png()


def answer(data: Path, folder: Path) -> None:
    """One picture, by `eyespot predict`, a process each."""
    run = trained(data, folder, cache="answer", given=("--epochs", "2", "--views", "1")).result["run"]
    picture = next(iter(split_boxes(read_boxes(data), seed=0).parts["test"])).picture.path
    assert picture is not None
    command = [sys.executable, "-m", "eyespot", "predict", run, picture, "--quiet"]
    seconds = [measuring.timed(command, cache=folder / "answer")[0] for _ in range(8)]
    print(ANSWER.verdict(statistics.median(seconds[1:])), flush=True)


def equal(data: Path, folder: Path, python: Path) -> tuple[float, float]:
    """The others on the same pictures in the time that eyespot takes; its medians of mAP50 and seconds."""
    boxed = split_boxes(read_boxes(data), seed=0)
    yolo = written(boxed, boxed.parts["train"], folder / "yolo")
    ours = [trained(data, folder, cache=f"peers{seed}", seed=seed) for seed in SEEDS]
    for seed, run in zip(SEEDS, ours, strict=True):
        print(f"eyespot, seed {seed}: {run}", flush=True)
    seconds, map50 = statistics.median(run.seconds for run in ours), statistics.median(run.map50 for run in ours)
    saved_weights(folder / "lite0.npz")
    for name, bar in HIGHER.items():
        found = []
        for seed in SEEDS:
            told = ["--data", yolo, "--seconds", f"{seconds:.1f}", "--seed", seed, "--weights", folder / "lite0.npz"]
            measured = peer(python, name, told)
            found.append(measured["map50"][-1][1])
            processor = measured["processor_seconds"]
            print(
                f"{name}, seed {seed}: mAP50 {found[-1]:.3f}; {seconds:.0f} s, processor {processor:.0f} s", flush=True
            )
        print(bar.verdict(map50 - statistics.median(found)), flush=True)
    return map50, seconds


def until_as_good(data: Path, folder: Path, python: Path, *, ours: tuple[float, float], minutes: float) -> None:
    """How long Ultralytics takes to the same mAP50. ours: mAP50 and seconds."""
    map50, seconds = ours
    boxed = split_boxes(read_boxes(data), seed=0)
    yolo = written(boxed, boxed.parts["train"], folder / "yolo-long")
    told = ["--data", yolo, "--seconds", f"{60 * minutes:.0f}", "--until", f"{map50:.4f}", "--seed", SEEDS[0]]
    measured = peer(python, "ultralytics", told)
    found = measured["map50"]
    for at, value in found:
        print(f"ultralytics after {at:.0f} s: mAP50 {value:.3f}", flush=True)
    print(f"its processor took {measured['processor_seconds']:.0f} s, judging among them")
    reached = next((at for at, value in found if value >= map50), None)
    if reached is None:
        best = max(value for _, value in found)
        print(f"not reached in {minutes:g} min; the best was {best:.3f}")
        print(SOONER.verdict(60 * minutes / seconds))  # or more
    else:
        print(SOONER.verdict(reached / seconds))


def peer(python: Path, name: str, told: Sequence[object]) -> dict[str, Any]:
    """What detection_peers.py prints: mAP50 on the test pictures by seconds of training."""
    quiet = {"YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false", "OMP_NUM_THREADS": str(os.cpu_count())}
    os.environ.update(quiet)
    _, printed, _ = measuring.observed([python, PEERS, name, *map(str, told)], cache=Path(tempfile.gettempdir()))
    return dict(json.loads(printed.strip().splitlines()[-1]))


def written(boxed: BoxedDataSet, train: Sequence[BoxedPicture], folder: Path) -> Path:
    """The data set with these training pictures alone, as YOLO has it."""
    parts = {**boxed.parts, "train": tuple(train)}
    write_boxes(replace(boxed, parts=parts), folder, format="YOLO")
    return folder


def saved_weights(path: Path) -> None:
    """The weights that eyespot's frozen trunk has, as arrays, for whoever has no eyespot."""
    net = eyespot.create("efficientnet_lite0", weights="imagenet")
    np.savez(path, **{name: tensor.numpy() for name, tensor in net.state_dict().items()})


if __name__ == "__main__":
    main()
