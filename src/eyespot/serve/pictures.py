"""A picture that a stranger sent, as an image: its format and header are checked before anything is decoded.

A server has that done in processes of their own, which may be ended (`decoding_child.py`), but for ordinary pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from eyespot.data import formats
from eyespot.data.apart_worker import Answer
from eyespot.data.decoding import apart
from eyespot.data.framed import Framed, frame_opened
from eyespot.data.ordinary import is_ordinary
from eyespot.data.pictures import lies_on_its_side, read_opened, small_opened
from eyespot.data.ranges import levels_of
from eyespot.errors import RequestError, TooManyPixels, UnreadablePicture
from eyespot.names import MOST_REASON, brief
from eyespot.records import Preprocess

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 50_000_000
CROPPED, LETTERBOXED = "cropped", "letterboxed"
"""What is asked of the processes that decode."""
Decoded = TypeVar("Decoded")


def read_sent(data: bytes, preprocess: Preprocess) -> Framed:
    """The picture as `data.pictures.read_image` makes it. Raises RequestError with the status that says why not."""
    if apart.is_always and not is_ordinary(data):
        return _apart(CROPPED, data, preprocess)
    return _sent(data, lambda picture: _cut_to_the_middle(picture, data, preprocess))


def frame_sent(data: bytes, preprocess: Preprocess) -> Framed:
    """The same with a letterbox, as `data.framed.read_framed` makes it."""
    if apart.is_always and not is_ordinary(data):
        return _apart(LETTERBOXED, data, preprocess)
    return _sent(data, lambda picture: frame_opened(picture, data, preprocess))


def small_sent(data: bytes, side: int, *, called: str) -> np.ndarray:
    """All of the picture, upright, its longer side at most `side` pixels: uint8 (H, W, 3).

    called: what an error calls it, such as "the photo".
    """
    return _sent(data, lambda picture: np.asarray(small_opened(picture, data, side, levels_of(data))), called=called)


def too_large() -> RequestError:
    """What is said of a picture with too many bytes."""
    return RequestError(413, f"the picture has more than {MOST_BYTES // 2**20} MB: send a smaller one")


def _apart(job: str, data: bytes, preprocess: Preprocess) -> Framed:
    """What a process of its own makes of it."""
    if len(data) > MOST_BYTES:
        raise too_large()
    try:
        framed = apart.ask({"job": job, "preprocess": _as_json(preprocess)}, data, partial(_framed, preprocess))
    except UnreadablePicture as error:  # its process has ended
        raise RequestError(400, f"the picture {error.reason}") from None
    if isinstance(framed, RequestError):
        raise framed
    return framed


def _framed(preprocess: Preprocess, answer: Answer) -> Framed | RequestError:
    said = answer.said
    if "error" in said:
        return RequestError(int(said["status"]), str(said["error"]))
    height, width = preprocess.crop_hw
    content = answer.read(height * width * preprocess.channels)
    image = np.frombuffer(content, np.uint8).reshape(height, width, preprocess.channels)
    return Framed(image, _sides(said["picture_hw"]), _sides(said["shown_hw"]))


@lru_cache(16)
def _as_json(preprocess: Preprocess) -> str:
    return preprocess.model_dump_json()


def _sides(said: Any) -> tuple[int, int]:
    height, width = said
    return int(height), int(width)


def _sent(data: bytes, decode: Callable[[Image.Image], Decoded], *, called: str = "the picture") -> Decoded:
    """What becomes of a picture whose size, format and header are sound.

    decode: takes the opened picture.
    """
    if len(data) > MOST_BYTES:
        raise too_large()
    status = 415 if data else 400  # until its format is known
    try:
        with formats.quiet():
            formats.format_of(data)
            status = 400
            picture = formats.open_picture(data, most_pixels=MOST_PIXELS)
            return decode(picture)
    except UnreadablePicture as error:
        status = 413 if isinstance(error, TooManyPixels) else status
        raise RequestError(status, f"{called} {brief(error.reason, most=MOST_REASON)}") from error


def _cut_to_the_middle(picture: Image.Image, data: bytes, preprocess: Preprocess) -> Framed:
    width, height = picture.size
    image = read_opened(picture, data, preprocess)
    return Framed(image, (width, height) if lies_on_its_side(picture) else (height, width), preprocess.crop_hw)
