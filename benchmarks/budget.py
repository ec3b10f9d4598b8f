"""What `eyespot train` makes of a time that it is given, and of one that nobody gave.

    python benchmarks/budget.py DATA --log runs.jsonl
    python benchmarks/budget.py DATA --log runs.jsonl --only default

DATA is the folder that holds `clothing/` and `cifar10/`. With `--time 5m`, on three draws of 2,060 pictures of CIFAR-10
(1,442 to train on) and on clothing with 30 (two draws), 100 and 307 training pictures of each class: how much of the
time is used, and whether the validation accuracy is below that of a regime that has all of the time for itself. Without
a time, on clothing: the test accuracy, and after how long the frozen model is announced. Every run is a process of its
own with an empty cache. With --log, what is finished is kept, and a benchmark that was interrupted goes on from there.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import measuring
import numpy as np
import pyarrow.parquet as parquet
from few_pictures import drawn_of_each_class
from ladder import Run, Runner, placed
from measuring import Log, at_least, at_most
from subset import link

from eyespot import machine

USED_BAR = at_least(0.9, "of the time", "--time 5m is used, or the run says why it is not")
BELOW_BAR = at_most(1, "standard errors", "and its validation accuracy is not below that of one regime alone")
TEST_BAR = at_least(0.925, "accuracy", "without a time, clothing has a test accuracy of 0.925")
ANNOUNCED_BAR = at_most(1.1, "times", "and the frozen model is announced soon, compared with --regime frozen alone")
TIME = 300
GIVEN: dict[str, tuple[str, ...]] = {"ladder": (), "partial": ("--regime", "partial"), "full": ("--regime", "full")}
CLOTHING, DRAWN, DRAWS = ((30, 0), (30, 1), (100, 0), (307, 0)), 206, (0, 1, 2)
"""Pictures of each class and the draw; pictures of each class of CIFAR-10, and its draws."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="the folder of all pictures")
    parser.add_argument("--log", type=Path, help="JSON lines file that keeps finished runs")
    parser.add_argument("--only", choices=("times", "default"), nargs="+", default=("times", "default"))
    parser.add_argument("--sets", nargs="+", help="names of the sets (default all): cifar10-0, clothing-30, ...")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    log = Log(options.log, program="budget", machine=measuring.heading(), data=str(options.data.resolve()))
    with tempfile.TemporaryDirectory() as name:
        runner = Runner(log, Path(name))
        if "times" in options.only:
            of_times(runner, options.data, options.sets)
        if "default" in options.only:
            of_none(runner, options.data / "clothing")


def of_times(runner: Runner, data: Path, wanted: Sequence[str] | None) -> None:
    used, below = [1.0], [0.0]
    for name, folder in sets(data, runner.folder):
        if wanted and name not in wanted:
            continue
        runs = {
            side: runner.run(f"{name} {side}", folder, ("--time", f"{TIME}s", *given)) for side, given in GIVEN.items()
        }
        ladder = runs["ladder"]
        used.append(1.0 if says_why(ladder) else ladder["seconds"] / TIME)
        below.append(max(short(ladder, runs[side]) for side in ("partial", "full")))
        print(f"{name}: {ladder['seconds'] / TIME:.2f} of the time used, {below[-1]:.2f} standard errors below")
    print(USED_BAR.verdict(min(used)))
    print(BELOW_BAR.verdict(max(below)))


def sets(data: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    for draw in DRAWS:
        yield f"cifar10-{draw}", cifar10(data / "cifar10", folder / f"cifar10-{draw}", draw)
    for each, draw in CLOTHING:
        clothing, name = data / "clothing", f"clothing-{each}" + f"-{draw}" * bool(draw)
        yield name, placed(clothing, folder / name, drawn_of_each_class(clothing, each, draw))


def cifar10(data: Path, folder: Path, draw: int) -> Path:
    """`folder`, with as many pictures of each class, drawn from the training pictures."""
    (path,) = data.glob("train-*.parquet")
    images, labels = (parquet.read_table(path).columns[column] for column in (0, 1))
    classes, random = np.array(labels.to_pylist()), np.random.default_rng(draw)
    for label in np.unique(classes):
        for row in random.choice(np.flatnonzero(classes == label), DRAWN, replace=False).tolist():
            place = folder / f"class{label}" / f"{row}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(images[row].as_py()["bytes"])
    return folder


def says_why(run: Run) -> bool:
    return any("of the time are left" in note for note in run["notes"])


def short(ladder: Run, alone: Run) -> float:
    """By how many standard errors of its own the ladder's validation accuracy is below the other's."""
    accuracy, n = ladder["accuracy"]["val"], len(ladder["right"]["val"])
    return (alone["accuracy"]["val"] - accuracy) / math.sqrt(accuracy * (1 - accuracy) / n)


def of_none(runner: Runner, clothing: Path) -> None:
    data = runner.folder / "clothing"
    for path in clothing.glob("*/*/*"):
        link(path.resolve(), data / path.relative_to(clothing))
    measuring.read_through(data)
    run = runner.run("clothing default", data, ())
    print(TEST_BAR.verdict(run["accuracy"]["test"]))
    announced, alone = (
        min(announced_after(data, runner.folder / f"{side}{n}", given) for n in range(3))
        for side, given in (("announced", ()), ("alone", measuring.FROZEN))
    )
    print(f"the frozen model is announced after {announced:.1f} s; --regime frozen ends after {alone:.1f} s")
    print(ANNOUNCED_BAR.verdict(announced / alone))


def announced_after(data: Path, place: Path, given: Sequence[str]) -> float:
    """Seconds until the frozen model is announced, where the run is ended, or until it ends by itself."""
    command = [sys.executable, "-m", "eyespot", "train", data, "--out", place, *given]
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, machine.CACHE_VARIABLE: str(place / "cache")},
    ) as process:
        assert process.stderr is not None
        any(line.startswith(b"The head alone") for line in process.stderr)
        seconds = time.perf_counter() - began
        process.kill()
    return seconds


if __name__ == "__main__":
    main()
