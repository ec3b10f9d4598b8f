"""Arrays under a key, on disk: one SQLite file that several processes share, which kill -9 or a power cut cannot spoil.

It is a cache: what is damaged or of an older version is dropped, and counts as not there. Every value carries its own
checksum, so nothing is ever returned that was not put. SQLite's rollback journal with synchronous=FULL makes each `put`
all or nothing; it waits for the disk four times, once more than synchronous=NORMAL.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt

from eyespot.errors import StoreError

FILE_NAME = "store.sqlite3"
APPLICATION_ID = 0x45594553  # "EYES": tells our file from another program's
VERSION = 1  # of the tables; an older file is emptied, a newer one refused
LAYOUT = 1  # of one value; a value of another layout is not there
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
}

BUSY_SECONDS = 30.0
USED_RESOLUTION_SECONDS = 3600  # a read is written down once an hour, so that reading hardly ever writes
KEYS_AT_ONCE = 500  # per SELECT; SQLite's lowest limit is 999
FILE_SHARE = 1.25  # the file may exceed max_bytes by a quarter (pages are not quite full) and the slack
FILE_SLACK = 2**20
ROW_BYTES = 256  # what a value takes beside its payload, roughly

# Payloads are apart from entries: marking a value as used must not rewrite it. The triggers keep the total true.
TABLES = """
CREATE TABLE entries (id INTEGER PRIMARY KEY, used INTEGER NOT NULL, bytes INTEGER NOT NULL, key TEXT NOT NULL UNIQUE,
    layout INTEGER NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL, checksum BLOB NOT NULL);
