"""Small folders of pictures with boxes, in each format, for tests: written by hand, not by eyespot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from eyespot.data.boxes.records import BoxedDataSet

SIZE = (80, 60)
"""Width and height of the pictures."""
_drawn = 0


def picture(path: Path, *, size: tuple[int, int] = SIZE, orientation: int = 1, like: Path | None = None) -> Path:
    """A picture whose content no other has, or that of another."""
    global _drawn
    path.parent.mkdir(parents=True, exist_ok=True)
    if like:
        path.write_bytes(like.read_bytes())
        return path
    _drawn += 1
    image = Image.fromarray(np.random.default_rng(_drawn).integers(256, size=(size[1], size[0], 3), dtype=np.uint8))
    exif = image.getexif()
    if orientation != 1:
        exif[0x0112] = orientation
    image.save(path, "JPEG" if path.suffix == ".jpg" else "PNG", exif=exif)
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def yolo(root: Path, texts: Mapping[str, str | None], *, yaml: str = "names: [cat, dog]\n") -> Path:
    """`images/NAME.jpg` and `labels/NAME.txt` for each; None for no text."""
    text(root / "data.yaml", yaml)
    for name, content in texts.items():
        picture(root / "images" / f"{name}.jpg")
        if content is not None:
            text(root / "labels" / f"{name}.txt", content)
    return root


def coco(
    root: Path,
    names: Sequence[str],
    annotations: Sequence[Mapping[str, object]],
    *,
    images: Sequence[Mapping[str, object]] | None = None,
    categories: Sequence[Mapping[str, object]] = ({"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}),
) -> Path:
    """`_annotations.coco.json` beside pictures of these names, which have the ids 1, 2, ..."""
    for name in names:
        picture(root / name)
    if images is None:
        images = [
            {"id": at, "file_name": name, "width": SIZE[0], "height": SIZE[1]} for at, name in enumerate(names, start=1)
        ]
    content = {"images": images, "annotations": annotations, "categories": categories}
    text(root / "_annotations.coco.json", json.dumps(content))
    return root


def annotation(
    number: int, image: object, category: object, bbox: Sequence[object], **more: object
) -> dict[str, object]:
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), **more}


def voc_object(name: str, *corners: object, more: str = "") -> str:
    sides = "".join(
        f"<{side}>{at}</{side}>" for side, at in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    )
    return f"<object><name>{name}</name>{more}<bndbox>{sides}</bndbox></object>"


def voc(path: Path, *objects: str, size: tuple[int, int] = SIZE) -> Path:
    """The XML file at `path`."""
    width, height = size
    head = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return text(path, f"<annotation>{head}{''.join(objects)}</annotation>")


def voc_folder(root: Path, objects: Mapping[str, Sequence[str]], *, size: tuple[int, int] = SIZE) -> Path:
    """`JPEGImages/NAME.jpg` and `Annotations/NAME.xml` for each."""
    for name, each in objects.items():
        picture(root / "JPEGImages" / f"{name}.jpg")
        voc(root / "Annotations" / f"{name}.xml", *each, size=size)
    return root


def boxes_of(data: BoxedDataSet) -> dict[str, list[tuple[object, ...]]]:
    """Of each picture's name without folders and ending: class, corners of each box, rounded to 1e-6 pixels."""
    return {
        Path(each.picture.name).stem: [
            (data.classes[label], *(round(value, 6) for value in corners))
            for label, corners in zip(each.boxes.labels, each.boxes.xyxy.tolist(), strict=True)
        ]
        for each in data.pictures
    }


def reasons(data: BoxedDataSet) -> dict[str, str]:
    return {each.picture: each.reason for each in data.set_aside}


def arrays_fit(data: BoxedDataSet) -> bool:
    """True where every record is of the kinds and shapes that it promises."""
    return all(
        each.boxes.xyxy.dtype == np.float64
        and each.boxes.xyxy.shape == (len(each.boxes), 4)
        and each.boxes.labels.dtype == np.int64
        and each.boxes.ignored.dtype == each.boxes.crowd.dtype == np.bool_
        and each.boxes.ignored.shape == each.boxes.crowd.shape == each.boxes.labels.shape
        for each in data.pictures
    )
