"""What all benchmarks share: the heading, processes timed from start to end, caches, medians, bars, the log."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyespot import machine
from eyespot.engine.run import available_precisions, engine_version

CONVERT = (
    "from eyespot import machine; from eyespot.building.backbone import DEFAULT; "
    "DEFAULT.trunk(machine.cache_folder(), 'fp32')"
)
RSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""What one unit of ru_maxrss stands for."""


@dataclass(frozen=True)
class Bar:
    """What a figure has to reach, and the sentence that promises it."""

    limit: float
    unit: str
    sentence: str
    at_least: bool
    """False where the figure must not be larger than the limit."""

    def verdict(self, value: float) -> str:
        """One line: the figure, the bar, pass or fail."""
        passed = value >= self.limit if self.at_least else value <= self.limit
        sign = ">=" if self.at_least else "<="
        outcome = "PASS" if passed else "FAIL"
        return f'{outcome}  {value:.4g} {self.unit} (bar {sign} {self.limit:g} {self.unit}): "{self.sentence}"'


def at_least(limit: float, unit: str, sentence: str) -> Bar:
    return Bar(limit, unit, sentence, at_least=True)


def at_most(limit: float, unit: str, sentence: str) -> Bar:
    return Bar(limit, unit, sentence, at_least=False)


@dataclass(frozen=True)
class Trained:
    """One run of `eyespot train`, as a process."""

    seconds: float
    """From process start to its end, which comes after the report is on disk."""
    result: dict[str, Any]
    """What `--json` printed."""
    peak_bytes: int | None
    """The most memory that it held at once; None on Windows, which does not tell."""

    @property
    def test_error(self) -> float:
        """Share of the test pictures that it gets wrong."""
        return 1.0 - float(self.result["test"]["accuracy"])


class Log:
    """Finished runs as JSON lines, so that an interrupted benchmark goes on where it was."""

    def __init__(self, path: Path | None, **settings: object) -> None:
        """settings: all that decides what a run measures; runs with other settings are passed over."""
        self._path, self._settings = path, {"format": 1, **settings}

    def runs(self, side: str) -> list[dict[str, Any]]:
        """The finished runs of one side, in order."""
        if self._path is None or not self._path.exists():
            return []
        rows = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
        return [row["run"] for row in rows if row["settings"] == self._settings and row["side"] == side]

    def add(self, side: str, run: dict[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"settings": self._settings, "side": side, "run": run}) + "\n")


def arguments_parser(description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def heading() -> str:
    """Machine, processor, engine and precision, in one line."""
    return f"{machine.describe()}; {processor()}; {engine_version()}; {available_precisions()[0]}"


def processor() -> str:
    """The processor's model name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "processor unknown"


def converted_trunk(folder: Path) -> Path:
    """A folder that holds the converted trunk and nothing else: what is left of the first use on a machine.

    It is copied from the person's own cache, where it is converted if need be.
    """
    subprocess.run([sys.executable, "-c", CONVERT], check=True)
    shutil.copytree(machine.cache_folder() / "graphs", folder / "graphs")
    return folder


def cold_cache(converted: Path, folder: Path) -> Path:
    """A new cache folder with the converted trunk: no compiled engine, no store."""
    shutil.copytree(converted, folder)
    return folder


def read_through(folder: Path) -> None:
    """Reads every file once, so that no side waits for the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.read_bytes()


def timed(command: Sequence[str | Path], *, cache: Path) -> tuple[float, str]:
    """Seconds from a process's start to its end, and its standard output.

    cache: the cache folder that eyespot is to use.
    """
    seconds, printed, _ = observed(command, cache=cache)
    return seconds, printed


def observed(command: Sequence[str | Path], *, cache: Path) -> tuple[float, str, int | None]:
    """As `timed`, and the most memory that the process held, in bytes, where the system tells."""
    environment = {**os.environ, machine.CACHE_VARIABLE: str(cache)}
    start, peak_bytes = time.perf_counter(), None
    with subprocess.Popen([str(part) for part in command], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        if sys.platform != "win32":
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak_bytes = usage.ru_maxrss * RSS_BYTES
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with status {process.returncode}")
    return seconds, printed.decode(), peak_bytes


FROZEN = ("--regime", "frozen")
"""Ends `eyespot train` with the frozen model, which it goes on to better by itself."""


def train_command(data: str | Path, *, out: Path, seed: int, given: Sequence[str] = ()) -> list[str | Path]:
    """`eyespot train`, run by this Python.

    given: more options, as they are typed.
    """
    told = ["--out", out, "--seed", str(seed), *given, "--json", "--quiet"]
    return [sys.executable, "-m", "eyespot", "train", data, *told]


def train(data: str | Path, *, cache: Path, out: Path, seed: int = 0, given: Sequence[str] = ()) -> Trained:
    seconds, printed, peak_bytes = observed(train_command(data, out=out, seed=seed, given=given), cache=cache)
    return Trained(seconds, json.loads(printed), peak_bytes)


def cold_runs(data: str | Path, *, seeds: int, given: Sequence[str] = ()) -> Iterator[Trained]:
    """`eyespot train` with seeds 0, 1, ..., each with an empty cache, and its run folder gone afterwards."""
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as name:
            yield train(data, cache=Path(name, "cache"), out=Path(name, "runs"), seed=seed, given=given)


def seconds_of(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def taking_turns(sides: Sequence[str], *, rounds: int, unmeasured: int = 2) -> dict[str, list[float]]:
    """Seconds of a step of every side in every round, one side after the other.

    Each side is a process of its own, so that none gets the memory that another left behind: this program again with
    the same arguments and `--side NAME`, which calls `one_side`.

    unmeasured: rounds before those, in which memory is taken and kernels are chosen.
    """
    with ExitStack() as stack:
        processes = {name: stack.enter_context(_started(name)) for name in sides}
        seconds = [{name: _stepped(process) for name, process in processes.items()} for _ in range(unmeasured + rounds)]
    return {name: [each[name] for each in seconds[unmeasured:]] for name in sides}


def one_side(step: Callable[[], object]) -> None:
    """Does a step for each line that comes in, and prints its seconds."""
    for _ in sys.stdin:
        print(seconds_of(step), flush=True)


def _started(side: str) -> subprocess.Popen[str]:
    command = [sys.executable, *sys.argv, "--side", side]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _stepped(process: subprocess.Popen[str]) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    return float(process.stdout.readline())


def runs_line(name: str, values: Sequence[float], unit: str) -> str:
    """Every run and the median, in one line."""
    each = " ".join(f"{value:.4g}" for value in values)
    return f"{name:36} {each} {unit}; median {statistics.median(values):.4g} {unit}"
