"""A data set of boxes written in any of the three formats, so that reading it gives the same boxes.

Numbers are written with all their digits. Pictures are linked to their files where the disk can do that, else copied.
"""

from __future__ import annotations

import json
import os
import posixpath
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture, Format
from eyespot.errors import CannotWrite
from eyespot.files import LEFT_OVER, move, writing
from eyespot.names import printable, told_apart
from eyespot.words import counted, some

FORMATS: dict[str, Format] = {"yolo": "YOLO", "coco": "COCO", "voc": "Pascal VOC"}
"""By the words that people type."""
Named = list[tuple[str, str, BoxedPicture]]
"""Each picture with its part, and the name of the file that it becomes."""


def require_empty(folder: Path) -> None:
    """Raises CannotWrite where a folder holds something, or is none."""
    with writing(printable(str(folder))):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CannotWrite(f"{printable(str(folder))} is there and not empty: choose another folder")


def write_boxes(data: BoxedDataSet, folder: Path, *, format: Format) -> tuple[str, ...]:
    """Notes on what the format cannot hold, once pictures and boxes are in a folder, which is new or was empty.

    It is there whole or not at all. Raises CannotWrite.
    """
    require_empty(folder)
    write = {"YOLO": _write_yolo, "COCO": _write_coco, "Pascal VOC": _write_voc}[format]
    with writing(printable(str(folder))), _whole(folder.resolve()) as inside:
        write(data, _named(data), inside)
    return tuple(_lost(data, format))


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside, which takes the folder's place at the end; it is removed where something fails."""
    beside = folder.with_name(f"{LEFT_OVER}{os.urandom(6).hex()}")
    beside.mkdir(parents=True)
    try:
        yield beside
        if folder.exists():
            folder.rmdir()
        move(beside, folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _named(data: BoxedDataSet) -> Named:
    """Every picture with a name whose stem no other has: formats know a picture by it."""
    pictures = [(part, each) for part, inside in data.parts.items() for each in inside]
    files = [posixpath.splitext(posixpath.basename(each.picture.name).replace("\\", "_")) for _, each in pictures]
    stems = told_apart(stem.strip() or "picture" for stem, _ in files)
    return [(part, stem + ending, each) for (part, each), (_, ending), stem in zip(pictures, files, stems, strict=True)]


def _put(picture: BoxedPicture, path: Path) -> None:
    """The picture's file under another name."""
    source = picture.picture.path
    if source is None:
        path.write_bytes(picture.picture.read())
        return
    try:
        os.link(source.resolve(), path)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, path)


def _write_yolo(data: BoxedDataSet, named: Named, folder: Path) -> None:
    for part, name, each in named:
        images, labels = (folder / kind / ("" if part == "all" else part) for kind in ("images", "labels"))
        for place in (images, labels):
            place.mkdir(parents=True, exist_ok=True)
        _put(each, images / name)
        text = "".join(f"{line}\n" for line in _yolo_lines(each))
        (labels / f"{posixpath.splitext(name)[0]}.txt").write_text(text, encoding="utf-8")
    parts = [f"{part}: images/{part}\n" for part in data.parts if part != "all"]
    (folder / "data.yaml").write_text("".join([*parts, names_yaml(data.classes)]), encoding="utf-8")


def names_yaml(classes: Sequence[str]) -> str:
    """What a `data.yaml` says of the classes' names."""
    names = [f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(classes)]
    return "".join(["names:\n", *names])


def _yolo_lines(each: BoxedPicture) -> Iterator[str]:
    for (left, top, right, bottom), label, crowd in _rows(each):
        if not crowd:
            x, y = (left + right) / 2 / each.width, (top + bottom) / 2 / each.height
            yield f"{label} {x!r} {y!r} {(right - left) / each.width!r} {(bottom - top) / each.height!r}"


def _rows(each: BoxedPicture) -> Iterator[tuple[list[float], int, bool]]:
    """Each box as plain numbers: its corners, its class's number, and whether it is a crowd."""
    boxes = each.boxes
    yield from zip(boxes.xyxy.tolist(), boxes.labels.tolist(), boxes.crowd.tolist(), strict=True)


