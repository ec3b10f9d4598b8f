"""Files written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from eyespot.errors import CannotWrite, OptionError

LEFT_OVER = ".eyespot-"
"""Begins the names of files that were being written when their writer was killed."""
WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds before a file is tried again that another program has open, on Windows."""
_KINDS = {stat.S_IFCHR: "device", stat.S_IFBLK: "device", stat.S_IFIFO: "pipe"}


def from_home(path: str | Path) -> Path:
    """The path, a home in place of a `~` at its beginning; the `~` of nobody stays as it is, a name like any other.

    Raises OptionError for what is no path.
    """
    if not isinstance(path, str | os.PathLike):
        what = "None" if path is None else type(path).__name__
        raise OptionError(f"a path was expected, not {what}: give a text or a pathlib.Path")
    return Path(os.path.expanduser(path))


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that it is there complete or, after a crash, as it was before. Its folder must exist.

    Where it is a link, what that leads to is written, and the link stays. OSError names the file, whatever step failed.
    """
    target = _followed(path)
    temporary = _beside(target)
    try:
        with temporary.open("xb") as file:  # not by `tempfile`, whose files nobody else may read
            if target.exists():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        move(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
            del error.filename2  # set to None, it would be shown
        raise


def move(source: Path, target: Path) -> None:
    """Gives a file or folder another name, in one step. OSError.

    Windows refuses while another program has it open: one that looks for viruses, or whoever reads the run just now.
    So it is tried again there.
    """
    if sys.platform == "win32":
        for seconds in WAITS:
            try:
                return os.replace(source, target)
            except PermissionError:
                time.sleep(seconds)
    os.replace(source, target)


def write_together(files: Mapping[Path, bytes]) -> None:
    """Writes files whose folders exist so that they are whole together or do not look so. Raises CannotWrite.

    Each is written beside its place first: a full disk changes nothing. Then the last, by which the others are found,
    is taken away, all are put in their places, and it comes back at the end. So of whoever is killed in between there
    is never a mixture of two writings that looks whole.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, data in files.items():
            target = _followed(path)
            staged.append((_beside(target), target))
            write_chosen(staged[-1][0], data)
        if len(staged) > 1:
            staged[-1][1].unlink(missing_ok=True)
        for temporary, target in staged:
            move(temporary, target)
    except OSError as error:
        raise CannotWrite(f"{error.filename} cannot be written ({error.strerror}): choose another place") from error
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Says in a sentence why something could not be written: a full disk, a folder that is gone.

    what: begins the sentence, such as "the model in runs/train/photos".
    """
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"{what} cannot be written ({error.strerror or error}): make room, or choose another place with --out"
        ) from error


def chosen_file(path: str | Path, ending: str, *, option: str, overwrite: bool) -> Path:
    """The file that an option names, known to be possible before any work.

    ending: that its name must have, such as `.png`. Raises OptionError for another, else as `require_writable`.
    """
    file = from_home(path)
    if file.suffix.lower() != ending:
        raise OptionError(f"the option {option} must name a file that ends in {ending}, not {str(path)!r}")
    require_writable(file, overwrite=overwrite)
    return file


def write_chosen(path: Path, data: bytes) -> None:
    """Writes a file whole to the place that the user chose. Raises CannotWrite."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise _cannot_write(path, error) from error


def remove_chosen(path: Path) -> None:
    """Removes a file that the user allowed to be replaced, if it is there. Raises CannotWrite."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be removed ({error.strerror or error}): remove it yourself") from error


def make_folder(folder: Path) -> None:
    """Makes the folder that the user chose, and those above it, unless it is there. Raises CannotWrite."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be made: {error.strerror or error}") from error


def remove_leftovers(folder: Path) -> None:
    """Deletes what `write_whole` left behind in a folder where it was killed. Nobody else may be writing there."""
    for leftover in folder.glob(f"{LEFT_OVER}*"):
        leftover.unlink(missing_ok=True)


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Raises CannotWrite, before any work, where no file can be written under this name, or one is there already."""
    try:
        _require_plain(path, overwrite=overwrite)
        target = _followed(path)
        if not target.parent.is_dir():
            raise CannotWrite(f"{path} cannot be written: the folder {target.parent} does not exist; make it")
        temporary = _beside(target)
        temporary.open("xb").close()
        temporary.unlink()
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"{path} cannot be written ({error.strerror or error}): choose another place")


def _require_plain(path: Path, *, overwrite: bool) -> None:
    """Raises CannotWrite where something is there that no file may take the place of."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFDIR:
        raise CannotWrite(f"{path} is a folder: choose another name")
    if kind != stat.S_IFREG:
        raise CannotWrite(
            f"{path} is no plain file but a {_KINDS.get(kind, 'socket')}, and files are written whole: choose another "
            "name; what is for a pipe comes on standard output, with --json for programs"
        )
    if not overwrite:
        raise CannotWrite(f"{path} exists already: choose another name, or add --overwrite")
    if not os.access(path, os.W_OK):
        raise CannotWrite(f"{path} may not be changed: choose another name, or allow it")


def _followed(path: Path) -> Path:
    """What a link leads to; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _beside(path: Path) -> Path:
    """A new name in the same folder, short: a long name leaves no room for an ending."""
    return path.with_name(f"{LEFT_OVER}{os.urandom(6).hex()}")
