"""What a picture costs, from its header alone: nothing is decoded, and no decoder is asked.

A header that cannot be read, or is longer than any program writes, counts as the largest picture that is taken: what
its decoder makes of it is seen later, and until then it holds up nobody else.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from eyespot.data.formats import format_of
from eyespot.data.structure import segments, tiff_header
from eyespot.errors import RequestError, UnreadablePicture
from eyespot.serve.pictures import MOST_PIXELS

MOST_REQUEST_PIXELS = 4 * MOST_PIXELS
"""Of all pictures of a request together."""
LEAST = 500_000
"""What every picture costs besides: it goes through the network."""
LARGE = 8_000_000
"""From this cost on others would miss what a picture takes: fewer than half of the workers take such ones."""
_MOST_SEGMENTS = 256
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""JPEG's segments that say the size (ITU-T T.81, table B.1)."""
_PNM = re.compile(rb"P[1-6f](?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})\s")
_WEIGHTS = {"JPEG": 0.25, "WebP": 1.5, "AVIF": 3.0, "HEIC": 4.0}
"""Of a pixel, by how long decoders take for it; others have 1."""
_SCAN_WEIGHT = 0.1
"""Of a pixel of a JPEG, for each scan after the first."""


def require_affordable(pictures: Sequence[bytes]) -> None:
    """Raises RequestError if the pictures of a request have too many pixels together."""
    if len(pictures) * MOST_PIXELS <= MOST_REQUEST_PIXELS:
        return
    pixels = sum(pixels_of(each) for each in pictures)
    if pixels > MOST_REQUEST_PIXELS:
        raise RequestError(
            413,
            f"the pictures of the request have {pixels / 1e6:.0f} megapixels together, more than the "
            f"{MOST_REQUEST_PIXELS // 1_000_000} that are taken at a time: send fewer, or smaller ones",
        )


def cost_of(picture: bytes | np.ndarray) -> int:
    """What the picture costs: pixels of a PNG that take as long."""
    if not isinstance(picture, bytes):
        return LEAST
    pixels = pixels_of(picture)
    if pixels <= LEAST:
        return LEAST + pixels
    weight = _WEIGHTS.get(_format(picture), 1.0)
    if picture.startswith(b"\xff\xd8"):
        weight += _SCAN_WEIGHT * (picture.count(b"\xff\xda") - 1)
    return LEAST + int(pixels * weight)


def pixels_of(picture: bytes) -> int:
    """The picture's pixels as its header says, at most MOST_PIXELS; 0 for what is no picture."""
    read = _SIZES.get(_format(picture))
    if read is None:
        return 0
    try:
        width, height = read(picture)
    except (struct.error, IndexError, ValueError):
        return MOST_PIXELS
    return min(abs(width * height), MOST_PIXELS) or MOST_PIXELS


def _format(data: bytes) -> str:
    try:
        return format_of(data)
    except UnreadablePicture:
        return ""


Size = tuple[int, int]


def _jpeg(data: bytes) -> Size:
    """Of its frames the largest: the last one counts for Pillow, another one for others."""
    sizes: list[Size] = []
    for start, _, code in islice(segments(data), _MOST_SEGMENTS):
        if code == 0xDA:
            return max(sizes, key=lambda size: size[0] * size[1])
        if code in _FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 5)
            sizes.append((width, height))
    raise ValueError


def _png(data: bytes) -> Size:
    """Of a second header, too, which Pillow would believe."""
    pixels = data.index(b"IDAT", 0, 2**20)
    sizes: list[Size] = []
    at = data.find(b"IHDR", 0, pixels)
    while at >= 0:
        sizes.append(struct.unpack_from(">II", data, at + 4))
        at = data.find(b"IHDR", at + 4, pixels)
    return max(sizes, key=lambda size: size[0] * size[1])


def _gif(data: bytes) -> Size:
    """Of the screen, or the first frame's far corner."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(_MOST_SEGMENTS):
        if data[at] == ord(","):
            left, top, frame_width, frame_height = struct.unpack_from("<HHHH", data, at + 1)
            return max(width, left + frame_width), max(height, top + frame_height)
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    raise ValueError


def _webp(data: bytes) -> Size:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        [bits] = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _bmp(data: bytes) -> Size:
    size: Size = struct.unpack_from("<HH" if data[14] == 12 else "<ii", data, 18)
    return size


def _pnm(data: bytes) -> Size:
    found = _PNM.match(data[:4096])
    if found is None:
        raise ValueError
    return int(found[1]), int(found[2])


def _tiff(data: bytes) -> Size:
    header = tiff_header(data)
    if header is None:
        raise ValueError
    return header.size


def _heif(data: bytes) -> Size:
    """Of the largest image in the container (ISO/IEC 23008-12, 6.5.3): tiles are smaller."""
    sizes: list[Size] = [
        struct.unpack_from(">II", data, found.end() + 4) for found in islice(re.finditer(b"ispe", data[: 2**20]), 256)
    ]
    return max(sizes, key=lambda size: size[0] * size[1])


_SIZES: dict[str, Callable[[bytes], Size]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WebP": _webp,
    "BMP": _bmp,
    "PPM": _pnm,
    "TIFF": _tiff,
    "HEIC": _heif,
    "AVIF": _heif,
}
