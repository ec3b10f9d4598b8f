"""Boxes in Pascal VOC's format: an XML file for each picture, and texts in ImageSets/Main that say which train.

The file of `JPEGImages/a.jpg` is `Annotations/a.xml`; else `a.xml` beside the picture. Numbers are pixels, as the
programs write them that people draw boxes with: the left edge of a picture is 0, its right edge its width.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from eyespot.data.boxes.claims import (
    Annotated,
    Claim,
    Found,
    LeftOut,
    class_name,
    number,
    oriented,
    other_files,
    paths_of,
    without_pictures,
)
from eyespot.data.boxes.documents import Unusable, read_text, read_xml
from eyespot.data.copies import FIRST_CLAIM
from eyespot.data.data_set import Picture, sort_classes, spelled_alike
from eyespot.data.part_names import part_of
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.records import Part, SetAside
from eyespot.words import some

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_SETS = "ImageSets/Main/"


def read_voc(sifted: Sifted) -> Found:
    """What the files claim. Raises DataError."""
    files = paths_of(sifted, ".xml")
    pictures = _pictures(sifted)
    matched, lone = _matched(files, pictures)
    sets, notes, missing = _sets(sifted, pictures)
    annotated: list[Annotated] = []
    set_aside: list[SetAside] = list(missing)
    left_out: list[LeftOut] = []
    for picture in pictures:
        file = matched.get(picture.name)
        part, reason = _part(picture.name, sets)
        reason = reason if file else f"has no file of boxes: {_expected(picture.name)} was looked for"
        if file and not reason:
            try:
                root = read_xml(Path(files[file]))
                claims = tuple(_claims(root, file, left_out))
                annotated.append(Annotated(replace(picture, part=part), file, claims, _size(root)))
            except Unusable as unusable:
                reason = f"has boxes in {file}, which {unusable}"
        if reason:
            set_aside.append(SetAside(picture=picture.name, reason=reason))
    return Found(
        format="Pascal VOC",
        name=sifted.name,
        where=f"{printable(str(sifted.root))} (looked in {some([*files], most=2)})",
        classes=sort_classes(claim.name for each in annotated for claim in each.claims),
        pictures=tuple(annotated),
        set_aside=(*set_aside, *lone, *other_files(sifted)),
        left_out=tuple(left_out),
        notes=tuple(notes),
    )


def _pictures(sifted: Sifted) -> list[Picture]:
    """The pictures that may have boxes: VOC keeps masks of the same names in folders beside JPEGImages."""
    named = [each for each in sifted.pictures if "jpegimages" in each.name.lower().split("/")]
    return named or sifted.pictures


def _expected(name: str) -> str:
    folder, file = posixpath.split(name)
    stem = posixpath.splitext(file)[0] + ".xml"
    above, last = posixpath.split(folder)
    return posixpath.join(above, "Annotations", stem) if last.lower() == "jpegimages" else posixpath.join(folder, stem)


def _matched(files: Mapping[str, str], pictures: Sequence[Picture]) -> tuple[dict[str, str], list[SetAside]]:
    """The file of each picture, and the files of none, or of several that it cannot tell apart."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for picture in pictures:
        by_stem[_stem(picture.name)].append(picture.name)
    matched: dict[str, str] = {}
    lone: list[SetAside] = []
    for file in files:
        stem = posixpath.splitext(file)[0]
        found = by_stem.get(_stem(file), ())
        beside = [name for name in found if posixpath.splitext(name)[0] == stem]
        alike = [name for name in found if _outer(name) == _outer(file)]
        for names in (beside, alike, found):
            if len(names) == 1 and names[0] not in matched:
                matched[names[0]] = file
                break
        else:
            reason = f"may belong to {some(beside or alike or found)}: rename one of them"
            lone += [SetAside(picture=file, reason=reason)] if found else without_pictures([file])
    return matched, lone


