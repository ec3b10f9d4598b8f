"""`eyespot train DATA`, from process start to the report on disk, against the plain way to the same answers.

    python benchmarks/train_frozen.py DATA --log runs.jsonl

Both sides take turns as processes of their own, on the same cores and the same pictures: those that eyespot uses. The
plain way trains on each of them and on its mirror image; eyespot leaves those out that are not worth their time, and
the last line says what is left where the plain way does so, too. eyespot is cold but for the converted trunk: no
compiled engine, no stored features.
The plain way is plain_way.py; it writes answers and no report. Each of its runs takes minutes: with --log, what is
finished is kept, and a run that was interrupted goes on from there.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import measuring
import peak
from measuring import Log, at_least
from subset import arguments_parser, workplace

from eyespot.engine.run import available_precisions
from eyespot.progress import silent
from eyespot.regimes.prepare import prepare

BAR = at_least(12, "times", "eyespot train ends at least 12 times sooner than the plain way on the same cores")
PLAIN_WAY = Path(__file__).with_name("plain_way.py")


def main() -> None:
    parser = arguments_parser(__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each side (default 3)")
    parser.add_argument("--log", type=Path, help="JSON lines file that keeps finished runs")
    options = parser.parse_args()
    log = Log(
        options.log,
        program="train_frozen",
        machine=measuring.heading(),
        data=str(options.data.resolve()),
        pictures=options.pictures,
    )
    with workplace(options) as (folder, data):
        sides = measure(data, folder, options.runs, log)
    report(sides)


def measure(data: Path, folder: Path, runs: int, log: Log) -> dict[str, list[dict[str, Any]]]:
    """The runs of each side: those in the log, then new ones that take turns."""
    converted = measuring.converted_trunk(folder / "converted")
    pictures = write_pictures(data, folder / "pictures.json")
    measuring.read_through(data)
    sides = {side: log.runs(side)[:runs] for side in ("peak", "eyespot", "plain")}
    for number in range(runs):
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            "peak": lambda: asdict(peak.measured()),
            "eyespot": partial(eyespot_run, data, converted, folder / f"run{number}"),
            "plain": partial(plain_run, pictures, folder / f"answers{number}.json"),
        }
        for side, make in makers.items():
            if len(sides[side]) <= number:
                sides[side].append(make())
                log.add(side, sides[side][-1])
                print(f"run {number + 1}, {side}: {described(sides[side][-1])}", flush=True)
    return sides


def write_pictures(data: Path, file: Path) -> Path:
    """The pictures that eyespot uses, with class and part, as plain_way.py reads them."""
    prepared = prepare(data, seed=0, progress=silent)
    if len(prepared.part("test")) < 30:
        print("note: with fewer than 30 test pictures eyespot cross-validates instead, and the sides do not compare")
    pictures = [
        {"path": str(each.picture.path), "label": each.picture.label, "part": each.picture.part}
        for each in prepared.hashed
    ]
    file.write_text(json.dumps({"pictures": pictures, "mirror": not prepared.mirror_matters}), encoding="utf-8")
    return file


def eyespot_run(data: Path, converted: Path, folder: Path) -> dict[str, Any]:
    cache = measuring.cold_cache(converted, folder / "cache")
    trained = measuring.train(data, cache=cache, out=folder / "runs", given=measuring.FROZEN)
    assert Path(trained.result["report"]).is_file()
    parts = {"val": trained.result["validation"], "test": trained.result["test"]}
    return {
        "seconds": trained.seconds,
        "views": trained.result["views_computed"],
        "accuracy": {part: metric["accuracy"] for part, metric in parts.items() if metric},
    }


def plain_run(pictures: Path, answers: Path) -> dict[str, Any]:
    seconds, _ = measuring.timed([sys.executable, PLAIN_WAY, pictures, answers], cache=answers.with_suffix(".cache"))
    found = json.loads(answers.read_text(encoding="utf-8"))
    kept = {name: found[name] for name in ("views", "accuracy", "notes")}
    return {"seconds": seconds, "stages": found["seconds"], **kept}


def described(run: dict[str, Any]) -> str:
    if "gflops" in run:
        return ", ".join(f"{name} {value:.1f} GFLOP/s" for name, value in run["gflops"].items())
    stages = "".join(f"; {name} {seconds:.1f} s" for name, seconds in run.get("stages", {}).items())
    accuracy = "".join(f"; {part} accuracy {value:.4f}" for part, value in run["accuracy"].items())
    return f"{run['seconds']:.2f} s; {run['views']} views{stages}{accuracy}"


def report(sides: dict[str, list[dict[str, Any]]]) -> None:
    for side in ("eyespot", "plain"):
        print()
        print(measuring.runs_line(f"{side}, whole process", [run["seconds"] for run in sides[side]], "s"))
        for part in sides[side][0]["accuracy"]:
            print(measuring.runs_line(f"  {part} accuracy", [run["accuracy"][part] for run in sides[side]], ""))
    for stage in sides["plain"][0]["stages"]:
        print(measuring.runs_line(f"  {stage}", [run["stages"][stage] for run in sides["plain"]], "s"))
    for note in sides["plain"][0]["notes"]:
        print(f"  LogisticRegressionCV says: {note[:110]}")
    print()
    report_limit(sides)
    ours, theirs = (statistics.median(run["seconds"] for run in sides[side]) for side in ("eyespot", "plain"))
    print(BAR.verdict(theirs / ours))
    print(f"against as many views of the plain way: {plain_seconds(sides) / ours:.2f} times")


def plain_seconds(sides: dict[str, list[dict[str, Any]]]) -> float:
    """What the plain way would take for as many views as eyespot has computed."""
    plain = sorted(sides["plain"], key=lambda run: run["seconds"])[len(sides["plain"]) // 2]
    share = statistics.median(run["views"] for run in sides["eyespot"]) / plain["views"]
    return float(plain["seconds"] - (1 - share) * sum(plain["stages"].values()))


def report_limit(sides: dict[str, list[dict[str, Any]]]) -> None:
    """The physical limit, and eyespot's share of it: all its views over all its seconds, start and head included."""
    precision = available_precisions()[0]
    gflops = {
        name: statistics.median(run["gflops"][name] for run in sides["peak"]) for name in sides["peak"][0]["gflops"]
    }
    limit = peak.Peak(gflops, sides["peak"][0]["gmac"])
    print("\n".join(limit.lines(precision)))
    for side, used in (("eyespot", precision), ("plain", "fp32")):
        speed = statistics.median(run["views"] / run["seconds"] for run in sides[side])
        share = speed / limit.images_per_second(used)
        print(f"{side}: {speed:.0f} views/s of the whole process, {share:.0%} of the limit in {used}")


if __name__ == "__main__":
    main()
