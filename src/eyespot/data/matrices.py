"""Numbers that a person writes: matrices and kernels as text, in a text file, or as an array of numpy's in a file."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.errors import DataError
from eyespot.names import brief, quoted
from eyespot.words import counted

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
ARRAY_SUFFIX = ".npy"
MATRIX_SUFFIXES = TEXT_SUFFIXES | {ARRAY_SUFFIX}

_WRITTEN_OUT = re.compile(r"(?!.*\.[A-Za-z]\w*$)\s*[-+]?\.?\d[^/\\]*[\s,;|].*", re.DOTALL)
"""Begins with a number, goes on after a space, comma, `;` or `|`, and does not end like the name of a file."""


def is_written_out(text: str) -> bool:
    """True for what is meant as a matrix, such as `1 0 -1; 1 0 -1` or `2;`, be it right or wrong."""
    return bool(_WRITTEN_OUT.match(text))


def written_out(text: str, name: str) -> NDArray[np.float64]:
    """The planes (C, H, W) that a person wrote: `;` ends a row, `|` a plane; `1 0; 0 1 | 0 0; 0 0` is (2, 2, 2).

    name: what to call the text in an error.
    Raises DataError for what is not a number and for rows or planes that differ in size.
    """
    planes = [[row for row in re.split("[;\n]", plane) if row.strip()] for plane in text.split("|")]
    return _planes(planes, name)


def read_matrix(path: Path) -> NDArray[np.float64]:
    """What a file holds: planes (C, H, W) of a text, or an array of any number of dimensions from a .npy file.

    In a text each line is a row; commas, semicolons, tabs or spaces part its numbers, and an empty line its planes.
    Lines that begin with # are passed over.
    Raises DataError for what cannot be read, is not a number, or is ragged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if path.suffix.lower() == ARRAY_SUFFIX:
        return _array(data, str(path))
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a text: save the matrix as text in UTF-8") from None
    text = "\n".join(line.strip() for line in lines if not line.lstrip().startswith("#")).strip()
    return _planes([plane.split("\n") for plane in re.split(r"\n{2,}", text)], str(path))


def numbers(values: ArrayLike, name: str) -> NDArray[np.generic]:
    """The values as an array of real, finite numbers, its type kept where it is one of numbers.

    Raises DataError where they are none.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # numpy's word for ragged lists
        raise DataError(f"{name} is ragged: every row needs the same number of values") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {array.dtype}, not real numbers")
    if array.size == 0:
        raise DataError(f"{name} is empty: it has the shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{name} has {array[place]} at {place}: every value must be a finite number")
    return array


def _array(data: bytes, name: str) -> NDArray[np.float64]:
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise DataError(f"{name} is not an array of numbers as numpy.save writes it ({quoted(error)})") from None
    if not isinstance(loaded, np.ndarray):
        raise DataError(f"{name} is an archive of arrays: save one array with numpy.save")
    return numbers(loaded, name).astype(np.float64)


def _planes(texts: list[list[str]], name: str) -> NDArray[np.float64]:
    """Planes (C, H, W) from their rows as text."""
    several = len(texts) > 1
    planes = [_rows(rows, f"{name}, plane {number}" if several else name) for number, rows in enumerate(texts, start=1)]
    for number, plane in enumerate(planes, start=1):
        if plane.shape != planes[0].shape:
            ours, first = (" x ".join(map(str, each.shape)) for each in (plane, planes[0]))
            raise DataError(f"{name}: plane {number} is {ours} but plane 1 is {first}; planes need the same size")
    return np.stack(planes)  # (C, H, W)


def _rows(rows: list[str], name: str) -> NDArray[np.float64]:
    if not any(row.strip() for row in rows):
        raise DataError(f"{name} is empty: write rows of numbers")
    values = [[_number(cell, name, number) for cell in _cells(row)] for number, row in enumerate(rows, start=1)]
    for number, row in enumerate(values, start=1):
        if len(row) != len(values[0]):
            own, first = counted(len(row), "number"), counted(len(values[0]), "number")
            raise DataError(f"{name} is ragged: row {number} has {own} but row 1 has {first}")
    return np.array(values, dtype=np.float64)


def _cells(row: str) -> list[str]:
    """The numbers of a row as text. Only one kind of sign parts them, so that `1,5;2,5` is not read as four numbers."""
    for sign in ";\t,":
        if sign in row:
            return [cell.strip() for cell in row.split(sign)]
    return row.split()


def _number(cell: str, name: str, row: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(f"{name}, row {row}: {brief(cell)!r} is not a number") from None
    if not np.isfinite(value):
        raise DataError(f"{name}, row {row}: {cell} is not a finite number")
    return value
