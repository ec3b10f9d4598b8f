"""Pictures in folders: they are listed, `layouts` says how the folders are meant, and each picture gets its place.

Nothing of the user's is written, moved or changed. What is not used is named with its reason.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from eyespot.data.data_set import (
    DataSet,
    Picture,
    case_twins,
    notes_on_parts,
    sort_classes,
    spelled_alike,
    without_unknown_classes,
)
from eyespot.data.layouts import LAYOUT, Layout, Placed, Reading, read
from eyespot.data.listing import Folder, Listing
from eyespot.data.pictures import PICTURE_SUFFIXES
from eyespot.errors import DataError, NoPictures, UnclearFolders
from eyespot.names import printable
from eyespot.records import SetAside
from eyespot.words import counted, some

SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}
SYSTEM_FOLDERS = {"__macosx", "@eadir", "$recycle.bin"}
LISTS_BESIDE = (".csv", ".tsv", ".jsonl", ".parquet")
LARGEST_ARGS = 2**16
"""Bytes of a run's `args.json` in which it says what it is."""
SAMPLES = 1000
"""Pictures whose names are looked at for classes."""


@dataclass(frozen=True)
class Sifted:
    """What lies in a folder, by what it is."""

    root: Path
    pictures: list[Picture]
    """Files that may be pictures, without classes."""
    set_aside: list[SetAside]
    others: list[str]
    """Paths of ordinary files that are no pictures; all of them are set aside."""
    runs: list[str]
    """Folders that eyespot wrote."""

    @property
    def name(self) -> str:
        """The folder's own name."""
        return printable(self.root.resolve().name or str(self.root))

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"passed over what eyespot wrote itself: {some(self.runs)}",) if self.runs else ()

    def below(self, path: str) -> str:
        """The name of what lies at a path."""
        return _name_below(self.root, path)


def read_folder(root: Path, *, layout: Layout = "auto") -> DataSet:
    """The pictures of a folder in one of the layouts that `layouts` knows. Raises DataError."""
    return read_sifted(sift(root), layout=layout)


def read_sifted(sifted: Sifted, *, layout: Layout) -> DataSet:
    """The same, of what was sifted already."""
    reading = _reading(sifted, layout)
    judged = list(_placed(sifted.pictures, reading))
    placed = [picture for picture, reason in judged if not reason]
    misplaced = [SetAside(picture=picture.name, reason=reason) for picture, reason in judged if reason]
    _refuse_case_twins(picture.label for picture in placed if picture.label)
    notes = (*sifted.notes, *reading.notes, *_notes_on_folders(sifted, reading), *notes_on_parts(placed))
    placed, unknown = without_unknown_classes(placed)
    return DataSet(
        name=sifted.name,
        pictures=tuple(placed),
        classes=sort_classes(picture.label for picture in placed if picture.label),
        set_aside=(*sifted.set_aside, *misplaced, *unknown),
        notes=notes,
    )


def read_every_picture(sifted: Sifted, *, layout: Layout) -> DataSet:
    """All pictures of any depth, with class and part where the folders say so; where they are unclear, with none."""
    notes, pictures = sifted.notes, sifted.pictures
    try:
        reading = _reading(sifted, layout)
        pictures = [picture for picture, _ in _placed(pictures, reading)]
        notes += reading.notes
    except UnclearFolders as question:
        notes += (f"no picture has a class: {question}",)
    except NoPictures:
        if not pictures:
            raise
    classes = sort_classes(picture.label for picture in pictures if picture.label)
    return DataSet(sifted.name, tuple(pictures), classes, tuple(sifted.set_aside), notes)


def sift(root: Path) -> Sifted:
    """Files that may be pictures, and what else lies there, with reasons. Hidden and system files are passed over."""
    pictures: list[Picture] = []
    others: list[str] = []
    files, left, runs = _walk(root)
    for path in files:
        suffix = os.path.splitext(path)[1]
        if not os.path.isfile(path):
            is_link = os.path.islink(path) and not os.path.exists(path)
            left[path] = "is a link to a file that does not exist" if is_link else "is not an ordinary file"
        elif suffix.lower() not in PICTURE_SUFFIXES:
            left[path] = f"is not a picture file ({printable(suffix) or 'no suffix'})"
            others.append(path)
        else:
            pictures.append(Picture(_name_below(root, path), path=Path(path)))
    set_aside = [SetAside(picture=_name_below(root, path), reason=reason) for path, reason in left.items()]
    return Sifted(root, pictures, set_aside, others, [_name_below(root, run) or "." for run in runs])


