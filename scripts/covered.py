"""What the tests reach of some rooms, by line and by branch. `scripts/test` runs it where EYESPOT_COVERAGE is set.

Processes that tests start count, too: servers, trainings, workers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("data", "bundle", "serve", "engine", "detecting")
PLUGINS = ("processor_seconds", "patient_trace", "measured_first")
LEAST = 95.0
"""Percent of a room's lines, and of its branches."""
CONFIG = """
[run]
branch = true
parallel = true
patch = subprocess, _exit
disable_warnings = no-data-collected, module-not-measured, couldnt-parse
data_file = {data}
source = {sources}
[report]
exclude_also =
    if TYPE_CHECKING:
    raise NotImplementedError
    \\.\\.\\.$
"""


@dataclass(frozen=True)
class Room:
    """What is reached of one."""

    name: str
    files: dict[str, Any]
    """As coverage.py's JSON has them."""

    def percent(self, what: str) -> float:
        """what: `lines` or `branches`."""
        every = "num_statements" if what == "lines" else "num_branches"
        total = sum(each["summary"].get(every, 0) for each in self.files.values())
        return 100.0 * sum(each["summary"].get(f"covered_{what}", 0) for each in self.files.values()) / max(1, total)

    @property
    def is_enough(self) -> bool:
        return min(self.percent("lines"), self.percent("branches")) >= LEAST

    def missing(self) -> list[str]:
        """The lines and branches of each file that no test reaches."""
        found = []
        for name, each in sorted(self.files.items()):
            lines = _ranges(each["missing_lines"])
            jumps = [f"{one}->{other if other > 0 else 'end'}" for one, other in each.get("missing_branches", ())]
            jumps = [jump for jump in jumps if int(jump.split("-")[0]) not in each["missing_lines"]]
            if lines or jumps:
                found.append(f"    {name}: {', '.join((*lines, *jumps))}")
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", action="append", choices=ROOMS, help="a room; more than once for several")
    options, given = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        status, report = measured(Path(folder), options.room or ROOMS, given)
    rooms = [Room(name, {file: each for file, each in report.items() if f"/{name}/" in file}) for name in ROOMS]
    rooms = [room for room in rooms if room.files]
    print("\ncoverage    lines   branches")
    for room in rooms:
        print(f"{room.name:10} {room.percent('lines'):5.1f} %    {room.percent('branches'):5.1f} %")
    for room in rooms:
        if not room.is_enough:
            print(f"\n{room.name} has less than {LEAST:.0f} %; no test reaches", *room.missing(), sep="\n")
    return status or (0 if all(room.is_enough for room in rooms) else 1)


def measured(folder: Path, names: Sequence[str], given: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """The status of the tests, and what they reach of each file, called as seen from `src/eyespot`."""
    sources = "\n    ".join(str(ROOT / "src/eyespot" / name) for name in names)
    (folder / "config").write_text(CONFIG.format(data=folder / "data", sources=sources), encoding="utf-8")
    paths = os.pathsep.join(filter(None, (str(ROOT / "scripts"), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "COVERAGE_RCFILE": str(folder / "config"), "PYTHONPATH": paths}

    def coverage(*words: str) -> int:
        return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, env=environment).returncode

    plugins = PLUGINS[: 2 if given else 3]  # of all tests those are measured that reach most of the rooms
    how = (*(f"-p{name}" for name in plugins), "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
    status = coverage("run", "-m", "pytest", *how, *given)
    coverage("combine", "-q")
    coverage("json", "-q", "-o", str(folder / "report.json"))
    found = json.loads((folder / "report.json").read_text("utf-8"))["files"]
    return status, {f"/{Path(file).as_posix().rpartition('src/eyespot/')[2]}": each for file, each in found.items()}


def _ranges(numbers: Sequence[int]) -> list[str]:
    """`3`, `5-9` of the numbers."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return [f"{each[0]}-{each[-1]}" if len(each) > 1 else str(each[0]) for each in found]


if __name__ == "__main__":
    sys.exit(main())
