"""Boxes as texts that a person goes on from: labelling programs open them, and `train` once the pictures lie beside.

A text has five columns for each box: class, middle, width and height as shares of the picture. It lies as its picture
does below the folder that was asked about, so that the pictures can be copied beside all texts at once. data.yaml names
the classes for `train` and others; labelImg looks for classes.txt beside each text.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from eyespot.answering.detections import Detections
from eyespot.data.addresses import above, address_of
from eyespot.data.boxes.writing import names_yaml
from eyespot.data.data_set import Picture
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.errors import CannotWrite, OptionError
from eyespot.files import from_home, make_folder, remove_chosen, require_writable, write_chosen
from eyespot.names import printable

YAML, NAMES = "data.yaml", "classes.txt"


def texts_of(pictures: Sequence[Picture], asked: Sequence[str | Path]) -> dict[str, str]:
    """The text of each picture, as a path below the folder of all texts, by the picture's name.

    asked: the files and folders that were asked about. A file that a table names twice has one text.
    Raises OptionError if two pictures would have the same text.
    """
    above = [_folder_of(each) for each in asked]
    texts: dict[str, str] = {}
    owners: dict[str, str] = {}
    first_names: dict[str | Path, str] = {}
    for picture in pictures:
        name = first_names.setdefault(picture.path or picture.name, picture.name)
        text = _text_below(name, above)
        other = owners.setdefault(text.casefold(), name)
        if other != name:
            raise OptionError(
                f"the option save_txt would write the boxes of {other} and {name} into one file, {text}: name the "
                "folder that holds both of them, or rename one"
            )
        texts[picture.name] = text
    return texts


def write_labels(
    folder: Path, answers: Sequence[Detections], texts: Mapping[str, str], classes: Sequence[str], *, overwrite: bool
) -> None:
    """Writes a text for each picture that has a box, and what the classes are called. Raises CannotWrite.

    Nothing is written if a file is there that says something else. With `overwrite` it is replaced, and the text of a
    picture that has no box any more is removed: `train` takes its absence for a picture without objects, and says so.
    """
    files = _files(answers, texts, classes)
    changed = {folder / name: content for name, content in files.items() if _held(folder / name) != content}
    if not overwrite:
        _require_none(changed)
    for parent in sorted({folder, *(path.parent for path in changed)}):
        make_folder(parent)
    for path in changed:
        require_writable(path, overwrite=overwrite)
    for path, content in changed.items():
        write_chosen(path, content)
    if overwrite:
        unboxed = {texts[each.picture] for each in answers} - files.keys()
        for path in sorted(folder / name for name in unboxed if os.path.isfile(folder / name)):
            remove_chosen(path)


def _files(answers: Sequence[Detections], texts: Mapping[str, str], classes: Sequence[str]) -> dict[str, bytes]:
    """What is to be written, by the path below the folder of all texts, in this order: with data.yaml it is a data set,
    in which a picture without a text has no objects, so that comes last.
    """
    boxed = {texts[each.picture]: _text(each, classes) for each in answers if each.detections}
    names = "".join(f"{printable(name)}\n" for name in classes)
    for each in sorted({PurePosixPath(text).parent for text in boxed}):
        boxed.setdefault((each / NAMES).as_posix(), names)  # a picture of that name keeps its text
    return {name: content.encode() for name, content in {**boxed, YAML: names_yaml(classes)}.items()}


def _require_none(changed: Iterable[Path]) -> None:
    """Raises CannotWrite, once for all, if any of the files is there."""
    kept = [path for path in changed if os.path.isfile(path)]
    if kept:
        of_several = f", the first of {len(kept)} such files" if len(kept) > 1 else ""
        raise CannotWrite(
            f"{kept[0]} exists already and says something else{of_several}: choose another folder, or add --overwrite"
        )


def _folder_of(asked: str | Path) -> str:
    """The folder that the names of what was found there begin with, as `list_pictures` makes them."""
    if address := address_of(asked):
        return printable(above(address))
    named = printable(str(asked)).replace(os.sep, "/")
    return named.rstrip("/") if from_home(asked).is_dir() else posixpath.dirname(named)


def _text_below(picture: str, above: Sequence[str]) -> str:
    """The text's path below the folder that was asked about; never a path that leads out of a folder."""
    name = picture.replace(os.sep, "/")
    inside = [name[len(each) :] for each in above if not each or name.startswith(f"{each}/")]
    shortest = min(inside, key=len, default=posixpath.basename(name))
    below = "/".join(part for part in shortest.split("/") if part not in ("", ".", ".."))
    stem, ending = posixpath.splitext(below)
    # a row of a file may be called `a.parquet, row 12`: what follows that point tells it from the others
    return f"{stem if ending.lower() in PICTURE_SUFFIXES else below or '_'}.txt"


def _text(answer: Detections, classes: Sequence[str]) -> str:
    return "".join(f"{answer.yolo_line(box, classes.index(box.class_))}\n" for box in answer.detections)


def _held(path: Path) -> bytes | None:
    """What a file says; None if there is none, or if it cannot be read, which writing then gives a reason for."""
    try:
        return path.read_bytes() if os.path.isfile(path) else None
    except OSError:
        return None
