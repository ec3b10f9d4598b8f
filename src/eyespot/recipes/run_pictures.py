"""The pictures that a run was made on, found again: where its `args.json` says, known by their content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot import machine
from eyespot.bundle.manifest import Manifest
from eyespot.data.audit import Hashed, hash_pictures, without_copies
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError, OptionError
from eyespot.recipes.again import data_of
from eyespot.records import Part


@dataclass(frozen=True)
class RunPictures:
    """The pictures of one part of a run, which are still what they were."""

    part: Part
    hashed: list[Hashed]
    missing: int
    """Pictures of the part that are not there any more, or changed."""


def pictures_of_run(
    run: str | Path, manifest: Manifest, *, data: str | Path | None, parts: Sequence[Part]
) -> RunPictures:
    """The pictures of the first of these parts that the run has pictures of.

    run: its folder, whose `args.json` says where its data are; data: where they are instead, or None.
    Raises OptionError where nothing says where they are, DataError where none of them is there.
    """
    where = data if data is not None else _place(run)
    try:
        data_set = open_data_set(where)
    except DataError as error:
        if data is not None:
            raise
        raise DataError(f"{run} was made on pictures that are gone: {error}; say with --data where they are") from error
    hashed, _ = hash_pictures(data_set.pictures, threads=machine.cores())
    hashed, _ = without_copies(hashed)
    part_of = dict(zip((each.content for each in hashed), _parts(manifest, hashed), strict=True))
    for part in parts:
        expected = manifest.pictures.count(part)
        found = [each for each in hashed if part_of[each.content] == part]
        if found:
            return RunPictures(part, found, expected - len(found))
    raise DataError(
        f"none of the pictures that {run} was made on is in {where} any more: say with --data where they are now"
    )


def _parts(manifest: Manifest, hashed: Sequence[Hashed]) -> list[Part | None]:
    return manifest.pictures.parts(each.content for each in hashed)


def _place(run: str | Path) -> str:
    try:
        return data_of(run)
    except OptionError:
        raise OptionError(
            f"{run} does not say which pictures it was made on (a run's folder does, in args.json): say it with --data"
        ) from None
