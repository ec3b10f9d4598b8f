"""Boxes as texts that a person goes on from: labelling programs open them, and `train` once the pictures lie beside.

A text has five columns for each box: class, middle, width and height as shares of the picture. It lies as its picture
does below the folder that was asked about, so that the pictures can be copied beside all texts at once. data.yaml names
the classes for `train` and others; labelImg looks for classes.txt beside each text.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from eyespot.answering.detections import Detections
from eyespot.data.boxes.writing import names_yaml
from eyespot.errors import CannotWrite, OptionError
from eyespot.files import require_writable, write_chosen
from eyespot.names import printable

YAML, NAMES = "data.yaml", "classes.txt"


def texts_of(pictures: Sequence[str], asked: Sequence[str | Path]) -> dict[str, str]:
    """The text of each picture, as a path below the folder of all texts.

    pictures: their names in the answers. asked: the files and folders that were asked about.
    Raises OptionError if two pictures would have the same text.
    """
    above = [_folder_of(each) for each in asked]
    texts: dict[str, str] = {}
    owners: dict[str, str] = {}
    for picture in dict.fromkeys(pictures):
        text = _below(picture, above).with_suffix(".txt").as_posix()
        other = owners.setdefault(text.casefold(), picture)
        if other != picture:
            raise OptionError(
                f"the option save_txt would write the boxes of {other} and {picture} into one file, {text}: name the "
                "folder that holds both of them, or rename one"
            )
        texts[picture] = text
    return texts


def write_labels(
    folder: Path, answers: Sequence[Detections], texts: Mapping[str, str], classes: Sequence[str], *, overwrite: bool
) -> None:
    """Writes a text for each picture that has a box, and what the classes are called. Raises CannotWrite."""
    boxed = {texts[each.picture]: _text(each, classes) for each in answers if each.detections}
    folders = sorted({PurePosixPath(text).parent for text in boxed})
    names = "".join(f"{name}\n" for name in classes)
    for each in (PurePosixPath(), *folders):
        _make(folder / each)
    for each in folders:
        boxed.setdefault((each / NAMES).as_posix(), names)  # a picture of that name keeps its text
    for name, content in {YAML: names_yaml(classes), **boxed}.items():
        _write(folder / name, content.encode(), overwrite=overwrite)


def _folder_of(asked: str | Path) -> str:
    """The folder that the names of what was found there begin with, as `list_pictures` makes them."""
    named = printable(str(asked)).replace(os.sep, "/")
    return named.rstrip("/") if Path(os.path.expanduser(asked)).is_dir() else posixpath.dirname(named)


def _below(picture: str, above: Sequence[str]) -> PurePosixPath:
    """The picture's path below the folder that was asked about; never a path that leads out of a folder."""
    name = picture.replace(os.sep, "/")
    inside = [name[len(each) :] for each in above if not each or name.startswith(f"{each}/")]
    shortest = min(inside, key=len, default=posixpath.basename(name))
    return PurePosixPath(*(part for part in shortest.split("/") if part not in ("", ".", "..")))


def _text(answer: Detections, classes: Sequence[str]) -> str:
    lines = []
    for box in answer.detections:
        left, top, right, bottom = box.xyxy
        x, y = (left + right) / 2 / answer.width, (top + bottom) / 2 / answer.height
        width, height = (right - left) / answer.width, (bottom - top) / answer.height
        lines.append(f"{classes.index(box.class_)} {x:.6f} {y:.6f} {width:.6f} {height:.6f}\n")
    return "".join(lines)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be made: {error.strerror or error}") from error


def _write(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Writes a file, or leaves one that says the same already."""
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass  # it is not there, or writing says what it is
    require_writable(path, overwrite=overwrite)
    write_chosen(path, content)
