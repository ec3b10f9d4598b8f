"""Whether the labs keep what they promise: their times, their effects on other seeds, their intervals, their tables.

    python benchmarks/labs.py DATA [--only times effects equal intervals threads lines] [--write docs/labs.json]

DATA is the folder that holds `mnist/`. Run it on a quiet machine; all of it takes about an hour and a half on two cores.
Settings were chosen on seeds 0 to 4; what is shown, and written, was measured on seeds 100 to 104.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

import eyespot
from eyespot import machine
from eyespot.blocks import chain
from eyespot.data.data_set import DataSet, sort_classes
from eyespot.data.sources import open_data_set
from eyespot.labs import catalogue
from eyespot.labs.bench import Bench, drawn
from eyespot.labs.definition import LANGUAGES
from eyespot.labs.figures import Gains, Interval, interval
from eyespot.labs.options import LabOptions
from eyespot.labs.outcome import Outcome
from eyespot.labs.pictures import Pictures, pictures_of, read_pictures
from eyespot.labs.trials import Asked, alone, run
from eyespot.labs.why_pool import shrinking
from eyespot.progress import silent

CHOSEN, SHOWN = 0, 100
"""First of the five seeds on which settings were chosen, and of those that are shown."""
LIMIT_SECONDS, ALL_SECONDS, GIVEN_SECONDS = 180, 1800, 30
MOST_LINES, MOST_SHARED = 80, 200
REPETITIONS, SUBSET, STEPS = 200, 300, 60
"""Fresh subsets of MNIST, pictures of each, and steps of a network on them."""
MUST_DIFFER: dict[str, Callable[[Gains], Sequence[Interval]]] = {
    "residual-dense": lambda gain: [gain("loss", "shortcuts", over="plain", depth=depth) for depth in (20, 40)],
    "degradation": lambda gain: [gain("loss", "shortcuts", over="plain", depth=32)],
    "why-residual": lambda gain: [
        gain("gradient", "shortcuts", over="plain", weights="PyTorch", depth=40),
        gain("agreement", "shortcuts", over="plain", weights="He", depth=80),
    ],
    "why-pool": lambda gain: [gain("accuracy", "max", over="average")],
    "middle-column": lambda gain: [gain("moved", 1, over=0), gain("middle", "learned").minus(1)],
    "padding-edges": lambda gain: [gain("beside", "zeros").minus(1), gain("flat", "zeros", over="replicate")],
    "pixel-use": lambda gain: [gain("corner", "padding 1", layers=layers).minus(1) for layers in (1, 3, 6)],
    "initial-weights": lambda gain: [gain("accuracy", "He", over=arm) for arm in ("zero", "N(0, 0.01)", "N(0, 1)")],
    "shift": lambda gain: [
        gain.change("accuracy", {"arm": arm, "shift": 1}, over={"arm": arm, "shift": 0})
        for arm in ("dense", "conv", "pool")
    ],
}
"""The differences that have to exclude 0 on both sets of seeds."""


def main() -> None:
    parts = {
        "times": times,
        "effects": effects,
        "equal": equal,
        "intervals": intervals,
        "threads": threads,
        "lines": lines,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument(
        "--labs", nargs="+", choices=catalogue.names(), default=[each.name for each in catalogue.every()]
    )
    parser.add_argument("--write", type=Path, help="the file for what came out on the seeds that are shown")
    asked = parser.parse_args()
    print(machine.describe(), "eyespot", eyespot.__version__)
    for name in asked.only:
        print(f"\n{name}: {parts[name].__doc__}")
        parts[name](asked)


def times(asked: argparse.Namespace) -> None:
    """each lab on the digits as a command, five seeds; and in 30 s."""
    all_seconds = 0.0
    for name in asked.labs:
        with tempfile.TemporaryDirectory() as folder:
            seconds = _command(name, "--out", folder)
        limited = 0.0
        if seconds > GIVEN_SECONDS:
            with tempfile.TemporaryDirectory() as folder:
                limited = _command(name, "--out", folder, "--time", f"{GIVEN_SECONDS}s")
        all_seconds += seconds
        late = f", within {GIVEN_SECONDS} s: {limited:.1f} s" if limited else ""
        print(f"  {name:16} {seconds:6.1f} s{late}", flush=True)
        assert seconds < LIMIT_SECONDS and limited < 1.1 * GIVEN_SECONDS, name
    print(f"  all              {all_seconds:6.1f} s")
    assert all_seconds < ALL_SECONDS


def effects(asked: argparse.Namespace) -> None:
    """verdicts on the seeds of choice and on those that are shown; what must differ, differs on both."""
    shown = {}
    for name in asked.labs:
        chosen, last = (_outcome(name, first, 5) for first in (CHOSEN, SHOWN))
        same = "same" if chosen.verdict.answer == last.verdict.answer else "ANOTHER"
        print(f"  {name:16} {same} verdict: {chosen.verdict.answer}, {last.verdict.answer}", flush=True)
        print(f"    {last.verdict.said.en}")
        for each in (chosen, last):
            for found in MUST_DIFFER.get(name, lambda gain: [])(each.gains):
                differs = "differs" if found.up or found.down or found.low == found.high else "NO DIFFERENCE SEEN"
                print(f"    {found.to('en')}: {differs}")
        shown[name] = _shown(last)
    if asked.write:
        asked.write.write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def equal(asked: argparse.Namespace) -> None:
    """two arms that are the same network with other first weights, 100 repetitions with five other seeds each."""
    pictures, told = _digits(0), 0
    for number in range(100):
        seeds = range(1000 + 5 * number, 1005 + 5 * number)
        gains = [_accuracy(pictures, seed, "max", 10**6) - _accuracy(pictures, seed, "max", 0) for seed in seeds]
        found = interval(gains, share=_share(pictures))
        told += found.up or found.down
    print(f"  no difference, or it cannot be told: {100 - told} of 100")


def intervals(asked: argparse.Namespace) -> None:
    """200 repetitions on fresh subsets of MNIST, two networks compared: how many intervals hold the mean over all."""
    found = []
    for number, subset in enumerate(_subsets(asked.data / "mnist")):
        seeds = range(5 * number, 5 * number + 5)
        gains = [_accuracy(subset, seed, "max", 0) - _accuracy(subset, seed, "average", 0) for seed in seeds]
        found.append(interval(gains, share=_share(subset)))
    truth = float(np.mean([each.mean for each in found]))
    held = float(np.mean([each.low <= truth <= each.high for each in found]))
    print(f"  mean over all {truth:.4f}; {100 * held:.1f} % of {len(found)} intervals hold it")


def threads(asked: argparse.Namespace) -> None:
    """the table of one seed, with one thread and with two."""
    for name in asked.labs:
        tables = []
        for count in "12":
            with tempfile.TemporaryDirectory() as folder:
                _command(name, "--out", folder, "--seeds", "1", threads=count)
                (table,) = Path(folder).rglob("table.csv")
                tables.append([line.rpartition(",")[0] for line in table.read_text("utf-8").splitlines()])
        print(f"  {name:16} {'same' if tables[0] == tables[1] else 'ANOTHER TABLE'}", flush=True)


def lines(asked: argparse.Namespace) -> None:
    """of the labs' files, at most 80, and of bench, towers, trials and figures, at most 200."""
    found = {each.name: each.source.count("\n") for each in catalogue.every()}
    here = Path(catalogue.__file__).parent
    shared = {
        name: (here / f"{name}.py").read_text("utf-8").count("\n") for name in ("bench", "towers", "trials", "figures")
    }
    print("  " + ", ".join(f"{name} {count}" for name, count in (found | shared).items()))
    assert max(found.values()) <= MOST_LINES
    assert max(shared.values()) <= MOST_SHARED


