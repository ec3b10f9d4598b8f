"""The SQLite file behind the store: its tables and version, transactions and locks, room, and what is wrong with it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from eyespot.errors import StoreError
from eyespot.names import quoted

FILE_NAME = "store.sqlite3"
APPLICATION_ID = 0x45594553  # "EYES": tells our file from another program's
VERSION = 1  # of the tables; an older file is emptied, a newer one refused
BUSY_SECONDS = 30.0
ELSEWHERE = "choose another cache folder with EYESPOT_CACHE"
FILE_SHARE = 1.25  # the file may exceed max_bytes by a quarter (pages are not quite full) and the slack
FILE_SLACK = 2**20
ROW_BYTES = 256  # what a value takes beside its payload, roughly
FAILURES = (sqlite3.Error, OSError, UnicodeDecodeError)  # sqlite3 fails to decode messages that quote a damaged file

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
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, which need not be there; `prepare` makes it usable."""
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set the connection up and see to it that the file has our tables."""
    connection.text_factory = lambda raw: raw.decode(errors="replace")  # damaged text must fail its checksum, not raise
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = OFF")  # some builds overwrite what is evicted with zeros
    connection.execute("PRAGMA cache_size = -16384")  # 16 MB: a usual batch is written once, at its commit
    if _stamp(connection) != (APPLICATION_ID, VERSION):
        with writing(connection):
            _adopt(connection, path)
    connection.execute("PRAGMA journal_mode = DELETE")


def recreate(connection: sqlite3.Connection) -> None:
    """Empty tables in place of all that were there."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        connection.execute(f'DROP TABLE "{name}"')
    for statement in TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction: what is inside happens wholly or not at all. The write lock comes first, so only this can wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time. An empty SQLite file serves as a lock that no system leaves behind when a process dies."""
    with closing(connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


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
            raise _Damage("the index by use names values that are not there")  # or this loop would never end


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


def identity(path: Path) -> tuple[int, int]:
    """What tells this file from another that has taken its name."""
    status = path.stat()
    return status.st_dev, status.st_ino


def damaged_files(path: Path) -> dict[int, Path]:
    """Damaged files that were moved out of the way earlier, by their numbers."""
    numbered = ((file.name.rpartition("-")[2], file) for file in path.parent.glob(f"{FILE_NAME}.damaged-*"))
    return {int(number): file for number, file in numbered if number.isdecimal()}


def is_damage(error: Exception) -> bool:
    """True where an error says that the file is damaged."""
    return isinstance(error, UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def sentence(path: Path, error: Exception) -> str:
    """What went wrong and what to do about it, for the user."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return f"the disk that holds {path} is full; free some space, or {ELSEWHERE}"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path} was kept busy by another process for {BUSY_SECONDS:.0f} s; wait for that process and try again"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) or isinstance(error, OSError):
        reason = error.strerror if isinstance(error, OSError) else error
        return f"{path} cannot be written ({reason}); make its folder writable, or {ELSEWHERE}"
    if is_damage(error):
        return f"{path} is damaged ({quoted(error)}); clear the store to start a new one"
    return f"{path} cannot be used ({error}); {ELSEWHERE}, or delete the file (it is only a cache)"


class _Damage(sqlite3.DatabaseError):
    """Like SQLite's own for a damaged file."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _excess(connection: sqlite3.Connection, incoming: int, max_bytes: int) -> int:
    """Bytes to evict before `incoming` bytes fit; zero or less where they fit already."""
    [(total, file_bytes)] = connection.execute(
        "SELECT bytes, (page_count - freelist_count) * page_size "
        "FROM total, pragma_page_count, pragma_freelist_count, pragma_page_size"
    )
    file_limit = int(FILE_SHARE * max_bytes) + FILE_SLACK
    return int(max(total + incoming - max_bytes, file_bytes + incoming - file_limit))


def _adopt(connection: sqlite3.Connection, path: Path) -> None:
    """Make a new or older file ours; StoreError if it is newer or another program's."""
    application, version = _stamp(connection)  # again: another process may have been quicker
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master")
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path} belongs to another program; move it away, or {ELSEWHERE}")
    if version > VERSION:
        raise StoreError(
            f"{path} has version {version}, and this eyespot knows versions up to {VERSION}; "
            f"upgrade eyespot, {ELSEWHERE}, or delete the file (it is only a cache)"
        )
    if version < VERSION:
        recreate(connection)


def _stamp(connection: sqlite3.Connection) -> tuple[int, int]:
    [(application,)] = connection.execute("PRAGMA application_id")
    [(version,)] = connection.execute("PRAGMA user_version")
    return application, version