def _reading(sifted: Sifted, layout: Layout) -> Reading:
    where = printable(str(sifted.root))
    if sifted.runs == ["."]:
        raise NoPictures(f"{where} is a run or a model of eyespot, and holds no pictures to learn; {LAYOUT}")
    if sifted.set_aside and not sifted.pictures:
        first = f"{sifted.set_aside[0].picture} {sifted.set_aside[0].reason}"
        are = "is" if len(sifted.set_aside) == 1 else "are"
        raise NoPictures(
            f"{where} holds no pictures but {counted(len(sifted.set_aside), 'file')} that {are} not read ({first}); "
            f"{LAYOUT}"
        )
    names = [picture.name for picture in sifted.pictures]
    folders = Counter(map(_parent, names))
    listing = Listing(
        {_folder(name): count for name, count in folders.items()},
        others=[sifted.below(path) for path in sifted.others],
        names=names[:: len(names) // SAMPLES + 1],
    )
    return read(listing, root=where, layout=layout)


def _placed(pictures: Iterable[Picture], reading: Reading) -> Iterator[tuple[Picture, str]]:
    """Each picture with its class and part, or without and with the reason."""
    known: dict[str, Placed | str] = {}
    for picture in pictures:
        folder = _parent(picture.name)
        if folder not in known:
            known[folder] = reading.place(_folder(folder))
        place = known[folder]
        if isinstance(place, str):
            yield picture, place
        else:
            yield replace(picture, label=spelled_alike(place.label), part=place.part), ""


def _folder(name: str) -> Folder:
    return tuple(spelled_alike(name).split("/")) if name else ()


def _walk(root: Path) -> tuple[list[str], dict[str, str], list[str]]:
    """Every file below a folder in a fixed order, the folders that are not read, with reasons, and our own.

    Links to folders are followed once all folders are read under their own names, and each real folder is read once.
    Paths are strings here, all below `root` as it is given: with a Path for each, this takes three times as long.
    """
    files: list[str] = []
    left: dict[str, str] = {}
    runs: list[str] = []
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
            if _is_ours(folder, names):
                runs.append(folder)
                folders.clear()
                continue
            inside = sorted(name for name in folders if _is_read(name))
            folders[:] = [n for n in inside if os.path.realpath(os.path.join(folder, n)) == os.path.join(real, n)]
            tops += [os.path.join(folder, name) for name in inside if name not in folders]
            files += [os.path.join(folder, name) for name in sorted(names) if _is_read(name)]
    return files, left, runs


def _is_ours(folder: str, names: list[str]) -> bool:
    """True for a run, also one that failed half-way, and for a model: what is in them tells, not their names."""
    if "manifest.json" in names and "model.onnx" in names:
        return True
    if "args.json" not in names:
        return False
    try:
        with open(os.path.join(folder, "args.json"), "rb") as file:
            beginning = file.read(LARGEST_ARGS)
    except OSError:
        return False
    return b'"command": "train"' in beginning and b'"fingerprint"' in beginning


def _refuse_case_twins(labels: Iterable[str]) -> None:
    for twins in case_twins(labels):
        raise DataError(
            f"the class folders {twins} differ in upper and lower case only, which some systems take for one "
            "folder: rename one of them, or put their pictures together"
        )


def _notes_on_folders(sifted: Sifted, reading: Reading) -> Iterator[str]:
    """Sentences on folders without pictures, and on tables that lie beside class folders."""
    holders = [reading.top, *((*reading.top, *reading.way(name)) for name in reading.parts)]
    found = [
        "/".join((*holder, printable(each.name)))
        for holder in dict.fromkeys(holders)
        for each in _folders(sifted.root.joinpath(*holder))
    ]
    used = {*map(_parent, (each.name for each in sifted.pictures)), *sifted.runs}
    full = {spelled_alike(folder) for name in used for folder in _way(name)}
    empty = [repr(name) for name in found if spelled_alike(name) not in full]
    if len(empty) == 1:
        yield f"the folder {empty[0]} holds no pictures: it is left out"
    elif empty:
        yield f"the folders {some(empty)} hold no pictures: they are left out"
    beside = {"", "/".join(reading.top)}
    tables = [
        path for path in sifted.others if path.lower().endswith(LISTS_BESIDE) and _parent(sifted.below(path)) in beside
    ]
    if tables:
        are = "lies" if len(tables) == 1 else "lie"
        yield (
            f"{some([sifted.below(path) for path in tables])} {are} beside the class folders, which are read: give "
            f"{printable(tables[0])} to learn what it lists instead"
        )


def lone_folders(folder: Path) -> Iterator[Path]:
    """The folder, the one that alone lies in it, the one that alone lies in that, and so on."""
    yield folder
    inside = _folders(folder)
    if len(inside) == 1 and not inside[0].is_symlink():
        yield from lone_folders(inside[0])


def _folders(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # `_walk` says so
        return []
    return [entry for entry in entries if _is_read(entry.name) and os.path.isdir(entry)]


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _way(name: str) -> Iterator[str]:
    """The name of a folder and of all above it: `a/b/c`, `a/b`, `a`."""
    while name:
        yield name
        name = _parent(name)


def _is_read(name: str) -> bool:
    """False for files and folders that are hidden or the system's own."""
    return not name.startswith(".") and name.lower() not in SYSTEM_FILES | SYSTEM_FOLDERS


def _name_below(root: Path, path: str) -> str:
    """The name of what lies at `path`, which begins with `root`, with '/' on every system."""
    return printable(path[len(os.path.join(root, "")) :].replace(os.sep, "/"))
