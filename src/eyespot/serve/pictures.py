"""A picture that a stranger sent, as an image: its format and header are checked before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyespot.data import formats
from eyespot.data.pictures import lies_on_its_side, read_opened
from eyespot.errors import RequestError, TooManyPixels, UnreadablePicture
from eyespot.names import printable
from eyespot.records import Preprocess

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 50_000_000
MOST_REASON = 200
"""Letters of a decoder's reason that are handed on."""


@dataclass(frozen=True)
class Sized:
    """An image, and the size of the picture that it was made from."""

    image: np.ndarray
    """(H, W, C)"""
    size_wh: tuple[int, int]
    """Of the whole picture, upright, pixels."""


def read_sent(data: bytes, preprocess: Preprocess) -> Sized:
    """The picture as `data.pictures.read_image` makes it. Raises RequestError with the status that says why not."""
    if len(data) > MOST_BYTES:
        raise too_large()
    status = 415 if data else 400  # until its format is known
    try:
        with formats.quiet():
            formats.format_of(data)
            status = 400
            picture = formats.open_picture(data, most_pixels=MOST_PIXELS)
            width, height = picture.size
            image = read_opened(picture, data, preprocess)
            return Sized(image, (height, width) if lies_on_its_side(picture) else (width, height))
    except UnreadablePicture as error:
        status = 413 if isinstance(error, TooManyPixels) else status
        raise RequestError(status, f"the picture {printable(error.reason)[:MOST_REASON]}") from error


def too_large() -> RequestError:
    """What is said of a picture with too many bytes."""
    return RequestError(413, f"the picture has more than {MOST_BYTES // 2**20} MB: send a smaller one")
