"""How long `eyespot summary resnet152` takes beside `import torch`, both as whole processes, in turns.

python benchmarks/summary.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import measuring
from measuring import at_most

BAR = at_most(1.5, "times", "the summary of ResNet-152 takes at most 1.5 times as long as importing torch")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--network", default="resnet152")
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default 7)")
    options = parser.parse_args()
    commands = {
        "import torch": [sys.executable, "-c", "import torch"],
        f"eyespot summary {options.network}": [sys.executable, "-m", "eyespot", "summary", options.network],
    }
    print(measuring.heading(), flush=True)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as cache:
        for command in commands.values():
            measuring.timed(command, cache=Path(cache))
        for _ in range(options.runs):
            for name, command in commands.items():
                seconds[name].append(measuring.timed(command, cache=Path(cache))[0])
    for name, values in seconds.items():
        print(measuring.runs_line(name, values, "s"))
    torch, summary = (statistics.median(values) for values in seconds.values())
    print(BAR.verdict(summary / torch))


if __name__ == "__main__":
    main()
