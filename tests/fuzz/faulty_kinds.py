"""Kinds that go wrong, each in its way: what `test_hours.py` shows to the frame."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from fuzz.kinds import Kind

from eyespot.errors import DataError


def write(chance: Random, folder: Path) -> Path:
    path = folder / "a.txt"
    path.write_text(str(chance.random()))
    return path


def well(path: Path) -> None:
    if float(path.read_text()) < 0.5:
        raise DataError("a.txt is small: write a larger one")


def raises(path: Path) -> None:
    int("x")


def dies(path: Path) -> None:
    os._exit(3)


def loops(path: Path) -> None:
    while True:
        pass


def writes(path: Path) -> None:
    path.with_name("b.txt").write_text("b")


def changes(path: Path) -> None:
    path.write_text("b")


def leaves(path: Path) -> None:
    Path("left.txt").write_text("in the working folder")


def says_much(path: Path) -> None:
    raise DataError(f"{path} " + "x" * 5000)


def names_nothing(path: Path) -> None:
    raise DataError("it is wrong")


def cannot_be_shown(path: Path) -> None:
    raise DataError(f"{path} has \x1b[31m")


def takes_much(path: Path) -> None:
    bytearray(b"x" * 80_000_000).count(1)


def gives_nonsense(path: Path) -> None:
    raise AssertionError("a box outside of its picture")


FAULTY = (
    *(raises, dies, loops, writes, changes, leaves, says_much, names_nothing, cannot_be_shown, takes_much),
    gives_nonsense,
)
KINDS = {
    "well": Kind(write, well),
    **{each.__name__: Kind(write, each, seconds=0.5, megabytes=40) for each in FAULTY},
}
