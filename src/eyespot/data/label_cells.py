"""The labels of a picture as a row of a table says them: several in one cell, or a column of 0 and 1 for each label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eyespot.data.data_set import class_of
from eyespot.names import MOST_LETTERS, brief, printable

SEPARATORS = ("|", ";")
"""Between the labels in one cell; the first that any cell has."""
YES, NO, MINUS = frozenset(("1", "1.0", "true")), frozenset(("0", "0.0", "false")), frozenset(("-1", "-1.0"))
"""What a column of a label may hold. -1 is a no where no cell of the table has a 0, as in CelebA's list."""
UNSAID = "has no labels that can be read"


@dataclass(frozen=True)
class LabelCells:
    """Where a row has its labels: one column with all of them, or columns of 0 and 1."""

    column: str = ""
    separator: str = ""
    """Between labels of that column; empty where its values are lists."""
    flags: tuple[str, ...] = ()
    """Columns that are named after a label and hold 0 or 1."""
    passed: tuple[str, ...] = ()
    """Other columns, which say no labels."""
    no: frozenset[str] = NO
    """What says no in those; of a row with another value that is not a yes, nothing is known."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that are read."""
        return self.flags or (self.column,)

    def of(self, names: Sequence[str], values: Sequence[object]) -> tuple[str, ...] | str:
        """The labels of a row, sorted; none is an answer, too. Or why it says nothing, as the end of a sentence.

        names: of the table's columns; values: the row's.
        """
        cell = dict(zip(names, values, strict=True))
        if not self.flags:
            return labels_in(cell.get(self.column), self.separator)
        said: list[str] = []
        for name in self.flags:
            value = flag(cell.get(name))
            if not value:
                return f"has no value in the column {brief(name)!r}, which holds 0 or 1"
            if value not in YES | self.no:
                no = "-1" if self.no == MINUS else "0"
                shown = f"{brief(value)!r} in the column {brief(name)!r}"
                return f"has the value {shown}, where 1 says yes and {no} says no"
            said += [label_of(name)] * (value in YES)
        return tuple(sorted(said))


def labels_in(value: object, separator: str) -> tuple[str, ...] | str:
    """The labels in one cell, each once: a list, or a text with separators; an empty one has none.

    Or why it says nothing, as of a cell that is missing.
    """
    if value is None:
        return UNSAID
    if isinstance(value, list | tuple):
        each: list[object] = [*value]
    elif isinstance(value, str):
        each = [part for part in (value.split(separator) if separator else [value]) if part.strip()]
    else:
        each = [value]
    try:
        different = {(type(part), part) for part in each}
    except TypeError:  # a list or a record
        different = {(type(None), None)}
    named = [class_of(part) for _, part in different]
    if None in named:
        return "has a label that is neither a text nor a whole number"
    return tuple(sorted({str(name) for name in named}))


def label_of(column: str) -> str:
    """The label that a column of 0 and 1 stands for."""
    return class_of(column) or printable(column)


def as_text(value: object) -> str:
    """What a cell says, as text; of what holds other values only that it does, since these may lie however deep."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int | float) else f"({type(value).__name__})"


def flag(value: object) -> str:
    """The same, by which it is a yes or a no; empty where it says nothing."""
    return as_text(value).strip()[:MOST_LETTERS].casefold()


def no_of(values: Iterable[object]) -> frozenset[str]:
    """What says no among the values of columns of labels."""
    said = {flag(each) for each in values}
    return MINUS if said & MINUS and not said & NO else NO
