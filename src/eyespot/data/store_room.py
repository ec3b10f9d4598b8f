"""Room in the store: what was used longest ago goes first, and what was used when is written down."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from eyespot.data.store_file import BUSY_SECONDS, damage, writing
from eyespot.data.store_values import Value

FILE_SHARE = 1.25  # the file may exceed max_bytes by a quarter (pages are not quite full) and the slack
FILE_SLACK = 2**20
ROW_BYTES = 256  # what a value takes beside its payload, roughly


def that_fit(values: list[Value], room: int) -> list[Value]:
    """The last of `values` that fit into `room` bytes: what evicting in the order of arrival would leave."""
    kept: list[Value] = []
    for value in reversed(values):
        room -= len(value.data)
        if room < 0:
            break
        kept.append(value)
    return kept[::-1]


def make_room(connection: sqlite3.Connection, incoming: int, max_bytes: int) -> None:
    """Evict the least recently used until `incoming` bytes fit, both by payload and by what the file takes."""
    while (excess := _excess(connection, incoming, max_bytes)) > 0:
        oldest = []
        with closing(connection.execute("SELECT id, CAST(bytes AS INTEGER) FROM entries ORDER BY used, id")) as rows:
            for row, size in rows:
                oldest.append((row,))
                excess -= size + ROW_BYTES  # rather too few than too many: the loop asks again
                if excess <= 0:
                    break
        if not oldest:
            return
        if connection.executemany("DELETE FROM entries WHERE id = ?", oldest).rowcount == 0:
            raise damage("the index by use names values that are not there")  # or this loop would never end


def note_use(connection: sqlite3.Connection, stale: list[tuple[int, int]], spoiled: list[tuple[int]]) -> None:
    """Write down what was used when, and drop what is spoiled, unless the file is busy or cannot be written."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        with writing(connection):
            connection.executemany("UPDATE entries SET used = ? WHERE id = ?", stale)
            connection.executemany("DELETE FROM entries WHERE id = ?", spoiled)
    except sqlite3.OperationalError:
        return  # the values were read all the same, and the next read tries again
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def _excess(connection: sqlite3.Connection, incoming: int, max_bytes: int) -> int:
    """Bytes to evict before `incoming` bytes fit; zero or less where they fit already."""
    [(total, file_bytes)] = connection.execute(
        "SELECT bytes, (page_count - freelist_count) * page_size "
        "FROM total, pragma_page_count, pragma_freelist_count, pragma_page_size"
    )
    file_limit = int(FILE_SHARE * max_bytes) + FILE_SLACK
    return int(max(total + incoming - max_bytes, file_bytes + incoming - file_limit))
