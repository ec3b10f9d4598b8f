"""What a picture's file tells without its pixels: width, height, bytes, and whether a camera signed it."""

from __future__ import annotations

from dataclasses import dataclass

from eyespot.data.formats import open_picture, quiet

_ORIENTATION, _MAKE, _MODEL = 0x0112, 0x010F, 0x0110
_ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations of which width and height change places."""


@dataclass(frozen=True)
class FileFacts:
    """Of one picture's file."""

    width: int
    """Pixels of the upright picture."""
    height: int
    bytes: int
    camera: bool
    """Whether its EXIF data name one."""


def file_facts(data: bytes) -> FileFacts:
    """The facts, from the header alone. Raises UnreadablePicture where it is none of a picture."""
    with quiet():
        picture = open_picture(data)
        exif = picture.getexif() if picture.format in ("JPEG", "TIFF", "WEBP", "PNG") else {}
        width, height = picture.size
        if exif.get(_ORIENTATION) in _ON_ITS_SIDE:
            width, height = height, width
        return FileFacts(width, height, len(data), camera=bool(exif.get(_MAKE) or exif.get(_MODEL)))
