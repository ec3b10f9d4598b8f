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
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import eyespot
from eyespot import machine
from eyespot.data.sources import open_data_set
from eyespot.labs import catalogue, towers
from eyespot.labs.bench import Bench, drawn
from eyespot.labs.figures import Gains, Interval, interval
from eyespot.labs.pictures import Pictures
from eyespot.labs.report import gains_of
from eyespot.labs.result import LabResult
from eyespot.labs.trials import _alone as alone

CHOSEN, SHOWN = 0, 100
"""First of the five seeds on which settings were chosen, and of those that are shown."""
LIMIT_SECONDS, ALL_SECONDS, GIVEN_SECONDS = 180, 1800, 30
MOST_LINES = 80
MUST_DIFFER: dict[str, Callable[[Gains], Sequence[Interval]]] = {
    "residual-dense": lambda gain: [gain("loss", "shortcuts", over="plain", depth=depth) for depth in (20, 40)],
    "degradation": lambda gain: [gain("loss", "shortcuts", over="plain", depth=32)],
    "why-residual": lambda gain: [
        gain("gradient", "shortcuts", over="plain", weights="PyTorch", depth=40),
        gain("agreement", "shortcuts", over="plain", weights="He", depth=80),
    ],
    "why-pool": lambda gain: [gain("accuracy", "max", over="average")],
}
"""The differences that have to exclude 0 on both sets of seeds."""


def main() -> None:
    parts = {"times": times, "effects": effects, "equal": equal, "intervals": intervals, "threads": threads, "lines": lines}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--labs", nargs="+", choices=catalogue.names(), default=[each.name for each in catalogue.every()])
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
        results = [_result(name, seed) for seed in (CHOSEN, SHOWN)]
        same = "same" if len({each.answer for each in results}) == 1 else "ANOTHER"
        print(f"  {name:16} {same} verdict: {', '.join(each.answer for each in results)}", flush=True)
        print(f"    {results[1].verdict}")
        for found in _must_differ(name):
            print(f"    {found.to('en')}: {'differs' if found.up or found.down else 'NO DIFFERENCE SEEN'}")
        shown[name] = _shown(results[1])
    if asked.write:
        asked.write.write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def equal(asked: argparse.Namespace) -> None:
    """two arms that are the same network with other first weights, 100 repetitions with five other seeds each."""
    pictures = _digits()
    told = 0
    for number in range(100):
        seeds = range(1000 + 5 * number, 1005 + 5 * number)
        gains = [_accuracy(pictures, seed, "dense", seed + 10**6) - _accuracy(pictures, seed, "dense", seed) for seed in seeds]
        found = interval(gains, share=_share(pictures))
        told += found.up or found.down
    print(f"  no difference, or it cannot be told: {100 - told} of 100")


def intervals(asked: argparse.Namespace) -> None:
    """200 repetitions on fresh subsets of MNIST, two networks compared: how many intervals hold the mean over all."""
    found = [_compared(subset, number) for number, subset in enumerate(_subsets(asked.data / "mnist", 200))]
    truth = float(np.mean([each.mean for each in found]))
    held = float(np.mean([each.low <= truth <= each.high for each in found]))
    print(f"  mean over all {truth:.4f}; {100 * held:.1f} % of the intervals hold it")


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
    print("  " + ", ".join(f"{name} {count}" for name, count in found.items()))
    assert max(found.values()) <= MOST_LINES


def _command(*arguments: str, threads: str = "") -> float:
    """Seconds of the whole process."""
    environment = {**os.environ, **({"OMP_NUM_THREADS": threads} if threads else {})}
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "eyespot", "lab", *arguments, "--quiet", "--json"], env=environment, check=True, capture_output=True)
    return time.monotonic() - began
