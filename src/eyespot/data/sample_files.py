"""The samples as files: their paths below a folder, and the bytes of each."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from eyespot.data.drawn_shapes import CLASSES, SIZE_WH, boxed_shape

PER_CLASS = {"photos": 80, "more": 10}
BOXED = {"train": 12, "val": 6, "test": 6}
SCENES = 60
File = tuple[str, bytes]


def shapes() -> Iterator[File]:
    """`photos/CLASS/`, `more/CLASS/` and `new/`, pictures to learn, to measure and to ask, `cells/`, with boxes, and
    `scenes/`, with several labels."""
    random = np.random.default_rng(0)
    for name in CLASSES:
        for folder, count in PER_CLASS.items():
            for number in range(count):
                yield f"{folder}/{name}/{number:03}.jpg", _bytes(boxed_shape(name, random)[0], "JPEG")
    for number, name in enumerate(CLASSES, start=1):
        yield f"new/{number}.jpg", _bytes(boxed_shape(name, random)[0], "JPEG")
    yield from _cells()
    yield from _scenes()


def digits() -> Iterator[File]:
    """`digits/0/` to `digits/9/`: the embedded sample as files. Raises MissingExtra."""
    from eyespot.data import samples

    for picture in samples.digits().pictures:
        assert picture.data is not None
        yield f"digits/{picture.name}", picture.data


def _cells() -> Iterator[File]:
    """Shapes with their boxes as YOLO has them, in parts."""
    random, (width, height) = np.random.default_rng(1), SIZE_WH
    for part, count in BOXED.items():
        for number in range(count):
            label = number % len(CLASSES)
            picture, (left, top, right, bottom) = boxed_shape(CLASSES[label], random)
            middle = ((left + right) / 2 / width, (top + bottom) / 2 / height)
            sides = (*middle, (right - left) / width, (bottom - top) / height)
            yield f"cells/images/{part}/{number}.png", _bytes(picture, "PNG")
            yield f"cells/labels/{part}/{number}.txt", f"{' '.join(map(str, (label, *sides)))}\n".encode()
    parts = "".join(f"{part}: images/{part}\n" for part in BOXED)
    yield "cells/data.yaml", f"{parts}names: [{', '.join(CLASSES)}]\n".encode()


def _scenes() -> Iterator[File]:
    """Any two of the shapes side by side, or one, or none, and the list that says which."""
    random, (width, height) = np.random.default_rng(2), SIZE_WH
    lines = ["file_name,labels"]
    for number in range(SCENES):
        labels = [name for name in CLASSES if random.random() < 0.4][:2]
        whole = Image.fromarray(random.integers(60, 180, (height, width * 2, 3), dtype=np.uint8))
        for place, name in enumerate(labels):
            whole.paste(boxed_shape(name, random)[0], (width * place, 0))
        yield f"scenes/{number:02}.jpg", _bytes(whole, "JPEG")
        lines.append(f"{number:02}.jpg,{'|'.join(labels)}")
    yield "scenes/metadata.csv", "".join(f"{line}\n" for line in lines).encode()


def _bytes(picture: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=format)
    return file.getvalue()
