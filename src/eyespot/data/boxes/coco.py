"""Boxes in COCO's format: a JSON file for each part, with lists of images, categories and annotations."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from eyespot.data.boxes.claims import (
    Annotated,
    Claim,
    Found,
    LeftOut,
    best_match,
    class_name,
    number,
    oriented,
    other_files,
    paths_of,
    unique,
)
from eyespot.data.boxes.documents import Unusable, read_json
from eyespot.data.data_set import Picture, spelled_alike
from eyespot.data.label_cells import as_text
from eyespot.data.part_names import part_of
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError
from eyespot.names import brief, printable
from eyespot.records import Part, SetAside

USUAL = re.compile(r"(^|/)(_annotations\.coco\.json|instances[^/]*\.json)$", re.IGNORECASE)
"""Names of files that hold boxes in COCO's format."""
_PERHAPS = re.compile(r"(^|/)annotations/[^/]*\.json$", re.IGNORECASE)
LISTS = ("images", "annotations", "categories")
"""What such a file holds."""


@dataclass
class _Read:
    """What is found on the way."""

    annotated: list[Annotated] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def coco_files(names: Collection[str]) -> list[str]:
    """Of the names of files below a folder, those that hold boxes: by their names alone."""
    return [name for name in names if USUAL.search(name)] or [name for name in names if _PERHAPS.search(name)]


def read_coco(sifted: Sifted) -> Found:
    """What the files claim. Raises DataError."""
    paths = paths_of(sifted, ".json")
    files = coco_files(paths)
    pictures = {each.name: each for each in sifted.pictures}
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in pictures:
        by_name[spelled_alike(posixpath.basename(name))].append(name)
    read = _Read()
    for file in files:
        try:
            _read_file(file, read_json(Path(paths[file])), pictures, by_name, read)
        except Unusable as reason:
            raise DataError(f"{printable(str(sifted.root / file))} {reason}") from reason
    listed = {each.picture.name for each in read.annotated} | {each.picture for each in read.set_aside}
    unlisted = [
        SetAside(picture=name, reason=f"is not listed in {' or '.join(sorted(files))}")
        for name in pictures
        if name not in listed
    ]
    return Found(
        format="COCO",
        name=sifted.name,
        where=f"{printable(str(sifted.root))} (looked in {', '.join(files)})",
        classes=unique(read.classes),
        pictures=tuple(read.annotated),
        set_aside=(*read.set_aside, *unlisted, *other_files(sifted)),
        left_out=tuple(read.left_out),
        notes=tuple(read.notes),
    )


def part_of_file(file: str) -> Part | None:
    """The part that a file stands for: `train/_annotations.coco.json` and `instances_train2017.json` are train."""
    *folders, name = file.split("/")
    stem = name.rpartition(".")[0].lower().replace("instances", "").replace("_annotations.coco", "")
    return part_of(stem) or next((part for folder in reversed(folders) if (part := part_of(folder))), None)


def _read_file(
    file: str,
    content: Mapping[str, object],
    pictures: Mapping[str, Picture],
    by_name: Mapping[str, list[str]],
    read: _Read,
) -> None:
    for name in LISTS:
        if not isinstance(content.get(name), list):
            raise Unusable(f'has no list "{name}"')
    categories = _categories(content, file, read)
    images = [each for each in _records(content, "images") if _key(each.get("id")) is not None]
    ids = Counter(_key(each.get("id")) for each in images)
    claims = _claims(content, {*ids}, categories, file, read)
    for image in images:
        key, given = _key(image["id"]), brief(as_text(image.get("file_name")))
        found = _meant(as_text(image.get("file_name")), file, by_name)
        reason = _reason_against(found, file)
        if ids[key] > 1:
            reason = f"shares its id {brief(str(key))} with another image in {file}: their boxes cannot be told apart"
        if reason:
            name = found[0] if len(found) == 1 else given or f"image {brief(str(key))} in {file}"
            read.set_aside.append(SetAside(picture=name, reason=reason))
            continue
        picture = replace(pictures[found[0]], part=part_of_file(file))
        width, height = (number(image.get(side)) for side in ("width", "height"))
        is_said = width.is_integer() and height.is_integer() and min(width, height) > 0
        size = (int(width), int(height)) if is_said else (0, 0)
        read.annotated.append(Annotated(picture, file, tuple(claims.get(key, ())), size))


