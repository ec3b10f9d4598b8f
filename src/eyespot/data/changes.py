"""What a person wants otherwise than her folders have it; the folders stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Changes:
    """Pictures that come to the data, that are left out or of another class, and the parts that they keep."""

    more: tuple[Path, ...] = ()
    """Further data, whose pictures come to the others."""
    exclude: Path | None = None
    """The list of decisions on single pictures."""
    yes: bool = False
    """Whether that may leave out more than half of a class."""
    parts_of: Path | None = None
    """A run: its pictures stay in the parts that they had there."""


NONE = Changes()
