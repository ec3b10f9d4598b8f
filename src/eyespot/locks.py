"""One process at a time: a lock on a file, which ends with the process that has it, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class FileLock:
    """A lock that one process has, held from `taken` to `let_go`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    @classmethod
    def taken(cls, path: Path) -> Self | None:
        """The lock; None where another process holds it, or where the folder is gone. Raises OSError.

        path: of the file that is locked. It is there while a process has the lock, and after one that was killed.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            return None
        if _is_locked_now(descriptor) and _is_still_at(path, descriptor):
            return cls(path, descriptor)
        os.close(descriptor)
        return None

    def let_go(self) -> None:
        """The file is gone, and the lock with it."""
        if sys.platform == "win32":  # where a file that is open cannot be deleted
            os.close(self._descriptor)
        with suppress(OSError):  # gone already, or locked by the next one
            self._path.unlink()
        if sys.platform != "win32":  # not before: the next one would lock a file that is deleted then
            os.close(self._descriptor)


def is_held(path: Path) -> bool:
    """Whether a process has that lock just now. Nothing is written; no lock is left."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:  # none is there, or it is somebody else's
        return False
    try:
        return not _is_locked_now(descriptor)
    finally:
        os.close(descriptor)  # and with it a lock that was taken to see


def _is_locked_now(descriptor: int) -> bool:
    """Whether nobody else had it. A disk that knows no locks, as some network disks, gives it to everybody."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True


def _is_still_at(path: Path, descriptor: int) -> bool:
    """False where the one who held it deleted the file after it was opened here."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
