"""A JPEG as its segments, and without those that say nothing of its pixels (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator

SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Those that restart a scan, of which there may be millions, begin no segment."""
_REMARKS = {*range(0xE0, 0xF0), 0xFE}
_ADOBE, _ADOBE_BYTES = 0xEE, 14
_EXIF, _EXIF_BEGINS = 0xE1, b"Exif\0\0"


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


def without_remarks(data: bytes) -> bytes:
    """The file without remarks: a decoder refuses a whole picture for a damaged one.

    Orientation and Adobe's word on what the channels are stay, where they are whole.
    """
    kept, begun = [], 0
    for start, end, code in segments(data):
        if code in _REMARKS and not _says_something(data[start + 4 : end], code):
            kept.append(data[begun:start])
            begun = end
        if code == SCAN:
            break
    return b"".join([*kept, data[begun:]])


def _says_something(content: bytes, code: int) -> bool:
    if code == _ADOBE:
        return len(content) >= _ADOBE_BYTES - 2
    return code == _EXIF and content.startswith(_EXIF_BEGINS)
