"""The folder of one run: its name, made when the first thing is written, and the files a person opens in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from eyespot.bundle.files import CHECKPOINTS, FOLDER, find_bundle
from eyespot.data.audit import Hashed
from eyespot.errors import CannotWrite, OptionError
from eyespot.files import remove_leftovers
from eyespot.recipes.options import TrainOptions
from eyespot.recipes.regime import Fitted
from eyespot.recipes.tables import write_csv, write_json
from eyespot.training.distributed import World

ARGS = "args.json"
REPORT = "report.html"


class RunFolder:
    """The folder `out/train/NAME` of one run. It is made when the first thing is written to it.

    Without a chosen name it is the data's with the lowest free number: photos, photos-2, photos-3. A chosen name that
    is taken already is refused.
    """

    def __init__(
        self,
        options: TrainOptions,
        *,
        data_name: str = "",
        there: Path | None = None,
        world: World | None = None,
    ) -> None:
        """there: the folder of a run that goes on; None for a new one.
        world: of several processes the writer alone changes the folder.
        """
        self._options, self._data_name, self._world = options, data_name, world or World()
        self.path = there
        self.args: Callable[[], dict[str, Any]] = dict
        """Gives what `args.json` says."""

    def open(self) -> Path:
        """The folder, made if it is not there yet, with `args.json` in it."""
        if self.path is None:
            self.path = _make_run_folder(_parent(self._options), self._options.name, self._data_name)
            self.write_args()
        return self.path

    def write_args(self) -> None:
        """Brings `args.json` up to date where the folder is there."""
        if self.path is not None and self._world.is_writer:
            with writing(f"the run in {self.path}"):
                write_json(self.path / ARGS, self.args())

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

    def remove_without_model(self) -> None:
        """Removes a folder that holds nothing worth having: no model, and no checkpoint to go on from."""
        if self.path is None or self.has_model or self.has_checkpoints or not self._world.is_writer:
            return
        with suppress(OSError):
            (self.path / ARGS).unlink(missing_ok=True)
            self.path.rmdir()


def check_name_is_free(options: TrainOptions) -> None:
    """Raises CannotWrite at once, before any work, where the chosen name is taken or no folder can be made there."""
    parent = _parent(options)
    try:
        there = next((folder for folder in (parent, *parent.absolute().parents) if folder.exists()), None)
        taken = options.name is not None and (parent / options.name).exists()
    except OSError as error:
        raise _cannot_be_made(parent, error) from error
    if there is None:
        raise CannotWrite(f"the run cannot be written to {parent}: there is no such place; choose another with --out")
    if not (there.is_dir() and os.access(there, os.W_OK)):
        what = "is not writable" if there.is_dir() else "is a file"
        raise CannotWrite(f"the run cannot be written to {parent}: {there} {what}; choose another place with --out")
    if taken:
        _refuse(parent / str(options.name))


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


def parts_of(fitted: Fitted, pictures: Iterable[Hashed]) -> list[Hashed]:
    """The pictures with the part each had for this model: in train is what it was fitted on, and nothing else."""
    fitted_on = fitted.answers_on_train.pictures if fitted.answers_on_train else fitted.prepared.part("train")
    contents = {each.content for each in fitted_on}
    assert len(contents) == fitted.trained_on
    return [
        replace(each, picture=replace(each.picture, part="train")) if each.content in contents else each
        for each in pictures
    ]


def write_split(path: Path, hashed: Iterable[Hashed]) -> None:
    """Which picture went where: `split.csv`."""
    rows = ((each.picture.name, each.picture.label, each.picture.part, each.content) for each in hashed)
    write_csv(path, ("picture", "class", "part", "content_hash"), rows)


def _make_run_folder(parent: Path, name: str | None, data_name: str) -> Path:
    if name is not None:
        return _make(parent / name) or _refuse(parent / name)
    for number in count(1):
        made = _make(parent / (data_name if number == 1 else f"{data_name}-{number}"))
        if made:
            return made
    raise AssertionError("there is always another number")


def _parent(options: TrainOptions) -> Path:
    try:
        return options.out.expanduser() / "train"
    except RuntimeError:
        raise OptionError(f"the option out cannot be '{options.out}': there is no such person's home") from None


def _make(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return None
    except OSError as error:
        raise _cannot_be_made(folder, error) from error
    return folder


def _cannot_be_made(folder: Path, error: OSError) -> CannotWrite:
    reason = error.strerror or error
    return CannotWrite(f"the run's folder {folder} cannot be made ({reason}): choose another place with --out")


def _refuse(folder: Path) -> Path:
    raise CannotWrite(f"the run {folder} exists already and is never overwritten: choose another --name, or remove it")
