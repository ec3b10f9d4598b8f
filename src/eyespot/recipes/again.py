"""A run that goes on, or that is done again: what its `args.json` says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyespot.errors import DataError, OptionError
from eyespot.recipes.options import TrainOptions, train_options
from eyespot.recipes.prepare import Prepared
from eyespot.recipes.run_folder import ARGS, REPORT

LARGEST_ARGS = 2**20
"""Bytes."""
OF_REPLAYS = ("name", "out")


@dataclass(frozen=True)
class Again:
    """An earlier run, as this one takes it up."""

    options: TrainOptions
    data: str
    fingerprint: str
    """Of its data."""
    decisions: dict[str, Any]
    spent: float
    """Seconds, where it goes on."""
    folder: Path | None
    """Where it goes on in its own folder."""
    replays: str | None
    """Its name, where it is done again."""


def resumed(run: str | Path, given: Mapping[str, Any]) -> Again:
    """The killed run in that folder. Raises OptionError where there is none, or where it is finished."""
    if given:
        raise OptionError(f"a run goes on with the options that it began with: leave out {', '.join(sorted(given))}")
    folder = Path(run).expanduser()
    args = _read(folder, "resumed")
    if (folder / REPORT).exists():
        raise OptionError(f"{run} is finished, so there is nothing to resume: its report is {folder / REPORT}")
    return _again(args, {}, folder=folder, replays=None)


def replayed(run: str | Path, given: Mapping[str, Any]) -> Again:
    """The finished run in that folder, to be done again. Raises OptionError where there is none."""
    more = sorted(given.keys() - set(OF_REPLAYS))
    if more:
        raise OptionError(f"a replay has the options of the run that it repeats: leave out {', '.join(more)}")
    folder = Path(run).expanduser()
    args = _read(folder, "replayed")
    if not (folder / REPORT).exists():
        raise OptionError(f"{run} is not finished, so it cannot be replayed: --resume it first")
    return _again({**args, "name": None}, given, folder=None, replays=str(run))


def require_same_data(again: Again, prepared: Prepared) -> None:
    """Raises DataError where the pictures are not those that the earlier run was made on."""
    if again.fingerprint != prepared.fingerprint:
        raise DataError(
            f"{prepared.data_set.name} is not what the run was made on: its fingerprint is {prepared.fingerprint}, the "
            f"run's is {again.fingerprint}; pictures were added, changed or removed, so train anew, or give the folder "
            "as it was"
        )


def _again(args: Mapping[str, Any], given: Mapping[str, Any], *, folder: Path | None, replays: str | None) -> Again:
    where = folder or replays
    try:
        chosen = {name: args[name] for name in args["given"] if name in TrainOptions.model_fields}
        chosen |= {"out": args["out"], "name": args["name"], **given}
        if "head" in chosen:
            chosen["head"] = tuple(chosen["head"])
        return Again(
            options=train_options(**chosen),
            data=str(args["data"]),
            fingerprint=str(args["fingerprint"]),
            decisions=dict(args["decisions"]),
            spent=0.0 if replays else float(args["spent_seconds"]),
            folder=folder,
            replays=replays,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(f"{where}/{ARGS} is damaged, or of an older version ({error}): train anew") from error


def _read(folder: Path, what: str) -> dict[str, Any]:
    file = folder / ARGS
    try:
        if file.stat().st_size > LARGEST_ARGS:
            raise OptionError(f"{folder} cannot be {what}: its {ARGS} is too large to be one")
        args = json.loads(file.read_bytes())
    except OSError as error:
        raise OptionError(
            f"{folder} cannot be {what}: there is no {ARGS} to be read ({error.strerror}); give a run's folder such as "
            "runs/train/photos"
        ) from error
    except ValueError as error:
        raise OptionError(f"{folder} cannot be {what}: its {ARGS} is damaged ({error})") from error
    if not isinstance(args, dict) or args.get("command") != "train":
        raise OptionError(f"{folder} cannot be {what}: it is no run of `eyespot train`")
    return args
