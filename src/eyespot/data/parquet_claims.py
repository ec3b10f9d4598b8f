"""What a Parquet file says of itself, read before anything of it is unfolded. It is a claim, so it is bounded.

A page never unfolds to more than its header claims, so headers are what is added up: what the file's end says of whole
columns may be another number. All are in Thrift's compact protocol (https://parquet.apache.org/docs/file-format/;
parquet.thrift: FileMetaData, ColumnMetaData, PageHeader). Numbers in these names are those of the fields there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from eyespot.data.list_limits import (
    AT_A_TIME,
    MOST_COLUMNS,
    MOST_FOOTER,
    MOST_LEVELS,
    MOST_PAGES,
    MOST_ROWS,
    ROW_ON_DISK,
)
from eyespot.errors import DataError
from eyespot.names import printable

ROWS = 1000
"""Rows that are unpacked at a time, at most."""
_MAGIC = b"PAR1"
_HEADERS = (2**12, 2**20)
"""Bytes in which a page's header is looked for; old writers put statistics into it."""
_DICTIONARY_PAGE, _DATA_PAGE_V2 = 2, 3
_DELTA_BYTE_ARRAY = 7
_DEEPEST = 16
_MOST_VALUES = 1_000_000
"""In a description: each takes a hundred bytes of memory, and may be one on disk."""


@dataclass(frozen=True)
class Claims:
    """What reading some columns would come to."""

    unfolded: int
    """Bytes of all pages."""
    largest: int
    """Bytes of the largest value that a few bytes can repeat in every row: of a dictionary, or a prefix."""

    @property
    def rows_at_a_time(self) -> int:
        """Rows that unfold to little enough."""
        return max(1, min(ROWS, AT_A_TIME // max(1, self.largest)))


def read_footer(path: Path) -> dict[int, Any]:
    """What the file's end says, by fields of FileMetaData; empty for what is no Parquet file.

    Raises DataError where it describes more columns or rows, or at greater length, than is read, ValueError where it is
    damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        length, magic = int.from_bytes(file.read(4), "little"), file.read(4)
        if magic != _MAGIC or length > size - 8:
            return {}
        _require(path, length, MOST_FOOTER, "bytes of description")
        file.seek(size - 8 - length)
        footer = _Compact(file.read(length)).struct()
    _require(path, len(_list(footer, 2)), MOST_COLUMNS, "columns")
    _require(path, _levels(_list(footer, 2)), MOST_LEVELS, "levels of columns in columns")
    _require(path, _number(footer, 3), MOST_ROWS + size // ROW_ON_DISK, f"rows in {size} bytes")
    return footer


def claims(path: Path, footer: dict[int, Any], columns: Collection[str]) -> Claims:
    """What the columns of a file come to, by the headers of their pages.

    columns: as `image.bytes`, or `labels` for all that lies in it.
    Raises DataError where there are more pages than are read, ValueError where one's header is damaged.
    """
    unfolded = largest = 0
    with path.open("rb") as file:
        for pages, (size, repeats) in enumerate(_pages(file, footer, columns), start=1):
            unfolded += size
            largest = max(largest, size if repeats else 0)
            _require(path, pages, MOST_PAGES, "pages")
    return Claims(unfolded, largest)


def _levels(schema: list[Any]) -> int:
    """How deep columns lie in columns: the list has each with the number of those in it, which follow."""
    deepest, left = 0, [1]
    for element in schema:
        while left and not left[-1]:
            left.pop()
        if left:
            left[-1] -= 1
        left.append(_number({5: 0, **_fields(element)}, 5))
        deepest = max(deepest, len(left) - 2)  # the first is the whole
    return deepest


def _require(path: Path, count: int, most: int, of_what: str) -> None:
    if count > most:
        raise DataError(f"{printable(str(path))} claims {count} {of_what}, and at most {most} are read")


def _pages(file: IO[bytes], footer: dict[int, Any], columns: Collection[str]) -> Iterator[tuple[int, bool]]:
    """Of each page of the columns its bytes, and whether a value of it can stand in many rows."""
    for group in _list(footer, 4):
        for chunk in _list(group, 1):
            column = _fields(_fields(chunk).get(3))
            name = b".".join(each for each in _list(column, 3) if isinstance(each, bytes)).decode("utf-8", "replace")
            if any(name == each or name.startswith(f"{each}.") for each in columns) and _number(column, 5):
                at = _number(column, 9)
                at = min(at, _number(column, 11)) if column.get(11) else at
                yield from _pages_between(file, at, at + _number(column, 7))


def _pages_between(file: IO[bytes], at: int, end: int) -> Iterator[tuple[int, bool]]:
    while at < end:
        header, length = _header(file, at, end)
        of_data, encoded = (8, 4) if header.get(1) == _DATA_PAGE_V2 else (5, 2)
        encoding = _fields(header.get(of_data, {})).get(encoded)
        yield _number(header, 2), header.get(1) == _DICTIONARY_PAGE or encoding == _DELTA_BYTE_ARRAY
        at += length + _number(header, 3)


def _header(file: IO[bytes], at: int, end: int) -> tuple[dict[int, Any], int]:
    """A page's header, and its bytes."""
    for most in _HEADERS:
        file.seek(at)
        compact = _Compact(file.read(min(most, end - at)))
        try:
            return compact.struct(), compact.at
        except _CutOff:
            continue
    raise ValueError("the header of a page does not end")


def _number(fields: dict[int, Any], field: int) -> int:
    """A size, an offset or a count."""
    value = fields.get(field)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"the number {field} of its description is {value}")
    return value


def _fields(value: Any) -> dict[int, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"its description has {type(value).__name__} for a list of fields")
    return value


def _list(fields: Any, field: int) -> list[Any]:
    value = _fields(fields).get(field, [])
    if not isinstance(value, list):
        raise ValueError(f"the list {field} of its description is none")
    return value


class _CutOff(ValueError):
    """The bytes end too early."""


class _Compact:
    """Thrift's compact protocol: numbers, bytes, lists, and structs as their fields by number."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.values = data, 0, 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        if depth > _DEEPEST:
            raise ValueError("its description is too deep")
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        self.values += 1
        if self.values > _MOST_VALUES:
            raise ValueError(f"its description has more than {_MOST_VALUES} values")
        if kind in (1, 2, 3):  # in a list: true, false; a byte
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind in (7, 8):  # a double, bytes
            return self._bytes(8 if kind == 7 else self._unsigned())
        if kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError(f"its description has a value of kind {kind}")

    def _bytes(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise _CutOff("its description is cut off")
        return self.data[self.at - count : self.at]

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise _CutOff("its description is cut off")
        self.at += 1
        return self.data[self.at - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of its description does not end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
