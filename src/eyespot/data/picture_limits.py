"""What reading one picture may cost, whoever reads it: bytes, sides, pixels, memory, and what a decoder walks through.

A few bytes can stand for gigabytes of pixels, millions of chunks or hours of scans. All of it is known from the bytes
and the header, so it is refused before anything is decoded. The server may be stricter, nothing may be laxer.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from itertools import islice, takewhile

from PIL import Image

from eyespot.data.structure import MOST_ENTRIES, SCAN, segments, tiff_header
from eyespot.errors import TooManyPixels, UnreadablePicture

MAX_PIXELS = 178_956_970
"""Of a header: where Pillow, too, stops believing one (twice its `MAX_IMAGE_PIXELS`)."""
MOST_SIDE = 65_500
"""Pixels. No JPEG has a longer one."""
MOST_MEMORY = 400 * 2**20
"""Bytes that a picture takes at most while it is decoded: 104 megapixels in colour."""
MOST_SCANS = 100
"""Of a JPEG. An encoder writes about ten; a decoder goes over all pixels for each, and a file can hold millions."""
MOST_SCANNED = 5_000_000_000
"""Scans times pixels: 50 megapixels 100 times, some two seconds."""
MOST_SEGMENTS = 4_000
"""Of a JPEG before its pixels. Profiles, maps of depth and the like come in pieces of 64 KB: this is 250 MB of them."""
MOST_BLOCKS = 100_000
"""Of a GIF's remarks before its pixels."""
MOST_RUN_BYTES = 4 * 2**20
"""Of a BMP in runs, which is decoded by Python."""
MOST_RUN_PIXELS = 16_000_000
MOST_HEADER = 4_096
"""Bytes of a PNM's header, remarks and all, which Python reads one by one."""
MOST_PLAIN_BYTES = 16 * 2**20
"""Of a PNM whose numbers are written out, which Python reads: some three seconds."""
MOST_SCALED_BYTES = 12 * 2**20
"""Of a PNM whose greatest number is neither 255 nor 65535, which Python scales."""
MOST_REMARKS = 100
"""Between the numbers of such a one: the rest is copied for each."""
MOST_STRIPS = 2**17
"""Of a TIFF, or tiles: two for each row of the longest side."""
MOST_TILE = 4_096
"""Pixels of a tile's side, unless the picture is as large: a decoder makes room for a whole one."""

_BYTES_A_PIXEL = {"1": 3, "L": 3, "P": 5, "PA": 9, "LA": 9, "La": 9, "I;16": 5, "I": 7, "F": 7}
"""Of Pillow's modes, as decoded and in 8 bits, perhaps turned; RGB and the like take 4, and at times a copy."""
_COPIED = {"RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"}
_ANIMATIONS = {"WEBP": 8, "AVIF": 8, "HEIF": 8}
"""Bytes a pixel that decoders hold beside the picture."""
_BYTES_A_PIXEL_IN_SCANS = 6
"""That a decoder holds of a whole JPEG which comes in several scans, however small it is decoded."""
_IN_SCANS = "eyespot: pixels in several scans"
"""Where an opened JPEG keeps how many those are, before it is reduced."""
_START_OF_SCAN = bytes([0xFF, SCAN])
_PNM_HEADER = re.compile(rb"P[1-6f](?:\s|#[^\r\n]*[\r\n])+(?:\d+(?:\s|#[^\r\n]*[\r\n])+){1,3}")


def check_bytes(data: bytes, format: str) -> None:
    """Raises UnreadablePicture for a file whose structure alone would hold a decoder.

    format: its name, as `formats.format_of` gives it.
    """
    check = _CHECKS.get(format)
    if check:
        check(data)


def check_header(picture: Image.Image, data: bytes, *, most_pixels: int = MAX_PIXELS) -> None:
    """Raises UnreadablePicture where an opened picture claims no pixels, or (TooManyPixels) more than are read."""
    width, height = picture.size
    if width < 1 or height < 1:
        raise UnreadablePicture(f"has no pixels: its header says {width} x {height}")
    if width * height > most_pixels:
        limit = most_pixels // 1_000_000
        raise TooManyPixels(f"claims {width} x {height} pixels, more than the {limit} megapixels that are read")
    if max(width, height) > MOST_SIDE:
        raise TooManyPixels(f"claims {width} x {height} pixels: a side may have {MOST_SIDE} at most")
    if picture.format == "JPEG":
        _check_scans(picture, data)


def memory(picture: Image.Image) -> int:
    """Bytes that the picture takes at most while it is decoded at its present size, turned upright, and shown as RGB.

    Raises TooManyPixels where that is more than is given to one.
    """
    each = _BYTES_A_PIXEL.get(picture.mode, 8 if picture.mode in _COPIED or "exif" in picture.info else 4)
    each += _ANIMATIONS.get(picture.format or "", 0)
    pixels, in_scans = picture.width * picture.height, scanned(picture)
    taken = pixels * each + in_scans * _BYTES_A_PIXEL_IN_SCANS
    if taken > MOST_MEMORY:
        kind = f"a {picture.format} in several scans" if in_scans else f"the kind {picture.format} {picture.mode}"
        raise TooManyPixels(
            f"has {max(pixels, in_scans) / 1e6:.0f} megapixels of {kind}, which would take {taken // 2**20} MB of "
            f"memory, more than the {MOST_MEMORY // 2**20} that are given: save it smaller"
        )
    return taken


