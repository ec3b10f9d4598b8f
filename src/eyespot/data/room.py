"""Room for one large array: in memory, or, where it would take too much of that, in a file that the system reads in
parts. The file has no name: it is gone when the array is, or the process, whatever ended it."""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eyespot.errors import MachineError
from eyespot.names import printable

MOST_IN_MEMORY = 2**29
"""Bytes up to which an array is held in memory: every machine has several times as much."""


def room(
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    *,
    what: str,
    folder: Path | None,
    instead: str = "",
) -> npt.NDArray[Any]:
    """An array to be filled.

    what: that the array holds, in the plural, for errors.
    folder: where there is room on disk; used, and made, only for more than `MOST_IN_MEMORY` bytes. None for no disk.
    instead: what the user can do to need less, for errors.
    Raises MachineError where the disk has too little room.
    """
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    if folder is None or needed <= MOST_IN_MEMORY:
        return np.empty(shape, dtype)
    require_room(needed, what=what, folder=folder, instead=instead)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), needed)
            return np.frombuffer(mmap.mmap(file.fileno(), needed), dtype).reshape(shape)
    except OSError as error:
        raise _no_file(needed, what, folder, instead, error) from error


def require_room(needed: int, *, what: str, folder: Path | None, instead: str = "") -> None:
    """Raises MachineError unless `room` would have this many bytes now. Nothing is reserved."""
    if folder is None or needed <= MOST_IN_MEMORY:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _no_file(needed, what, folder, instead, error) from error
    if needed > free:
        raise _no_room(needed, what, folder, instead, f"where {gigabytes(free)} are free")


def release(array: np.ndarray) -> None:
    """What memory holds of an array that lies in a file goes back to the system; it is read anew when it is needed."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    mapped = base.obj if isinstance(base, memoryview) else base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # Windows does so unasked
        mapped.madvise(mmap.MADV_DONTNEED)  # of a shared file: what was written stays written


def gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _reserve(file: int, size: int) -> None:
    """Gives the file its size, and room on the disk where the system can: else a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # what some file systems cannot
                raise
    os.truncate(file, size)


def _no_file(needed: int, what: str, folder: Path, instead: str, error: OSError) -> MachineError:
    return _no_room(needed, what, folder, instead, f"where no such file can be made ({error.strerror})")


def _no_room(needed: int, what: str, folder: Path, instead: str, why: str) -> MachineError:
    return MachineError(
        f"{what} need {gigabytes(needed)} in {printable(str(folder))}, {why}: {instead}make room there, or name a "
        "folder on another disk in EYESPOT_CACHE"
    )
