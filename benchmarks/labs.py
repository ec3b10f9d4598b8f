"""Whether the labs keep what they promise: their times, their effects on other seeds, their intervals, their tables.

    python benchmarks/labs.py DATA --write docs/labs.json

DATA is the folder that holds `mnist/`. Run it on a quiet machine; all of it takes about an hour and a half on two
cores. Settings were chosen on seeds 0 to 4; what is shown, and written, was measured on seeds 100 to 104.
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

import measuring
import numpy as np
from measuring import at_least, at_most
from torch import nn

from eyespot.blocks import chain
from eyespot.data.data_set import DataSet, sort_classes
from eyespot.data.sources import open_data_set
from eyespot.labs import catalogue
from eyespot.labs.bench import Bench, drawn
from eyespot.labs.definition import FOLDS, LANGUAGES
from eyespot.labs.figures import Gains, Interval, half_width, interval
from eyespot.labs.options import LabOptions
from eyespot.labs.outcome import Outcome
from eyespot.labs.pictures import Pictures, pictures_of, read_pictures
from eyespot.labs.trials import Asked, run, seeded
from eyespot.labs.why_pool import shrinking
from eyespot.progress import silent

CHOSEN, SHOWN = 0, 100
"""First of the five seeds on which settings were chosen, and of those that are shown."""
GIVEN_SECONDS = 30
SHARED = ("bench", "towers", "trials", "figures")
EACH_BAR = at_most(180, "s", "each lab takes at most 3 minutes on the digits")
ALL_BAR = at_most(1800, "s", "and all of them at most 30")
GIVEN_BAR = at_most(1.1 * GIVEN_SECONDS, "s", "--time 30s is kept within 10 %")
SAME_BAR = at_most(
    0, "labs", "no lab says the opposite on other seeds, and where a difference has to be seen, each the same"
)
SEEN_BAR = at_most(0, "differences", "and no difference that has to be seen is not")
EQUAL_BAR = at_least(
    95, "%", "of two arms that are the same it is said that they do not differ, or that nobody can tell"
)
HELD_BARS = (at_least(93, "%", "intervals hold the mean over all"), at_most(97, "%", "and are not wider than that"))
THREADS_BAR = at_most(0, "labs", "no lab has another table with another number of threads")
LINES_BAR = at_most(80, "lines", "a lab is a short file")
SHARED_BAR = at_most(200, "lines", "and so is what labs share")
REPETITIONS, SUBSET, STEPS = 200, 300, 250
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
    parts = {each.__name__: each for each in (times, effects, equal, intervals, threads, lines)}
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), metavar="PART")
    parser.add_argument("--labs", nargs="+", choices=catalogue.names(), default=catalogue.names(), metavar="LAB")
    parser.add_argument("--seeds", type=int, default=5, help="of each run of a lab (default 5)")
    parser.add_argument("--repetitions", type=int, help="of equal and intervals (default 100 and 200)")
    parser.add_argument("--keep", type=Path, help="a folder for the tables of effects: an interrupted run goes on")
    parser.add_argument("--write", type=Path, help="the file for what came out on the seeds that are shown")
    asked = parser.parse_args()
    print(measuring.heading(), flush=True)
    for name in asked.only:
        print(f"\n{name}: {parts[name].__doc__}", flush=True)
        parts[name](asked)


def times(asked: argparse.Namespace) -> None:
    """each lab on the digits as a command; and, if it takes longer than 30 s, within 30 s."""
    whole, limited = {}, {}
    for name in asked.labs:
        with tempfile.TemporaryDirectory() as folder:
            whole[name] = _command(name, "--out", folder, "--seeds", str(asked.seeds))
        if whole[name] > GIVEN_SECONDS:
            with tempfile.TemporaryDirectory() as folder:
                limited[name] = _command(name, "--out", folder, "--time", f"{GIVEN_SECONDS}s")
        listed = catalogue.find(name).lab.seconds
        print(
            f"{name:16} {whole[name]:6.1f} s, listed {listed} s; {limited.get(name, 0):.1f} s of {GIVEN_SECONDS}",
            flush=True,
        )
        _update(asked.write, name, seconds=round(whole[name]))
    print(EACH_BAR.verdict(max(whole.values())))
    print(ALL_BAR.verdict(sum(whole.values())))
    print(GIVEN_BAR.verdict(max(limited.values(), default=0)))


def effects(asked: argparse.Namespace) -> None:
    """verdicts on the seeds of choice and on those that are shown; what must differ, differs on both."""
    others, unseen = 0, 0
    for name in asked.labs:
        chosen, last = (_outcome(name, first, asked) for first in (CHOSEN, SHOWN))
        answers = {chosen.verdict.answer, last.verdict.answer}
        others += len(answers) > 1 if name in MUST_DIFFER else answers == {"so", "not so"}
        print(f"{name:16} {chosen.verdict.answer}; {last.verdict.answer}: {last.verdict.said.en}", flush=True)
        for each in (chosen, last) if name in MUST_DIFFER else ():
            differences = MUST_DIFFER[name](each.gains)
            unseen += sum(not (found.up or found.down) for found in differences)
            print(f"    {', '.join(found.to('en') for found in differences)}")
        _update(asked.write, name, **_shown(last))
    print(SAME_BAR.verdict(others))
    print(SEEN_BAR.verdict(unseen))


def equal(asked: argparse.Namespace) -> None:
    """two arms that are the same network with other first weights, 100 repetitions with five other seeds each."""
    pictures, told, repetitions = _digits(0), 0, asked.repetitions or 100
    for number in range(repetitions):
        seeds = range(1000 + 5 * number, 1005 + 5 * number)
        gains = [_accuracy(pictures, seed, "max", 10**6) - _accuracy(pictures, seed, "max", 0) for seed in seeds]
        found = interval(gains, share=_share(pictures))
        told += found.up or found.down
    print(EQUAL_BAR.verdict(100 - 100 * told / repetitions))


def intervals(asked: argparse.Namespace) -> None:
    """on 200 fresh subsets of MNIST: how many intervals hold the mean over all, of a network and of a gain."""
    found: dict[str, list[list[float]]] = {"accuracy": [], "gain": []}
    for number, subset in enumerate(_subsets(asked.data / "mnist", asked.repetitions or REPETITIONS)):
        seeds = range(FOLDS * number, FOLDS * (number + 1))
        pairs = [[_accuracy(subset, seed, arm, 0) for arm in ("max", "average")] for seed in seeds]
        found["accuracy"].append([one for one, _ in pairs])
        found["gain"].append([one - other for one, other in pairs])
    share = 1 / (FOLDS - 1)
    kinds = {"ours": share, "plain": 0.0, "Nadeau and Bengio's": FOLDS * share}
    for name, values in found.items():
        truth, held = float(np.mean(values)), {}
        for kind, widening in kinds.items():
            off = [
                abs(np.mean(each) - truth) / half_width(float(np.std(each, ddof=1)), FOLDS, widening) for each in values
            ]
            held[kind] = 100 * float(np.mean(np.array(off) <= 1))
        told = ", ".join(f"{kind} {percent:.1f} %" for kind, percent in held.items())
        print(f"{name}: mean over all {truth:.4f}; of {len(values)} intervals hold it: {told}")
        for bar in HELD_BARS:
            print(bar.verdict(held["ours"]))


def threads(asked: argparse.Namespace) -> None:
    """the table of one seed, with one thread and with two."""
    others = 0
    for name in asked.labs:
        tables = []
        for count in "12":
            with tempfile.TemporaryDirectory() as folder:
                _command(name, "--out", folder, "--seeds", "1", threads=count)
                (table,) = Path(folder).rglob("table.csv")
                tables.append(table.read_bytes())
        others += tables[0] != tables[1]
        print(f"{name:16} {'same' if tables[0] == tables[1] else 'ANOTHER'}", flush=True)
    print(THREADS_BAR.verdict(others))


def lines(asked: argparse.Namespace) -> None:
    """of the files of labs, and of what they share."""
    here = Path(catalogue.__file__).parent
    labs = {each.name: each.source.count("\n") for each in catalogue.every()}
    shared = {name: (here / f"{name}.py").read_text("utf-8").count("\n") for name in SHARED}
    print(", ".join(f"{name} {count}" for name, count in (labs | shared).items()))
    print(LINES_BAR.verdict(max(labs.values())))
    print(SHARED_BAR.verdict(max(shared.values())))


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


def _outcome(name: str, first: int, asked: argparse.Namespace) -> Outcome:
    """A lab on the digits."""
    found, pictures = catalogue.find(name), _digits(catalogue.find(name).lab.side)
    seeds = tuple(range(first, first + asked.seeds))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(asked.keep or temporary) / name
        folder.mkdir(parents=True, exist_ok=True)
        trials = run(found, pictures, Asked(seeds, math.inf), folder / "table.csv", progress=silent)
    return Outcome(found, "digits", pictures, LabOptions(seed=first, seeds=asked.seeds), trials, folder, 0.0)


def _update(file: Path | None, name: str, **found: Any) -> None:
    """Writes what came out of a lab beside what is known of it already."""
    if file is not None:
        known = json.loads(file.read_text("utf-8")) if file.exists() else {}
        known[name] = known.get(name, {}) | found
        file.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _shown(outcome: Outcome) -> dict[str, Any]:
    """What the course's pages tell of a lab."""
    result = outcome.result()
    return {
        "answer": result.answer,
        "seeds": result.seeds,
        "cells": [cell.model_dump() for cell in result.cells],
        "verdict": {language: outcome.verdict.said.to(language) for language in LANGUAGES},
    }


def _subsets(folder: Path, repetitions: int) -> Iterator[Pictures]:
    """Disjoint draws of MNIST's training pictures, as images of 8 pixels."""
    pictures = [each for each in open_data_set(folder).pictures if each.part == "train"]
    order = np.random.default_rng(0).permutation(len(pictures))
    for number in range(repetitions):
        drawn = [pictures[at] for at in order[number * SUBSET : (number + 1) * SUBSET]]
        yield pictures_of(DataSet(f"subset {number}", tuple(drawn), sort_classes(each.label for each in drawn)))


def _accuracy(pictures: Pictures, seed: int, arm: str, salt: int) -> float:
    """Test accuracy of the network of the lab why-pool with this way to shrink."""
    bench = Bench(pictures, *drawn(pictures, seed=seed), seed)
    with seeded(seed + salt):
        stages = {"stage1": shrinking(bench.channels, 16, arm), "stage2": shrinking(16, 32, arm)}
        head = chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(32, bench.classes))
        return bench.accuracy(bench.fit(chain(**stages, head=head), steps=STEPS))


def _share(pictures: Pictures) -> float:
    return Bench(pictures, *drawn(pictures, seed=0), 0).share


if __name__ == "__main__":
    main()
