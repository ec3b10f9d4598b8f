"""How long the shortest commands take, as whole processes: `eyespot --help`, and a warm `eyespot predict`.

    python benchmarks/startup.py RUN PICTURE

Warm: a prediction not counted has compiled the model into the engine's cache.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import measuring
from measuring import at_most

HELP_BAR = at_most(0.12, "s", "eyespot --help answers within 0.12 seconds")
PREDICT_BAR = at_most(0.65, "s", "eyespot predict answers for one picture within 0.65 seconds, once warm")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder, or a bundle")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default 7)")
    options = parser.parse_args()
    eyespot = [sys.executable, "-m", "eyespot"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "eyespot --help": [*eyespot, "--help"],
        "eyespot predict": [*eyespot, "predict", options.run, options.picture],
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
    print(HELP_BAR.verdict(statistics.median(seconds["eyespot --help"])))
    print(PREDICT_BAR.verdict(statistics.median(seconds["eyespot predict"])))


if __name__ == "__main__":
    main()
