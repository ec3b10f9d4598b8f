"""Pixels of any kind become 8-bit grey or RGB: deep pixels scaled, palettes looked up, transparency laid on white."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

_BITS_PER_SAMPLE, _SAMPLE_FORMAT = 258, 339  # TIFF tags
_SIGNED = 2
GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F"})
"""Pillow's modes with one channel of light; a palette may hold colours and is not among them."""

_BAND = 2**18
"""Pixels that are changed at a time."""
_FLOAT_RANGES = ((0.0, 1.0), (0.0, 255.0), (0.0, 65535.0))


def eight_bit(image: Image.Image, color: Literal["rgb", "gray"]) -> Image.Image:
    """The image in mode RGB or L; an image in that mode already is handed back as it is.

    16 bits per channel are scaled by 65535, signed and 32-bit integers by their whole range. Floats are scaled by the
    smallest of 0..1, 0..255 and 0..65535 that holds them all, else from their least value to their greatest.
    Whatever is transparent shows white. Grey is Pillow's luma (ITU-R 601).
    """
    mode = "RGB" if color == "rgb" else "L"
    if image.mode == "F":
        image = _from_floats(np.asarray(image))
    elif image.mode.startswith("I"):
        image = _from_integers(np.asarray(image), *_depth(image))
    elif image.has_transparency_data:
        image = _on_white(image)
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: Image.Image) -> Image.Image:
    """Mode RGB; a band of rows at a time, since what lies between takes 13 bytes a pixel."""
    white = Image.new("RGB", image.size, "white")
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height))) if rows < image.height else image
        # La and RGBa (colour already multiplied by alpha) convert to nothing but their plain twin
        rgba = band.convert({"La": "LA", "RGBa": "RGBA"}.get(band.mode, band.mode)).convert("RGBA")
        white.paste(rgba.convert("RGB"), (0, top), mask=rgba.getchannel("A"))
    return white


def _depth(image: Image.Image) -> tuple[int, bool]:
    """Bits per value, and whether values are signed, as the file says: Pillow's mode alone does not tell."""
    tags = getattr(image, "tag_v2", None)  # a TIFF has them; its class takes 20 ms to import
    if tags is not None:
        return tags.get(_BITS_PER_SAMPLE, (16,))[0], tags.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED
    return 16, False  # a 16-bit PNG, which some versions of Pillow open in the 32-bit mode I


def _from_integers(values: np.ndarray, bits: int, signed: bool) -> Image.Image:
    """Mode L from integers (H, W): the least value of their range becomes 0, the greatest 255, rounded between."""
    greatest = 2**bits - 1
    wide = values.astype(np.int64)
    wide = wide + 2 ** (bits - 1) if signed else wide & greatest  # the mask: Pillow keeps unsigned 32 bits as signed
    return Image.fromarray(((wide * 255 + greatest // 2) // greatest).astype(np.uint8))


def _from_floats(values: np.ndarray) -> Image.Image:
    """Mode L from floats (H, W); what is not finite becomes black."""
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    least, greatest = float(values.min()), float(values.max())
    low, high = next((r for r in _FLOAT_RANGES if r[0] <= least and greatest <= r[1]), (least, greatest))
    return Image.fromarray(np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8))
