"""Pictures in folders: `layouts` says how the folders are meant, and each picture gets its place, or a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath

from eyespot.data.data_set import DataSet, Picture, case_twins, judge, sort_classes, spelled_alike
from eyespot.data.layouts import LAYOUT, read
from eyespot.data.listing import Folder, Listing, Reading
from eyespot.data.read_as import Layout
from eyespot.data.sifting import UNREAD, Sifted, folders_in
from eyespot.errors import DataError, NoPictures, UnclearFolders
from eyespot.names import printable
from eyespot.words import counted, some

LISTS_BESIDE = (".csv", ".tsv", ".jsonl", ".parquet")
SAMPLES = 1000
"""Pictures whose names are looked at for classes."""


def read_sifted(sifted: Sifted, *, layout: Layout) -> DataSet:
    """The pictures of a folder in one of the layouts that `layouts` knows. Raises DataError."""
    reading = _reading(sifted, layout)
    placed = list(_placed(sifted.pictures, reading))
    pictures = tuple(picture for picture, _ in placed)
    for twins in case_twins(picture.label for picture in pictures if picture.label):
        raise DataError(
            f"the class folders {twins} differ in upper and lower case only, which some systems take for one "
            "folder: rename one of them, or put their pictures together"
        )
    notes = (*sifted.notes, *reading.notes, *_notes_on_folders(sifted, reading))
    listed = DataSet(sifted.name, pictures, set_aside=tuple(sifted.set_aside), notes=notes)
    return judge(listed, [reason for _, reason in placed])


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
        if not pictures or layout != "auto":
            raise
    classes = sort_classes(picture.label for picture in pictures if picture.label)
    return DataSet(sifted.name, tuple(pictures), classes, tuple(sifted.set_aside), notes)


def _reading(sifted: Sifted, layout: Layout) -> Reading:
    where = sifted.where
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
    place_of = cache(lambda folder: reading.place(_folder(folder)))
    for picture in pictures:
        place = place_of(_parent(picture.name))
        if isinstance(place, str):
            yield picture, place
        else:
            yield replace(picture, label=spelled_alike(place.label), part=place.part), ""


def _folder(name: str) -> Folder:
    return tuple(spelled_alike(name).split("/")) if name else ()


def _notes_on_folders(sifted: Sifted, reading: Reading) -> Iterator[str]:
    """Sentences on folders without pictures, and on tables that lie beside class folders."""
    holders = [reading.top, *((*reading.top, *reading.way(name)) for name in reading.parts)]
    found = [
        "/".join((*holder, printable(each.name)))
        for holder in dict.fromkeys(holders)
        for each in folders_in(sifted.root.joinpath(*holder))
    ]
    used = {*map(_parent, (each.name for each in sifted.pictures)), *sifted.runs}
    full = {spelled_alike(str(each)) for name in used for each in (PurePosixPath(name), *PurePosixPath(name).parents)}
    unread = {each.picture for each in sifted.set_aside if each.reason.startswith(UNREAD)}
    closed = [repr(name) for name in found if name in unread]
    if closed:
        are = "folder {} cannot be read" if len(closed) == 1 else "folders {} cannot be read"
        yield f"the {are.format(some(closed))}, so the model learns nothing of what is there: make it readable"
    empty = [repr(name) for name in found if spelled_alike(name) not in full and name not in unread]
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


def _parent(name: str) -> str:
    return name.rpartition("/")[0]
