"""Pictures that are collected, on disk: `collected/NAME/CLASS/0001.jpg`, as `eyespot train collected/NAME` reads them.

Whatever is addressed from outside is known by an id, which is looked for among what is there: no path comes from there.
"""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from eyespot.data.formats import PICTURE_SUFFIXES, format_of
from eyespot.data.layouts import HOLDERS, MARKS
from eyespot.data.part_names import letters_of, part_of
from eyespot.errors import RequestError
from eyespot.files import move, write_whole
from eyespot.names import MOST_LETTERS, as_file_name, brief, printable
from eyespot.records import Preprocess
from eyespot.serve.pictures import read_sent

COLLECTED, REMOVED = "collected", ".removed"
LEAST_PICTURES, LEAST_CLASSES = 2, 2
"""With which a training can begin: one picture of a class can only be learned from, or only be tested on."""
ENDINGS = {"JPEG": "jpg", "PNG": "png", "WebP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif", "PPM": "pnm"}
ENDINGS |= {"AVIF": "avif", "HEIC": "heic"}
_SIDE = 128
_SHOWN = Preprocess(
    short_side=_SIDE,
    crop_hw=(_SIDE, _SIDE),
    filter="bilinear",
    color="rgb",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    exact=False,
)
"""How a picture is seen in passing."""


def number_of(path: Path) -> str:
    """The id of a folder or file in `collected`, by its place there: 16 hexadecimal digits."""
    return hashlib.sha256("/".join(path.parts[-3:]).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def seen(data: bytes) -> np.ndarray:
    """The middle of a picture, small, uint8 (128, 128, 3). Raises RequestError for bytes that are no picture."""
    return read_sent(data, _SHOWN).image


class Collected:
    """All that is collected below one folder. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """folder: in which `collected` lies, or will lie."""
        self.top = folder / COLLECTED
        self._lock = threading.Lock()

    def sets(self) -> list[Path]:
        """The data sets, by name."""
        return _folders(self.top)

    def classes(self, data_set: Path) -> list[Path]:
        """Those of a data set, by name."""
        return _folders(data_set)

    def pictures(self, of: Path) -> list[Path]:
        """Those of a class, the newest first."""
        found = [each for each in _inside(of) if each.suffix.lower() in PICTURE_SUFFIXES and each.is_file()]
        return sorted(found, key=lambda each: (_count(each), each.name), reverse=True)

    def make_set(self, typed: str) -> Path:
        """A new data set. Raises RequestError for a name that cannot be one, or is taken."""
        with self._lock:
            return _made(self.top / name_for("data set", typed, (each.name for each in self.sets())))

    def make_class(self, data_set: Path, typed: str) -> Path:
        """A new class. Raises RequestError for a name that cannot be one, or is taken."""
        with self._lock:
            return _made(data_set / name_for("class", typed, (each.name for each in self.classes(data_set))))

    def add(self, of: Path, data: bytes) -> Path:
        """Saves the bytes as they are under the next free number of the class, whole or not at all.

        Raises RequestError for what is no picture, and where it cannot be saved.
        """
        seen(data)
        ending = ENDINGS[format_of(data)]
        with self._lock, _saving("the picture"):
            numbers = map(_count, [*_inside(of), *_inside(_removed(of))])
            path = of / f"{max(numbers, default=0) + 1:04}.{ending}"
            path.open("xb").close()  # another studio may collect here, too: it takes the next number
            try:
                write_whole(path, data)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            return path

    def remove(self, picture: Path) -> None:
        """Moves a picture to the folder `.removed` of its data set, where no training looks. RequestError."""
        with self._lock, _saving("the change"):
            place = _removed(picture.parent)
            place.mkdir(parents=True, exist_ok=True)
            move(picture, place / picture.name)

    def remove_class(self, of: Path) -> None:
        """Removes a class without pictures. Raises RequestError where it has some."""
        with self._lock, _saving("the change"):
            if any(of.iterdir()):
                raise RequestError(409, f"the class '{printable(of.name)}' is not empty: remove its pictures first")
            of.rmdir()

    def require_enough(self, data_set: Path) -> None:
        """Raises RequestError where a training could not begin."""
        counts = {each.name: len(self.pictures(each)) for each in self.classes(data_set)}
        if len(counts) < LEAST_CLASSES:
            raise RequestError(409, f"a model tells classes apart: collect at least {LEAST_CLASSES} of them")
        for name, count in counts.items():
            if count < LEAST_PICTURES:
                has = f"{count or 'no'} picture{'' if count else 's'}"
                raise RequestError(409, f"the class '{printable(name)}' has {has}: it needs {LEAST_PICTURES} or more")


def found(number: str, among: Iterable[Path], what: str) -> Path:
    """The one with this id. Raises RequestError where none has it."""
    for each in among:
        if number_of(each) == number:
            return each
    raise RequestError(404, f"this {what} is not there any more: it was removed or renamed meanwhile")


def name_for(what: str, typed: str, others: Iterable[str]) -> str:
    """The name of a folder that was typed for a class or a data set: fit for every system, unlike those of the others.

    Raises RequestError for every other.
    """
    name = unicodedata.normalize("NFC", typed).strip()
    if not name:
        raise RequestError(400, f"give the {what} a name")
    if len(name) > MOST_LETTERS:
        raise RequestError(400, f"the name of a {what} has at most {MOST_LETTERS} letters, not {len(name)}")
    fit = printable(as_file_name(name.lstrip(".")))
    if name != fit:
        raise RequestError(
            400, f"a {what} cannot be called '{brief(name)}', for no folder can on every system: '{fit}' would do"
        )
    if what == "class" and (part_of(name) or letters_of(name) in HOLDERS | MARKS):
        raise RequestError(
            400, f"a class cannot be called '{name}', which a training takes for something else: choose another name"
        )
    for other in others:
        if unicodedata.normalize("NFC", other).casefold() == name.casefold():
            raise RequestError(409, f"there is a {what} called '{printable(other)}' already: choose another name")
    return name


def _inside(folder: Path) -> list[Path]:
    """What can be seen in a folder, but for links: they lead elsewhere."""
    try:
        return [each for each in folder.iterdir() if not each.name.startswith(".") and not each.is_symlink()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RequestError(500, f"the collected pictures cannot be read ({error.strerror or error})") from None


def _folders(folder: Path) -> list[Path]:
    return sorted((each for each in _inside(folder) if each.is_dir()), key=lambda each: each.name.casefold())


def _count(picture: Path) -> int:
    """The number that a picture's name is; 0 of one that was put there under another name."""
    return int(picture.stem) if picture.stem.isascii() and picture.stem.isdigit() and len(picture.stem) < 10 else 0


def _removed(of: Path) -> Path:
    return of.parent / REMOVED / of.name


def _made(folder: Path) -> Path:
    with _saving("the folder"):
        folder.mkdir(parents=True)
    return folder


@contextmanager
def _saving(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise RequestError(507, f"{what} cannot be saved ({why}); all that was collected before is kept") from None
