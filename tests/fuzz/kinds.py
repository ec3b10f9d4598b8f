"""What strangers' inputs are tried: for each kind how one is made, and how the verbs read it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

MODULES = (*("pictures", "tables", "label_lists", "packed", "boxes", "lists", "folders", "structures"),)
"""Files beside this one; each has its `KINDS`. A new kind is a line there, a new file a word here."""


@dataclass(frozen=True)
class Kind:
    """Inputs of one kind."""

    write: Callable[[Random, Path], Path]
    """Writes one into an empty folder, the same for the same chance, and returns what a verb is given: a path there."""
    read: Callable[[Path], object]
    """Reads it as the verbs do. Raises EyespotError, a sentence, where it is refused; AssertionError where what came of
    it cannot be meant."""
    seconds: float = 10.0
    """Of the processor that one may take."""
    megabytes: int = 400
    """The most that one may take, beside what the process had."""
    names_file: bool = True
    """Whether the sentence names a file of the input; of a picture it is said by whoever asks."""


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name; of other files where the environment variable names some."""
    found: dict[str, Kind] = {}
    for name in os.environ.get("EYESPOT_FUZZ", "").split() or MODULES:
        more: dict[str, Kind] = importlib.import_module(f"fuzz.{name}").KINDS
        assert not found.keys() & more.keys()
        found |= more
    return found


def chance_of(kind: str, seed: int, number: int) -> Random:
    """What decides one input, whatever was made before it."""
    return Random(f"{kind} {seed} {number}")
