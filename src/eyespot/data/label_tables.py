"""Whether a table says several labels of a picture, found by what stands in its cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from eyespot.data.columns import IMAGE, LABEL, SPLIT, Column, choose, shown
from eyespot.data.label_cells import SEPARATORS, YES, LabelCells, flag, no_of
from eyespot.data.list_limits import MOST_LOOKED_AT
from eyespot.data.read_as import ReadAs
from eyespot.data.table_rows import Row, Table
from eyespot.errors import DataError
from eyespot.names import brief, printable

NEARLY = 0.9
"""Share of a column's values that are 0 or 1 from which another one is taken for a slip, not for another column."""
FEWEST = 2
"""Columns of 0 and 1 from which they are labels: one alone says two classes."""
MOST_VALUES = 50
"""That are told apart in a column: one of 0 and 1 has few."""


@dataclass
class Seen:
    """What stood in one column, of however many rows."""

    values: dict[str, int] = field(default_factory=dict)
    """How many cells said each of the first few values."""
    places: dict[str, str] = field(default_factory=dict)
    """Where each stood first, in words."""
    said: int = 0
    """Cells that said anything."""
    has_lists: bool = False
    separators: set[str] = field(default_factory=set)
    """Those that stood between two labels."""
    stray: list[tuple[str, str]] = field(default_factory=list)
    """The first cell that begins or ends with one of them, and where it is."""

    def add(self, value: object, place: str) -> None:
        self.has_lists = self.has_lists or isinstance(value, list | tuple)
        if isinstance(value, str):
            self.separators.update(each for each in SEPARATORS if each in value and _are_several(value.split(each)))
            if not self.stray and (bare := value.strip()) and bare != bare.strip("".join(SEPARATORS)):
                self.stray.append((place, value))
        if text := flag(value):
            self.said += 1
            if text in self.values:
                self.values[text] += 1
            elif len(self.values) < MOST_VALUES:
                self.values[text], self.places[text] = 1, place


@dataclass(frozen=True)
class Cells:
    """What stands in a table's columns."""

    names: tuple[str, ...]
    columns: tuple[Seen, ...]
    """In the order of the names."""
    where: str
    """The table, as errors name it."""


class _Whole(Table):
    """A table whose rows are kept whole."""

    def row(self, line: int, values: Sequence[object]) -> Row:
        return Row(line, label=tuple(values))


def cells_of_table(path: Path, how: ReadAs) -> LabelCells | None:
    """How the table says several labels of a picture; None where each has one class, as far as its beginning says.

    Raises DataError for a table that cannot be read, and for a column of labels with other values than 0 and 1.
    """
    table = _Whole(path, replace(how, classes_count=False, labels=None))
    columns: list[Seen] = []
    for each in islice(table.rows(), MOST_LOOKED_AT):
        if isinstance(each.label, tuple):
            columns += [Seen() for _ in range(len(columns), len(each.label))]
            add_row(columns, each.label, f"line {each.line}")
    columns += [Seen() for _ in range(len(columns), len(table.names))]
    return label_cells(Cells(table.names, tuple(columns), table.where), how)


def add_row(columns: Iterable[Seen], values: Iterable[object], place: str) -> None:
    """Adds what a row says. Rows may end before the last columns."""
    for column, value in zip(columns, values, strict=False):
        if value is not None:
            column.add(value, place)


def label_cells(cells: Cells, how: ReadAs) -> LabelCells | None:
    """The same of cells that were looked at. The column of a label is one that is named with `--label-column`, too.

    how: where its `labels` is not None, labels are expected, even where no picture has two of them.
    """
    fewest = FEWEST if how.labels is None else 1
    wanted = _named(cells, how.label_column)
    if len(wanted) > 1:
        return _flags(cells, wanted, are_named=True)
    at = _label_column(cells, how)
    if at is not None:
        return _lists(cells, at) or (LabelCells(cells.names[at], SEPARATORS[0]) if how.labels else None)
    others = {_column_or_none(IMAGE, cells, how.image_column), _column_or_none(SPLIT, cells, how.split_column)}
    found = _flags(cells, [at for at in range(len(cells.names)) if at not in others], are_named=False)
    passed = tuple(name for at, name in enumerate(cells.names) if at not in others and name not in found.flags)
    return replace(found, passed=passed) if len(found.flags) >= fewest else None


def _named(cells: Cells, wanted: str | None) -> list[int]:
    """The columns that `--label-column` names, where those are several. Raises DataError for one that is not there."""
    if wanted is None or wanted in cells.names or "," not in wanted:
        return []
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    missing = [name for name in names if name not in cells.names]
    if missing:
        raise DataError(f"{cells.where} has no column {missing[0]!r}: there are {shown(cells.names)}")
    return [cells.names.index(name) for name in names]


def _label_column(cells: Cells, how: ReadAs) -> int | None:
    """The column of the classes; None where there is none, or it is unclear which one it is.

    Raises DataError for a column that a person names and that is not there.
    """
    if how.label_column is not None:
        return choose(LABEL, cells.names, wanted=how.label_column, where=cells.where)
    return _column_or_none(LABEL, cells, None)


def _column_or_none(column: Column, cells: Cells, wanted: str | None) -> int | None:
    with suppress(DataError):
        return choose(column, cells.names, wanted=wanted, where=cells.where)
    return None


def _lists(cells: Cells, at: int) -> LabelCells | None:
    """How one column says several labels, where any of its cells does."""
    if cells.columns[at].has_lists:
        return LabelCells(column=cells.names[at])
    for separator in SEPARATORS:
        if separator in cells.columns[at].separators:
            return LabelCells(column=cells.names[at], separator=separator)
    _refuse_strays(cells, at)
    return None


def _refuse_strays(cells: Cells, at: int) -> None:
    """Raises DataError for a class that begins or ends with what stands between labels, where no cell has two."""
    for place, value in cells.columns[at].stray:
        raise DataError(
            f"{place} of {cells.where} has the class {brief(value)!r}: several labels are written as "
            f"cat{SEPARATORS[0]}dog, and one stands alone: correct it"
        )


def _are_several(parts: Sequence[str]) -> bool:
    return sum(bool(part.strip()) for part in parts) > 1


def _flags(cells: Cells, columns: Sequence[int], *, are_named: bool) -> LabelCells:
    """Those columns that hold 0 and 1. Raises DataError for one of them that holds another value, too.

    are_named: a person says that they are labels.
    """
    found: list[str] = []
    slips: list[str] = []
    no = no_of(value for at in columns for value in cells.columns[at].values)
    meant = YES | no
    for at in columns:
        seen = cells.columns[at]
        fit = sum(count for value, count in seen.values.items() if value in meant)
        if seen.said and fit == seen.said:
            found.append(cells.names[at])
        elif seen.said and (are_named or fit >= NEARLY * seen.said):
            value = next(value for value in seen.values if value not in meant)
            slips.append(
                f"the column {brief(cells.names[at])!r} of {cells.where} has the value {printable(value)!r} in "
                f"{seen.places[value]}, and a label's column holds 0 or 1: correct it, or name the columns of the "
                "labels with --label-column A,B,C"
            )
    if slips and (are_named or len(found) + len(slips) >= FEWEST):
        raise DataError(slips[0])
    return LabelCells(flags=tuple(found), no=no)
