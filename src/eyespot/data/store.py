"""Arrays under a key, on disk: one SQLite file that several processes share, which kill -9 or a power cut cannot spoil.

It is a cache: what is damaged or of an older version is dropped, and counts as not there. Every value carries its own
checksum, so nothing is ever returned that was not put. SQLite's rollback journal with synchronous=FULL makes each `put`
all or nothing; it waits for the disk four times, once more than synchronous=NORMAL.

`store_file` knows tables, damage and what goes when it is full, `store_values` how an array is kept.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from eyespot.data import store_file
from eyespot.data.store_file import FAILURES, FILE_NAME, make_room, note_use, writing
from eyespot.data.store_values import Array, Value, pack, unpack
from eyespot.errors import StoreError

USED_RESOLUTION_SECONDS = 3600  # a read is written down once an hour, so that reading hardly ever writes
KEYS_AT_ONCE = 500  # per SELECT; SQLite's lowest limit is 999

VALUES = """
SELECT e.id, CAST(e.used AS INTEGER), e.key, e.layout, e.dtype, e.shape, e.checksum, p.data
FROM entries e LEFT JOIN payloads p ON p.id = e.id
"""

Result = TypeVar("Result")


@dataclass(frozen=True)
class StoreSize:
    """How much a store holds."""

    path: Path
    entries: int
    bytes: int
    """Payload: the arrays' own bytes."""
    file_bytes: int
    """What the file takes on disk."""
    max_bytes: int
    """Most payload that is kept."""


class Store:
    """Arrays under a key in `folder`/store.sqlite3; usable from every thread, and as a context manager.

    Every method raises StoreError when the file cannot be used (no access, disk full, busy for 30 s, newer version);
    work that merely caches here can catch it and go on. After a fork, parent and child each have their own connection.

    folder: created where missing.
    max_bytes: most payload to keep; beyond it the least recently used (to the hour) goes first.
    clock: seconds since 1970.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 10 * 2**30, clock: Callable[[], float] = time.time) -> None:
        self.notes: list[str] = []
        """What the store mended by itself, in sentences for the user: a damaged file that was set aside."""
        self._path = Path(folder).absolute() / FILE_NAME
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._closed = False
        _STORES.add(self)
        self._run(lambda connection: None)

    def get(self, keys: Sequence[str]) -> dict[str, Array]:
        """The arrays that are there, in the order of `keys`; they are read-only."""
        found = self._run(lambda connection: self._read(connection, keys))
        return {key: found[key] for key in keys if key in found}

    def has(self, keys: Sequence[str]) -> set[str]:
        """Those of `keys` that have an array, which is not read."""
        question = "SELECT key FROM entries"
        return self._run(lambda connection: {key for (key,) in _rows(connection, question, keys)})

    def put(self, arrays: Mapping[str, Array]) -> None:
        """Keep `arrays`, all or (should this process die) none, in place of what was under their keys.

        An array larger than `max_bytes` is not kept. ValueError: a dtype that is not in `DTYPES`.
        """
        values = [pack(key, array) for key, array in arrays.items()]
        if values:
            self._run(lambda connection: self._write(connection, values))

    def size(self) -> StoreSize:
        """How much the store holds now."""
        return self._run(self._measure)

    def clear(self) -> StoreSize:
        """How much was removed: everything, damaged files included. The disk space is given back."""
        return self._run(self._empty)

    def close(self) -> None:
        """Release the file; a closed store cannot be used again."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, action: Callable[[sqlite3.Connection], Result], *, mend: bool = True) -> Result:
        """What `action` returns, one thread at a time. On a damaged or replaced file it is tried again on the next."""
        with self._lock:
            try:
                return action(self._connect())
            except FAILURES as error:
                self._disconnect()
                if not (mend and self._mended(error)):
                    raise StoreError(store_file.sentence(self._path, error)) from error
            return self._run(action, mend=False)

    def _connect(self) -> sqlite3.Connection:
        """The open connection, or a new one to a file that is ready for use."""
        if self._closed:
            raise ValueError(f"the store {self._path} is closed")
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = store_file.connect(self._path)
            try:
                self._identity = store_file.identity(self._path)
                store_file.prepare(connection, self._path)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _mended(self, error: Exception) -> bool:
        """Whether to try again: a damaged file is out of the way now, or another process has replaced the file."""
        if store_file.is_damage(error):
            self._set_aside()
            return True
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED

    def _set_aside(self) -> None:
        """Give the damaged file another name, unless another process has done so; one such file is kept."""
        try:
            with store_file.alone(self._path.with_name(FILE_NAME + ".lock")):
                if store_file.identity(self._path) != self._identity:
                    return
                earlier = store_file.damaged_files(self._path)
                aside = self._path.with_name(f"{FILE_NAME}.damaged-{max(earlier, default=0) + 1}")
                # Left behind, the damaged file's journal would be played back into its successor.
                self._path.with_name(FILE_NAME + "-journal").unlink(missing_ok=True)
                self._path.replace(aside)
                for path in earlier.values():
                    path.unlink(missing_ok=True)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self._path} is damaged and cannot be moved ({error}); end the programs that use it, and delete it"
            ) from error
        self.notes.append(f"{self._path} was damaged: it is now {aside.name}, and a new store was started")

    def _read(self, connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Array]:
        found, stale, spoiled = {}, [], []
        now = int(self._clock())
        for row, used, *fields in _rows(connection, VALUES, keys):
            value = Value(*fields)
            array = unpack(value)
            if array is None:
                spoiled.append((row,))
                continue
            found[value.key] = array
            if used + USED_RESOLUTION_SECONDS <= now:
                stale.append((now, row))
        if stale or spoiled:
            note_use(connection, stale, spoiled)
        return found

    def _write(self, connection: sqlite3.Connection, values: list[Value]) -> None:
        fitting = [value for value in values if len(value.data) <= self._max_bytes]
        kept = _that_fit(fitting, self._max_bytes)
        now = int(self._clock())
        with writing(connection):
            connection.executemany("DELETE FROM entries WHERE key = ?", [(value.key,) for value in values])
            make_room(connection, sum(len(value.data) for value in fitting), self._max_bytes)
            [(first,)] = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM entries")
            connection.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(row, now, len(value.data), *value[:-1]) for row, value in enumerate(kept, first)],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO payloads VALUES (?, ?)",
                [(row, value.data) for row, value in enumerate(kept, first)],
            )

    def _measure(self, connection: sqlite3.Connection) -> StoreSize:
        [(entries, size)] = connection.execute("SELECT count(*), (SELECT bytes FROM total) FROM entries")
        return StoreSize(self._path, entries, size, self._path.stat().st_size, self._max_bytes)

    def _empty(self, connection: sqlite3.Connection) -> StoreSize:
        with writing(connection):
            removed = self._measure(connection)
            store_file.recreate(connection)
        connection.execute("VACUUM")
        for path in store_file.damaged_files(self._path).values():
            path.unlink(missing_ok=True)
        return removed


