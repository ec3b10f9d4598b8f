"""Pictures in folders: one folder per class, perhaps below train/, val/ and test/; and pictures of any depth.

Nothing of the user's is written, moved or changed. What is not used is named with its reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from eyespot.data.data_set import (
    PARTS,
    DataSet,
    Picture,
    case_twins,
    notes_on_parts,
    sort_classes,
    spelled_alike,
    without_unknown_classes,
)
from eyespot.data.pictures import PICTURE_SUFFIXES
from eyespot.errors import DataError, NoPictures
from eyespot.names import printable
from eyespot.records import SetAside
from eyespot.words import counted

SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}
SYSTEM_FOLDERS = {"__macosx", "@eadir", "$recycle.bin"}
LAYOUT = (
    "a data set is a folder with one sub-folder of pictures per class (photos/cat/*.jpg, photos/dog/*.jpg), "
    "or train/, val/ and test/ with such sub-folders in each"
)


def read_folder(root: Path) -> DataSet:
    """The pictures of a folder in one of the layouts of `LAYOUT`. Raises DataError and NoPictures."""
    split = _is_split(root)
    pictures, set_aside = sift(root)
    placed, misplaced = _place(pictures, split=split)
    if not placed:
        raise NoPictures(_nothing_found(root, pictures, set_aside, split=split))
    if not split:
        _refuse_parts_as_classes(root, {str(picture.label) for picture in placed})
    _refuse_case_twins(picture.label for picture in placed if picture.label)
    notes = list(_notes_on_folders(root, placed, split=split))
    if split:
        if not any(picture.part == "train" for picture in placed):
            raise NoPictures(f"the folder `train` in {printable(str(root))} holds no pictures; {LAYOUT}")
        placed, unknown = without_unknown_classes(placed)
        misplaced += unknown
    return DataSet(
        name=printable(root.resolve().name or str(root)),
        pictures=tuple(placed),
        classes=sort_classes(picture.label for picture in placed if picture.label),
        set_aside=(*set_aside, *misplaced),
        notes=tuple(notes),
    )


def holds_picture_files(folder: Path) -> bool:
    """True for a folder with pictures, or with a folder that may hold some; `data` may hold Parquet files instead."""
    try:
        names = [entry.name for entry in folder.iterdir() if _is_read(entry.name)]
    except OSError:  # `_walk` says so
        return True
    pictures = any(os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES for name in names)
    return pictures or any(each.name != "data" for each in _folders(folder))


def _is_split(root: Path) -> bool:
    """True where `train` is a folder of class folders; a class that is called `train` holds its pictures itself."""
    parts = [entry for entry in _folders(root) if PARTS.get(entry.name.lower()) == "train"]
    return any(_folders(part) for part in parts)


def _folders(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # `_walk` says so
        return []
    return [entry for entry in entries if _is_read(entry.name) and os.path.isdir(entry)]


def sift(root: Path) -> tuple[list[Picture], list[SetAside]]:
    """Files that may be pictures, and what else lies there, with reasons. Hidden and system files are passed over."""
    pictures: list[Picture] = []
    files, left = _walk(root)
    for path in files:
        suffix = os.path.splitext(path)[1]
        if not os.path.isfile(path):
            is_link = os.path.islink(path) and not os.path.exists(path)
            left[path] = "is a link to a file that does not exist" if is_link else "is not an ordinary file"
        elif suffix.lower() not in PICTURE_SUFFIXES:
            left[path] = f"is not a picture file ({printable(suffix) or 'no suffix'})"
        else:
            pictures.append(Picture(_name_below(root, path), path=Path(path)))
    return pictures, [SetAside(picture=_name_below(root, path), reason=reason) for path, reason in left.items()]


def _walk(root: Path) -> tuple[list[str], dict[str, str]]:
    """Every file below a folder in a fixed order, and the folders that are not read, with reasons.

    Links to folders are followed once all folders are read under their own names, and each real folder is read once.
    Paths are strings here, all below `root` as it is given: with a Path for each, this takes three times as long.
    """
    files: list[str] = []
    left: dict[str, str] = {}
    tops, seen = [str(root)], {str(parent) for parent in Path(os.path.realpath(root)).parents}

    def refuse(error: OSError) -> None:
        if error.filename == str(root):
            raise DataError(f"the folder {printable(str(root))} cannot be read: {error.strerror}")
        left[error.filename] = f"is a folder that cannot be read: {error.strerror}"

    for top in tops:  # links that are found on the way are appended
        for folder, folders, names in os.walk(top, onerror=refuse):
            real = os.path.realpath(folder)
            if real in seen:
                left[folder] = "is a link to a folder that is read already, or that holds the data set"
                folders.clear()
                continue
            seen.add(real)
            inside = sorted(name for name in folders if _is_read(name))
            folders[:] = [n for n in inside if os.path.realpath(os.path.join(folder, n)) == os.path.join(real, n)]
            tops += [os.path.join(folder, name) for name in inside if name not in folders]
            files += [os.path.join(folder, name) for name in sorted(names) if _is_read(name)]
    return files, left


def _place(pictures: Iterable[Picture], *, split: bool) -> tuple[list[Picture], list[SetAside]]:
    """Pictures with the class and part that their folders say, and those that lie outside any class folder."""
    placed: list[Picture] = []
    misplaced: list[SetAside] = []
    for picture in pictures:
        folders = picture.name.split("/")[:-1]
        part = PARTS.get(folders[0].lower()) if split and folders else None
        if split and part is None:
            reason = "lies outside train/, val/ and test/"
        elif len(folders) < (2 if split else 1):
            reason = "lies outside any class folder"
        else:
            label = spelled_alike(folders[1 if split else 0])
            placed.append(replace(picture, label=label, part=part))
            continue
        misplaced.append(SetAside(picture=picture.name, reason=reason))
    return placed, misplaced


def _refuse_parts_as_classes(root: Path, labels: set[str]) -> None:
    """Folders that are called like parts, and nothing else, hold no classes, or lack train/."""
    if all(label.lower() in PARTS for label in labels):
        *others, last = (repr(label) for label in sorted(labels))
        names = f"{', '.join(others)} and {last}" if others else last
        raise NoPictures(
            f"{printable(str(root))} holds {names}, but no train/ with class folders: give each part a folder per "
            "class and add train/, or name one part's folder"
        )


def _refuse_case_twins(labels: Iterable[str]) -> None:
    for twins in case_twins(labels):
        raise DataError(
            f"the class folders {twins} differ in upper and lower case only, which some systems take for one "
            "folder: rename one of them, or put their pictures together"
        )


def _notes_on_folders(root: Path, placed: list[Picture], *, split: bool) -> Iterator[str]:
    """Sentences on empty class folders and on classes that a part lacks."""
    labels = {(picture.part, picture.label) for picture in placed}
    for part_folder in [f for f in _folders(root) if f.name.lower() in PARTS] if split else [root]:
        part = PARTS[part_folder.name.lower()] if split else None
        folders = _folders(part_folder)
        empty = [folder for folder in folders if (part, spelled_alike(printable(folder.name))) not in labels]
        for folder in empty if folders else [part_folder]:
            yield f"the folder '{printable(folder.relative_to(root).as_posix())}' holds no pictures: it is left out"
    yield from notes_on_parts(placed)


def _is_read(name: str) -> bool:
    """False for files and folders that are hidden or the system's own."""
    return not name.startswith(".") and name.lower() not in SYSTEM_FILES | SYSTEM_FOLDERS


def _name_below(root: Path, path: str) -> str:
    """The name of what lies at `path`, which begins with `root`, with '/' on every system."""
    return printable(path[len(os.path.join(root, "")) :].replace(os.sep, "/"))


def _nothing_found(root: Path, pictures: list[Picture], set_aside: list[SetAside], *, split: bool) -> str:
    where = printable(str(root))
    if split and pictures:
        return f"the folders train/, val/ and test/ in {where} hold no pictures in class folders; {LAYOUT}"
    if pictures:
        return f"{where} holds {counted(len(pictures), 'picture')} but no class folders; {LAYOUT}"
    if set_aside:
        first = f"{set_aside[0].picture} {set_aside[0].reason}"
        are = "is" if len(set_aside) == 1 else "are"
        return (
            f"{where} holds no pictures but {counted(len(set_aside), 'file')} that {are} not read ({first}); {LAYOUT}"
        )
    return f"{where} holds no pictures; {LAYOUT}"