CREATE INDEX entries_by_use ON entries (used);
CREATE TABLE payloads (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE total (bytes INTEGER NOT NULL);
INSERT INTO total VALUES (0);
CREATE TRIGGER entry_comes AFTER INSERT ON entries BEGIN UPDATE total SET bytes = bytes + new.bytes; END;
CREATE TRIGGER entry_goes AFTER DELETE ON entries BEGIN
    UPDATE total SET bytes = bytes - old.bytes; DELETE FROM payloads WHERE id = old.id; END;
"""
VALUES = """
SELECT e.id, CAST(e.used AS INTEGER), e.key, e.layout, e.dtype, e.shape, e.checksum, p.data
FROM entries e LEFT JOIN payloads p ON p.id = e.id
"""
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
FAILURES = (sqlite3.Error, OSError, UnicodeDecodeError)  # sqlite3 fails to decode messages that quote a damaged file

Array = npt.NDArray[Any]
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

    def put(self, arrays: Mapping[str, Array]) -> None:
        """Keep `arrays`, all or (should this process die) none, in place of what was under their keys.

        An array larger than `max_bytes` is not kept. ValueError: a dtype that is not in `DTYPES`.
        """
        values = [_pack(key, array) for key, array in arrays.items()]
        if values:
            self._run(lambda connection: self._write(connection, values))

    def size(self) -> StoreSize:
        """How much the store holds now."""
        return self._run(self._measure)

    def clear(self) -> StoreSize:
        """How much was removed: everything, damaged files included. The disk space is given back."""
        return self._run(self._empty)

    def check(self, *, values: bool = True) -> None:
        """Return if the file is sound, else raise StoreError.

        values: read every value and verify its checksum too.
        """
        self._run(lambda connection: _inspect(connection, self._path, values=values), mend=False)

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
        """What `action` returns, alone among threads. On a damaged or replaced file it is tried again on the next."""
        with self._lock:
            try:
                return action(self._connect())
            except FAILURES as error:
                self._disconnect()
                if not (mend and self._mended(error)):
                    raise StoreError(_sentence(self._path, error)) from error
            return self._run(action, mend=False)

    def _connect(self) -> sqlite3.Connection:
        """The open connection, or a new one to a file that is ready for use."""
        if self._closed:
            raise ValueError(f"the store {self._path} is closed")
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._identity = _identity(self._path)
                _prepare(connection, self._path)
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
        if _is_damage(error):
            self._set_aside()
            return True
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED

    def _set_aside(self) -> None:
        """Give the damaged file another name, unless another process has done so; one such file is kept."""
        try:
            with _alone(self._path.with_name(FILE_NAME + ".lock")):
                if _identity(self._path) != self._identity:
                    return
                earlier = _damaged_files(self._path)
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
        for start in range(0, len(keys), KEYS_AT_ONCE):
            chunk = keys[start : start + KEYS_AT_ONCE]
            question = f"{VALUES} WHERE e.key IN ({','.join('?' * len(chunk))})"
            for row, used, *fields in connection.execute(question, chunk).fetchall():
                value = _Value(*fields)
                array = _unpack(value)
                if array is None:
                    spoiled.append((row,))
                    continue
                found[value.key] = array
                if used + USED_RESOLUTION_SECONDS <= now:
                    stale.append((now, row))
        if stale or spoiled:
            _note_use(connection, stale, spoiled)
        return found

    def _write(self, connection: sqlite3.Connection, values: list[_Value]) -> None:
        fitting = [value for value in values if len(value.data) <= self._max_bytes]
        kept = _that_fit(fitting, self._max_bytes)
        now = int(self._clock())
        with _writing(connection):
            connection.executemany("DELETE FROM entries WHERE key = ?", [(value.key,) for value in values])
            _make_room(connection, sum(len(value.data) for value in fitting), self._max_bytes)
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
        with _writing(connection):
            removed = self._measure(connection)
            _recreate(connection)
        connection.execute("VACUUM")
        for path in _damaged_files(self._path).values():
            path.unlink(missing_ok=True)
        return removed


def key_of(**parts: object) -> str:
    """A key, 40 hexadecimal digits: the same for the same parts in every process, another for any other.

    parts: what the value depends on, by name: text, numbers, booleans, None, lists, dicts with text keys, and pydantic
    records. A tuple counts as a list, a record as the dict of its fields. Others raise TypeError, NaN ValueError.
    """
    text = json.dumps(_plain(parts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode("ascii"), digest_size=20).hexdigest()


def _plain(part: object) -> object:
    """`part` with its records as dicts, and with nothing that JSON would write like something else."""
    if hasattr(part, "model_dump"):
        return _plain(part.model_dump(mode="json"))
    if isinstance(part, Mapping):
        for name in part:
            if not isinstance(name, str):  # JSON writes 1 and "1" alike
                raise TypeError(f"a part of a key has the name {name!r}; names must be text")
        return {name: _plain(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_plain(value) for value in part]
    return part


class _Value(NamedTuple):
    """An array as it is stored: the columns of `entries` from `key` on, and the payload."""

    key: str
    layout: int
    dtype: str
    shape: str
    checksum: bytes
    data: bytes


def _pack(key: str, array: Array) -> _Value:
    name = array.dtype.name
    if name not in DTYPES:
        raise ValueError(f"the store keeps arrays of {', '.join(DTYPES)}; {key} has dtype {array.dtype}")
    shape = ",".join(map(str, array.shape))
    data = array.astype(DTYPES[name], copy=False).tobytes()
    return _Value(key, LAYOUT, name, shape, _checksum(key, name, shape, data), data)


def _unpack(value: _Value) -> Array | None:
    """The array, read-only; None if it is not what was put, or of a layout this version does not know."""
    key, layout, dtype, shape, checksum, data = value
    if layout != LAYOUT or not isinstance(data, bytes) or _checksum(key, dtype, shape, data) != checksum:
        return None
    return np.ndarray([int(side) for side in shape.split(",") if side], DTYPES[dtype], buffer=data)


def _checksum(key: str, dtype: str, shape: str, data: bytes) -> bytes:
    digest = hashlib.blake2b(f"{key} {dtype} {shape} ".encode(), digest_size=16)
    digest.update(data)
    return digest.digest()


def _that_fit(values: list[_Value], room: int) -> list[_Value]:
    """The last of `values` that fit into `room` bytes: what evicting in the order of arrival would leave."""
    kept: list[_Value] = []
    for value in reversed(values):
        room -= len(value.data)
        if room < 0:
            break
        kept.append(value)
    return kept[::-1]


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set the connection up and see to it that the file has our tables."""
    connection.text_factory = lambda raw: raw.decode(errors="replace")  # damaged text must fail its checksum, not raise
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = OFF")  # some builds overwrite what is evicted with zeros
    connection.execute("PRAGMA cache_size = -16384")  # 16 MB: a usual batch is written once, at its commit
    if _stamp(connection) != (APPLICATION_ID, VERSION):
        with _writing(connection):
            _adopt(connection, path)
    connection.execute("PRAGMA journal_mode = DELETE")


def _adopt(connection: sqlite3.Connection, path: Path) -> None:
    """Make a new or older file ours; StoreError if it is newer or another program's."""
    application, version = _stamp(connection)  # again: another process may have been quicker
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master")
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path} belongs to another program; move it away, or choose another cache folder")
    if version > VERSION:
        raise StoreError(
            f"{path} has version {version}, and this eyespot knows versions up to {VERSION}; "
            "upgrade eyespot, choose another cache folder, or delete the file (it is only a cache)"
        )
    if version < VERSION:
        _recreate(connection)


