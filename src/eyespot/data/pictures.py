"""The one place where a picture becomes numbers, for training, validation, prediction, serving and export alike.

The result is that of torchvision's `Resize(short_side)` and `CenterCrop` on Pillow images: to the last bit where the
record says `exact`; else large JPEGs are decoded at a fraction of their size, and are pictures of that size from then
on, and only the pixels of the crop are resized, along the rows first: faster, and the same in an exported graph. Either
way an image depends on the picture's bytes and the record alone: not on the file's name, the thread or the order.
"""

from __future__ import annotations

import io
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import PIL
from PIL import ExifTags, Image

from eyespot.data import formats, plain
from eyespot.data.cropping import FILTERS, Side, letterbox, resize_and_crop, squash, window_of
from eyespot.data.levels import GRAY_MODES, as_srgb, eight_bit
from eyespot.errors import DataError, UnreadablePicture
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.records import Levels, Preprocess, Window

_LIBRARIES = {
    "libjpeg-turbo": "libjpeg_turbo",
    "libjpeg": "jpg",
    "libwebp": "webp",
    "libtiff": "libtiff",
    "libavif": "avif",
}
"""What decides pixels under Pillow, by Pillow's own names; PNG, GIF and BMP leave a decoder no choice."""

_REDUCED_MARGIN = 1.25
"""A reduced JPEG stays this many times larger than `short_side`: from there on the difference to decoding all of it
(about 1 level on average) is smaller than that between the bilinear and the bicubic filter."""

_MOST_PIXELS_TOGETHER = 2**16
"""Larger images are resized one by one: all of them at once would take much memory, and no less time."""

_BAND = 2**22
"""Pixels that are copied at a time."""

_FITS = {"crop": resize_and_crop, "letterbox": letterbox, "squash": squash}

# EXIF orientation -> what to do to see the picture upright
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@cache
def decoder_version() -> str:
    """Changes whenever the same picture may become other numbers; part of the key under which features are kept."""
    from PIL import features

    versions = {"pillow": PIL.__version__, **{name: features.version(key) for name, key in _LIBRARIES.items()}}
    versions["pi_heif"] = formats.heic_version()
    return " ".join(["3", *(f"{name}-{version}" for name, version in versions.items() if version)])


def read_image(data: bytes, preprocess: Preprocess) -> np.ndarray:
    """The picture as an image: uint8 (H, W, C), contiguous, H and W those of `preprocess.crop_hw`, C 3 or 1.

    data: the whole file, in any format of `formats.PICTURE_SUFFIXES`.
    Raises UnreadablePicture with the reason.
    """
    with formats.quiet():
        return read_opened(formats.open_picture(data), data, preprocess)


def read_opened(picture: Image.Image, data: bytes, preprocess: Preprocess) -> np.ndarray:
    """The same of a picture that is open already, for whoever looks at its header first. Called inside `quiet`."""
    return fitted(to_be_resized(picture, data, preprocess), preprocess)


def read_with_window(data: bytes, preprocess: Preprocess) -> tuple[np.ndarray, Window]:
    """What `read_image` gives, and the part of the picture that it shows."""
    with formats.quiet():
        picture = to_be_resized(formats.open_picture(data), data, preprocess)
        image = fitted(picture, preprocess)
    return image, window_of(picture, preprocess)


def lies_on_its_side(picture: Image.Image) -> bool:
    """True where width and height change places when a decoded picture is turned upright."""
    return orientation_of(picture) >= 5  # those before only flip it, or turn it by half


def read_images(files: Sequence[bytes], preprocess: Preprocess) -> Iterator[np.ndarray | UnreadablePicture]:
    """What `read_image` gives for each file, in order, or the error that it raises.

    Small, plain pictures of one size are resized in one call: many times as fast as one by one.
    """
    with formats.quiet():
        together = _read_together(files, preprocess) if preprocess.exact and preprocess.fit == "crop" else {}
    for number, data in enumerate(files):
        try:
            yield together[number] if number in together else read_image(data, preprocess)
        except UnreadablePicture as error:
            yield error


def read_as_they_are(files: Sequence[bytes], preprocess: Preprocess) -> Iterator[np.ndarray | UnreadablePicture]:
    """Each picture before `read_image` resizes it, uint8 (H, W, C), upright, of any size, or the error that it raises.

    It is what a graph takes that resizes pictures itself.
    """
    for data in files:
        try:
            with formats.quiet():
                pixels = as_pixels(to_be_resized(formats.open_picture(data), data, preprocess), preprocess.color)
        except UnreadablePicture as error:
            yield error
        else:
            yield pixels


