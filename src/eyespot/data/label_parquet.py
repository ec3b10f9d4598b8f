"""Whether a Parquet file says several labels of a picture: a list in a column, or columns of 0 and 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eyespot.data.label_cells import LabelCells
from eyespot.data.label_tables import Cells, label_cells
from eyespot.data.parquet import told_of
from eyespot.data.read_as import ReadAs
from eyespot.names import printable

MOST_ROWS = 1_000_000
"""That are looked at."""


def cells_of_parquet(path: Path, how: ReadAs) -> LabelCells | None:
    """How the file says several labels of a picture; None where each has one class. Raises DataError, MissingExtra."""
    with told_of(path) as parquet_file, parquet_file(path) as file:
        columns = [field.name for field in file.schema_arrow if _may_say_labels(field.type)]
        if not columns or file.metadata.num_rows > MOST_ROWS:
            return None
        table = file.read(columns=columns)
        values = zip(*(table.column(name).to_pylist() for name in columns), strict=True)
        rows = tuple((f"row {at}", row) for at, row in enumerate(values))
        return label_cells(Cells(tuple(columns), rows, printable(str(path))), how)


def _may_say_labels(kind: Any) -> bool:
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        return _may_say_labels(kind.value_type)
    return bool(
        types.is_integer(kind)
        or types.is_boolean(kind)
        or types.is_floating(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
    )