def _outer(name: str) -> str:
    """The folder above the one that a file lies in, where VOC keeps files and pictures apart."""
    return posixpath.dirname(posixpath.dirname(name))


def _sets(sifted: Sifted, pictures: Sequence[Picture]) -> tuple[dict[str, Part], list[str], list[SetAside]]:
    """The part of each picture's stem; empty where no text says it. And what is listed and is not there."""
    texts = {name.partition(_SETS)[2]: path for name, path in paths_of(sifted, ".txt").items() if _SETS in name}
    said: dict[str, Part] = {"test.txt": "test", "val.txt": "val", "train.txt": "train"}
    if "train.txt" not in texts and "trainval.txt" in texts:
        said = {"test.txt": "test", "val.txt": "val", "trainval.txt": "train"}
    stems = {_stem(each.name) for each in pictures}
    parts: dict[str, Part] = {}
    twice: list[str] = []
    missing: list[SetAside] = []
    for text, part in said.items():
        for stem in _stems(texts[text], stems) if text in texts else ():
            if stem not in stems:
                missing.append(
                    SetAside(picture=stem, reason=f"is listed in {_SETS}{text}, and there is no such picture")
                )
            elif stem in parts and parts[stem] != part:
                twice.append(stem)
            parts.setdefault(stem, part)  # of several, the one read last: nothing tested is trained on
    assert [*said.values()] == sorted(said.values(), key=FIRST_CLAIM.__getitem__)
    notes = [f"listed in two parts, and used only to test or validate: {some(twice)}"] if twice else []
    return parts, notes, missing


def _stems(path: str, known: set[str]) -> Iterator[str]:
    """The pictures that a text names, without their endings; a line may have a 1 or -1 after the name."""
    try:
        text = read_text(Path(path))
    except Unusable as reason:
        raise DataError(f"{printable(path)} {reason}") from reason
    for line in filter(None, map(str.strip, text.splitlines())):
        whole, first = (spelled_alike(printable(each)) for each in (line, line.split()[0]))
        yield next((name for name in (whole, first) if name in known), posixpath.splitext(first)[0])


def _stem(name: str) -> str:
    """By which texts and files know a picture."""
    return spelled_alike(posixpath.splitext(posixpath.basename(name))[0])


def _part(name: str, sets: Mapping[str, Part]) -> tuple[Part | None, str]:
    """The part of a picture, or why it has none though others have one."""
    if not sets:
        return next((part for folder in name.split("/")[:-1] if (part := part_of(folder))), None), ""
    part = sets.get(_stem(name))
    return part, "" if part else f"stands in none of the texts in {_SETS}"


def _size(root: Element) -> tuple[int, int]:
    """Width and height as the file says; 0 where it does not."""
    width, height = (number(root.findtext(f"size/{side}")) for side in ("width", "height"))
    is_said = width.is_integer() and height.is_integer() and min(width, height) > 0
    return (int(width), int(height)) if is_said else (0, 0)


def _claims(root: Element, file: str, left_out: list[LeftOut]) -> Iterator[Claim]:
    """The boxes of one file. left_out: takes those that are none. Raises DataError, and Unusable."""
    if root.tag != "annotation":
        raise Unusable(f"holds <{printable(root.tag[:40])}>, not the <annotation> of Pascal VOC")
    for at, each in enumerate(root.findall("object"), start=1):
        where = f"object {at}"
        box, name = each.find("bndbox"), class_name(each.findtext("name"), where=f"{file}, {where}")
        if each.find("robndbox") is not None or (box is not None and box.find("angle") is not None):
            raise oriented(f"{file}, {where}", "Pascal VOC")
        if box is None or not name:
            left_out.append(LeftOut("without <name> or <bndbox>", f"{file}, {where}"))
            continue
        left, top, right, bottom = (number(box.findtext(side)) for side in _SIDES)
        yield Claim((left, top, right, bottom), name, where, ignored=number(each.findtext("difficult")) == 1)
