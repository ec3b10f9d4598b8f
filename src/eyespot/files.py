"""Files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from eyespot.errors import OptionError

LEFT_OVER = ".eyespot-"
"""Begins the names of files that were being written when their writer was killed."""


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that it is there complete or, after a crash, as it was before. Its folder must exist.

    OSError names the file, whatever step failed.
    """
    temporary = _beside(path)
    try:
        with temporary.open("xb") as file:  # not by `tempfile`, whose files nobody else may read
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
            del error.filename2  # set to None, it would be shown
        raise


def remove_leftovers(folder: Path) -> None:
    """Deletes what `write_whole` left behind in a folder where it was killed. Nobody else may be writing there."""
    for leftover in folder.glob(f"{LEFT_OVER}*"):
        leftover.unlink(missing_ok=True)


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Raises OptionError, before any work, where no file can be written under this name, or one is there already."""
    try:
        if path.is_dir():
            raise OptionError(f"{path} is a folder: choose another name")
        if path.exists() and not overwrite:
            raise OptionError(f"{path} exists already: choose another name, or add --overwrite")
        if not path.parent.is_dir():
            raise OptionError(f"{path} cannot be written: the folder {path.parent} does not exist; make it")
        temporary = _beside(path)
        temporary.open("xb").close()
        temporary.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> OptionError:
    """The error for a place that the user chose."""
    return OptionError(f"{path} cannot be written ({error.strerror or error}): choose another place")


def _beside(path: Path) -> Path:
    """A new name in the same folder, short: a long name leaves no room for an ending."""
    return path.with_name(f"{LEFT_OVER}{os.urandom(6).hex()}")
