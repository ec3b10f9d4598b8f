"""LeNet-5 on MNIST by `eyespot train DATA`, from scratch, with an empty cache: test error, seconds of whole processes.

    python benchmarks/mnist.py DATA

DATA is a folder with MNIST's four files, 60,000 digits to train on and 10,000 to test. Options that are not listed here
go to `eyespot train`; without any, all is as it chooses. LeCun and others had 0.95 % in 1998, and 0.8 % with distorted
digits, after 20 passes.
"""

from __future__ import annotations

import statistics

import measuring
from measuring import at_most

ERROR_BAR = at_most(0.80, "%", "LeNet-5 from scratch has at most 0.80 % errors on MNIST's test digits, mean of 3 seeds")
SECONDS_BAR = at_most(60, "s", "within 60 seconds from the start of the process")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", help="the folder with MNIST's files")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ..., a run each (default 3)")
    options, given = parser.parse_known_args()
    print(measuring.heading(), flush=True)
    errors, seconds = [], []
    for seed, run in enumerate(measuring.cold_runs(options.data, seeds=options.seeds, given=given)):
        errors.append(100 * run.test_error)
        seconds.append(run.seconds)
        print(f"seed {seed}: test error {errors[-1]:.2f} %, {seconds[-1]:.1f} s, {run.result['network']}", flush=True)
    print(measuring.runs_line("test error", errors, "%"))
    print(measuring.runs_line("whole process", seconds, "s"))
    print(ERROR_BAR.verdict(statistics.mean(errors)))
    print(SECONDS_BAR.verdict(statistics.median(seconds)))


if __name__ == "__main__":
    main()
