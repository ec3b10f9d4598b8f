"""Pictures as a program has them in hand: paths, Pillow's pictures, arrays, tensors, bytes, open files; one or many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol, TypeGuard

import numpy as np
from PIL import Image

from eyespot.data.arrays import array_bytes, many_pictures, one_picture, pillow_bytes
from eyespot.data.data_set import Picture
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.data.sources import list_pictures
from eyespot.errors import DataError, NoPictures
from eyespot.names import printable, quoted
from eyespot.records import SetAside


class ArrayLike(Protocol):
    """A numpy array, a tensor of torch, or what else becomes an array."""

    def __array__(self) -> Any: ...


OnePicture = str | Path | bytes | Image.Image | IO[bytes] | ArrayLike
"""What a picture may be. A path may also name a folder, a list or a pattern."""
Pictures = OnePicture | Iterable[OnePicture]
TAKEN = (
    "a picture is a path, a PIL picture, an array (H, W, 3) or (H, W) of uint8 or of floats from 0 to 1, a torch "
    "tensor (3, H, W), the bytes of a picture file, or an open file"
)


def listed(given: Pictures, how: ReadAs = AS_IT_IS) -> tuple[tuple[Picture, ...], tuple[SetAside, ...]]:
    """The pictures, in the order given, and what was set aside of folders and lists.

    A picture's name is its path, or the place that it was given at, such as `pictures[3]`.
    Raises DataError for what is no picture, NoPictures where there is none.
    """
    items = items_of(given)
    if not items:
        raise NoPictures(f"there are no pictures: what was given is empty; {TAKEN}")
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    for are_paths, group in groupby(enumerate(items), key=lambda item: is_path(item[1])):
        if are_paths:
            found, left = list_pictures((path for _, path in group), how)
            pictures += found
            set_aside += left
        else:
            pictures += [_in_hand(each, number, alone=len(items) == 1) for number, each in group]
    return tuple(pictures), tuple(set_aside)


def items_of(given: Any) -> list[Any]:
    """The pictures one by one, unread, whatever they came as. Raises DataError for what holds no pictures."""
    if is_picture(given):
        return [given]
    if hasattr(given, "columns"):
        raise DataError("pictures cannot be a whole table: give the column that holds them, such as table['image']")
    if (array := array_of(given)) is not None and array.dtype.kind not in "OUST":
        many = many_pictures(array, where="pictures", is_tensor=_is_tensor(given))
        return [array] if many is None else many
    if isinstance(given, Iterable) and not isinstance(given, Mapping | Set):
        return list(given)
    raise DataError(f"pictures cannot be {kind_of(given)}: {TAKEN}, or several of these")


def is_path(given: object) -> TypeGuard[str | Path]:
    return isinstance(given, str | os.PathLike)


def is_picture(given: object) -> bool:
    """True for one picture that is no array: of an array its shape tells."""
    return is_path(given) or isinstance(given, bytes | bytearray | memoryview | Image.Image) or hasattr(given, "read")


def array_of(given: Any) -> np.ndarray | None:
    """The numbers of an array or a tensor, wherever they lie; None for anything else."""
    if _is_tensor(given):
        given = given.detach().cpu()
        given = given.float() if given.is_floating_point() else given  # numpy has no bfloat16
    return np.asarray(given) if hasattr(given, "__array__") else None


def picture_bytes(given: Any, *, where: str) -> bytes:
    """The bytes of a picture file like this picture, which is no path. where: names it in errors.

    Raises DataError for what is no picture, or cannot be read.
    """
    if isinstance(given, Image.Image):
        return pillow_bytes(given, where=where)
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    if hasattr(given, "read"):
        return _read(given, where)
    array = array_of(given)
    if array is None or array.dtype.kind in "OUST":
        raise DataError(f"{where} is {kind_of(given)}: {TAKEN}")
    return array_bytes(one_picture(array, where=where), where=where)


def kind_of(given: object) -> str:
    """What a value is, as an error says it: `None`, `5 (an int)`, `a dict`."""
    if given is None:
        return "None"
    name = type(given).__name__
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{given} ({article} {name})" if isinstance(given, int | float) else f"{article} {name}"


def _in_hand(given: Any, number: int, *, alone: bool) -> Picture:
    where = "the picture" if alone else f"pictures[{number}]"
    named = getattr(given, "filename", "") or getattr(given, "name", "")  # of what was opened from a file
    name = printable(str(named)) if isinstance(named, str | Path) and named else f"pictures[{number}]"
    return Picture(name, data=picture_bytes(given, where=where))


def _read(file: Any, where: str) -> bytes:
    try:
        data = file.read()
    except (OSError, ValueError) as error:  # closed, or text that is none
        raise DataError(f"{where} cannot be read: {quoted(error)}; open the file again, with mode 'rb'") from error
    if not isinstance(data, bytes):
        raise DataError(f"{where} is a file that is open as text: open it with mode 'rb'")
    return data


def _is_tensor(given: object) -> bool:
    """Known by its class's home, since torch is not imported here."""
    return type(given).__module__.split(".")[0] == "torch" and hasattr(given, "detach")
