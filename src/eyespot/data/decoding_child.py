"""What a process does that decodes pictures for another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from eyespot.data import formats
from eyespot.data.apart_child import Content, Job, answer
from eyespot.data.decoding import apart, bands
from eyespot.data.pictures import orientation_of
from eyespot.errors import TooManyPixels, UnreadablePicture

_SAID = ("transparency", "icc_profile", "exif", "xmp", "XML:com.adobe.xmp")
"""What pictures' headers say that decides pixels."""


def main(others: Mapping[str, Job] | None = None) -> None:
    """Opens and decodes pictures until nobody asks any more. others: what else it does."""
    apart.is_here = True
    answer({"open": _with_reason(_open), "decode": _with_reason(_decode), **(others or {})})


def _with_reason(job: Job) -> Job:
    def tried(said: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Content]:
        try:
            with formats.quiet():
                return job(said, data)
        except UnreadablePicture as error:
            return {"reason": error.reason, "too_many": isinstance(error, TooManyPixels)}, Content()

    return tried


def _open(said: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Content]:
    picture = formats.open_picture(data, most_pixels=said["most_pixels"])
    known = {"mode": picture.mode, "size": picture.size, "format": picture.format}
    return known | {"info": _info(picture, _SAID)}, Content()


def _decode(said: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Content]:
    """Of a picture whose header was found to be sound, reduced as the other process wants it."""
    picture = formats.open_picture(data)
    if said["reduced"] > 1:
        picture.draft(None, (picture.width // said["reduced"], picture.height // said["reduced"]))
    formats.decode(picture, data)
    mode = picture.im.getpalettemode() if picture.mode in ("P", "PA") else None
    return {
        "mode": picture.mode,
        "size": picture.size,
        "palette": (mode, picture.im.getpalette(mode, mode).hex()) if mode else None,
        "orientation": orientation_of(picture),
        "info": _info(picture, _SAID[:1]),
    }, _pixels(picture)


def _pixels(picture: Image.Image) -> Content:
    """A band of rows at a time."""
    width, height = picture.size
    row = len(picture.crop((0, 0, width, 1)).tobytes())
    return Content(row * height, (picture.crop((0, top, width, end)).tobytes() for top, end in bands(width, height)))


def _info(picture: Image.Image, names: tuple[str, ...]) -> dict[str, Any]:
    """As JSON has it."""
    found = {name: picture.info[name] for name in names if name in picture.info}
    return {name: {"hex": value.hex()} if isinstance(value, bytes) else value for name, value in found.items()}
