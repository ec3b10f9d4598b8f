"""The folder of one run: its name, whose it is, and the files a person opens in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Self

from eyespot.bundle.files import CHECKPOINTS, FOLDER, find_bundle
from eyespot.distributed.world import World, broadcast
from eyespot.errors import CannotWrite, OptionError
from eyespot.events import EVENTS
from eyespot.files import LEFT_OVER, from_home, remove_leftovers, write_whole, writing
from eyespot.locks import FileLock, is_held
from eyespot.runs.config import CONFIG, as_config
from eyespot.runs.kernels import KERNELS
from eyespot.runs.options import TrainOptions
from eyespot.runs.tables import write_json

RUNS = "train"
"""The folder, under that of all output, in which runs lie."""
ARGS = "args.json"
REPORT = "report.html"
SPLIT = "split.csv"
PREDICTIONS = "predictions.csv"
LOCK = ".lock"
"""The file that is locked. It is there while a process works on the run, and after one that was killed."""


class RunFolder:
    """The folder `out/train/NAME` of one run, which belongs to one process, or to several that work together.

    Without a chosen name it is the data's with the lowest free number: photos, photos-2, photos-3. A chosen name that
    is taken already is refused. What a killed run left that holds nothing worth having is free.
    """

    def __init__(self, options: TrainOptions, *, there: Path | None = None, world: World | None = None) -> None:
        """there: the folder of a run that goes on; None for a new one.
        world: of several processes only the writer changes the folder.
        """
        self._options, self._there, self._world = options, there, world or World()
        self._lock: RunLock | None = None
        self._made: list[Path] = []
        self.path = there
        """None before it has a name, and on ranks that do not write."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it nobody else can have the folder, which is there as soon as its name is known.

        Afterwards a new folder that holds nothing worth having is gone. Raises OptionError, before any work, for a name
        that is taken, a run that another process works on, and a place where no folder can be made.
        """
        try:
            self._on_the_writer(self._begin)
            yield
        finally:
            self._end()

    def name_after(self, data_name: str) -> None:
        """Makes the folder where no name was chosen."""
        if self._there is None and self._options.name is None:
            self._on_the_writer(lambda: self._take_first_free(data_name))

    def _on_the_writer(self, work: Callable[[], None]) -> None:
        """Does it there; what it raises is raised on every rank, so that none waits for the others."""
        said = ""
        if self._world.is_writer:
            try:
                work()
            except OptionError as error:
                said = str(error)
        said = broadcast(said, self._world)
        if said:
            raise OptionError(said)

    def _begin(self) -> None:
        if self._there is not None:
            self._take_up(self._there)
            return
        parent = _parent(self._options)
        _require_place(parent)
        if self._options.name is not None and not self._take(parent / self._options.name):
            folder = parent / self._options.name
            raise CannotWrite(
                f"the run {folder} exists already and is never overwritten: choose another --name, remove it, or, "
                f"where it was killed, go on with it by --resume {folder}"
            )

    def _take_up(self, folder: Path) -> None:
        with writing(f"the run in {folder}"):
            self._lock = RunLock.taken(folder)
        if self._lock is None:
            raise OptionError(
                f"{folder} cannot be resumed: another process works on it just now; wait, or stop that one"
            )

    def _take_first_free(self, data_name: str) -> None:
        parent = _parent(self._options)
        names = (data_name if number == 1 else f"{data_name}-{number}" for number in count(1))
        any(self._take(parent / name) for name in names)

    def _take(self, folder: Path) -> bool:
        """Whether the folder is ours now: it is new, or holds nothing, and nobody else has it."""
        try:
            self._made = [each for each in (folder, *folder.parents) if not each.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            if _holds_nothing(folder):
                self._lock = RunLock.taken(folder)
        except FileExistsError:  # a file has that name
            return False
        except OSError as error:
            if isinstance(error, PermissionError) and not self._made:  # somebody else's
                return False
            raise _cannot_be_made(folder, error) from error
        if self._lock is not None and not _holds_nothing(folder):  # somebody was there in between
            self._let_go()
        if self._lock is None:
            return False
        _clear(folder)
        self.path = folder
        return True

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.let_go()
            self._lock = None

    def _end(self) -> None:
        is_new = self._there is None
        with suppress(OSError):
            if is_new and self._lock is not None and self.path is not None and _holds_nothing(self.path):
                _clear(self.path)
        self._let_go()
        for each in dict.fromkeys((*filter(None, (self.path,)), *self._made)) if is_new else ():
            with suppress(OSError):  # it holds something
                each.rmdir()

    def write_args(self, args: Mapping[str, object]) -> None:
        """Writes `args.json` where the folder is there, and once, as a file of options, what it was asked."""
        if self.path is not None and self._world.is_writer:
            with writing(f"the run in {self.path}"):
                write_json(self.path / ARGS, args)
                if not (self.path / CONFIG).exists():
                    write_whole(self.path / CONFIG, as_config(args))

    @property
    def has_model(self) -> bool:
        return self.path is not None and find_bundle(self.path) is not None

    @property
    def has_checkpoints(self) -> bool:
        return self.path is not None and any((self.path / CHECKPOINTS).glob("*/*"))

    def tidy(self) -> None:
        """Removes what a run that was killed left half written."""
        if self.path is None or not self._world.is_writer:
            return
        remove_leftovers(self.path)
        for draft in self.path.glob(f".{FOLDER}.*"):
            shutil.rmtree(draft, ignore_errors=True)

    def forget_checkpoints(self) -> None:
        """Removes all checkpoints: the run is finished."""
        if self.path is None or not (self.path / CHECKPOINTS).is_dir():
            return
        from eyespot.training import checkpoint

        for each in list((self.path / CHECKPOINTS).iterdir()):
            checkpoint.remove(each)
        with suppress(OSError):
            (self.path / CHECKPOINTS).rmdir()


def _require_place(parent: Path) -> None:
    try:
        there = next((folder for folder in (parent, *parent.absolute().parents) if folder.exists()), None)
    except OSError as error:
        raise _cannot_be_made(parent, error) from error
    if there is None:
        raise CannotWrite(f"the run cannot be written to {parent}: there is no such place; choose another with --out")
    if not (there.is_dir() and os.access(there, os.W_OK)):
        what = "is not writable" if there.is_dir() else "is a file"
        raise CannotWrite(f"the run cannot be written to {parent}: {there} {what}; choose another place with --out")


def _parent(options: TrainOptions) -> Path:
    out = from_home(options.out)
    if str(out).startswith("~"):
        raise OptionError(f"the option out cannot be '{options.out}': there is no such person's home")
    return out / RUNS


def _holds_nothing(folder: Path) -> bool:
    """Whether all in it is what a run that was killed early leaves: no model, no checkpoint, no file of a person's."""
    return all(_is_left_over(path) for path in folder.iterdir())


def _is_left_over(path: Path) -> bool:
    if path.name == CHECKPOINTS:
        return not any(path.glob("*/[!.]*"))  # those that were not finished begin with a dot
    return path.name in (ARGS, CONFIG, EVENTS, KERNELS, LOCK) or path.name.startswith((LEFT_OVER, f".{FOLDER}."))


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink(missing_ok=True)


def _cannot_be_made(folder: Path, error: OSError) -> CannotWrite:
    reason = error.strerror or error
    return CannotWrite(f"the run's folder {folder} cannot be made ({reason}): choose another place with --out")


class RunLock(FileLock):
    """The lock on one folder."""

    @classmethod
    def taken(cls, folder: Path) -> Self | None:
        """The lock; None where another process holds it, or where the folder is gone. Raises OSError."""
        return super().taken(folder / LOCK)


def is_worked_on(folder: Path) -> bool:
    """Whether a process holds the lock of that folder just now. Nothing is written; no lock is left."""
    return is_held(folder / LOCK)
