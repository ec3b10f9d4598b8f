"""Whether a file is an ordinary picture: small, and with nothing in it but what nearly all JPEG and PNG have.

It is judged by the file's structure alone. Decoders meet nothing more often, so it may be decoded in the server's own
process: to hand it to another one would take a tenth of the time of an answer.
"""

from __future__ import annotations

from eyespot.data.structure import PNG_SIGNATURE, SCAN, segments

MOST_BYTES = 2**21
MOST_PIXELS = 2**21
_JPEG = b"\xff\xd8\xff"
_SCAN_BEGINS = bytes((0xFF, SCAN))
_FRAME = 0xC0
"""Of a baseline JPEG (ITU-T T.81, table B.1); those of other kinds are not ordinary."""
_SEGMENTS = frozenset({_FRAME, SCAN, 0xC4, 0xDB, 0xDD, 0xE0, 0xE1, 0xE2, 0xED, 0xEE})
"""Beside frame and scan the tables, and what cameras and Adobe's programs say; no remarks."""
_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT", b"IDAT"})
_COLOR_TYPES = frozenset({0, 2, 3, 4, 6})


def is_ordinary(data: bytes) -> bool:
    """True for a baseline JPEG in one scan, and a PNG of 8 bits that is not interlaced, of at most 2 megapixels."""
    if len(data) > MOST_BYTES:
        return False
    return _is_ordinary_jpeg(data) if data.startswith(_JPEG) else _is_ordinary_png(data)


def _is_ordinary_jpeg(data: bytes) -> bool:
    frame = None
    for start, end, code in segments(data):
        if code not in _SEGMENTS or (code == _FRAME and frame is not None):
            return False
        if code == _FRAME:
            frame = data[start + 4 : end]
        if code == SCAN:
            is_last = data.rfind(_SCAN_BEGINS) == start
            return is_last and frame is not None and _is_ordinary_frame(frame, scanned=data[start + 4 : start + 5])
    return False


def _is_ordinary_frame(frame: bytes, *, scanned: bytes) -> bool:
    """frame: precision, height, width and components. scanned: the number of components in the scan."""
    bits, channels = frame[:1], frame[5:6]
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    return bits == b"\x08" and channels in (b"\1", b"\3") and scanned == channels and 0 < height * width <= MOST_PIXELS


def _is_ordinary_png(data: bytes) -> bool:
    header = data[16:29]
    if not data.startswith(PNG_SIGNATURE) or data[12:16] != b"IHDR" or len(header) < 13:
        return False
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    bits, color, compression, filtered, interlaced = header[8:]
    if (bits, compression, filtered, interlaced) != (8, 0, 0, 0) or color not in _COLOR_TYPES:
        return False
    at, name = len(PNG_SIGNATURE), b""
    while name != b"IDAT":
        name = data[at + 4 : at + 8]
        if name not in _CHUNKS:
            return False
        at += 12 + int.from_bytes(data[at : at + 4])
    return 0 < width * height <= MOST_PIXELS
