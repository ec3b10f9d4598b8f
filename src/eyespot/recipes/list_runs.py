"""`list_runs`: every run below a folder, with what it was trained on, how good it is, and whether it is done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from eyespot.bundle.files import FOLDER
from eyespot.errors import DataError, OptionError
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.records import Record
from eyespot.runs.folder import ARGS, LOCK, REPORT, is_worked_on
from eyespot.runs.headline import headline
from eyespot.words import nearest

RESULT = "result.json"
MODEL = "model.onnx"
DEEPEST = 4
"""Folders below the one that is given; `runs/train/NAME` is 2 below `runs`."""
LARGEST = 2**28
"""Bytes of a file that is read."""
State = Literal["done", "going on", "stopped", "damaged"]


class ListedRun(Record):
    """One run, as its files say."""

    run: str
    """Its folder."""
    name: str
    data: str
    """What it was trained on, as it was given; empty where nothing says so, as below."""
    when: str
    """The last time that its state changed, ISO 8601, in UTC."""
    state: State
    why: str
    """Of a damaged one, what is wrong with it."""
    regime: str
    """`detector` of one that finds boxes."""
    network: str
    measure: str
    """What the figure is: accuracy, or mAP50-95."""
    value: float | None
    """On test pictures where there are some; None where nothing was measured."""
    low: float | None
    """Of its 95 % interval."""
    high: float | None
    measured_on: str
    """test, cross-validation or validation."""
    model_bytes: int | None
    """None where there is no model."""


SORTED: Mapping[str, Callable[[ListedRun], Any]] = {
    "when": lambda run: [-ord(each) for each in run.when],
    "value": lambda run: (run.value is None, run.measure, -(run.value or 0.0)),
    "name": lambda run: run.name.casefold(),
    "size": lambda run: (run.model_bytes is None, run.model_bytes),
}
"""By what runs are sorted: newest, best, first and smallest first."""


def list_runs(folder: str | Path = "runs", *, sort: str = "when") -> tuple[ListedRun, ...]:
    """Every run in `folder`, at most four folders deep. What is damaged is listed so, and is no error.

    sort: when, value, name or size.
    Raises DataError where there is no such folder.
    """
    if sort not in SORTED:
        raise OptionError(f"the option sort cannot be {sort!r}: {nearest(sort, SORTED)}")
    top = from_home(folder)
    if not top.is_dir():
        raise DataError(f"there is no folder '{printable(str(folder))}' with runs: `train` makes one, or give another")
    found = sorted(filter(None, map(_listed, _runs(top))), key=lambda run: run.run)
    return tuple(sorted(found, key=SORTED[sort]))


def _runs(top: Path) -> Iterator[Path]:
    """Folders that a run made, also one that was killed as it began. Nothing inside them is one."""
    for folder, folders, files in os.walk(top):
        path = Path(folder)
        if {ARGS, LOCK, RESULT} & {*files} or (FOLDER in folders and (path / FOLDER / MODEL).is_file()):
            yield path
            folders.clear()
        elif len(path.relative_to(top).parts) >= DEEPEST:
            folders.clear()
        folders[:] = [each for each in folders if not each.startswith(".")]


def _listed(run: Path) -> ListedRun | None:
    """None for a folder of another command than `train`."""
    args, reason = _read(run / ARGS)
    if not reason and args.get("command") != "train":
        return None
    state: State = "going on" if is_worked_on(run) else "done" if (run / REPORT).is_file() else "stopped"
    result: Mapping[str, Any] = {}
    if state == "done":
        result, missing = _read(run / RESULT)
        reason = reason or missing
    size = _size(run / FOLDER / MODEL)
    if state == "done" and size is None:
        reason = reason or f"{FOLDER}/{MODEL} is missing"
    figure = headline(result)
    is_detector = result.get("task") == "detection"
    return ListedRun(
        run=printable(str(run)),
        name=printable(run.name or str(run)),
        data=_text(args, "data"),
        when=_when(run, RESULT if state == "done" else ARGS),
        state="damaged" if reason and state != "going on" else state,
        why="" if state == "going on" else reason,
        regime="detector" if is_detector else _text(result, "regime") or _text(args, "regime"),
        network=_text(result, "network"),
        measure=figure.measure if figure else "",
        value=figure.value if figure else None,
        low=figure.low if figure else None,
        high=figure.high if figure else None,
        measured_on=figure.on if figure else "",
        model_bytes=size,
    )


def _read(path: Path) -> tuple[Mapping[str, Any], str]:
    """What a file says, and why it says nothing."""
    try:
        if path.stat().st_size > LARGEST:
            return {}, f"{path.name} is too large to be one"
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, f"{path.name} is missing"
    except OSError as error:
        return {}, f"{path.name} cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        return {}, f"{path.name} is no whole JSON"
    return (found, "") if isinstance(found, dict) else ({}, f"{path.name} holds no record")


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    return printable(value) if isinstance(value, str) else ""


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _when(run: Path, name: str) -> str:
    """When that file was written, or, where it is not there, the folder."""
    try:
        moment = (run / name if (run / name).exists() else run).stat().st_mtime
    except OSError:  # the run was removed meanwhile
        return ""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