def _write_coco(data: BoxedDataSet, named: Named, folder: Path) -> None:
    (folder / "annotations").mkdir()
    for part in data.parts:
        inside = "images" if part == "all" else part
        (folder / inside).mkdir()
        images: list[dict[str, object]] = []
        annotations: list[dict[str, object]] = []
        for number, (_, name, each) in enumerate((one for one in named if one[0] == part), start=1):
            _put(each, folder / inside / name)
            images.append({"id": number, "file_name": name, "width": each.width, "height": each.height})
            first = len(annotations) + 1
            annotations += [{"id": first + at, "image_id": number, **said} for at, said in enumerate(_coco_boxes(each))]
        categories = [{"id": number, "name": name} for number, name in enumerate(data.classes, start=1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        path = folder / "annotations" / f"instances_{'default' if part == 'all' else part}.json"
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _coco_boxes(each: BoxedPicture) -> Iterator[dict[str, object]]:
    """What is said of each box."""
    for ((left, top, right, bottom), label, crowd), ignored in zip(_rows(each), each.boxes.ignored, strict=True):
        width, height = right - left, bottom - top
        said = {"category_id": label + 1, "bbox": [left, top, width, height], "area": width * height}
        yield {**said, "iscrowd": int(crowd), **({"ignore": 1} if ignored else {})}


def _write_voc(data: BoxedDataSet, named: Named, folder: Path) -> None:
    for place in ("Annotations", "JPEGImages"):
        (folder / place).mkdir()
    for _, name, each in named:
        _put(each, folder / "JPEGImages" / name)
        root = _voc_element(name, each, data.classes)
        indent(root)
        xml = tostring(root, encoding="utf-8", xml_declaration=True)
        (folder / "Annotations" / f"{posixpath.splitext(name)[0]}.xml").write_bytes(xml)
    sets = folder / "ImageSets" / "Main"
    for part in data.parts:
        if part != "all":
            sets.mkdir(parents=True, exist_ok=True)
            stems = [posixpath.splitext(name)[0] for at, name, _ in named if at == part]
            (sets / f"{part}.txt").write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")


def _voc_element(name: str, each: BoxedPicture, classes: tuple[str, ...]) -> Element:
    root = Element("annotation")
    SubElement(root, "filename").text = name
    size = SubElement(root, "size")
    for side, length in (("width", each.width), ("height", each.height)):
        SubElement(size, side).text = str(length)
    for (corners, label, _), ignored in zip(_rows(each), each.boxes.ignored, strict=True):
        found = SubElement(root, "object")
        SubElement(found, "name").text = classes[label]
        SubElement(found, "difficult").text = str(int(ignored))
        box = SubElement(found, "bndbox")
        for side, place in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
            SubElement(box, side).text = str(int(place)) if place.is_integer() else repr(place)
    return root


def _lost(data: BoxedDataSet, format: Format) -> Iterator[str]:
    """Sentences on what the format cannot hold."""
    crowds = sum(int(each.boxes.crowd.sum()) for each in data.pictures)
    difficult = sum(int(each.boxes.ignored.sum()) for each in data.pictures) - crowds
    if format == "YOLO" and crowds:
        yield f"left out: {counted(crowds, 'box', 'boxes')} around crowds (COCO's iscrowd), which YOLO cannot hold"
    if format == "YOLO" and difficult:
        yield f"now like all others: {counted(difficult, 'box', 'boxes')} marked as difficult, which YOLO cannot say"
    if format == "Pascal VOC" and crowds:
        yield f"now marked as difficult: {counted(crowds, 'box', 'boxes')} around crowds, which Pascal VOC cannot say"
    if format == "Pascal VOC":
        used = {int(label) for each in data.pictures for label in each.boxes.labels}
        unused = [repr(name) for number, name in enumerate(data.classes) if number not in used]
        if unused:
            yield f"not in any file of Pascal VOC, which only names the classes of boxes: {some(unused)}, without a box"
