"""Decoding in a process of its own, for pictures whose headers call it expensive, and for formats that few use.

JPEG and PNG stay in this process, where they are decoded faster; in a server only small ones of the ordinary kind.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from PIL import ExifTags, Image, ImagePalette

from eyespot.data.apart import Workers
from eyespot.data.apart_worker import Answer, Limits
from eyespot.data.ordinary import is_ordinary
from eyespot.errors import TooManyPixels, UnreadablePicture

PLAIN_PIXELS = {"JPEG": 36_000_000, "PNG": 16_000_000}
"""Of a picture that is decoded in this process: any phone's photo, and any screenshot."""
PLAIN_SCANNED = 4
"""Times so many pixels, in all scans of a JPEG."""
OPENED_APART = frozenset({"WebP", "AVIF", "HEIC"})
"""Formats whose headers, too, are read by the decoder."""
BAND = 2**22
"""Pixels that are handed over at a time: all at once would stand in memory twice."""
LIMITS = Limits(seconds=60.0, memory=3 * 2**30)
"""For whoever decodes pictures of her own: a large one on a busy machine takes seconds."""
MODULE = "eyespot.data.decoding_child"
T = TypeVar("T")


class Apart:
    """Where the pictures of this process are decoded."""

    def __init__(self) -> None:
        self.is_here = False
        """True in a process that decodes for another one."""
        self.is_always = False
        """True where only ordinary pictures are decoded in this process."""
        self._lock = threading.Lock()
        self._workers: Workers | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def use(self, workers: Workers) -> None:
        """Has all that is not ordinary decoded by these from now on."""
        self.is_always, self._workers = True, workers

    def release(self) -> None:
        """Has them not used any more."""
        self.is_always, self._workers = False, None

    def ask(self, said: dict[str, Any], data: bytes, take: Callable[[Answer], T]) -> T:
        """What `take` makes of a process's answer. Raises UnreadablePicture, with the reason that it gives."""
        with self._lock:
            if self._workers is None:
                self._workers = Workers(MODULE, LIMITS)
        found = self._workers.ask(said, data, lambda answer: _refusal(answer.said) or take(answer))
        if isinstance(found, UnreadablePicture):
            raise found
        return found

    def _forget(self) -> None:
        self._lock = threading.Lock()
        if self._workers is not None:
            self._workers.forget()


apart = Apart()


def is_opened_apart(name: str) -> bool:
    """Whether the header of a picture is read in a process of its own. name: its format, as `formats` names it."""
    return name in OPENED_APART and not apart.is_here


def is_decoded_apart(picture: Image.Image, data: bytes, *, in_scans: int) -> bool:
    """Whether an opened picture is decoded in a process of its own.

    in_scans: pixels of a JPEG that comes in several scans, times those; else 0.
    """
    if apart.is_here or picture.format is None:
        return False
    most = PLAIN_PIXELS.get(picture.format, 0)
    size = picture.width * picture.height
    is_kept = is_ordinary(data) if apart.is_always else size <= most and in_scans <= PLAIN_SCANNED * most
    return not is_kept


def opened(data: bytes, most_pixels: int) -> Image.Image:
    """A picture with nothing but what its header says, as another process read it."""
    said = apart.ask({"job": "open", "most_pixels": most_pixels}, data, lambda answer: answer.said)
    picture = Image.Image()
    picture._mode, picture._size = str(said["mode"]), _size(said)
    picture.format = said["format"]
    picture.info = _info(said)
    return picture


def decode(picture: Image.Image, data: bytes) -> None:
    """Fills an opened picture with its pixels."""
    reduced = getattr(picture, "decoderconfig", None) or (1,)
    said, decoded = apart.ask({"job": "decode", "reduced": int(reduced[0])}, data, _decoded)
    picture.im, picture._mode, picture._size = decoded.im, decoded.mode, decoded.size
    picture.tile = []  # type: ignore[attr-defined]
    picture.palette = None
    picture.info.pop("transparency", None)
    picture.info |= _info(said)
    if said["palette"]:
        mode, colors = said["palette"]
        picture.im.putpalette(mode, mode, bytes.fromhex(colors))
        picture.palette = ImagePalette.raw(mode, bytes.fromhex(colors))
    picture.getexif()[ExifTags.Base.Orientation] = int(said["orientation"])


def bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """The first row and the one after the last of each part of a picture that is handed over at a time."""
    rows = max(1, BAND // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _decoded(answer: Answer) -> tuple[dict[str, Any], Image.Image]:
    mode, (width, height) = str(answer.said["mode"]), _size(answer.said)
    row = answer.left // height
    image = None
    for top, end in bands(width, height):
        band = Image.frombytes(mode, (width, end - top), answer.read(row * (end - top)))
        if end - top == height:
            return answer.said, band
        image = image or Image.new(mode, (width, height))
        image.paste(band, (0, top))
    assert image is not None
    return answer.said, image


def _refusal(said: dict[str, Any]) -> UnreadablePicture | None:
    """Why a picture cannot be read; None where it can."""
    if "reason" not in said:
        return None
    return (TooManyPixels if said["too_many"] else UnreadablePicture)(str(said["reason"]))


def _size(said: dict[str, Any]) -> tuple[int, int]:
    width, height = said["size"]
    return int(width), int(height)


def _info(said: dict[str, Any]) -> dict[str | tuple[int, int], Any]:
    return {name: _value(value) for name, value in said["info"].items()}


def _value(said: Any) -> Any:
    if isinstance(said, dict):
        return bytes.fromhex(said["hex"])
    return tuple(said) if isinstance(said, list) else said
