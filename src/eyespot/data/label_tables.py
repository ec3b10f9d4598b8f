"""Whether a table says several labels of a picture, found by what stands in its cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from eyespot.data.columns import IMAGE, LABEL, SPLIT, Column, choose, shown
from eyespot.data.label_cells import SEPARATORS, YES, LabelCells, flag, no_of
from eyespot.data.read_as import ReadAs
from eyespot.data.table_rows import Row, Table
from eyespot.errors import DataError
from eyespot.names import printable

NEARLY = 0.9
"""Share of a column's values that are 0 or 1 from which another one is taken for a slip, not for another column."""
FEWEST = 2
"""Columns of 0 and 1 from which they are labels: one alone says two classes."""


@dataclass(frozen=True)
class Cells:
    """What a table holds: the names of its columns, and each row's place and values."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[object, ...]], ...]
    """Where a row is, in words, and its values."""
    where: str

    def column(self, at: int) -> Iterable[tuple[str, object]]:
        """Where each value of a column is, and the value; rows that came before it have none."""
        return ((place, values[at] if at < len(values) else None) for place, values in self.rows)


class _Whole(Table):
    """A table whose rows are kept whole."""

    def row(self, line: int, values: Sequence[object]) -> Row:
        return Row(line, label=tuple(values))


def cells_of_table(path: Path, how: ReadAs) -> LabelCells | None:
    """How the table says several labels of a picture; None where each has one class, as far as it says any.

    Raises DataError for a table that cannot be read, and for a column of labels with other values than 0 and 1.
    """
    table = _Whole(path, replace(how, classes_count=False, labels=None))
    rows = tuple((f"line {each.line}", each.label) for each in table.rows() if isinstance(each.label, tuple))
    return label_cells(Cells(table.names, rows, table.where), how)


def label_cells(cells: Cells, how: ReadAs) -> LabelCells | None:
    """The same of cells that were read. The column of a label is one that is named with `--label-column`, too.

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
    values = [value for _, value in cells.column(at)]
    if any(isinstance(value, list | tuple) for value in values):
        return LabelCells(column=cells.names[at])
    texts = [value for value in values if isinstance(value, str)]
    for separator in SEPARATORS:
        if any(sum(bool(each.strip()) for each in text.split(separator)) > 1 for text in texts if separator in text):
            return LabelCells(column=cells.names[at], separator=separator)
    _refuse_strays(cells, at)
    return None


def _refuse_strays(cells: Cells, at: int) -> None:
    """Raises DataError for a class that begins or ends with what stands between labels, where no cell has two."""
    for place, value in cells.column(at):
        if isinstance(value, str) and value.strip() and value.strip() != value.strip().strip("".join(SEPARATORS)):
            raise DataError(
                f"{place} of {cells.where} has the class {printable(value)[:40]!r}: several labels are written as "
                f"cat{SEPARATORS[0]}dog, and one stands alone: correct it"
            )


def _flags(cells: Cells, columns: Sequence[int], *, are_named: bool) -> LabelCells:
    """Those columns that hold 0 and 1. Raises DataError for one of them that holds another value, too.

    are_named: a person says that they are labels.
    """
    found: list[str] = []
    slips: list[str] = []
    no = no_of(value for at in columns for _, value in cells.column(at))
    meant = YES | no
    for at in columns:
        said = [(place, flag(value)) for place, value in cells.column(at) if flag(value)]
        fit = sum(value in meant for _, value in said)
        if said and fit == len(said):
            found.append(cells.names[at])
        elif said and (are_named or fit >= NEARLY * len(said)):
            place, value = next(each for each in said if each[1] not in meant)
            slips.append(
                f"the column {printable(cells.names[at])!r} of {cells.where} has the value {printable(value)[:40]!r} "
                f"in {place}, and a label's column holds 0 or 1: correct it, or name the columns of the labels with "
                "--label-column A,B,C"
            )
    if slips and (are_named or len(found) + len(slips) >= FEWEST):
        raise DataError(slips[0])
    return LabelCells(flags=tuple(found), no=no)
