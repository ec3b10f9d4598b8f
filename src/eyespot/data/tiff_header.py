"""The first directory of a TIFF: what it says of its pixels, and how much it claims (TIFF 6.0, section 2; BigTIFF)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value, by its type."""
_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIPS, _BANDS = 256, 257, 258, 259, 273, 277
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _FORMAT = 322, 323, 324, 339


@dataclass(frozen=True)
class Header:
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


def read_header(data: bytes, *, most_entries: int) -> Header | None:
    """The header of a TIFF, None where it has none that can be read.

    most_entries: of the directory's entries no more are looked at.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    try:
        [start] = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, 8 if is_big else 4)
        [entries] = struct.unpack_from(f"{order}{'Q' if is_big else 'H'}", data, start)
        start += 8 if is_big else 2
        layout = struct.Struct(f"{order}HHQ8s" if is_big else f"{order}HHI4s")
        rows = [layout.unpack_from(data, start + layout.size * number) for number in range(min(entries, most_entries))]
    except (struct.error, OverflowError):
        return None
    values = {tag: _first(data, order, kind, count, inside, is_big) for tag, kind, count, inside in rows}
    counts = {tag: count for tag, _, count, _ in rows}
    return Header(
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


def _first(data: bytes, order: str, kind: int, count: int, inside: bytes, is_big: bool) -> int:
    """The first value of an entry, 0 where it is no whole number."""
    code = _CODES.get(kind)
    if code is None:
        return 0
    if _SIZES[kind] * count > len(inside):
        [at] = struct.unpack(f"{order}{'Q' if is_big else 'I'}", inside)
        inside = data[at : at + _SIZES[kind]]
    try:
        return int(struct.unpack_from(order + code, inside)[0])
    except struct.error:
        return 0
