"""Small pictures with the plainest of headers: their pixels in a fraction of the time, and many resized in one call.

A data set may have 70,000 digits, or 60,000 JPEGs of 32 x 32 pixels. What Pillow builds around each of them takes many
times as long as its pixels do. Whatever is unusual is left to `formats.py`, which gives the same pixels, and the reason
where there are none.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache

import numpy as np
from PIL import Image

MOST_SIDE = 128
"""Pixels a side; in larger pictures the pixels take the time."""
FEWEST_TOGETHER = 8
"""Images of one size from which on it pays to find out how they may be resized in one call."""

_GRAY = re.compile(rb"P5 ([0-9]{1,9}) ([0-9]{1,9}) 255\n")
_MOST_JPEG_BYTES = 2**16
"""What Pillow hands to its decoder in one piece."""
_JPEG, _JFIF_BYTES = b"\xff\xd8\xff\xe0", 16
_FRAME, _SCAN, _TABLES = 0xC0, 0xDA, {0xC4, 0xDB, 0xDD}
_MODES = {1: "L", 3: "RGB"}


def plain_pixels(data: bytes, channels: int) -> np.ndarray | None:
    """A small picture whole, at its own size: uint8 (H, W, C); None for all that is not small, plain and sound."""
    size_wh = gray_size(data)
    if size_wh:
        if max(size_wh) > MOST_SIDE:
            return None
        width, height = size_wh
        gray = np.frombuffer(data, np.uint8, offset=len(data) - width * height).reshape(height, width, 1)
        return gray if channels == 1 else gray.repeat(channels, axis=2)  # (H, W, C)
    image = _jpeg(data)
    if image is None:
        return None
    mode = "RGB" if channels == 3 else "L"
    image = image if image.mode == mode else image.convert(mode)
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, channels)  # (H, W, C)


def gray_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PGM as `idx.py` writes it, whose last bytes are then its pixels; None for all else."""
    header = _GRAY.match(data)
    if not header:
        return None
    width, height = int(header[1]), int(header[2])
    return (width, height) if 0 < width * height == len(data) - header.end() else None


def resize_together(images: np.ndarray, size_hw: tuple[int, int], filter: Image.Resampling) -> np.ndarray:
    """Images (N, H, W, C) with other sides, uint8: to the last bit what Pillow makes of each alone."""
    count, height, width, _ = images.shape
    if (height, width) == size_hw:
        return images
    rows_first = _rows_first((height, width), size_hw, filter) if count >= FEWEST_TOGETHER else None
    if rows_first is None:
        return np.stack([_resize(image, size_hw, filter) for image in images])
    return _resize_stacked(images, size_hw, filter, rows_first=rows_first)  # (N, H', W', C)


@lru_cache(1000)
def _rows_first(size_hw: tuple[int, int], new_hw: tuple[int, int], filter: Image.Resampling) -> bool | None:
    """Whether Pillow resizes rows, then columns, or the other way round; None where noise does not tell.

    That is its own affair, depends on the sizes and its version, and shows in how the last bit is rounded.
    """
    noise = np.random.default_rng(0).integers(0, 256, (FEWEST_TOGETHER, *size_hw, 3), dtype=np.uint8)
    alone = np.stack([_resize(image, new_hw, filter) for image in noise])
    orders = (True, False)
    same = [each for each in orders if np.array_equal(_resize_stacked(noise, new_hw, filter, rows_first=each), alone)]
    one_pass = size_hw[0] == new_hw[0] or size_hw[1] == new_hw[1]
    return same[0] if len(same) == 1 or (same and one_pass) else None


def _resize_stacked(
    images: np.ndarray, size_hw: tuple[int, int], filter: Image.Resampling, *, rows_first: bool
) -> np.ndarray:
    """Images (N, H, W, C) with other sides. All rows lie below each other, then all columns beside each other."""
    count, _, _, channels = images.shape
    height, width = size_hw
    for is_row in (rows_first, not rows_first):
        _, old_height, old_width, _ = images.shape
        if is_row:
            stacked = images.reshape(count * old_height, old_width, channels)
            images = _resize(stacked, (count * old_height, width), filter).reshape(count, old_height, width, channels)
        else:
            stacked = images.transpose(1, 0, 2, 3).reshape(old_height, count * old_width, channels)
            resized = _resize(stacked, (height, count * old_width), filter)
            images = resized.reshape(height, count, old_width, channels).transpose(1, 0, 2, 3)
    return images  # (N, H', W', C)


def _resize(image: np.ndarray, size_hw: tuple[int, int], filter: Image.Resampling) -> np.ndarray:
    height, width = size_hw
    resized = Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).resize((width, height), filter)
    return np.asarray(resized).reshape(height, width, -1)  # (H', W', C)


def _jpeg(data: bytes) -> Image.Image | None:
    """A small JPEG decoded, mode L or RGB; None for one with anything unusual, with metadata, or damaged."""
    if not data.startswith(_JPEG) or len(data) > _MOST_JPEG_BYTES:
        return None
    try:
        width, height, components = _jpeg_frame(data)
        if not 0 < max(width, height) <= MOST_SIDE:
            return None
        mode = _MODES[components]
        return Image.frombytes(mode, (width, height), data, "jpeg", mode, "")
    except Exception:  # the long way says what is wrong with it
        return None


def _jpeg_frame(data: bytes) -> tuple[int, int, int]:
    """Width, height and components of a JPEG with nothing but the segments it must have; else LookupError."""
    width = height = components = 0
    at = 2
    while data[at + 1] != _SCAN:
        start, marker, length = struct.unpack_from(">BBH", data, at)
        if marker == _FRAME:
            bits, height, width, components = struct.unpack_from(">BHHB", data, at + 4)
            plain = bits == 8
        else:
            plain = marker in _TABLES or (at == 2 and length == _JFIF_BYTES)
        if start != 0xFF or not plain:
            raise LookupError
        at += 2 + length
    return width, height, components
