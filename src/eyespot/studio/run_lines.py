"""What a run's files say of how it went, read with suspicion: a person may have changed them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eyespot.events import EVENTS
from eyespot.records import Rung

RESULT, TABLE = "result.json", "results.csv"
KEPT = ("kept", "best", "chosen")
"""Columns of results.csv, one of which marks what answers."""
MOST_AT_ONCE, LARGEST = 2**20, 64 * 2**20
"""Bytes of `events.jsonl` that are read at a time, and of a file that is read at all."""
Line = dict[str, Any]


def lines_after(folder: Path, place: int) -> tuple[list[Line], int]:
    """The lines of `events.jsonl` from a place in it on, some at a time, and the place after them.

    Raises OSError where there is no such file. A line that is none of a run's is left out; one that is being written
    comes when it is whole.
    """
    found: list[Line] = []
    with (folder / EVENTS).open("rb") as file:
        file.seek(place)
        while not found:
            data = file.read(MOST_AT_ONCE)
            whole = data.rpartition(b"\n")[0]
            if not whole:
                break
            place += len(whole) + 1
            file.seek(place)
            found = [line for line in map(_parsed, whole.splitlines()) if line]
    return found, place


def lines_of_table(folder: Path) -> list[Line]:
    """The epochs of `results.csv` as such lines, for runs that were made before runs wrote events."""
    regime = result_of(folder).get("regime")
    return [
        {
            "phase": "training",
            "regime": regime,
            "step": epoch,
            "epoch": epoch,
            "loss": _number(row.get("train_loss")),
            "validation_loss": _number(row.get("validation_loss")),
            "accuracy": _number(row.get("validation_accuracy")),
        }
        for row in _rows(folder)
        if (epoch := _whole(row.get("epoch")))
    ]


def epoch_that_answers(folder: Path) -> int | None:
    """By `results.csv`; None where that has no epochs, or is not there yet."""
    marked = [_whole(row.get("epoch")) for row in _rows(folder) if any(row.get(name) == "True" for name in KEPT)]
    return marked[-1] if marked else None


def result_of(folder: Path) -> dict[str, Any]:
    """What `result.json` says; empty where there is none, or nothing that can be read."""
    try:
        said = json.loads((folder / RESULT).read_bytes()) if _is_readable(folder / RESULT) else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def rungs_of(said: object) -> list[Line]:
    """Those of a list that are rungs of a ladder, as JSON."""
    found = []
    for each in said if isinstance(said, Iterable) and not isinstance(said, str | dict) else ():
        try:
            found.append(Rung.model_validate(each).model_dump(mode="json"))
        except ValidationError:
            continue
    return found


def _parsed(line: bytes) -> Line | None:
    try:
        said = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("phase"), str) else None


def _rows(folder: Path) -> list[dict[str, str]]:
    path = folder / TABLE
    try:
        if not _is_readable(path):
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return []


def _is_readable(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= LARGEST


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
