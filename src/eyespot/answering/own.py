"""The pictures that a run kept to measure itself by, found again in its data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eyespot.bundle.manifest import KnownPictures
from eyespot.data.addresses import address_of
from eyespot.data.handed_sets import path_of
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.errors import DataError, OptionError
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.records import Part
from eyespot.runs.folder import ARGS
from eyespot.runs.resume import Origin, origin_of
from eyespot.words import counted

PARTS = ("test", "val", "train")
"""In the order in which one is looked for."""
HELD_OUT: tuple[Part, ...] = ("test", "val")
SAMPLE = "digits"


def origin_of_model(model: Path, how: ReadAs = AS_IT_IS) -> Origin:
    """What the run in which a model lies was trained on.

    model: its bundle. how: what a person says of reading, which the run knows.
    Raises OptionError where it lies in no run, DataError where the pictures are not there.
    """
    run = model.parent
    if not (run / ARGS).is_file():
        raise OptionError(
            f"{printable(str(model))} is not in a run's folder, which says where its pictures are: give DATA"
        )
    if how != AS_IT_IS:
        raise OptionError(f"{printable(str(run))} says how its pictures are read: leave the options of reading out")
    origin = origin_of(run)
    for each in (path_of(origin.data), *origin.more):
        if not address_of(each) and not from_home(each).exists() and str(each) != SAMPLE:
            raise DataError(
                f"{printable(str(run))} was made on {printable(str(each))}, which is not there: go to the folder in "
                "which it was trained, or say with DATA where its pictures are"
            )
    return origin


def require_split(split: str) -> None:
    """Raises OptionError for what is no part."""
    if split not in ("auto", "all", *PARTS):
        raise OptionError(f"the option split cannot be {split!r}: there are auto, all, train, val and test")


def own_part(
    then: Sequence[Part | None], known: KnownPictures, wanted: str, data: str | Path
) -> tuple[str, list[int], list[str]]:
    """The part that is measured, the numbers of its pictures that are still there, and notes.

    then: the part of each picture in training; None of one that was not there.
    wanted: auto, which is test, else val; train, val, test or all. data: names where they are.
    Raises DataError where there are none.
    """
    if wanted == "all":
        return "all", [number for number, each in enumerate(then) if each is not None], []
    asked: tuple[Part, ...] = HELD_OUT if wanted == "auto" else tuple(each for each in HELD_OUT if each == wanted)
    parts = asked or ("train",)
    part = next((each for each in parts if known.count(each)), None)
    if part is None:
        crossed = "; it was fitted on all, and its figure comes from cross-validation" if wanted == "auto" else ""
        raise DataError(
            f"the run kept no pictures of part {' or '.join(parts)} to be measured by{crossed}: give it others, that "
            "it has not seen, as DATA"
        )
    expected, numbers = known.count(part), [number for number, each in enumerate(then) if each == part]
    where = printable(str(data))
    if not numbers:
        raise DataError(
            f"none of the run's {counted(expected, f'{part} picture')} is in {where} any more: they are gone, or were "
            "changed; give others as DATA"
        )
    notes = []
    if len(numbers) < expected:
        missing = f"{expected - len(numbers)} of the run's {counted(expected, f'{part} picture')}"
        notes.append(f"{missing} are not in {where} any more, or were changed: the others are measured")
    if part == "val" and wanted == "auto":
        notes.append("the run has no test part: its validation pictures helped to choose it, so expect a little less")
    return part, numbers, notes
