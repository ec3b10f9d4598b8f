"""A PNG without what says nothing of its pixels: texts, times and private chunks, be they odd, huge or damaged.

Decoders refuse a whole picture for a damaged remark. What stays is what pixels, colours and orientation need
(PNG, third edition, section 4.7.2).
"""

from __future__ import annotations

import struct
import zlib

from eyespot.errors import UnreadablePicture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 100_000
"""Of a file: 50 MB have 6,000 of 8 KB."""
MOST_BYTES = 2**24
"""Of one chunk that is not the pixels' own."""
MOST_UNPACKED = 2**20
"""Of a profile: what Pillow unpacks."""
_PIXELS = b"IDAT"
_KEPT = {b"IHDR", b"PLTE", b"tRNS", _PIXELS, b"IEND"}
_KEPT_IF_SOUND = {b"iCCP", b"eXIf"}
_FRAME = 12
"""Bytes of a chunk beside its content: length, name, checksum."""


def without_remarks(data: bytes) -> bytes:
    """The file with the chunks alone that a decoder needs; itself where it holds no others.

    A file that is cut off or damaged there stays so from that place on, so that its decoder says it.
    Raises UnreadablePicture for more chunks than any picture has.
    """
    kept: list[bytes] = [SIGNATURE]
    at = begun = len(SIGNATURE)  # of a row of chunks that stay
    for _ in range(MOST_CHUNKS):
        length, name = _frame(data, at)
        end = at + _FRAME + length
        if not name or end > len(data):  # cut off
            break
        if not _stays(data, at, end, name):
            kept.append(data[begun:at])
            begun = end
        at = end
        if name == b"IEND":
            break
    else:
        raise UnreadablePicture(f"has more than {MOST_CHUNKS} chunks: save it anew")
    if len(kept) == 1:
        return data
    return b"".join([*kept, data[begun:]])


def _frame(data: bytes, at: int) -> tuple[int, bytes]:
    """A chunk's length and name; 0 and nothing at the end."""
    if at + 8 > len(data):
        return 0, b""
    return struct.unpack_from(">I", data, at)[0], data[at + 4 : at + 8]


def _stays(data: bytes, start: int, end: int, name: bytes) -> bool:
    if name in _KEPT or not name[0] & 0x20:  # what its maker calls critical is left to the decoder
        return True
    return name in _KEPT_IF_SOUND and _is_sound(data[start + 4 : end - 4], data[end - 4 : end])


def _is_sound(content: bytes, checksum: bytes) -> bool:
    """Whether a chunk's name and content have their checksum, and a profile unpacks to something of its size."""
    if len(content) > MOST_BYTES or zlib.crc32(content) != int.from_bytes(checksum):
        return False
    if not content.startswith(b"iCCP"):
        return True
    packed = content[4:].partition(b"\0")[2]
    unpacking = zlib.decompressobj()
    try:
        return packed[:1] == b"\0" and bool(unpacking.decompress(packed[1:], MOST_UNPACKED)) and unpacking.eof
    except zlib.error:
        return False
