"""The folder of an experiment: `OUT/lab/NAME`, which goes on where the same was asked before, or another number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from eyespot.errors import CannotWrite
from eyespot.files import make_folder, require_writable, write_chosen
from eyespot.runs.folder import LOCK, RunLock

SETTINGS, TABLE, PLOT, REPORT, OUTCOME = "lab.json", "table.csv", "plot.svg", "report.html", "outcome.json"
VERSION = 1


@contextmanager
def lab_folder(out: Path, name: str, settings: Mapping[str, object]) -> Iterator[Path]:
    """Within it, the folder is ours: the first of NAME, NAME-2, NAME-3 that is new, or where the same was asked.

    settings: what decides the rows of the table. Raises CannotWrite.
    """
    wanted = json.loads(json.dumps({"version": VERSION, "lab": name, **settings}))
    for number in count(1):
        folder = out / "lab" / (name if number == 1 else f"{name}-{number}")
        make_folder(folder)
        lock = _taken(folder)
        if lock is None:
            continue
        try:
            there = _settings(folder)
            if there == wanted or (there is None and not _others(folder)):
                write_chosen(folder / SETTINGS, json.dumps(wanted, indent=2, ensure_ascii=False).encode())
                yield folder
                return
        finally:
            lock.let_go()
            _leave_nothing(folder)


def _leave_nothing(folder: Path) -> None:
    """Removes the folder where no trial was done in it: one that was refused is no experiment."""
    if {each.name for each in folder.iterdir()} <= {SETTINGS}:
        (folder / SETTINGS).unlink(missing_ok=True)
        with suppress(OSError):  # somebody has it, or writes to it, just now
            folder.rmdir()


def _taken(folder: Path) -> RunLock | None:
    require_writable(folder / SETTINGS, overwrite=True)
    try:
        return RunLock.taken(folder)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written to ({error.strerror or error}): choose another --out") from error


def _settings(folder: Path) -> object:
    """What was asked there; None where nothing was."""
    try:
        return json.loads((folder / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _others(folder: Path) -> bool:
    return any(each.name != LOCK for each in folder.iterdir())