def _command(*arguments: str, threads: str = "") -> float:
    """Seconds of the whole process."""
    environment = {**os.environ, **({"OMP_NUM_THREADS": threads} if threads else {})}
    began = time.monotonic()
    command = [sys.executable, "-m", "eyespot", "lab", *arguments, "--quiet", "--json"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - began


@cache
def _digits(side: int) -> Pictures:
    return read_pictures("digits", side=side, progress=silent)


def _outcome(name: str, first: int, count: int) -> Outcome:
    """A lab on the digits."""
    found, asked = catalogue.find(name), LabOptions(seed=first, seeds=count)
    began, pictures = time.monotonic(), _digits(found.lab.side)
    with tempfile.TemporaryDirectory() as folder:
        seeds = tuple(range(first, first + count))
        trials = run(found, pictures, Asked(seeds, math.inf), Path(folder) / "table.csv", progress=silent)
        seconds = round(time.monotonic() - began, 1)
        return Outcome(found, "digits", pictures, asked, trials, Path(folder), seconds)


def _shown(outcome: Outcome) -> dict[str, Any]:
    """What the course's pages tell of a lab."""
    result = outcome.result()
    return {
        "answer": result.answer,
        "seeds": result.seeds,
        "seconds": result.seconds,
        "cells": [cell.model_dump() for cell in result.cells],
        "verdict": {language: outcome.verdict.said.to(language) for language in LANGUAGES},
    }


def _subsets(folder: Path) -> Iterator[Pictures]:
    """Disjoint draws of MNIST's training pictures, as images of 8 pixels."""
    pictures = [each for each in open_data_set(folder).pictures if each.part == "train"]
    order = np.random.default_rng(0).permutation(len(pictures))
    for number in range(REPETITIONS):
        drawn = [pictures[at] for at in order[number * SUBSET : (number + 1) * SUBSET]]
        yield pictures_of(DataSet(f"subset {number}", tuple(drawn), sort_classes(each.label for each in drawn)))


def _accuracy(pictures: Pictures, seed: int, arm: str, salt: int) -> float:
    """Test accuracy of a small network with this way to shrink, see the lab why-pool."""
    bench = Bench(pictures, *drawn(pictures, seed=seed), seed)
    with alone(seed + salt):
        stages = {"stage1": shrinking(bench.channels, 8, arm), "stage2": shrinking(8, 16, arm)}
        head = chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(16, bench.classes))
        return bench.accuracy(bench.fit(chain(**stages, head=head), steps=STEPS))


def _share(pictures: Pictures) -> float:
    return Bench(pictures, *drawn(pictures, seed=0), 0).share


if __name__ == "__main__":
    main()
