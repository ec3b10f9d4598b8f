"""How a person says that her pictures are to be read, where that does not show in what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypedDict, get_args

from eyespot.data.label_cells import LabelCells
from eyespot.errors import OptionError

Layout = Literal["auto", "class", "part/class", "class/part", "any/class"]
"""What the folders on each level are; `auto` finds it out."""
LAYOUTS: tuple[str, ...] = get_args(Layout)


@dataclass(frozen=True)
class ReadAs:
    """What a person says of her folders or her table."""

    layout: Layout = "auto"
    """What the folders on each level are: `class`, `part/class`, `class/part`, `any/class`."""
    image_column: str | None = None
    """The column that names the pictures, or holds them."""
    label_column: str | None = None
    """The column that holds the classes."""
    split_column: str | None = None
    """The column that says which pictures train and which test."""
    classes_count: bool = True
    """False where nobody asks for classes and parts: what says them may be unclear then."""
    labels: LabelCells | None = None
    """Where a table says several labels of each picture, which is found out; None where it says one class."""


class ReadKeywords(TypedDict, total=False):
    """The same as keywords of Python; None is as if left out."""

    layout: Layout | None
    image_column: str | None
    label_column: str | None
    split_column: str | None


AS_IT_IS = ReadAs()


def read_as(**given: str | None) -> ReadAs:
    """The record of what was given; None is as if left out. Raises OptionError."""
    known = [each.name for each in fields(ReadAs) if each.name not in ("classes_count", "labels")]
    unknown = sorted(given.keys() - {*known})
    if unknown:
        raise OptionError(f"there is no option {unknown[0]!r} for how data are read: there are {', '.join(known)}")
    if given.get("layout") not in (None, *LAYOUTS):
        raise OptionError(f"the option layout cannot be {given['layout']!r}: there are {', '.join(LAYOUTS)}")
    return ReadAs(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def given_of(reading: Mapping[str, object]) -> list[str]:
    """The names of those options that say something."""
    return [name for name, value in reading.items() if value not in (None, "auto")]


def refuse_for_boxes(reading: Mapping[str, object], run: str | Path) -> None:
    """Raises OptionError for an option that says how classes are read. run: names the detector."""
    if given := given_of(reading):
        raise OptionError(
            f"the option {given[0]} is for models that name classes, and {run} is a detector: leave it out"
        )
