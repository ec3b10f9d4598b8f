"""Lists that a person fills in or writes: CSVs whose columns have fixed names, as any spreadsheet saves them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.columns import shown
from eyespot.data.csv_lines import Line, csv_lines, told
from eyespot.data.data_set import spelled_alike
from eyespot.data.list_limits import MOST_COLUMNS
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.words import some

HIDDEN_FORMULA = "'"
"""Before what a spreadsheet would take for a formula there stands this."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How such a cell begins."""


@dataclass(frozen=True)
class Entry:
    """One row of a list."""

    line: int
    cells: dict[str, str]
    """By the column's name; the text without blanks around it."""

    def __getitem__(self, column: str) -> str:
        """The cell of that column; empty where the list has none."""
        return self.cells.get(column, "")


def read_list(path: Path, *, needed: Sequence[str], what: str) -> Iterator[Entry]:
    """Every row that is not empty, in order. Columns may stand in any order, and there may be others.

    needed: the columns that must be there. what: the list, as an error says what was expected: "a list of groups".
    Raises DataError, with the line, where it cannot be read as one.
    """
    where = printable(str(path))
    if not path.is_file():
        raise DataError(f"there is no file {where}: {what} is a CSV with the columns {_named(needed)}")
    with told(where):
        lines = csv_lines(path, where=where)
        columns = [name.casefold() for name in next(lines).fields]
        _require_columns(columns, needed, where=where, what=what)
        for line in lines:
            yield Entry(line.number, _cells(line, columns, where))


def name_key(name: str) -> str:
    """What is equal for the ways in which people write the same picture's name: `./cat\\1.jpg` is `cat/1.jpg`."""
    return spelled_alike(posixpath.normpath(name.replace("\\", "/")))


def _require_columns(columns: Sequence[str], needed: Sequence[str], *, where: str, what: str) -> None:
    if len(columns) > MOST_COLUMNS:
        raise DataError(f"{where} has {len(columns)} columns, and at most {MOST_COLUMNS} are read")
    wrong = [name for name in needed if columns.count(name) != 1]
    if wrong:
        count = "no column" if wrong[0] not in columns else "more than one column"
        raise DataError(
            f"{where} has {count} {wrong[0]!r} (there are {shown(columns)}): {what} has the columns {_named(needed)}, "
            "whose names stand in its first line"
        )


def _named(columns: Sequence[str]) -> str:
    return some(columns, most=len(columns))


def _cells(line: Line, columns: Sequence[str], where: str) -> dict[str, str]:
    """The row's cells. Spreadsheets may leave out those at its end that are empty."""
    if len(line.fields) > len(columns):
        raise DataError(
            f"line {line.number} of {where} has {len(line.fields)} cells, and the first line names {len(columns)} "
            "columns: put a cell that holds a comma into quotes"
        )
    return {name: _shown_formula(cell) for name, cell in zip(columns, line.fields, strict=False)}


def _shown_formula(cell: str) -> str:
    hidden = cell.strip(" ")
    is_hidden = hidden.startswith(HIDDEN_FORMULA) and hidden[1:].startswith(FORMULAS)
    return (hidden[1:] if is_hidden else hidden).strip()