def read_named(picture: str | Path) -> tuple[str, bytes]:
    """A picture's name as it can be shown, and its file. Raises DataError, which says why it cannot be read."""
    name = printable(str(picture))
    try:
        return name, from_home(picture).read_bytes()
    except IsADirectoryError:
        raise DataError(f"{name} is a folder: name one picture in it") from None
    except (OSError, ValueError) as error:  # a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{name} cannot be read: {reason}") from error


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Within it, a picture that cannot be decoded is a DataError that begins with its name."""
    try:
        yield
    except UnreadablePicture as error:
        raise DataError(f"{name} {error.reason}") from error


def read_whole(data: bytes, color: Literal["rgb", "gray"], levels: Levels | None = None) -> np.ndarray:
    """The whole picture at its own size, upright: uint8 (H, W, C), C 3 or 1.

    Raises UnreadablePicture with the reason.
    """
    with formats.quiet():
        return as_pixels(_decode(formats.open_picture(data), data, color, levels, least_side=None), color)


def read_small(data: bytes, side: int, levels: Levels | None = None) -> Image.Image:
    """The whole picture, upright, mode RGB, its longer side at most `side` pixels; never enlarged.

    Raises UnreadablePicture with the reason.
    """
    with formats.quiet():
        return small_opened(formats.open_picture(data), data, side, levels)


def small_opened(picture: Image.Image, data: bytes, side: int, levels: Levels | None = None) -> Image.Image:
    """The same of a picture that is open already, for whoever looks at its header first. Called inside `quiet`."""
    image = _decode(picture, data, "rgb", levels, least_side=2 * side)
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    return _in(image, "rgb")


def thumbnail(data: bytes, side: int, levels: Levels | None = None) -> bytes:
    """The same as a JPEG."""
    file = io.BytesIO()
    read_small(data, side, levels).save(file, "JPEG", quality=80)
    return file.getvalue()


def is_small_and_gray(data: bytes, *, most_side: int) -> bool | None:
    """True for a picture with one channel whose sides are at most `most_side` pixels; None where it cannot be read."""
    gray = plain.gray_size(data)
    if gray and max(gray) <= most_side:
        return True
    try:
        with formats.quiet():
            picture = formats.open_picture(data)
    except UnreadablePicture:
        return None
    return max(picture.size) <= most_side and picture.mode in GRAY_MODES


def _read_together(files: Sequence[bytes], preprocess: Preprocess) -> dict[int, np.ndarray]:
    """The images (H, W, C) of small, plain pictures, by their place among the files."""
    by_size: dict[tuple[int, ...], list[tuple[int, np.ndarray]]] = defaultdict(list)
    for number, data in enumerate(files):
        pixels = plain.plain_pixels(data, preprocess.channels)
        if pixels is not None:
            by_size[pixels.shape].append((number, pixels))
    images: dict[int, np.ndarray] = {}
    crop_height, crop_width = preprocess.crop_hw
    for (height, width, _), members in by_size.items():
        across = Side(width, height, preprocess.short_side, crop_width)
        down = Side(height, width, preprocess.short_side, crop_height)
        if across.resized * down.resized > _MOST_PIXELS_TOGETHER:
            continue
        stacked = np.stack([pixels for _, pixels in members])  # (N, H, W, C)
        resized = plain.resize_together(stacked, (down.resized, across.resized), FILTERS[preprocess.filter])
        cropped = resized[:, down.offset : down.offset + crop_height, across.offset : across.offset + crop_width]
        images |= zip((number for number, _ in members), np.ascontiguousarray(cropped), strict=True)
    return images


def to_be_resized(picture: Image.Image, data: bytes, preprocess: Preprocess) -> Image.Image:
    """The picture decoded, upright: all of it, or a JPEG at a fraction of its size where the record is not exact."""
    least_side = None if preprocess.exact else math.ceil(preprocess.short_side * _REDUCED_MARGIN)
    return _decode(
        picture, data, preprocess.color, preprocess.levels, least_side=least_side, as_published=preprocess.exact
    )


def fitted(picture: Image.Image, preprocess: Preprocess) -> np.ndarray:
    fit = _FITS[preprocess.fit]
    cropped = _in(fit(picture, preprocess), preprocess.color)
    return np.array(cropped, dtype=np.uint8).reshape(*preprocess.crop_hw, preprocess.channels)  # (H, W, C)


def _in(image: Image.Image, color: Literal["rgb", "gray"]) -> Image.Image:
    mode = "RGB" if color == "rgb" else "L"
    return image if image.mode == mode else image.convert(mode)


def as_pixels(image: Image.Image, color: Literal["rgb", "gray"]) -> np.ndarray:
    """The image as an array, a band of rows at a time: all at once it would stand in memory twice."""
    pixels = np.empty((image.height, image.width, 3 if color == "rgb" else 1), np.uint8)
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height))) if rows < image.height else image
        pixels[top : top + rows] = np.asarray(_in(band, color)).reshape(band.height, band.width, -1)
    return pixels  # (H, W, C)


def _decode(
    picture: Image.Image,
    data: bytes,
    color: Literal["rgb", "gray"],
    levels: Levels | None,
    *,
    least_side: int | None,
    as_published: bool = False,
) -> Image.Image:
    """The picture decoded, in 8 bits and upright; a JPEG reduced as long as both sides keep `least_side` pixels. One
    of grey is in mode L, whatever the colour.

    as_published: without the picture's profile, which publishers of weights do not look at.
    """
    if least_side is not None:
        picture.draft(None, (least_side, least_side))
    formats.decode(picture, data)
    orientation = orientation_of(picture)
    is_gray = picture.mode in GRAY_MODES and not picture.has_transparency_data
    image = eight_bit(picture, "gray" if is_gray else color, levels)  # a third of the memory until it is small
    if image.mode == "RGB" and not as_published:
        image = as_srgb(image, picture.info.get("icc_profile"))
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation of a decoded picture, 1 to 8; 1 where there is none, and for what Pillow turned already."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # unreadable metadata says nothing about the pixels, which are fine
        return 1
    return orientation if orientation in _UPRIGHT else 1
