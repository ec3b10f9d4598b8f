"""How good `eyespot train DATA` is within seconds of its process's start, with an empty cache.

    python benchmarks/first_seconds.py DATA
    python benchmarks/first_seconds.py DATA --enough 0.7507 --runs 5

Each run is a process of its own that begins with an empty cache: it makes the network's graph, compiles it and computes
every feature. Its accuracy is that of `eyespot val` on all validation pictures, afterwards: the run itself, in so
little time, asks a part. 0.7507 is what fastai's `fine_tune(1)` reaches on the clothing data with the same weights,
after 1,179 s (fastai_clothing.py).
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import measuring
from measuring import at_most
from subset import arguments_parser

import eyespot

FASTAI = 0.7507
TIMES = ("5s", "9s")
ENDS_BAR = at_most(7, "s", "`--time 5s` ends within 7 s with a valid model")
SOONER_BAR = at_most(10, "s", "eyespot has fastai's final accuracy on the clothing data within 10 s of its start")


def main() -> None:
    parser = arguments_parser(__doc__, data="a folder with train, validation and test, as `eyespot train` takes it")
    parser.add_argument("--enough", type=float, default=FASTAI, help=f"the accuracy that counts (default {FASTAI})")
    parser.add_argument("--runs", type=int, default=3, help="runs of each time (default 3)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    measuring.read_through(options.data)
    found = {given: [run(options.data, given, seed) for seed in range(options.runs)] for given in TIMES}
    report(found, enough=options.enough)


def run(data: Path, given: str, seed: int) -> tuple[float, float]:
    """Seconds of the process, and the accuracy on all validation pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = measuring.train(data, cache=folder / "cache", out=folder, seed=seed, given=("--time", given))
        answered = eyespot.val(trained.result["run"], data, split="val")
    used = trained.result["pictures"]["used"]
    print(f"--time {given}: {trained.seconds:.2f} s; {used} pictures, accuracy {answered.accuracy:.4f}", flush=True)
    return trained.seconds, answered.accuracy


def report(found: dict[str, list[tuple[float, float]]], *, enough: float) -> None:
    """A run that is not accurate enough counts as one that never ended."""
    for given, runs in found.items():
        print(measuring.runs_line(f"--time {given}", [seconds for seconds, _ in runs], "s"))
        print(measuring.runs_line("  accuracy", [accuracy for _, accuracy in runs], ""))
    first, last = TIMES[0], TIMES[-1]
    print(ENDS_BAR.verdict(max(seconds for seconds, _ in found[first])))
    reached = [seconds if accuracy >= enough else float("inf") for seconds, accuracy in found[last]]
    print(SOONER_BAR.verdict(statistics.median(reached)))


if __name__ == "__main__":
    main()
