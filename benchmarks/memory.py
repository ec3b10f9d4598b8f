"""The most memory that `eyespot train DATA` holds at once, cold but for the converted trunk.

    python benchmarks/memory.py DATA

Read from the operating system when the process has ended (`ru_maxrss`): Linux and macOS.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import measuring
from measuring import at_most
from subset import arguments_parser, workplace

from eyespot import machine

BAR = at_most(1.2, "GB", "training holds at most 1.2 GB of memory")
RSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""What one unit of ru_maxrss stands for."""


def main() -> None:
    parser = arguments_parser(__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs (default 3)")
    options = parser.parse_args()
    gigabytes = []
    with workplace(options) as (folder, data):
        converted = measuring.converted_trunk(folder / "converted")
        for number in range(options.runs):
            cache = measuring.cold_cache(converted, folder / f"cache{number}")
            gigabytes.append(peak_bytes(data, cache, folder / f"runs{number}") / 1e9)
            print(f"run {number + 1}: {gigabytes[-1]:.3f} GB", flush=True)
    print(measuring.runs_line("peak resident memory", gigabytes, "GB"))
    print(BAR.verdict(statistics.median(gigabytes)))


def peak_bytes(data: Path, cache: Path, out: Path) -> int:
    """Peak resident memory of one run."""
    command = [str(part) for part in measuring.train_command(data, out=out, seed=0)]
    environment = {**os.environ, machine.CACHE_VARIABLE: str(cache)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return usage.ru_maxrss * RSS_BYTES


if __name__ == "__main__":
    main()
