"""Which format of boxes lies in a folder, by what is there, and the boxes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from eyespot import machine
from eyespot.data.boxes.claims import LINES
from eyespot.data.boxes.coco import LISTS, USUAL, coco_files, read_coco
from eyespot.data.boxes.documents import Unusable, read_text, read_xml
from eyespot.data.boxes.judging import judge
from eyespot.data.boxes.records import BoxedDataSet, Format
from eyespot.data.boxes.small_yaml import read_keys
from eyespot.data.boxes.voc import read_voc
from eyespot.data.boxes.yolo import read_yolo
from eyespot.data.boxes.yolo_names import NAMES, YAML, names_file
from eyespot.data.part_names import part_of
from eyespot.data.sifting import lone_folders, sift
from eyespot.errors import NoPictures
from eyespot.names import printable

_READERS = {"YOLO": read_yolo, "COCO": read_coco, "Pascal VOC": read_voc}
_LOOKED_FOR = (
    "a data.yaml with the classes' names and labels/ beside images/ (YOLO), _annotations.coco.json or "
    "annotations/instances_*.json (COCO), Annotations/*.xml or an XML file beside each picture (Pascal VOC)"
)
_TRIED = 5
"""Files of an ending that are opened to see what they are."""


def find_boxes(folder: Path) -> Format | None:
    """The format in which boxes lie in a folder, or in the one that alone lies in it; None where there are none.

    Quick: it lists a few folders, and opens a few small files.
    """
    found = _found(folder)
    return found[1][0] if found else None


def read_boxes(folder: Path) -> BoxedDataSet:
    """The pictures of a folder with their boxes, in the parts that the folder gives, if it gives any.

    Raises DataError: boxes that cannot be meant, or none; NoPictures: nothing is there that holds boxes.
    """
    found = _found(folder)
    if not found:
        where = printable(str(folder))
        if not folder.is_dir():
            raise NoPictures(f"there is no folder '{where}'")
        raise NoPictures(f"there are no boxes in {where}: looked for {_LOOKED_FOR}; {LINES['YOLO']}")
    inner, formats = found
    sifted = sift(inner)
    if not sifted.pictures:
        raise NoPictures(f"{printable(str(inner))} holds files of boxes ({formats[0]}), and no pictures beside them")
    data = judge(_READERS[formats[0]](sifted), threads=machine.cores())
    notes = [*data.notes]
    if len(formats) > 1:
        notes.insert(0, f"boxes lie there as {' and as '.join(formats)}: those of {formats[0]} are read")
    if inner != folder:
        notes.insert(0, f"all boxes lie in {printable(inner.relative_to(folder).as_posix())}/, which is read")
    return replace(data, notes=(*notes, *sifted.notes))


def _found(folder: Path) -> tuple[Path, list[Format]] | None:
    """The folder that holds boxes, and their formats, the one that is read first."""
    for inner in lone_folders(folder):
        formats = [*_formats(inner)]
        if formats:
            return inner, formats
    return None


def _formats(folder: Path) -> Iterator[Format]:
    files, folders = _listed(folder)
    below = {name: _listed(folder / name) for name in folders if _may_hold_files(name)}
    if _is_yolo(folder, files, below):
        yield "YOLO"
    named = coco_files([*files, *(f"{name}/{file}" for name, (inside, _) in below.items() for file in inside)])
    if any(USUAL.search(name) or _begins_like_coco(folder / name) for name in named[:_TRIED]):
        yield "COCO"
    if _is_voc(folder, files, below):
        yield "Pascal VOC"


def _may_hold_files(name: str) -> bool:
    return name.lower() in ("annotations", "labels", "images") or part_of(name) is not None


def _is_yolo(folder: Path, files: list[str], below: dict[str, tuple[list[str], list[str]]]) -> bool:
    """True for a file of names that is one, or for texts in labels/ beside pictures in images/."""
    named = names_file(files)
    if named and named.lower().endswith(YAML):
        try:
            has_names = "names" in read_keys(read_text(folder / named), ("names",))
        except Unusable:  # reading it says what is wrong
            has_names = "names:" in _beginning(folder / named)
        if has_names:
            return True
    elif named and any(file.endswith(".txt") and file not in NAMES for file in files):
        return True
    places = {folder: [*below], **{folder / name: inside for name, (_, inside) in below.items()}}
    return any(_is_text_folder(place, inside) for place, inside in places.items())


def _is_text_folder(place: Path, inside: list[str]) -> bool:
    """True for a folder with images/ and, beside it, labels/ that hold texts: others hold masks."""
    by_name = {name.lower(): name for name in inside}
    if not {"images", "labels"} <= {*by_name}:
        return False
    labels = place / by_name["labels"]
    files, folders = _listed(labels)
    held = [*files, *(file for name in folders[:_TRIED] for file in _listed(labels / name)[0])]
    return any(file.lower().endswith(".txt") for file in held)


def _begins_like_coco(path: Path) -> bool:
    beginning = _beginning(path)
    return any(f'"{name}"' in beginning for name in ("info", "licenses", *LISTS))


def _is_voc(folder: Path, files: list[str], below: dict[str, tuple[list[str], list[str]]]) -> bool:
    """True where one of the first XML files is an annotation."""
    found = [folder / file for file in files if file.lower().endswith(".xml")]
    for at, (names, folders) in below.items():
        places = {at: names, **{f"{at}/{name}": _listed(folder / at / name)[0] for name in folders[:_TRIED]}}
        found += [folder / place / file for place, held in places.items() for file in held if file.endswith(".xml")]
    return any(map(_is_annotation, found[:_TRIED]))


def _is_annotation(path: Path) -> bool:
    try:
        return read_xml(path).tag == "annotation"
    except Unusable:
        return "<annotation" in _beginning(path)  # reading it says what is wrong


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(2**12).decode("utf-8", "replace")
    except OSError:
        return ""


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The names of files and of folders in a folder, in order, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((each.name, each.is_dir()) for each in entries if not each.name.startswith("."))
    except OSError:
        return [], []
    return [name for name, is_folder in found if not is_folder], [name for name, is_folder in found if is_folder]
