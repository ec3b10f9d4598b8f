"""A table's rows: what each says of a picture, from a CSV of any separator or from lines of JSON, within limits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyespot.data.columns import IMAGE, LABEL, SPLIT, choose, shown
from eyespot.data.csv_lines import TextLines, csv_lines, encoding_of, told
from eyespot.data.data_set import LISTS
from eyespot.data.list_limits import MOST_ABSENT, MOST_COLUMNS
from eyespot.data.read_as import ReadAs
from eyespot.errors import DataError
from eyespot.names import printable

LONGEST_NUMBER = 300
"""Digits of a whole number: of longer ones each costs long, and none is a class."""
_JSON = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < LONGEST_NUMBER else digits)


@dataclass(frozen=True)
class Row:
    """What a row of a table says, or why it says nothing."""

    line: int
    image: object = None
    label: object = None
    """Its class; where the table says several labels, those of the picture as a tuple of texts."""
    split: object = None
    reason: str = ""

    @property
    def path(self) -> str:
        """The path that it gives; empty where it gives none."""
        return self.image.strip() if isinstance(self.image, str) else ""


@dataclass
class Table:
    """A table while it is read."""

    path: Path
    how: ReadAs
    names: tuple[str, ...] = ()
    image: int | None = None
    """Where a row has its picture, and below its class and part."""
    label: int | None = None
    split: int | None = None
    notes: list[str] = field(default_factory=list)
    """On what was read, once it is."""
    unused: list[str] = field(default_factory=list)
    """Paths in rows that are set aside, once they are read."""
    _known: set[str] = field(default_factory=set)
    """The same as the names."""

    @property
    def where(self) -> str:
        return printable(str(self.path))

    def begin(self, names: Sequence[str]) -> bool:
        """True where one of these columns names pictures. Raises DataError where it is unclear which one does."""
        if len(names) > MOST_COLUMNS:
            raise DataError(f"{self.where} has {len(names)} columns, and at most {MOST_COLUMNS} are read")
        self.names, self._known = tuple(names), {*names}
        self.image = choose(IMAGE, names, wanted=self.how.image_column, where=self.where)
        if self.image is None:
            return False
        if self.how.classes_count:
            if self.how.labels is None:
                self.label = choose(LABEL, names, wanted=self.how.label_column, where=self.where)
            self.split = choose(SPLIT, names, wanted=self.how.split_column, where=self.where)
        return True

    def knows(self, names: Iterable[str]) -> bool:
        """True once the columns are known, of which there may be more on each line."""
        more = [name for name in names if name not in self._known]
        return self.begin((*self.names, *more)) if more or self.image is None else True

    def row(self, line: int, values: Sequence[object]) -> Row:
        assert self.image is not None
        label, split = (None if at is None else values[at] for at in (self.label, self.split))
        if self.how.labels is not None:
            label = self.how.labels.of(self.names, values)
            if isinstance(label, str):
                return Row(line, values[self.image], reason=label)
        return Row(line, values[self.image], label, split)

    @property
    def split_is_said(self) -> bool:
        """False for a column that is only called as if it held the parts."""
        name = "" if self.split is None else self.names[self.split]
        return bool(self.how.split_column) or name.strip().casefold() == "split"

    def rows(self) -> Iterator[Row]:
        """Every row, in order. Raises DataError where the table cannot be read."""
        with told(self.where):
            yield from _json_rows(self) if self.path.suffix.lower() == ".jsonl" else _csv_rows(self)

    @property
    def unlabelled(self) -> str:
        if self.image is None or self.label is not None:
            return ""
        return f"its columns are {shown(self.names)}: --label-column names that of the classes"


def _csv_rows(table: Table) -> Iterator[Row]:
    lines = csv_lines(table.path, where=table.where)
    header = next(lines).fields
    if not table.begin(header):
        raise DataError(
            f"the columns of {table.where} are {shown(header)}, and none is known to name the pictures: write the "
            f"columns' names into the first line, or say which it is with --image-column; {LISTS}"
        )
    for line in lines:
        if len(line.fields) == len(header):
            yield table.row(line.number, line.fields)
        else:
            yield Row(line.number, reason=f"has {len(line.fields)} fields, and the first line has {len(header)}")


def _json_rows(table: Table) -> Iterator[Row]:
    absent = 0
    with table.path.open(encoding=encoding_of(table.path)) as file:
        lines = TextLines(file, table.where)
        for number, line in enumerate(lines, start=1):
            lines.next_row()
            try:
                fields = _JSON.decode(line) if line.strip() else None
            except (ValueError, RecursionError):
                yield Row(number, reason="is not JSON")
                continue
            if isinstance(fields, dict) and table.knows(fields):
                absent += len(table.names) - len(fields)
                if absent > MOST_ABSENT:
                    raise DataError(
                        f"{table.where} has {len(table.names)} keys in all, and most of its lines have few of them: "
                        "leave out keys that say nothing of the pictures"
                    )
                yield table.row(number, [fields.get(name) for name in table.names])
            elif isinstance(fields, dict):
                yield Row(number)
            elif line.strip():
                yield Row(number, reason='is not a JSON object such as {"file_name": "1.jpg", "label": "cat"}')
