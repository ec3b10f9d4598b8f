"""Strangers' inputs by the hour: `scripts/fuzz --minutes N [--only KIND] [--seed S]`.

Each is asked in a child process that has a deadline and a limit of memory, one child for each core. What fails is kept
in a folder, once for each place in the source, with its seed and how to ask it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz.asking import Outcome, ask, with_cost
from fuzz.kinds import chance_of, kinds

BLOCK = 100
"""Inputs that a child is handed at a time."""
ADDRESSES = 12 * 2**30
"""Bytes of memory that a child may claim, where the system limits it; what it takes is limited by each kind."""
STARTING = 300.0
"""Seconds in which a child has begun, however busy the machine is."""
PATIENCE = 12
"""Times the seconds of the processor that an input may take: so long a child may say nothing."""


def main() -> int:
    options = _options()
    names = [options.only] if options.only else list(kinds())
    report = Report(options.keep)
    until = time.monotonic() + 60 * options.minutes if options.count is None else float("inf")
    blocks = _blocks(names, options, until)
    with ThreadPoolExecutor(options.processes) as pool:
        list(pool.map(lambda _: _work(blocks, report), range(options.processes)))
    report.show()
    return bool(report.faults)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default 5)")
    parser.add_argument("--only", choices=list(kinds()), metavar="KIND", help=f"one of {', '.join(kinds())}")
    parser.add_argument("--seed", type=int, default=0, help="decides the inputs (default 0)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first of each kind (default 0)")
    parser.add_argument("--count", type=int, help="inputs of each kind, in place of minutes")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at a time (default one a core)")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-kept"), help="where what fails goes (default fuzz-kept)"
    )
    return parser.parse_args()


class _Blocks:
    """Pieces of work, handed to whichever thread asks."""

    def __init__(self, blocks: Iterator[tuple[str, int, range]]) -> None:
        self._blocks, self._lock = blocks, threading.Lock()

    def take(self) -> tuple[str, int, range] | None:
        with self._lock:
            return next(self._blocks, None)


def _blocks(names: list[str], options: argparse.Namespace, until: float) -> _Blocks:
    def each() -> Iterator[tuple[str, int, range]]:
        last = None if options.count is None else options.first + options.count
        first = options.first
        while last is None or first < last:
            end = first + BLOCK if last is None else min(first + BLOCK, last)
            for name in names:
                if time.monotonic() > until:
                    return
                yield name, options.seed, range(first, end)
            first = end

    return _Blocks(each())


@dataclass
class Report:
    """What came of all inputs."""

    keep: Path
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: dict[str, Outcome] = field(default_factory=dict)
    """One for each place."""
    worst: dict[str, Outcome] = field(default_factory=dict)
    """The slowest of each kind."""
    largest: dict[str, float] = field(default_factory=dict)
    """MB."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> None:
        with self.lock:
            self.counts[outcome.kind, outcome.said] += 1
            self.worst[outcome.kind] = max(outcome, self.worst.get(outcome.kind, outcome), key=lambda one: one.seconds)
            self.largest[outcome.kind] = max(outcome.megabytes, self.largest.get(outcome.kind, 0.0))
            if outcome.said == "fault" and outcome.place not in self.faults:
                self.faults[outcome.place] = outcome
                _keep(outcome, self.keep)

    def show(self) -> None:
        for name in {kind: None for kind, _ in self.counts}:
            read, refused, faults = (self.counts[name, said] for said in ("read", "refused", "fault"))
            worst = self.worst[name]
            print(
                f"{name:16} {read:7} read {refused:7} refused {faults:5} faults; "
                f"at most {worst.seconds:.2f} s (number {worst.number}), {self.largest[name]:.0f} MB"
            )
        total = sum(self.counts.values())
        print(f"{total} inputs, {len(self.faults)} kinds of faults" + (f", kept in {self.keep}" * bool(self.faults)))


def _keep(outcome: Outcome, where: Path) -> None:
    """Writes the input anew with what is to be known of it, and says so."""
    folder = where / f"{outcome.kind}-{outcome.seed}-{outcome.number}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "input").mkdir(parents=True)
    given = kinds()[outcome.kind].write(chance_of(outcome.kind, outcome.seed, outcome.number), folder / "input")
    again = f"scripts/fuzz --only {outcome.kind} --seed {outcome.seed} --first {outcome.number} --count 1"
    told = f"{outcome.words}\n\ngiven: {given.relative_to(folder)}\nagain: {again}\n\n{outcome.trace}"
    (folder / "fault.txt").write_text(told, encoding="utf-8", errors="backslashreplace")
    print(f"{outcome.kind} {outcome.number}: {outcome.words}\n    {again}", flush=True)


def _work(blocks: _Blocks, report: Report) -> None:
    child = Child()
    try:
        while block := blocks.take():
            for outcome in child.answers(*block):
                report.add(outcome)
    finally:
        child.end()


class Child:
    """A process that asks, and is replaced when it dies or says nothing for too long."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def answers(self, name: str, seed: int, numbers: range) -> Iterator[Outcome]:
        """What came of each, in order."""
        kind = kinds()[name]
        for number in numbers:
            pipe = self._begun()
            try:
                pipe.send((name, seed, number))
                if pipe.poll(PATIENCE * kind.seconds):
                    yield pipe.recv()
                    continue
                words = f"it says nothing for {PATIENCE * kind.seconds:.0f} s"
            except (EOFError, OSError):
                assert self._process
                self._process.join(STARTING)
                words = f"the process ended with status {self._process.exitcode}"
            self.end()
            yield Outcome(name, seed, number, "fault", words)

    def _begun(self) -> Connection:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, there = context.Pipe()
            self._process = context.Process(target=_ask_all, args=(there,), daemon=True)
            self._process.start()
            there.close()
            if not self._pipe.poll(STARTING):
                raise SystemExit(f"a process that asks has not begun in {STARTING:.0f} s")
            self._pipe.recv()
        return self._pipe

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def _ask_all(pipe: Connection) -> None:
    """Answers until nobody asks any more."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limit, and macOS refuses it
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as it lives
    with tempfile.TemporaryDirectory(prefix="fuzz-cache-") as cache:
        os.environ["EYESPOT_CACHE"] = cache
        kinds()
        pipe.send(None)
        while True:
            try:
                outcome = with_cost(ask(*pipe.recv()))
            except EOFError:
                return
            pipe.send(replace(outcome, trace=outcome.trace[-4000:]))


if __name__ == "__main__":
    sys.exit(main())
