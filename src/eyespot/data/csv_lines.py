"""The lines of a text that people's programs write: a CSV of any separator, in UTF-8 or UTF-16, within limits."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

from eyespot.data.list_limits import LONGEST_LINE
from eyespot.errors import DataError
from eyespot.names import quoted


@dataclass(frozen=True)
class Line:
    """The fields of one row of a CSV."""

    number: int
    """Of the line in the file on which it ends."""
    fields: list[str]


class TextLines:
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


def csv_lines(path: Path, *, where: str) -> Iterator[Line]:
    """The columns' names, without blanks around them, then every row that is not empty.

    Fields that are empty and come after the last column are left out.
    where: the file, as errors name it.
    """
    with path.open(encoding=encoding_of(path), newline="") as file:
        lines = TextLines(file, where)
        texts = iter(lines)
        first, skipped = next(texts, ""), 0
        if told := re.fullmatch(r'sep=([^"\r])\s*', first):  # as Excel says it
            first, skipped = next(texts, ""), 1
        outside_quotes = re.sub('"[^"]*"', "", first)
        delimiter = told[1] if told else max(",;\t|", key=outside_quotes.count)
        rows = csv.reader(chain([first], texts), delimiter=delimiter, strict=True)
        names = _without_empty_end([name.strip() for name in next(rows, [])], 0)
        yield Line(rows.line_num + skipped, names)
        lines.next_row()
        for row in rows:
            lines.next_row()
            if fields := _without_empty_end(row, len(names)):
                yield Line(rows.line_num + skipped, fields)


def encoding_of(path: Path) -> str:
    """UTF-8, or UTF-16, which Excel calls Unicode text."""
    with path.open("rb") as file:
        begins = file.read(4)
    if begins.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = "".join("0" if byte == 0 else "x" for byte in begins)
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be"}.get(zeros, "utf-8-sig")


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turns what reading a text raises into a sentence."""
    try:
        yield
    except UnicodeDecodeError as error:
        byte, encoding = error.object[error.start], error.encoding.upper()
        raise DataError(f"{where} is not {encoding} text (byte {byte:#04x}): save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{where} is not a CSV ({quoted(error)}): is there a quote that does not end?") from error
    except UnicodeError as error:
        raise DataError(f"{where} is not a text ({quoted(error)}): save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error


def _without_empty_end(row: list[str], width: int) -> list[str]:
    """The row without the empty fields that trailing commas make, and none where all are empty."""
    filled = max((at for at, field in enumerate(row, start=1) if field.strip()), default=0)
    return row[: max(filled, width)] if filled else []