def _recreate(connection: sqlite3.Connection) -> None:
    """Empty tables in place of all that were there."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        connection.execute(f'DROP TABLE "{name}"')
    for statement in TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _stamp(connection: sqlite3.Connection) -> tuple[int, int]:
    [(application,)] = connection.execute("PRAGMA application_id")
    [(version,)] = connection.execute("PRAGMA user_version")
    return application, version


def _make_room(connection: sqlite3.Connection, incoming: int, max_bytes: int) -> None:
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
            raise _damage("the index by use names values that are not there")  # or this loop would never end


def _excess(connection: sqlite3.Connection, incoming: int, max_bytes: int) -> int:
    """Bytes to evict before `incoming` bytes fit; zero or less where they fit already."""
    [(total, file_bytes)] = connection.execute(
        "SELECT bytes, (page_count - freelist_count) * page_size "
        "FROM total, pragma_page_count, pragma_freelist_count, pragma_page_size"
    )
    file_limit = int(FILE_SHARE * max_bytes) + FILE_SLACK
    return int(max(total + incoming - max_bytes, file_bytes + incoming - file_limit))


def _note_use(connection: sqlite3.Connection, stale: list[tuple[int, int]], spoiled: list[tuple[int]]) -> None:
    """Write down what was used when, and drop what is spoiled, unless the file is busy or cannot be written."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        with _writing(connection):
            connection.executemany("UPDATE entries SET used = ? WHERE id = ?", stale)
            connection.executemany("DELETE FROM entries WHERE id = ?", spoiled)
    except sqlite3.OperationalError:
        return  # the values were read all the same, and the next read tries again
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def _inspect(connection: sqlite3.Connection, path: Path, *, values: bool) -> None:
    connection.execute("BEGIN")  # all questions see one state of the file
    try:
        faults = [str(fault) for (fault,) in connection.execute("PRAGMA integrity_check(3)") if fault != "ok"]
        [(held, total)] = connection.execute("SELECT coalesce(sum(bytes), 0), (SELECT bytes FROM total) FROM entries")
        if held != total:
            faults.append(f"the values hold {held} bytes, the total says {total}")
        if values:
            stored = (_Value(*fields) for _, _, *fields in connection.execute(VALUES))
            faults += [f"value {value.key} fails its checksum" for value in stored if _unpack(value) is None]
    finally:
        connection.execute("ROLLBACK")
    if faults:
        raise StoreError(f"{path} is damaged ({'; '.join(faults[:3])}); clear the store to start a new one")


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction: what is inside happens wholly or not at all. The write lock comes first, so only this can wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time. An empty SQLite file serves as a lock that no system leaves behind when a process dies."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _damaged_files(path: Path) -> dict[int, Path]:
    numbered = ((file.name.rpartition("-")[2], file) for file in path.parent.glob(f"{FILE_NAME}.damaged-*"))
    return {int(number): file for number, file in numbered if number.isdecimal()}


def _damage(message: str) -> sqlite3.DatabaseError:
    """An error like SQLite's own for a damaged file."""
    error = sqlite3.DatabaseError(message)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _is_damage(error: Exception) -> bool:
    return isinstance(error, UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def _sentence(path: Path, error: Exception) -> str:
    """What went wrong and what to do about it, for the user."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"the disk that holds {path} is full; free some space, or choose another cache folder"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path} was kept busy by another process for {BUSY_SECONDS:.0f} s; wait for that process and try again"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) or isinstance(error, OSError):
        return f"{path} cannot be written ({error}); make its folder writable, or choose another cache folder"
    if _is_damage(error):
        return f"{path} is damaged ({error}); clear the store to start a new one"
    return f"{path} cannot be used ({error}); choose another cache folder, or delete the file (it is only a cache)"


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
