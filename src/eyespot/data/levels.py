"""Pixels of any kind become 8-bit grey or sRGB: deep ones scaled, palettes looked up, transparency laid on white.

A *deep* picture holds one number a pixel that is no unsigned 8-bit one: 16 or 32 bits, signed, or a float. Which of its
numbers is black and which white is decided once for a data set (`data/ranges.py`), and is then the same for all.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from eyespot.data import formats, plain
from eyespot.errors import UnreadablePicture
from eyespot.records import Levels
from eyespot.words import counted, from_to, short, some

if TYPE_CHECKING:
    from PIL import ImageCms

GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F"})
"""Pillow's modes with one channel of light; a palette may hold colours and is not among them."""
MOST_SAMPLED = 2**13
"""Pixels of a picture, in a grid, that say where its numbers lie."""
NEARLY_ALL = (0.01, 0.99)
"""Between these shares of a picture's sorted numbers lie those that count: a few wild ones say nothing of the rest."""
LEAST_FILLED = 1 / 16
"""Of the whole range of its kind, by a picture that is read so: 12 bits in 16 fill less, and would be nearly black."""
FLAT = 3
"""Levels that a picture has at least in one of its channels, unless it is flat."""
FLAT_NOTE = "the picture is all of one color, or nearly so, as the network sees it: the answer says little"
MOST_PROFILE_BYTES = 2**22
"""Of an ICC profile; a printer's has one or two MB."""
_OF_RGB = b"RGB "
"""How a profile's header names the colours that it is for (ICC.1, table 19)."""

_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # TIFF tags
_WHITE_IS_ZERO, _SIGNED = 0, 2
_BAND = 2**18
"""Pixels that are changed at a time: all at once would take 30 bytes a pixel."""


@dataclass(frozen=True)
class Kind:
    """What the numbers of a deep picture are."""

    group: Literal["integers", "floats"]
    low: float
    """Black and white where no data set says otherwise: the least and greatest integer of this many bits; 0 and 1."""
    high: float
    is_inverted: bool
    """True where the file says that its least number is white; then low + high - number is the number."""


def eight_bit(image: Image.Image, color: Literal["rgb", "gray"], levels: Levels | None = None) -> Image.Image:
    """The image in mode RGB or L; an image in that mode already is handed back as it is.

    levels: the numbers of deep pictures that become black and white; None for the whole range of each kind, of floats
    0 to 1. What lies beyond is black or white, what is no finite number black. Whatever is transparent shows white.
    Grey is Pillow's luma (ITU-R 601). Raises UnreadablePicture where nothing could be seen so.
    """
    mode = "RGB" if color == "rgb" else "L"
    if image.mode == "LAB":  # to grey it goes by way of colour alone
        image = image.convert("RGB")
    kind = kind_of(image)
    if kind:
        image = _scaled(image, kind, levels)
    elif image.has_transparency_data:
        image = _on_white(image)
    return image if image.mode == mode else image.convert(mode)


def as_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of mode RGB in sRGB, changed in place; as it is where the profile is sRGB's own, of no RGB, or damaged.

    profile: what the picture carries. Colours beyond sRGB are cut to it (relative colorimetric).
    """
    if not profile or len(profile) > MOST_PROFILE_BYTES or profile[16:20] != _OF_RGB:
        return image
    transform = _transform(profile)
    return transform.apply_in_place(image) if transform else image


def kind_of(image: Image.Image) -> Kind | None:
    """What the numbers of an opened image are; None where it is not deep. Pillow's mode alone does not tell."""
    tags = getattr(image, "tag_v2", {})  # a TIFF has them; its class takes 20 ms to import
    is_inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    if image.mode == "F":
        return Kind("floats", 0.0, 1.0, is_inverted)
    is_signed = tags.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED
    if not (image.mode.startswith("I") or (image.mode == "L" and is_signed)):
        return None
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]  # a 16-bit PNG may be opened in the 32-bit mode I
    low = -(2 ** (bits - 1)) if is_signed else 0
    return Kind("integers", low, low + 2**bits - 1, is_inverted)


