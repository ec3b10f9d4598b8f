"""`eyespot train digits` with an empty cache, as a whole process: seconds and test accuracy.

python benchmarks/digits.py
"""

from __future__ import annotations

import statistics

import measuring
from measuring import at_least, at_most

SECONDS_BAR = at_most(30, "s", "eyespot train digits takes at most 30 seconds")
ACCURACY_BAR = at_least(0.98, "accuracy", "and its test accuracy is at least 0.98")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ..., a run each (default 3)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    runs = []
    for seed, run in enumerate(measuring.cold_runs("digits", seeds=options.seeds)):
        runs.append(run)
        print(f"seed {seed}: {run.seconds:.2f} s, test accuracy {run.result['test']['accuracy']:.4f}", flush=True)
    seconds, accuracies = [run.seconds for run in runs], [run.result["test"]["accuracy"] for run in runs]
    print(measuring.runs_line("whole process", seconds, "s"))
    print(measuring.runs_line("test accuracy", accuracies, ""))
    print(SECONDS_BAR.verdict(statistics.median(seconds)))
    print(ACCURACY_BAR.verdict(statistics.median(accuracies)))


if __name__ == "__main__":
    main()
