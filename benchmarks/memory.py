"""The most memory that `eyespot train DATA` holds at once, cold but for the converted trunk.

    python benchmarks/memory.py DATA
    python benchmarks/memory.py DATA --regime partial

Read from the operating system when the process has ended (`ru_maxrss`): Linux and macOS. Options that are not listed
here go to `eyespot train`.
"""

from __future__ import annotations

import statistics

import measuring
from measuring import at_most
from subset import arguments_parser, workplace

BARS = {
    "frozen": at_most(1.2, "GB", "training holds at most 1.2 GB of memory"),
    "partial": at_most(2.5, "GB", "training a tail holds at most 2.5 GB of memory"),
}


def main() -> None:
    parser = arguments_parser(__doc__)
    parser.add_argument("--regime", choices=BARS, default="frozen", help="what is trained (default frozen)")
    parser.add_argument("--runs", type=int, default=3, help="runs (default 3)")
    options, more = parser.parse_known_args()
    gigabytes = []
    with workplace(options) as (folder, data):
        converted = measuring.converted_trunk(folder / "converted")
        for number in range(options.runs):
            cache = measuring.cold_cache(converted, folder / f"cache{number}")
            given = ("--regime", options.regime, *more)
            trained = measuring.train(data, cache=cache, out=folder / f"runs{number}", given=given)
            if trained.peak_bytes is None:
                raise SystemExit("this system does not tell how much memory a process held")
            gigabytes.append(trained.peak_bytes / 1e9)
            print(f"run {number + 1}: {gigabytes[-1]:.3f} GB", flush=True)
    print(measuring.runs_line("peak resident memory", gigabytes, "GB"))
    print(BARS[options.regime].verdict(statistics.median(gigabytes)))


if __name__ == "__main__":
    main()
