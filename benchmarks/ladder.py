"""`eyespot train DATA --time 5m`: what the ladder chose, how good that is, and whether it kept to its time.

    python benchmarks/ladder.py DATA --log runs.jsonl

DATA has folders train, val and test, with a folder for each class in them. Every run is a process of its own with an
empty cache. For each seed there is one run with a time, and one of the frozen regime to compare it with: McNemar's
exact test on the held-out pictures that one of the two has right and the other wrong. Then come two cases in which the
ladder must stay below: 10 pictures per class; and half of all training pictures in wrong classes, which a tail learns
by heart. A run may take all its time: with --log, what is finished is kept, and a benchmark that was interrupted goes
on from there.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring
from measuring import Log, at_least, at_most
from subset import arguments_parser, link, workplace

ACCURACY_BARS = {
    "val": at_least(0.90, "accuracy", "on the ten kinds of clothing, --time 5m has a validation accuracy of 0.90"),
    "test": at_least(0.91, "accuracy", "and a test accuracy of 0.91, medians of 3 seeds"),
}
CHOSEN_BAR = at_least(1, "of the seeds", "the ladder chooses partial by itself")
P_BAR = at_most(0.05, "p", "and that is better than frozen, paired p below 0.05, with every seed")
OVER_BAR = at_most(1, "of what is allowed", "a run takes at most 2 s or 2 % longer than its time")
MEMORY_BAR = at_most(2.5, "GB", "it holds at most 2.5 GB of memory")
FEW_BAR = at_least(1, "runs", "with 10 pictures per class it stays frozen")
LOSES_BAR = at_least(1, "runs", "a deeper regime that loses is discarded")
FEW, SOME = 10, 40
"""Training pictures per class."""
TOO_HIGH = ("--time", "90s", "--lr", "0.1")
HELD_OUT = ("val", "test")
Run = dict[str, Any]


@dataclass(frozen=True)
class Runner:
    """Runs `eyespot train`, unless the log has that run."""

    log: Log
    folder: Path
    """For caches and run folders."""

    def run(self, side: str, data: Path, given: Sequence[str], *, seed: int = 0) -> Run:
        """What came of it; also printed. side: names it in the log."""
        known = self.log.runs(side)
        if known:
            return known[0]
        place = self.folder / side.replace(" ", "-")
        trained = measuring.train(data, cache=place / "cache", out=place, seed=seed, given=given)
        metrics = {"val": trained.result["validation"], "test": trained.result["test"]}
        run = {
            "seconds": trained.seconds,
            "peak_bytes": trained.peak_bytes,
            "regime": trained.result["regime"],
            "accuracy": {part: metric["accuracy"] if metric else None for part, metric in metrics.items()},
            "ladder": trained.result["ladder"],
            "notes": trained.result["notes"],
            "right": right_answers(Path(trained.result["run"]) / "predictions.csv"),
        }
        self.log.add(side, run)
        print(f"{side}: {described(run)}", flush=True)
        return run


def main() -> None:
    parser = arguments_parser(__doc__, data="a folder with train, val and test, and in them a folder for each class")
    parser.add_argument("--time", type=float, default=300, help="seconds that a run may take (default 300)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... (default 3)")
    parser.add_argument("--log", type=Path, help="JSON lines file that keeps finished runs")
    options = parser.parse_args()
    log = Log(
        options.log,
        program="ladder",
        machine=measuring.heading(),
        data=str(options.data.resolve()),
        pictures=options.pictures,
        time=options.time,
    )
    timed = ("--time", f"{options.time:g}s")
    with workplace(options) as (folder, data):
        measuring.read_through(data)
        runner, seeds = Runner(log, folder), range(options.seeds)
        climbed = [runner.run(f"with a time, seed {seed}", data, timed, seed=seed) for seed in seeds]
        frozen = [runner.run(f"frozen, seed {seed}", data, ("--regime", "frozen"), seed=seed) for seed in seeds]
        few = runner.run("few pictures", placed(data, folder / "few", at_most_of_each_class(FEW)), timed)
        some = placed(data, folder / "some", at_most_of_each_class(SOME))
        spoiled = runner.run("too high a learning rate", some, TOO_HIGH)
    report(climbed, frozen, options.time)
    print(FEW_BAR.verdict(few["regime"] == "frozen"))
    print(LOSES_BAR.verdict(any(rung["validation"] and not rung["kept"] for rung in spoiled["ladder"])))


def right_answers(predictions: Path) -> dict[str, dict[str, bool]]:
    """Whether each held-out picture was answered right, by part and name."""
    right: dict[str, dict[str, bool]] = {part: {} for part in HELD_OUT}
    with predictions.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if row["part"] in right and row["right"]:
                right[row["part"]][row["picture"]] = row["right"] == "1"
    return right


def described(run: Run) -> str:
    """The run in a line, and each rung of its ladder in one of its own."""
    figures = [f"{part} {accuracy:.4f}" for part, accuracy in run["accuracy"].items() if accuracy is not None]
    lines = [f"{run['seconds']:.1f} s, {run['regime']}, {', '.join(figures)}"]
    for rung in run["ladder"]:
        accuracy = f", val {rung['validation']['accuracy']:.4f}" if rung["validation"] else ""
        lines.append(f"  {rung['regime']}: {rung['trained']}, {rung['seconds']:.1f} s{accuracy}; {rung['verdict']}")
    return "\n".join(lines)


def placed(data: Path, folder: Path, place: Callable[[str, str, str], str | None]) -> Path:
    """`folder`, filled with links to the pictures of `data`.

    place: from part, class and file name to the class in which a picture is to lie; None leaves it out.
    """
    for path in sorted(data.glob("*/*/*")):
        part, name, file = path.relative_to(data).parts
        chosen = place(part, name, file)
        if chosen is not None:
            link(path.resolve(), folder / part / chosen / f"{name}-{file}")
    return folder


def at_most_of_each_class(most: int) -> Callable[[str, str, str], str | None]:
    """Leaves so many training pictures in each class."""
    taken: Counter[str] = Counter()

    def place(part: str, name: str, file: str) -> str | None:
        if part == "train":
            taken[name] += 1
        return name if part != "train" or taken[name] <= most else None

    return place


def report(climbed: Sequence[Run], frozen: Sequence[Run], seconds: float) -> None:
    """Every run, the medians and the bars."""
    print()
    for title, runs in (("with a time", climbed), ("frozen", frozen)):
        print(measuring.runs_line(f"{title}, whole process", [run["seconds"] for run in runs], "s"))
        for part in HELD_OUT:
            print(measuring.runs_line(f"  {part} accuracy", [run["accuracy"][part] for run in runs], ""))
    largest = max(report_pairs(seed, *pair) for seed, pair in enumerate(zip(climbed, frozen, strict=True)))
    over = max(run["seconds"] - seconds for run in climbed)
    print(f"longest run: {over:+.1f} s beside the {seconds:g} s given")
    for part, bar in ACCURACY_BARS.items():
        print(bar.verdict(statistics.median(run["accuracy"][part] for run in climbed)))
    print(CHOSEN_BAR.verdict(statistics.mean(run["regime"] == "partial" for run in climbed)))
    print(P_BAR.verdict(largest))
    print(OVER_BAR.verdict(over / max(2.0, 0.02 * seconds)))
    if None not in (peaks := [run["peak_bytes"] for run in climbed]):
        print(measuring.runs_line("peak resident memory", [each / 1e9 for each in peaks], "GB"))
        print(MEMORY_BAR.verdict(max(peaks) / 1e9))


def report_pairs(seed: int, climbed: Run, frozen: Run) -> float:
    """Prints the pictures that tell the two runs apart; McNemar's exact p on all of them."""
    won, lost = 0, 0
    for part in HELD_OUT:
        ours, theirs = climbed["right"][part], frozen["right"][part]
        both = ours.keys() & theirs.keys()
        more, fewer = (sum(a[each] > b[each] for each in both) for a, b in ((ours, theirs), (theirs, ours)))
        print(f"seed {seed}, {part}: {more} won and {fewer} lost against frozen, p {exact_p(more, fewer):.2g}")
        won, lost = won + more, lost + fewer
    print(f"seed {seed}, both: {won} won and {lost} lost, p {exact_p(won, lost):.2g}")
    return exact_p(won, lost)


def exact_p(won: int, lost: int) -> float:
    """How likely a difference as large as this is, either way, if both were as good: McNemar's test, exact."""
    count = won + lost
    tail = sum(math.comb(count, k) for k in range(min(won, lost) + 1)) / 2**count
    return min(1.0, 2 * tail)


if __name__ == "__main__":
    main()