def _records(content: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    found = content[name]
    assert isinstance(found, list)
    return (each for each in found if isinstance(each, dict))


def _key(value: object) -> int | str | None:
    """An id as others refer to it; None for what is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _categories(content: Mapping[str, object], file: str, read: _Read) -> dict[int | str, str]:
    """The class of each id. A category that only stands over the others, as Roboflow writes one, is no class."""
    records = [each for each in _records(content, "categories") if _key(each.get("id")) is not None]
    records.sort(key=lambda each: (isinstance(each["id"], str), _key(each["id"])))
    used = {_key(each.get("category_id")) for each in _records(content, "annotations")}
    above = {each.get("supercategory") for each in records if isinstance(each.get("supercategory"), str)}
    found: dict[int | str, str] = {}
    for each in records:
        key, name = _key(each["id"]), class_name(each.get("name"), where=file)
        assert key is not None
        if not name or (each.get("name") in above and key not in used and len(records) > 1):
            continue
        found[key] = name
    read.classes += found.values()
    return found


def _claims(
    content: Mapping[str, object],
    images: Collection[int | str | None],
    categories: Mapping[int | str, str],
    file: str,
    read: _Read,
) -> dict[int | str | None, list[Claim]]:
    """The boxes of each image."""
    claims: dict[int | str | None, list[Claim]] = defaultdict(list)
    for at, each in enumerate(_records(content, "annotations"), start=1):
        key = _key(each.get("id"))
        where = f"annotation {brief(str(at if key is None else key))}"
        image, category, box = _key(each.get("image_id")), _key(each.get("category_id")), each.get("bbox")
        reason = ""
        if image is None or image not in images:
            reason = "of an image that is not listed"
        elif category is None or category not in categories:
            reason = "of a category that is not listed"
        elif isinstance(box, list) and len(box) == 5:
            raise oriented(f"{file}, {where}", "COCO")
        elif not isinstance(box, list) or len(box) != 4:
            reason = 'without a "bbox" of four numbers'
        if reason:
            read.left_out.append(LeftOut(reason, f"{file}, {where}"))
            continue
        assert category is not None
        assert isinstance(box, list)
        left, top, width, height = map(number, box)
        is_crowd = number(each.get("iscrowd", 0)) == 1
        is_ignored = is_crowd or number(each.get("ignore", 0)) == 1
        xyxy = (left, top, left + width, top + height)
        claims[image].append(Claim(xyxy, categories[category], where, ignored=is_ignored, crowd=is_crowd))
    return claims


def _meant(given: str, file: str, by_name: Mapping[str, list[str]]) -> list[str]:
    """The pictures that an image's name may mean: those whose path is the most like it, and beside the file or in a
    folder of its part."""
    found = best_match(given, by_name)
    for folder in (posixpath.dirname(file), _words(file)):
        if len(found) > 1:
            inside = [name for name in found if f"/{folder}/" in f"/{name}"] if folder else []
            found = inside or found
    part = part_of_file(file)
    if len(found) > 1 and part:
        found = [name for name in found if part in map(part_of, name.split("/")[:-1])] or found
    return found


def _words(file: str) -> str:
    """`train2017` of `annotations/instances_train2017.json`."""
    return posixpath.basename(file).rpartition(".")[0].partition("_")[2]


def _reason_against(found: list[str], file: str) -> str:
    if not found:
        return f"is listed in {file}, and there is no such picture"
    return f"is listed in {file}, and may be {found[0]} or {found[1]}: write which" if len(found) > 1 else ""
