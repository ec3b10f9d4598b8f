"""Fine-tuning with few pictures: what `eyespot train` keeps is never worse than the frozen head by more than chance.

    python benchmarks/few_pictures.py DATA --log runs.jsonl

DATA has folders train, val and test, with a folder for each class in them. Of each class a seed draws 10, 30 and 100
training pictures; val and test stay whole. Each draw is trained frozen, partial and full. What was kept is compared to
the frozen head picture by picture: the difference of the accuracies, and its standard error. All runs share one cache,
so that features are computed once. With --log, what is finished is kept, and a benchmark that was interrupted goes on.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import measuring
from ladder import HELD_OUT, Run, placed, right_answers
from measuring import Log, at_most
from subset import arguments_parser, workplace

BAR = at_most(
    1, "standard errors", "with 10, 30 and 100 pictures per class, what is kept is not worse on test pictures"
)
SAID_BAR = at_most(0, "runs", "where the head was kept, the run says so")
GIVEN = {"frozen": ("--regime", "frozen"), "partial": ("--freeze", "stage5"), "full": ("--regime", "full")}
EACH = (10, 30, 100)
"""Training pictures per class."""


def main() -> None:
    parser = arguments_parser(__doc__, data="a folder with train, val and test, and in them a folder for each class")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... (default 3)")
    parser.add_argument("--each", type=int, nargs="+", default=EACH, help="training pictures per class")
    parser.add_argument("--regimes", nargs="+", default=("partial", "full"), choices=("partial", "full"))
    parser.add_argument("--imgsz", type=int, help="side of the images, pixels (default the network's own)")
    parser.add_argument("--log", type=Path, help="JSON lines file that keeps finished runs")
    options = parser.parse_args()
    log = Log(options.log, program="few_pictures", data=str(options.data.resolve()), size=options.imgsz)
    given = () if options.imgsz is None else ("--imgsz", str(options.imgsz))
    below: list[float] = []
    silent = 0
    with workplace(options) as (folder, data):
        for each in options.each:
            for seed in range(options.seeds):
                drawn = placed(data, folder / f"{each}-{seed}", drawn_of_each_class(data, each, seed))
                frozen = trained(log, folder, drawn, (*GIVEN["frozen"], *given), side=f"frozen, {each}, seed {seed}")
                for regime in options.regimes:
                    side = f"{regime}, {each}, seed {seed}"
                    kept = trained(log, folder, drawn, (*GIVEN[regime], *given), side=side)
                    below.append(report(side, frozen, kept))
                    silent += kept["regime"] == "frozen" and not kept["said"]
    print(BAR.verdict(max(below)))
    print(SAID_BAR.verdict(silent))


def drawn_of_each_class(data: Path, each: int, seed: int) -> Callable[[str, str, str], str | None]:
    """Leaves so many training pictures in each class, drawn by the seed; for `placed`."""
    drawing = random.Random(seed)
    taken: set[tuple[str, str]] = set()
    for folder in sorted((data / "train").iterdir()):
        files = sorted(path.name for path in folder.iterdir())
        taken |= {(folder.name, file) for file in drawing.sample(files, min(each, len(files)))}

    def place(part: str, name: str, file: str) -> str | None:
        return name if part != "train" or (name, file) in taken else None

    return place


def trained(log: Log, folder: Path, data: Path, given: Sequence[str], *, side: str) -> Run:
    """What came of a run, unless the log has it. side: names it there."""
    known = log.runs(side)
    if known:
        return known[0]
    done = measuring.train(
        data, cache=folder / "cache", out=folder / "runs", seed=int(side.rpartition(" ")[2]), given=given
    )
    run: Run = {
        "seconds": done.seconds,
        "regime": done.result["regime"],
        "said": "kept the head" in done.result["regime_reason"],
        "right": right_answers(Path(done.result["run"]) / "predictions.csv"),
    }
    log.add(side, run)
    return run


def report(side: str, frozen: Run, kept: Run) -> float:
    """Prints how what was kept compares with the head; by how many standard errors it is worse on the test pictures."""
    worse = 0.0
    said = []
    for part in HELD_OUT:
        pairs = [(answer, kept["right"][part][name]) for name, answer in frozen["right"][part].items()]
        won, lost = sum(after > before for before, after in pairs), sum(after < before for before, after in pairs)
        error = math.sqrt(won + lost - (won - lost) ** 2 / len(pairs)) / len(pairs)
        difference = (won - lost) / len(pairs)
        before, after = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        said.append(f"{part} {before:.4f} to {after:.4f}: {100 * difference:+.1f} points, error {100 * error:.1f}")
        worse = max(0.0, -difference) / error if error else 0.0
    print(f"{side}: kept {kept['regime']}; {'; '.join(said)}; {kept['seconds']:.0f} s", flush=True)
    return worse


if __name__ == "__main__":
    main()