def is_deep(data: bytes) -> bool:
    """Whether the file is a deep picture. Quick for all others."""
    if data.startswith(b"\x89PNG"):
        return data[24:26] == b"\x10\0"  # bits, grey
    if not data.startswith((b"II", b"MM", b"P")) or plain.gray_size(data):
        return False
    try:
        with formats.quiet():
            return kind_of(formats.open_picture(data)) is not None
    except UnreadablePicture:
        return False


def sampled(image: Image.Image, kind: Kind) -> np.ndarray:
    """The finite numbers of pixels in a grid over a decoded image, sorted: (n,), at most `MOST_SAMPLED`."""
    width = min(image.width, max(math.isqrt(MOST_SAMPLED), MOST_SAMPLED // image.height))
    height = min(image.height, MOST_SAMPLED // width)
    numbers = _numbers(image.resize((width, height), Image.Resampling.NEAREST), kind)
    return np.sort(numbers[np.isfinite(numbers)])


def is_flat(image: np.ndarray) -> bool:
    """Whether an image (H, W, C) is all of one colour, but for a level. A coarse grid tells of nearly all."""
    for view in (image[::16, ::16], image):
        pixels = view.reshape(-1, view.shape[2])  # (n, C)
        if (pixels.max(axis=0) - pixels.min(axis=0) >= FLAT - 1).any():
            return False
    return True


def note_on_flat(names: Sequence[str]) -> list[str]:
    """A sentence on pictures that came out flat, if there are any."""
    if not names:
        return []
    return [f"{counted(len(names), 'picture')} came out all of one color, or nearly so: {some(sorted(names), most=3)}"]


@lru_cache(16)  # a folder of pictures has one or two profiles
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """What changes colours of this profile to sRGB; None where nothing needs to, or can."""
    from PIL import ImageCms  # few pictures carry a profile other than sRGB's

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(own).lower():
            return None
        target = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(own, target, "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # odd metadata says nothing of the pixels
        return None


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


def _scaled(image: Image.Image, kind: Kind, levels: Levels | None) -> Image.Image:
    """Mode L: black at the lower number, white at the higher, rounded between; a band of rows at a time."""
    found = getattr(levels, kind.group, None)
    _require_seen(sampled(image, kind), kind, found)
    low, high = found or (kind.low, kind.high)
    scaled = Image.new("L", image.size)
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        numbers = _numbers(image.crop((0, top, image.width, min(top + rows, image.height))), kind)
        numbers = np.where(np.isfinite(numbers), np.clip(numbers, low, high), low)
        scaled.paste(Image.fromarray(np.rint((numbers - low) * (255.0 / (high - low))).astype(np.uint8)), (0, top))
    return scaled


def _numbers(image: Image.Image, kind: Kind) -> np.ndarray:
    """What the pixels are, float64 (H, W): Pillow keeps unsigned 32 bits as signed, and signed 8 bits as unsigned."""
    values = np.asarray(image)
    if values.dtype == np.uint8:
        values = values.view(np.int8)
    elif kind.high >= 2**31:
        values = values.view(np.uint32)
    with np.errstate(invalid="ignore"):  # NaN of a kind that signals itself
        numbers = values.astype(np.float64)
    return kind.low + kind.high - numbers if kind.is_inverted else numbers


def _require_seen(numbers: np.ndarray, kind: Kind, found: tuple[float, float] | None) -> None:
    """Raises UnreadablePicture where these numbers, sorted, would all be black or all white, or nearly so."""
    if not len(numbers):
        raise UnreadablePicture("holds no finite number")
    low, high = np.quantile(numbers, NEARLY_ALL).tolist()
    if found:
        is_seen = found[0] <= high and low <= found[1]
        why = "as in the pictures that were learned from: give it in their unit"
    else:
        width = kind.high - kind.low
        is_seen = kind.low - width <= low and high <= kind.high + width
        if kind.group == "integers" and low < high:
            is_seen = high - low >= LEAST_FILLED * width
        why = "as no picture of its kind was learned from: train with such pictures, or save it with 8 bits"
    if not is_seen:
        black, white = map(short, found or (kind.low, kind.high))
        raise UnreadablePicture(f"holds numbers from {from_to(low, high)}; {black} is black and {white} white, {why}")