def _that_fit(values: list[Value], room: int) -> list[Value]:
    """The last of `values` that fit into `room` bytes: what evicting in the order of arrival would leave."""
    kept: list[Value] = []
    for value in reversed(values):
        room -= len(value.data)
        if room < 0:
            break
        kept.append(value)
    return kept[::-1]


def _rows(connection: sqlite3.Connection, question: str, keys: Sequence[str]) -> Iterator[Sequence[Any]]:
    """What is there of the keys, asked for some at a time."""
    for start in range(0, len(keys), KEYS_AT_ONCE):
        chunk = keys[start : start + KEYS_AT_ONCE]
        yield from connection.execute(f"{question} WHERE key IN ({','.join('?' * len(chunk))})", chunk).fetchall()


# SQLite forbids a child to use, or even close, its parent's connection. So no store is within a transaction while its
# process forks, and the child leaves the parent's connections untouched and opens its own.
_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_HELD_FOR_FORK: list[Store] = []
_OF_THE_PARENT: list[sqlite3.Connection | None] = []


def _before_fork() -> None:
    for store in list(_STORES):
        store._lock.acquire()
        _HELD_FOR_FORK.append(store)


def _after_fork_in_parent() -> None:
    while _HELD_FOR_FORK:
        _HELD_FOR_FORK.pop()._lock.release()


def _after_fork_in_child() -> None:
    for store in _HELD_FOR_FORK:
        _OF_THE_PARENT.append(store._connection)
        store._connection = None
    _after_fork_in_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
