"""Tables and records as files that other programs read: CSV and JSON, in UTF-8, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from eyespot.files import write_whole


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file, whole or not at all."""
    write_whole(path, as_csv(header, rows))


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV in UTF-8. Cells that a spreadsheet would run as a formula are quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """A CSV file of rows that name their columns."""
    header = list(dict.fromkeys(column for row in rows for column in row))
    write_csv(path, header, ([row.get(column, "") for column in header] for row in rows))


def write_json(path: Path, content: Mapping[str, object]) -> None:
    write_whole(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
