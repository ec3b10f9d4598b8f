"""A picture that a stranger sent, as an image: its format and header are checked before anything is decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from eyespot.data import formats
from eyespot.data.pictures import lies_on_its_side, read_opened
from eyespot.errors import RequestError, TooManyPixels, UnreadablePicture
from eyespot.names import printable
from eyespot.records import Preprocess

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 50_000_000
MOST_SCANS = 100
"""Of a JPEG. An encoder writes about ten; a decoder goes over all pixels for each, and a file can hold millions."""
MOST_REASON = 200
"""Letters of a decoder's reason that are handed on."""
_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff([^\x00\xff])")


@dataclass(frozen=True)
class Sized:
    """An image, and the size of the picture that it was made from."""

    image: np.ndarray
    """(H, W, C)"""
    size_wh: tuple[int, int]
    """Of the whole picture, upright, pixels."""


def read_sent(data: bytes, preprocess: Preprocess) -> Sized:
    """The picture as `data.pictures.read_image` makes it. Raises RequestError with the status that says why not."""
    try:
        with formats.quiet():
            return _read(data, preprocess)
    except UnreadablePicture as error:
        status = 413 if isinstance(error, TooManyPixels) else 400
        raise RequestError(status, f"the picture {printable(error.reason)[:MOST_REASON]}") from error


def too_large() -> RequestError:
    """What is said of a picture with too many bytes."""
    return RequestError(413, f"the picture has more than {MOST_BYTES // 2**20} MB: send a smaller one")


def _read(data: bytes, preprocess: Preprocess) -> Sized:
    if len(data) > MOST_BYTES:
        raise too_large()
    _require_known_format(data)
    _require_few_scans(data)
    picture = formats.open_picture(data, most_pixels=MOST_PIXELS)
    width, height = picture.size
    image = read_opened(picture, data, preprocess)
    return Sized(image, (height, width) if lies_on_its_side(picture) else (width, height))


def _require_known_format(data: bytes) -> None:
    """Raises RequestError for what is no picture of a known format; an empty one is left to the reader."""
    try:
        formats.format_of(data)
    except UnreadablePicture as error:
        status = 415 if data else 400
        raise RequestError(status, f"the picture {printable(error.reason)[:MOST_REASON]}") from error


def _require_few_scans(data: bytes) -> None:
    """Raises RequestError for a JPEG that a decoder would work on for hours."""
    scan = b"\xff" + bytes([_SCAN])
    if data.startswith(b"\xff\xd8") and data.count(scan) > MOST_SCANS and _has_many_scans(data):
        raise RequestError(400, f"the picture has more than {MOST_SCANS} scans: save it anew")


def _has_many_scans(data: bytes) -> bool:
    """True where a decoder would find too many, as it goes from marker to marker up to the end of the picture.

    A thumbnail's scans lie inside of a segment, and those of other pictures behind the end.
    """
    count, marker = 0, _MARKER.search(data, 2)
    while marker and (code := marker[1][0]) != _END and count <= MOST_SCANS:
        count += code == _SCAN
        marker = _MARKER.search(data, _after(data, marker.end(), code))
    return count > MOST_SCANS


def _after(data: bytes, start: int, code: int) -> int:
    """Where the search for the next marker goes on: behind the marker's segment, where it has one."""
    has_segment = code >= 0xC0 and not 0xD0 <= code <= 0xD9
    return start + int.from_bytes(data[start : start + 2]) if has_segment else start
