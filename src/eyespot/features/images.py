"""All pictures of a data set decoded at once, into one array: what trains on pixels reads them many times.

Where the array would take too much memory it is a file on disk that the system reads in parts. The file has no name:
it is gone when the array is, or the process, whatever ended it.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.errors import MachineError
from eyespot.features.decode import decode_pictures
from eyespot.names import printable
from eyespot.records import Preprocess, SetAside
from eyespot.words import counted

MOST_IN_MEMORY = 2**31
"""Bytes of images up to which they are held in memory: most machines have several times as much."""
_MOST_AHEAD, _MOST_AHEAD_BYTES = 1024, 2**26
"""Images, and their bytes, that may be decoded before they are in the array."""


@dataclass(frozen=True)
class Decoded:
    """Pictures as images, and the pictures that could not be decoded."""

    images: np.ndarray
    """(N, H, W, C), uint8, in the order of `pictures`."""
    pictures: list[Hashed]
    set_aside: list[SetAside]


def bytes_needed(count: int, preprocess: Preprocess) -> int:
    """What the images of so many pictures take, in memory or on disk."""
    return count * math.prod(_shape(preprocess))


def decoded(
    hashed: Sequence[Hashed],
    preprocess: Preprocess,
    *,
    threads: int,
    folder: Path,
    most_in_memory: int = MOST_IN_MEMORY,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Decoded:
    """Every picture that can be decoded, in order, as an image.

    folder: where there is room on disk; used, and made, only if the images take more than `most_in_memory` bytes.
    progress: told pictures done and pictures in all.
    Raises MachineError where the disk has too little room; nothing is decoded then.
    """
    images = _room(len(hashed), preprocess, folder, most_in_memory)
    pictures: list[Hashed] = []
    set_aside: list[SetAside] = []
    progress(0, len(hashed))
    ahead = max(1, min(_MOST_AHEAD, _MOST_AHEAD_BYTES // bytes_needed(1, preprocess)))
    work = [(each.picture, each.content) for each in hashed]
    with closing(decode_pictures(work, preprocess, threads=threads, ahead=ahead)) as results:
        for done, (each, image) in enumerate(zip(hashed, results, strict=True), start=1):
            if isinstance(image, str):
                set_aside.append(SetAside(picture=each.picture.name, reason=image))
            else:
                images[len(pictures)] = image
                pictures.append(each)
            progress(done, len(hashed))
    return Decoded(images[: len(pictures)], pictures, set_aside)


def _shape(preprocess: Preprocess) -> tuple[int, int, int]:
    return (*preprocess.crop_hw, preprocess.channels)  # (H, W, C)


def _room(count: int, preprocess: Preprocess, folder: Path, most_in_memory: int) -> np.ndarray:
    """An array (N, H, W, C) for so many images, in memory or on disk."""
    shape = (count, *_shape(preprocess))
    needed = bytes_needed(count, preprocess)
    if needed <= most_in_memory:
        return np.empty(shape, np.uint8)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise _no_room(count, needed, folder, f"where {_gigabytes(free)} are free")
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), needed)
            return np.frombuffer(mmap.mmap(file.fileno(), needed), np.uint8).reshape(shape)  # (N, H, W, C)
    except OSError as error:
        raise _no_room(count, needed, folder, f"where no such file can be made ({error.strerror})") from error


def _reserve(file: int, size: int) -> None:
    """Gives the file its size, and room on the disk where the system can: else a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # what some file systems cannot
                raise
    os.truncate(file, size)


def _no_room(count: int, needed: int, folder: Path, why: str) -> MachineError:
    return MachineError(
        f"{counted(count, 'picture')} as images need {_gigabytes(needed)} in {printable(str(folder))}, {why}: make "
        "room there, or name a folder on another disk in EYESPOT_CACHE"
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
