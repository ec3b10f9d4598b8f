"""Whether a Parquet file says several labels of a picture: a list in a column, or columns of 0 and 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eyespot.data.label_cells import LabelCells
from eyespot.data.label_tables import Cells, Seen, add_row, label_cells
from eyespot.data.list_limits import MOST_LOOKED_AT, require_unfolds
from eyespot.data.parquet import told_of
from eyespot.data.parquet_claims import claims, read_footer
from eyespot.data.parquet_rows import rows_of
from eyespot.data.read_as import ReadAs
from eyespot.names import printable


def cells_of_parquet(path: Path, how: ReadAs) -> LabelCells | None:
    """How the file says several labels of a picture; None where each has one class. Raises DataError, MissingExtra."""
    with told_of(path) as parquet_file, parquet_file(path) as file:
        columns = [field.name for field in file.schema_arrow if _may_say_labels(field.type)]
        if not columns or file.metadata.num_rows > MOST_LOOKED_AT:
            return None
        where, claimed = printable(str(path)), claims(path, read_footer(path), columns)
        require_unfolds(where, claimed.unfolded, on_disk=path.stat().st_size)
        seen, most = [Seen() for _ in columns], claimed.rows_at_a_time
        for number, row in enumerate(rows_of(parquet_file, path, columns, image="", at_a_time=most)):
            add_row(seen, (row[name] for name in columns), f"row {number}")
        return label_cells(Cells(tuple(columns), tuple(seen), where), how)


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
