"""A run that goes on, or that is done again: what its `args.json` says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from eyespot.data.handed_sets import IN_HAND, Data
from eyespot.data.read_as import AS_IT_IS, ReadAs, read_as
from eyespot.errors import DataError, OptionError
from eyespot.files import from_home
from eyespot.names import quoted
from eyespot.runs.folder import ARGS, REPORT
from eyespot.runs.options import TrainOptions, train_options
from eyespot.version import VERSION

LARGEST_ARGS = 2**20
"""Bytes."""


@dataclass(frozen=True)
class Again:
    """An earlier run, as this one takes it up."""

    options: TrainOptions
    data: str
    fingerprint: str | None
    """Of its data; None where it was killed before they were read."""
    decisions: dict[str, Any]
    spent: float
    """Seconds, where it goes on."""
    folder: Path | None
    """Where it goes on in its own folder."""
    replays: str | None
    """The run whose decisions these are, where it is done again; also where a replay goes on."""


def resumed(run: str | Path, given: Mapping[str, Any]) -> Again:
    """The killed run in that folder. Raises OptionError where there is none, or where it is finished."""
    if given:
        raise OptionError(f"a run goes on with the options that it began with: leave out {', '.join(sorted(given))}")
    folder, args = read_args(run, "resumed")
    if (folder / REPORT).exists():
        raise OptionError(f"{folder} is finished, so there is nothing to resume: its report is {folder / REPORT}")
    version = args.get("version")
    if version != VERSION:
        raise OptionError(
            f"{folder} cannot be resumed: it was begun by eyespot {version}, this is {VERSION}, and would "
            f"not come to the same; train anew, or pip install eyespot=={version}"
        )
    return _again(folder, args, {}, goes_on=True)


def replayed(run: str | Path, given: Mapping[str, Any]) -> Again:
    """The finished run in that folder, to be done again. Raises OptionError where there is none."""
    more = sorted(given.keys() - {"name", "out"})
    if more:
        raise OptionError(f"a replay has the options of the run that it repeats: leave out {', '.join(more)}")
    return finished(run, "replayed", given)


def finished(run: str | Path, what: str, given: Mapping[str, Any]) -> Again:
    """The finished run in that folder, with the options that it had and those that are given.

    what: why it is looked for, as an error says what cannot be done: "replayed".
    Raises OptionError where there is none.
    """
    folder, args = read_args(run, what)
    if not (folder / REPORT).exists():
        raise OptionError(f"{folder} is not finished, so it cannot be {what}: --resume it first")
    return _again(folder, args, given, goes_on=False)


@dataclass(frozen=True)
class Origin:
    """What a run was trained on, as it was given."""

    data: Data
    how: ReadAs = AS_IT_IS
    more: tuple[Path, ...] = ()
    """Further data."""


def origin_of(run: str | Path) -> Origin:
    """What the run in that folder was trained on. Raises OptionError where that cannot be read."""
    folder, args = read_args(run, "looked into")
    if args.get("data") == IN_HAND:
        raise OptionError(f"{run} was trained on pictures that a program handed in: hand them in again, as data")
    if not isinstance(args.get("data"), str):
        raise OptionError(f"{folder / ARGS} does not say what the run was trained on")
    said = {
        each.name: args.get(each.name) for each in fields(ReadAs) if each.type != "bool"
    }  # runs of older versions say nothing of it
    how = read_as(**{name: value for name, value in said.items() if isinstance(value, str)})
    more = args.get("more")
    return Origin(args["data"], how, tuple(map(Path, more)) if isinstance(more, list) else ())


def require_same_data(again: Again, name: str, fingerprint: str) -> None:
    """Raises DataError where the pictures of that name are not those that the earlier run was made on."""
    if again.fingerprint not in (None, fingerprint):
        raise DataError(
            f"{name} is not what the run was made on: its fingerprint is {fingerprint}, the run's is "
            f"{again.fingerprint}; pictures were added, changed or removed, or a list of decisions was, so train anew, "
            "or give all as it was"
        )


def _again(folder: Path, args: Mapping[str, Any], given: Mapping[str, Any], *, goes_on: bool) -> Again:
    try:
        chosen = {name: args[name] for name in args["given"]}
        if not goes_on:
            chosen = {**chosen, "out": args["out"], "name": None, **given}
        if "head" in chosen:
            chosen["head"] = tuple(chosen["head"])
        return Again(
            options=train_options(**chosen),
            data=str(args["data"]),
            fingerprint=args["fingerprint"],
            decisions=dict(args["decisions"]),
            spent=float(args["spent_seconds"]) if goes_on else 0.0,
            folder=folder if goes_on else None,
            replays=args["replays"] if goes_on else str(folder),
        )
    except (KeyError, TypeError, ValueError, OptionError) as error:
        raise OptionError(f"{folder / ARGS} is damaged, or of another version ({quoted(error)}): train anew") from error


def read_args(run: str | Path, what: str) -> tuple[Path, dict[str, Any]]:
    """The run's folder, and what its `args.json` says."""
    try:
        folder = from_home(run)
        file = folder / ARGS
        if file.stat().st_size > LARGEST_ARGS:
            raise OptionError(f"{run} cannot be {what}: its {ARGS} is too large to be one")
        args = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{run} cannot be {what}: its {ARGS} is damaged ({quoted(error)}); train anew") from error
    except OSError as error:
        raise OptionError(
            f"{run} cannot be {what}: there is no {ARGS} to be read ({error.strerror}); give a run's folder such as "
            "runs/train/photos"
        ) from error
    if not isinstance(args, dict) or args.get("command") != "train":
        raise OptionError(f"{run} cannot be {what}: it is no run of `eyespot train`")
    return folder, args
