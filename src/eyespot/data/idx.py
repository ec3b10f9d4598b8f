"""IDX, the files of MNIST and those made like it (Fashion-MNIST, KMNIST): grey pictures, their labels, train and test.

A file is four bytes (two zeros, 8 for unsigned bytes, the number of sizes), the sizes in four bytes each, largest digit
first, and then the values (LeCun, Cortes, Burges: the MNIST database). It may be packed by gzip, whatever its name.

A picture's bytes are those of a PGM file: a line that says `P5`, width, height and 255, then its pixels. Nothing is
lost or packed, so 70,000 digits cost no time, and the one decoder reads them like any other picture.
"""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from eyespot.data.data_set import DataSet, Picture
from eyespot.data.list_limits import require_unfolds
from eyespot.data.sifting import Sifted
from eyespot.errors import DataError
from eyespot.names import printable, quoted
from eyespot.records import Part, SetAside
from eyespot.words import counted, some

_BEGINNINGS: dict[str, Part] = {"train": "train", "t10k": "test"}
_NAME = re.compile(r"(train|t10k)-(?:(images)[-.]idx3|labels[-.]idx1)-ubyte(?:\.gz)?")
_PICTURE_BYTES = 300
"""What a picture takes in memory beside its pixels."""
_LABEL_BYTES = 8
_BLOCK = 1000
"""Pictures read at a time."""
_UNSIGNED_BYTES = 8
_GZIP = b"\x1f\x8b"
_MOST_PACKED = 1032
"""Bytes that one byte of gzip can stand for, at most."""


def idx_folder(sifted: Sifted) -> Path | None:
    """The one folder with files of pictures that are called as MNIST's are: this, or a deeper one."""
    called = ((Path(path).parent, _NAME.fullmatch(os.path.basename(path))) for path in sifted.others)
    named = {folder for folder, name in called if name and name[2]}
    if len(named) > 1:
        folders = some(sorted(sifted.below(str(each)) or "." for each in named))
        raise DataError(f"{printable(str(sifted.root))} holds IDX files in {folders}: name one of these folders")
    return next(iter(named), None)


def read_idx(folder: Path, sifted: Sifted) -> DataSet:
    """The pictures of `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` or both, with the labels beside them.

    sifted: all that lies around: what is not read is set aside.
    Raises DataError for files that are damaged, that contradict each other, or that lack their labels.
    """
    files: dict[tuple[str, bool], Path] = {}
    for path in sorted(map(Path, sifted.others), reverse=True):  # an unpacked file takes its packed twin's place
        if path.parent == folder and (name := _NAME.fullmatch(path.name)):
            files[name[1], bool(name[2])] = path
    pictures: list[Picture] = []
    for beginning, part in _BEGINNINGS.items():
        images, labels = (files.get((beginning, are_images)) for are_images in (True, False))
        if images and labels:
            pictures += _read_part(images, labels, part)
        elif images or labels:
            lacking, there = ("labels-idx1-ubyte", images) if images else ("images-idx3-ubyte", labels)
            raise DataError(
                f"{printable(str(there))} stands alone: the file {beginning}-{lacking} is missing beside it"
            )
    read = {sifted.below(str(each)) for each in files.values()}
    return DataSet(
        name=sifted.name,
        pictures=tuple(pictures),
        set_aside=tuple(
            SetAside(picture=name, reason="is none of the files that are read")
            for name in sorted((*(each.picture for each in sifted.set_aside), *(each.name for each in sifted.pictures)))
            if name not in read
        ),
        notes=sifted.notes,
        mirror_changes_meaning=True,
    )


def _read_part(images: Path, labels: Path, part: Part) -> list[Picture]:
    (height, width), pixels = _read(images, sizes=3)
    _, classes = _read(labels, sizes=1)
    if len(pixels) != len(classes):
        held = counted(len(pixels), "picture"), counted(len(classes), "label")
        raise DataError(
            f"{printable(str(images))} holds {held[0]} and {printable(labels.name)} holds {held[1]}: one for each is "
            "needed, so these files do not belong together"
        )
    header = b"P5 %d %d 255\n" % (width, height)
    return [
        Picture(f"{part}/{number:05d}", label=str(label[0]), part=part, data=header + values)
        for number, (values, label) in enumerate(zip(pixels, classes, strict=True))
    ]


def _read(path: Path, *, sizes: int) -> tuple[list[int], list[bytes]]:
    """The sizes of one item, and the bytes of each: what an IDX file with this many sizes holds. Raises DataError."""
    name = printable(str(path))
    with _told(name), _open(path) as file:
        count, *item = _header(file, name, sizes, on_disk=path.stat().st_size)
        length = math.prod(item)
        items: list[bytes] = []
        while len(items) < count:
            block = file.read(length * min(_BLOCK, count - len(items)))
            if not block or len(block) % length:
                raise EOFError
            items += [block[start : start + length] for start in range(0, len(block), length)]
        if file.read(1):
            raise DataError(f"{name} goes on after the {count} items that its header names: copy it again")
    return item, items


def _header(file: IO[bytes], name: str, sizes: int, *, on_disk: int) -> tuple[int, ...]:
    """The sizes that the file's beginning names, which it is large enough to hold."""
    expected = bytes((0, 0, _UNSIGNED_BYTES, sizes))
    begins = file.read(4)
    if begins != expected[: len(begins)]:
        raise DataError(
            f"{name} is not the IDX file that its name says: it begins with {begins.hex(' ')}, and "
            f"{expected.hex(' ')} was expected"
        )
    sides = file.read(4 * sizes)
    if len(begins + sides) < 4 + 4 * sizes:
        raise EOFError
    shape = struct.unpack(f">{sizes}I", sides)
    said = f"{name} says that it holds {' x '.join(map(str, shape))} bytes"
    if 0 in shape[1:]:
        raise DataError(f"{said}: its pictures have no pixels")
    if math.prod(shape) > on_disk * (_MOST_PACKED if isinstance(file, gzip.GzipFile) else 1):
        raise DataError(
            f"{said}, which its {on_disk} bytes on disk cannot hold: it is cut off or damaged; copy it again"
        )
    beside = _PICTURE_BYTES if sizes > 1 else _LABEL_BYTES
    require_unfolds(name, math.prod(shape) + shape[0] * beside, on_disk=on_disk)
    return shape


def _open(path: Path) -> IO[bytes]:
    """The file unpacked; what it is tells its beginning, because browsers unpack and keep the name."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turns what reading raises into a sentence."""
    try:
        yield
    except EOFError:
        raise DataError(f"{name} is cut off: the file ends too early; copy it again") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is damaged ({quoted(error)}): copy it again") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}") from error
