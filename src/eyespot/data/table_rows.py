"""A table's rows: what each says of a picture, from a CSV of any separator or from lines of JSON, within limits."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

from eyespot.data.columns import IMAGE, LABEL, SPLIT, choose, shown
from eyespot.data.data_set import LISTS
from eyespot.data.list_limits import LONGEST_LINE, MOST_COLUMNS
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

    @property
    def where(self) -> str:
        return printable(str(self.path))

    def begin(self, names: Sequence[str]) -> bool:
        """True where one of these columns names pictures. Raises DataError where it is unclear which one does."""
        if len(names) > MOST_COLUMNS:
            raise DataError(f"{self.where} has {len(names)} columns, and at most {MOST_COLUMNS} are read")
        self.names = tuple(names)
        self.image = choose(IMAGE, names, wanted=self.how.image_column, where=self.where)
        if self.image is None:
            return False
        if self.how.classes_count:
            self.label = choose(LABEL, names, wanted=self.how.label_column, where=self.where)
            self.split = choose(SPLIT, names, wanted=self.how.split_column, where=self.where)
        return True

    def knows(self, names: Iterable[str]) -> bool:
        """True once the columns are known, of which there may be more on each line."""
        more = [name for name in names if name not in self.names]
        return self.begin((*self.names, *more)) if more or self.image is None else True

    def row(self, line: int, values: Sequence[object]) -> Row:
        assert self.image is not None
        label, split = (None if at is None else values[at] for at in (self.label, self.split))
        return Row(line, values[self.image], label, split)

    @property
    def split_is_said(self) -> bool:
        """False for a column that is only called as if it held the parts."""
        name = "" if self.split is None else self.names[self.split]
        return bool(self.how.split_column) or name.strip().casefold() == "split"

    def rows(self) -> Iterator[Row]:
        """Every row, in order. Raises DataError where the table cannot be read."""
        with _told(self.where):
            yield from _json_rows(self) if self.path.suffix.lower() == ".jsonl" else _csv_rows(self)

    @property
    def unlabelled(self) -> str:
        if self.image is None or self.label is not None:
            return ""
        return f"its columns are {shown(self.names)}: --label-column names that of the classes"


class _Lines:
    """The lines of a text. Raises DataError where they, or those of one row, are longer than is read."""

    def __init__(self, file: TextIO, where: str) -> None:
        self._file, self._where = file, where
        self.left = LONGEST_LINE

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(self.left):
            self.left -= len(line)
            if self.left <= 0:
                raise DataError(
                    f"{self._where} has a line of more than {LONGEST_LINE} letters: it is no table of pictures"
                )
            yield line

    def next_row(self) -> None:
        self.left = LONGEST_LINE


def _csv_rows(table: Table) -> Iterator[Row]:
    with table.path.open(encoding=_encoding(table.path), newline="") as file:
        lines = _Lines(file, table.where)
        texts = iter(lines)
        first, skipped = next(texts, ""), 0
        if told := re.fullmatch(r"sep=(.)\s*", first):  # as Excel says it
            first, skipped = next(texts, ""), 1
        outside_quotes = re.sub('"[^"]*"', "", first)
        delimiter = told[1] if told else max(",;\t|", key=outside_quotes.count)
        rows = csv.reader(chain([first], texts), delimiter=delimiter, strict=True)
        header = _without_empty_end([name.strip() for name in next(rows, [])], 0)
        if not table.begin(header):
            raise DataError(
                f"the columns of {table.where} are {shown(header)}, and none is known to name the pictures: write the "
                f"columns' names into the first line, or say which it is with --image-column; {LISTS}"
            )
        lines.next_row()
        for row in rows:
            lines.next_row()
            row = _without_empty_end(row, len(header))
            if len(row) == len(header):
                yield table.row(rows.line_num + skipped, row)
            elif row:
                reason = f"has {len(row)} fields, and the first line has {len(header)}"
                yield Row(rows.line_num + skipped, reason=reason)


def _without_empty_end(row: list[str], width: int) -> list[str]:
    """The row without the empty fields that trailing commas make, and none where all are empty."""
    filled = max((at for at, field in enumerate(row, start=1) if field.strip()), default=0)
    return row[: max(filled, width)] if filled else []


def _json_rows(table: Table) -> Iterator[Row]:
    with table.path.open(encoding=_encoding(table.path)) as file:
        lines = _Lines(file, table.where)
        for number, line in enumerate(lines, start=1):
            lines.next_row()
            try:
                fields = _JSON.decode(line) if line.strip() else None
            except (ValueError, RecursionError):
                yield Row(number, reason="is not JSON")
                continue
            if isinstance(fields, dict) and table.knows(fields):
                yield table.row(number, [fields.get(name) for name in table.names])
            elif isinstance(fields, dict):
                yield Row(number)
            elif line.strip():
                yield Row(number, reason='is not a JSON object such as {"file_name": "1.jpg", "label": "cat"}')


def _encoding(path: Path) -> str:
    """UTF-8, or UTF-16, which Excel calls Unicode text."""
    with path.open("rb") as file:
        begins = file.read(4)
    if begins.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = "".join("0" if byte == 0 else "x" for byte in begins)
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be"}.get(zeros, "utf-8-sig")


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turns what reading raises into a sentence."""
    try:
        yield
    except UnicodeDecodeError as error:
        byte, encoding = error.object[error.start], error.encoding.upper()
        raise DataError(f"{where} is not {encoding} text (byte {byte:#04x}): save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{where} is not a CSV ({error}): is there a quote that does not end?") from error
    except UnicodeError as error:
        raise DataError(f"{where} is not a text ({error}): save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error
