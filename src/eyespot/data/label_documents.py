"""Labels in JSON: COCO's lists of images and annotations, without boxes, or a list of what each picture has.

Read are `{"images": [...], "annotations": [...], "categories": [...]}`, where annotations have no `bbox`;
`[{"file_name": "a.jpg", "labels": ["cat", "dog"]}, ...]`, or the same under "images"; and `{"a.jpg": ["cat"], ...}`.
"""

from __future__ import annotations

import json
import mmap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eyespot.data.columns import IMAGE, LABEL, SPLIT, choose
from eyespot.data.label_cells import NO, LabelCells, as_text, labels_in, no_of
from eyespot.data.list_limits import MOST_JSON
from eyespot.data.table_rows import Row, Table
from eyespot.errors import DataError
from eyespot.names import brief
from eyespot.words import counted

EXPECTED = (
    'COCO\'s lists "images", "annotations" and "categories" without boxes, a list such as '
    '[{"file_name": "1.jpg", "labels": ["cat", "dog"]}], or {"1.jpg": ["cat", "dog"]}'
)
_HINTS = (b'"annotations"', b'"labels"', b'"tags"', b'"attributes"', b'"categories"', b'": [', b'":[')
_PICTURES = (b".jpg", b".jpeg", b".png", b".webp", b".gif", b".bmp", b".tif", b".JPG", b".JPEG", b".PNG")


def may_be_labels(path: Path) -> bool:
    """Whether a JSON file may say labels of pictures: it names pictures, and no boxes. Quick, whatever its size."""
    try:
        if not path.stat().st_size:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            names = any(data.find(each) >= 0 for each in _PICTURES)
            return names and any(data.find(each) >= 0 for each in _HINTS) and data.find(b'"bbox"') < 0
    except (OSError, ValueError):
        return False


class Document(Table):
    """A JSON file as a table: a row for each picture, numbered from 1."""

    @property
    def split_is_said(self) -> bool:
        return True

    def rows(self) -> Iterator[Row]:
        content = _read(self.path, self.where)
        if isinstance(content, dict) and isinstance(content.get("images"), list):
            rows = (
                _coco(content, self)
                if isinstance(content.get("annotations"), list)
                else self._listed(content["images"])
            )
        elif isinstance(content, list):
            rows = self._listed(content)
        elif isinstance(content, dict) and content and all(isinstance(each, list) for each in content.values()):
            rows = (_row(at, name, said) for at, (name, said) in enumerate(content.items(), start=1))
        else:
            raise DataError(f"{self.where} says no labels of pictures; read are {EXPECTED}")
        return iter(rows)

    def _listed(self, entries: list[Any]) -> Iterator[Row]:
        """Rows of objects that name a picture and list its labels."""
        names = tuple(dict.fromkeys(name for each in entries if isinstance(each, dict) for name in each))
        image = choose(IMAGE, names, wanted=self.how.image_column, where=self.where)
        label = choose(LABEL, names, wanted=self.how.label_column, where=self.where)
        split = choose(SPLIT, names, wanted=self.how.split_column, where=self.where)
        label = (
            next((names.index(each) for each in ("tags", "attributes") if each in names), None)
            if label is None
            else label
        )
        if image is None or label is None:
            raise DataError(f"{self.where} says no labels of pictures; read are {EXPECTED}")
        attributes = [each.get(names[label]) for each in entries if isinstance(each, dict)]
        no = no_of(value for each in attributes if isinstance(each, dict) for value in each.values())
        for at, each in enumerate(entries, start=1):
            if isinstance(each, dict):
                part = None if split is None else each.get(names[split])
                yield _row(at, each.get(names[image]), each.get(names[label]), part, no=no)
            else:
                yield Row(at, reason="is not a JSON object")


def _coco(content: Mapping[str, Any], table: Table) -> Iterator[Row]:
    """Rows of COCO's lists."""
    names = {_key(each.get("id")): each.get("name") for each in _objects(content, "categories")}
    said: dict[object, list[object]] = defaultdict(list)
    for at, each in enumerate(_objects(content, "annotations"), start=1):
        if "bbox" in each:
            raise DataError(f"{table.where} has boxes: name the folder that it lies in, and a detector is trained")
        key = _key(each.get("category_id"))
        if key not in names:
            has = f"has the category_id {brief(key)!r}"
            raise DataError(f'annotation {at} of {table.where} {has}, which is not in "categories": add it there')
        said[_key(each.get("image_id"))].append(names[key])
    table.notes += _on_strays(content, table.where)
    for at, each in enumerate(_objects(content, "images"), start=1):
        yield _row(at, each.get("file_name"), said.get(_key(each.get("id")), []))


def _on_strays(content: Mapping[str, Any], where: str) -> Iterator[str]:
    """A sentence on annotations whose image is not there, if there are any."""
    images = {_key(each["id"]) for each in _objects(content, "images") if "id" in each}
    annotations = enumerate(_objects(content, "annotations"), start=1)
    strays = [(at, each.get("image_id")) for at, each in annotations if _key(each.get("image_id")) not in images]
    if strays:
        (at, image), belong = strays[0], "belongs" if len(strays) == 1 else "belong"
        are, first = ("is", "it") if len(strays) == 1 else ("are", "the first")
        yield (
            f"{counted(len(strays), 'annotation')} of {where} {belong} to no image that it lists, and {are} left out: "
            f"{first} is annotation {at}, with the image_id {brief(_key(image))!r}"
        )


def _objects(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = content.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _key(value: object) -> str:
    return as_text(value)


def _row(at: int, image: object, said: object, part: object = None, *, no: frozenset[str] = NO) -> Row:
    """no: what says no in attributes."""
    if isinstance(said, dict) and said:  # attributes: {"wet": 1, "dark": 0}
        labels = LabelCells(flags=tuple(said), no=no).of([*said], [*said.values()])
    else:
        labels = labels_in([] if said == {} else said, "")
    if isinstance(labels, str):
        return Row(at, image, reason=labels)
    return Row(at, image, labels, part)


def _read(path: Path, where: str) -> object:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_JSON + 1)
        if len(data) > MOST_JSON:
            raise DataError(f"{where} has more than the {MOST_JSON // 2**20} MB that are read of such a file")
        return json.loads(data)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON; read are {EXPECTED}") from error
