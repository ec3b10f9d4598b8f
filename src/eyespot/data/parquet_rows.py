"""The rows of a Parquet file, a few at a time: a text that stands in many of them is held once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any


def rows_of(parquet_file: Any, path: Path, columns: Sequence[str], *, image: str, at_a_time: int) -> Iterator[Any]:
    """Each row as values by the columns' names, in order.

    parquet_file: pyarrow's class. columns: as `image.bytes`, or `labels` for all that lies in it. image: the column of
    pictures, whose bytes are few in a row.
    """
    with parquet_file(path) as file:
        stored = [file.schema.column(number) for number in range(len(file.schema))]
        texts = [at for at, each in enumerate(stored) if each.physical_type == "BYTE_ARRAY" and not _is_in(image, each)]
    with parquet_file(path, read_dictionary=texts) as file:
        for batch in file.iter_batches(batch_size=at_a_time, columns=list(columns)):
            cells = {name: _cells(batch.column(at)) for at, name in enumerate(batch.schema.names)}
            for number in range(batch.num_rows):
                yield {name: values[number] for name, values in cells.items()}


def _is_in(column: str, stored: Any) -> bool:
    return bool(stored.path == column or stored.path.startswith(f"{column}."))


def _cells(column: Any) -> list[Any]:
    """The values of an array; those of a dictionary are the same objects."""
    from pyarrow import types

    if types.is_list(column.type) or types.is_large_list(column.type):
        values = iter(_cells(column.flatten()))
        return [None if count is None else list(islice(values, count)) for count in column.value_lengths().to_pylist()]
    if types.is_dictionary(column.type):
        known = column.dictionary.to_pylist()
        return [None if number is None else known[number] for number in column.indices.to_pylist()]
    found: list[Any] = column.to_pylist()
    return found
