"""`sample`: pictures to try eyespot on, as files: those that the README and the documentation use, and digits."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eyespot.data import sample_files
from eyespot.errors import CannotWrite, OptionError
from eyespot.files import LEFT_OVER, from_home, make_folder, writing
from eyespot.names import as_typed, printable
from eyespot.records import Record
from eyespot.words import nearest, some


@dataclass(frozen=True)
class Sample:
    """What there is to write, and where it is from."""

    folders: dict[str, str]
    """Folders that it makes, and what is in each."""
    source: str


SAMPLES = {
    "shapes": Sample(
        {
            "photos": "drawings of circles, squares and triangles, 80 of each, to train on",
            "more": "others, 10 of each, to measure with",
            "new": "drawings without a class, to ask about",
            "cells": "drawings with boxes around the shapes (YOLO), to train a detector on",
            "scenes": "two shapes, one or none, and a list that says which, to train several labels on",
        },
        "drawn by eyespot: always the same, and free for any use",
    ),
    "digits": Sample(
        {"digits": "handwritten digits, 8 x 8 pixels, one folder for each"},
        "E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, CC BY 4.0; from scikit-learn",
    ),
}


class SampleFolder(Record):
    """A folder that `sample` wrote."""

    folder: str
    pictures: int
    what: str
    """What its pictures show, and what they are for."""


class SampleResult(Record):
    """A sample that was written as files."""

    sample: str
    folders: tuple[SampleFolder, ...]
    source: str
    """Where the pictures are from, and their licence."""

    @property
    def next_command(self) -> str:
        """What to do now, ready to be typed."""
        return f"eyespot train {as_typed(self.folders[0].folder)}"


def sample(name: str, folder: str | Path) -> SampleResult:
    """The sample `name`, written as pictures below `folder`, all of it or nothing.

    name: "shapes", which makes photos/, more/, new/, cells/ and scenes/, or "digits".
    folder: made where it is not there. Nothing in it is ever replaced.
    Raises OptionError, CannotWrite where one of these is there already, and MissingExtra.
    """
    if name not in SAMPLES:
        raise OptionError(f"there is no sample {printable(name)!r}: {nearest(name, SAMPLES)}")
    chosen, target = SAMPLES[name], from_home(folder)
    there = [each for each in chosen.folders if os.path.lexists(target / each)]
    if there:
        names, exist = some([printable(str(target / each)) for each in there]), "exists" if len(there) == 1 else "exist"
        raise CannotWrite(f"{names} {exist} already, and nothing is replaced: give another folder")
    make_folder(target)
    files = sample_files.shapes() if name == "shapes" else sample_files.digits()
    with writing(f"the sample in {printable(str(target))}"):
        counts = _write(files, target, tuple(chosen.folders))
    return SampleResult(
        sample=name,
        folders=tuple(
            SampleFolder(folder=printable(str(target / each)), pictures=counts[each], what=what)
            for each, what in chosen.folders.items()
        ),
        source=chosen.source,
    )


def _write(files: Iterator[sample_files.File], target: Path, folders: tuple[str, ...]) -> Counter[str]:
    """Pictures written to each folder; a folder appears when it is complete."""
    counts = Counter[str]()
    hidden = target / f"{LEFT_OVER}{os.urandom(6).hex()}"
    try:
        for path, content in files:
            file = hidden / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            counts[path.partition("/")[0]] += file.suffix in (".jpg", ".png")
        for each in folders:
            os.rename(hidden / each, target / each)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return counts
