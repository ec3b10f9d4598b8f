"""Which files `train` enters, in which order: the tree of calls of one frozen run on the embedded digits.

    python benchmarks/calls_of_train.py

A line is a file that was entered from the one above and to the left of it; all calls between these two, while the one
above is at work, are one line. What a record says of itself does not count: whoever has the record asks it. A file that
stands in many places is a way that nobody can follow.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import measuring
from measuring import at_most

import eyespot
from eyespot.records import Record

SOURCE = Path(eyespot.__file__).parent
ROOMS = ("recipes", "runs", "regimes", "building", "reporting")
BAR = at_most(3, "times", "`train` enters no file of " + ", ".join(ROOMS) + " more often")


@dataclass
class Entered:
    """A file while it is at work."""

    file: str
    within: dict[str, Entered] = field(default_factory=dict)
    """The files that were entered from it."""

    def walk(self, depth: int = 0) -> Iterator[tuple[int, str]]:
        yield depth, self.file
        for each in self.within.values():
            yield from each.walk(depth + 1)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--rooms", nargs="+", default=ROOMS, help="folders that are shown (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        eyespot.train("digits", regime="frozen", out=folder)  # imports and caches
        tree = called(lambda: eyespot.train("digits", regime="frozen", out=folder), options.rooms)
    lines = list(tree.walk())
    for depth, file in lines[1:]:
        print("  " * (depth - 1) + file)
    times = Counter(file for _, file in lines[1:])
    print("\n" + ", ".join(f"{file} {count}" for file, count in times.most_common(12)))
    print(BAR.verdict(max(times.values())))


def called(work: Any, rooms: tuple[str, ...]) -> Entered:
    """The tree of files of these rooms that the main thread enters while it does the work."""
    root = Entered("")
    at_work: dict[FrameType, Entered] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (file := _file_of(frame, rooms)):
            caller = frame.f_back
            while caller is not None and caller not in at_work:
                caller = caller.f_back
            above = root if caller is None else at_work[caller]
            at_work[frame] = above if above.file == file else above.within.setdefault(file, Entered(file))
        elif event == "return":
            at_work.pop(frame, None)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return root


def _file_of(frame: FrameType, rooms: tuple[str, ...]) -> str | None:
    """`recipes/train.py`, for what belongs to one of the rooms and is no record's own."""
    path = Path(frame.f_code.co_filename)
    this = frame.f_locals.get("self")
    is_of_a_record = is_dataclass(this) or isinstance(this, Record)
    if is_of_a_record or ("<" in frame.f_code.co_name and frame.f_code.co_name != "<module>"):
        return None
    if not path.is_relative_to(SOURCE) or path.relative_to(SOURCE).parts[0] not in rooms:
        return None
    return path.relative_to(SOURCE).as_posix()


if __name__ == "__main__":
    main()