def scanned(picture: Image.Image) -> int:
    """Pixels of an opened JPEG that comes in several scans; 0 of all others."""
    return int(picture.info.get(_IN_SCANS, 0))


def _check_scans(picture: Image.Image, data: bytes) -> None:
    """Raises UnreadablePicture for a JPEG that a decoder would go over too often."""
    if data.count(_START_OF_SCAN) <= 1:
        return
    # A thumbnail's scans lie inside of a segment, and those of other pictures after the end.
    scans = sum(1 for _ in islice((code for _, _, code in segments(data) if code == SCAN), MOST_SCANS + 1))
    pixels = picture.width * picture.height
    if scans > MOST_SCANS:
        raise UnreadablePicture(f"has more than {MOST_SCANS} scans: save it anew")
    if scans * pixels > MOST_SCANNED:
        raise TooManyPixels(
            f"has {scans} scans of {pixels / 1e6:.0f} megapixels: save it as a plain (not progressive) JPEG"
        )
    if scans > 1:
        picture.info[_IN_SCANS] = pixels


def _check_jpeg(data: bytes) -> None:
    if len(data) < 4 * MOST_SEGMENTS:
        return
    before = takewhile(lambda segment: segment[2] != SCAN, segments(data))
    if next(islice(before, MOST_SEGMENTS, None), None):
        raise UnreadablePicture(f"has more than {MOST_SEGMENTS} segments before its pixels: save it anew")


def _check_gif(data: bytes) -> None:
    """Goes through what comes before the first picture: remarks, in blocks of at most 255 bytes."""
    if len(data) < 2 * MOST_BLOCKS:
        return
    at, count = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0), 0
    while data[at : at + 1] == b"!":
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
            count += 1
            if count > MOST_BLOCKS:
                raise UnreadablePicture(f"has more than {MOST_BLOCKS} blocks before its pixels: save it anew")
        at += 1


def _check_bmp(data: bytes) -> None:
    if data[30:34] not in (b"\1\0\0\0", b"\2\0\0\0"):  # not in runs
        return
    if len(data) > MOST_RUN_BYTES:
        raise UnreadablePicture(f"is a BMP in runs of more than {MOST_RUN_BYTES // 2**20} MB: save it as PNG")
    width, height = struct.unpack_from("<Ii", data, 18)
    if width * abs(height) > MOST_RUN_PIXELS:
        raise UnreadablePicture(f"is a BMP in runs of more than {MOST_RUN_PIXELS} pixels: save it as PNG")


def _check_pnm(data: bytes) -> None:
    header = _PNM_HEADER.match(data[:MOST_HEADER])
    if header and data[1:2] in b"56" and len(data) > MOST_SCALED_BYTES:
        greatest = int(re.sub(rb"#[^\r\n]*", b"", header[0]).split()[-1][:9])
        if greatest not in (255, 65535):
            limit = MOST_SCALED_BYTES // 2**20
            raise UnreadablePicture(f"has numbers up to {greatest} in more than {limit} MB: save it as PNG")
    if not header and len(data) > MOST_HEADER:
        raise UnreadablePicture(f"has a header of more than {MOST_HEADER} bytes: save it as PNG")
    if data[1:2] in b"123":
        if len(data) > MOST_PLAIN_BYTES:
            limit = MOST_PLAIN_BYTES // 2**20
            raise UnreadablePicture(f"has its numbers written out in more than {limit} MB: save it as PNG")
        if data.count(b"#") > MOST_REMARKS:
            raise UnreadablePicture(f"has more than {MOST_REMARKS} remarks: save it as PNG")


def _check_tiff(data: bytes) -> None:
    header = tiff_header(data)
    if header is None:
        return  # its own decoder says what is wrong with it
    if header.entries > MOST_ENTRIES or header.entry_bytes > len(data):
        raise UnreadablePicture(
            f"has a directory of {header.entries} entries and {header.entry_bytes} bytes, too many: save it anew"
        )
    if header.strips > MOST_STRIPS:
        raise UnreadablePicture(f"has {header.strips} strips or tiles, more than {MOST_STRIPS}: save it anew")
    (tile_width, tile_height), (width, height) = header.tile, header.size
    is_long = max(header.tile) > max(MOST_TILE, *header.size)
    if is_long or tile_width * tile_height > max(MOST_TILE**2, 2 * width * height):
        raise UnreadablePicture(
            f"has tiles of {tile_width} x {tile_height} pixels, larger than the picture: save it anew"
        )


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": _check_jpeg,
    "GIF": _check_gif,
    "BMP": _check_bmp,
    "PPM": _check_pnm,
    "TIFF": _check_tiff,
}
