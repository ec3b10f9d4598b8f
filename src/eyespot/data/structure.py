"""What lies around a picture's pixels in its file: a JPEG's segments, a PNG's chunks, the first directory of a TIFF.

Decoders refuse a whole picture for a damaged remark, so remarks can be left out: texts, times and private chunks, be
they odd, huge or damaged. What stays is what pixels, colours and orientation need (ITU-T T.81, annex B; PNG, third
edition, section 4.7.2; TIFF 6.0, section 2, and BigTIFF).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from eyespot.errors import UnreadablePicture

SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Those that restart a scan, of which there may be millions, begin no segment."""
_REMARKS = {*range(0xE0, 0xF0), 0xFE}
_ADOBE, _ADOBE_BYTES = 0xEE, 14
_EXIF, _EXIF_BEGINS = 0xE1, b"Exif\0\0"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 100_000
"""Of a file: 50 MB have 6,000 of 8 KB."""
MOST_CHUNK_BYTES = 2**24
"""Of one chunk that is not the pixels' own."""
MOST_UNPACKED = 2**20
"""Of a profile: what Pillow unpacks."""
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_KEPT_IF_SOUND = {b"iCCP", b"eXIf"}
_FRAME = 12
"""Bytes of a chunk beside its content: length, name, checksum."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value, by its type."""
_WHOLE_NUMBERS = {1, 3, 4, 16}
MOST_ENTRIES = 1_000
"""Of a TIFF's directory."""
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIPS, _BANDS = 256, 257, 258, 259, 273, 277
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _FORMAT = 322, 323, 324, 339


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each segment begins and ends, and its marker's code, up to the end of the picture, as a decoder goes.

    What lies between two, such as the pixels of a scan, belongs to none.
    """
    marker = _MARKER.search(data, 2)
    while marker and (code := marker[1][0]) != _END:
        end = marker.end()
        if code >= 0xC0 and code != 0xD8:  # others have no content
            end += max(2, int.from_bytes(data[end : end + 2]))
        yield marker.start(), end, code
        marker = _MARKER.search(data, end)


def jpeg_without_remarks(data: bytes) -> bytes:
    """A JPEG without remarks. Orientation and Adobe's word on what the channels are stay, where they are whole."""
    before_pixels = takewhile(lambda segment: segment[2] != SCAN, segments(data))
    return _without(
        data, ((start, end) for start, end, code in before_pixels if _is_remark(code, data[start + 4 : end]))
    )


def png_without_remarks(data: bytes) -> bytes:
    """A PNG with only the chunks that a decoder needs.

    A file that is cut off or damaged there stays so from that place on, so that its decoder says it.
    Raises UnreadablePicture for more chunks than any picture has.
    """
    return _without(data, _png_remarks(data))


def _without(data: bytes, pieces: Iterable[tuple[int, int]]) -> bytes:
    """The file without pieces of it, each from its beginning to its end."""
    kept, begun = [], 0
    for start, end in pieces:
        kept.append(data[begun:start])
        begun = end
    return b"".join([*kept, data[begun:]]) if kept else data


def _is_remark(code: int, content: bytes) -> bool:
    if code == _ADOBE:
        return len(content) < _ADOBE_BYTES - 2
    return code in _REMARKS and not (code == _EXIF and content.startswith(_EXIF_BEGINS))


def _png_remarks(data: bytes) -> Iterator[tuple[int, int]]:
    start = len(PNG_SIGNATURE)
    for _ in range(MOST_CHUNKS):
        name, end = data[start + 4 : start + 8], start + _FRAME + int.from_bytes(data[start : start + 4])
        if end > len(data):  # cut off
            return
        if not _stays(data, start, end, name):
            yield start, end
        if name == b"IEND":
            return
        start = end
    raise UnreadablePicture(f"has more than {MOST_CHUNKS} chunks: save it anew")


def _stays(data: bytes, start: int, end: int, name: bytes) -> bool:
    if name in _KEPT or not name[0] & 0x20:  # what its maker calls critical is left to the decoder
        return True
    return name in _KEPT_IF_SOUND and _is_sound(data[start + 4 : end - 4], data[end - 4 : end])


def _is_sound(content: bytes, checksum: bytes) -> bool:
    """Whether a chunk's name and content have their checksum, and a profile unpacks to something of its size."""
    if len(content) > MOST_CHUNK_BYTES or zlib.crc32(content) != int.from_bytes(checksum):
        return False
    if not content.startswith(b"iCCP"):
        return True
    packed = content[4:].partition(b"\0")[2]
    unpacking = zlib.decompressobj()
    try:
        return packed[:1] == b"\0" and bool(unpacking.decompress(packed[1:], MOST_UNPACKED)) and unpacking.eof
    except zlib.error:
        return False


@dataclass(frozen=True)
class TiffHeader:
    """What the first directory says."""

    entries: int
    entry_bytes: int
    """Of all that its entries point to."""
    size: tuple[int, int]
    """Width and height, pixels."""
    tile: tuple[int, int]
    strips: int
    """Or tiles."""
    bands: int
    bits: int
    """Of a number of the first band."""
    kind: int
    """1: whole numbers, 2: signed, 3: floats, 5, 6: complex."""
    compression: int


def tiff_header(data: bytes) -> TiffHeader | None:
    """The header of a TIFF, None where it has none that can be read. At most MOST_ENTRIES are looked at."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    try:
        [start] = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, 8 if is_big else 4)
        [entries] = struct.unpack_from(f"{order}{'Q' if is_big else 'H'}", data, start)
        start += 8 if is_big else 2
        layout = struct.Struct(f"{order}HHQ8s" if is_big else f"{order}HHI4s")
        rows = [layout.unpack_from(data, start + layout.size * number) for number in range(min(entries, MOST_ENTRIES))]
    except (struct.error, OverflowError):
        return None
    values = {
        tag: _first(data, "little" if order == "<" else "big", kind, count, inside) for tag, kind, count, inside in rows
    }
    counts = {tag: count for tag, _, count, _ in rows}
    return TiffHeader(
        entries=entries,
        entry_bytes=sum(_SIZES.get(kind, 1) * count for _, kind, count, _ in rows),
        size=(values.get(_WIDTH, 0), values.get(_HEIGHT, 0)),
        tile=(values.get(_TILE_WIDTH, 0), values.get(_TILE_HEIGHT, 0)),
        strips=max(counts.get(_STRIPS, 0), counts.get(_TILES, 0)),
        bands=values.get(_BANDS, 1),
        bits=values.get(_BITS, 1),
        kind=values.get(_FORMAT, 1),
        compression=values.get(_COMPRESSION, 1),
    )


def _first(data: bytes, order: Literal["little", "big"], kind: int, count: int, inside: bytes) -> int:
    """The first value of an entry, 0 where it is no whole number."""
    if kind not in _WHOLE_NUMBERS:
        return 0
    if _SIZES[kind] * count > len(inside):
        at = int.from_bytes(inside, order)
        inside = data[at : at + _SIZES[kind]]
    return int.from_bytes(inside[: _SIZES[kind]], order)
