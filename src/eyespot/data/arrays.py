"""Arrays and Pillow's pictures as the bytes of picture files, without loss: the one decoder reads them like any other.

What has 8 bits, gray or in color, becomes a PGM or a PPM, whose bytes are its pixels and cost no time; all else a PNG
or a TIFF. So equal pixels have one content hash, whatever they were handed in as.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from eyespot.errors import DataError
from eyespot.names import quoted
from eyespot.words import short

CHANNELS = (1, 3, 4)
"""Gray, color, and color with transparency."""
_PNG_MODES = ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA")
_TIFF_MODES = ("F", "CMYK", "YCbCr", "LAB")


def one_picture(array: np.ndarray, *, where: str) -> np.ndarray:
    """The array as one picture (H, W) or (H, W, C). where: names it in errors. Raises DataError for any other shape."""
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] in CHANNELS):
        return array
    if array.ndim == 3 and array.shape[0] in CHANNELS:
        return np.moveaxis(array, 0, -1)  # (H, W, C)
    many = " is one of many pictures: give it by itself, or" if array.ndim == 4 else ":"
    raise DataError(f"{where} has the shape {array.shape}{many} give one picture as (H, W, 3), (H, W) or (3, H, W)")


def many_pictures(array: np.ndarray, *, where: str, is_tensor: bool) -> list[np.ndarray] | None:
    """The pictures of a batch, each (H, W) or (H, W, C); None for an array that is one picture.

    is_tensor: torch has channels first, so (3, H, W) is one picture there. Raises DataError where it may be either.
    """
    shape = array.shape
    if array.ndim == 4:
        return [one_picture(each, where=where) for each in array]
    if array.ndim != 3 or shape[2] in CHANNELS or (shape[0] in CHANNELS and is_tensor):
        return None
    if shape[0] in CHANNELS[1:]:
        raise DataError(
            f"{where} has the shape {shape}, which may be {shape[0]} gray pictures or the {shape[0]} channels of one: "
            "give a list of pictures, or numpy.moveaxis(array, 0, -1)"
        )
    return list(array)


def array_bytes(array: np.ndarray, *, where: str) -> bytes:
    """The bytes of a picture file with these pixels.

    array: (H, W) or (H, W, C), C 1, 3 or 4: uint8, bool, floats from 0 to 1, or without channels uint16.
    where: names it in errors. Raises DataError for what is no such picture.
    """
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if 0 in array.shape:
        raise DataError(f"{where} has the shape {array.shape}, so it has no pixels")
    if array.dtype == np.uint16 and array.ndim == 2:
        return _saved(Image.fromarray(array), "PNG")
    pixels = np.ascontiguousarray(_eight_bit(array, where))
    height, width = pixels.shape[:2]
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return _saved(Image.fromarray(pixels), "PNG")
    return b"P%d %d %d 255\n" % (5 if pixels.ndim == 2 else 6, width, height) + pixels.tobytes()


def pillow_bytes(picture: Image.Image, *, where: str) -> bytes:
    """The bytes of a picture file like a picture of Pillow's, upright as its EXIF says, with its color profile.

    Raises DataError where its pixels cannot be read.
    """
    from PIL import ImageOps  # which pictures from files do without

    try:
        picture = ImageOps.exif_transpose(picture)
        if picture.mode in ("L", "RGB") and not (picture.has_transparency_data or picture.info.get("icc_profile")):
            return array_bytes(np.asarray(picture), where=where)
        if picture.mode in _TIFF_MODES:
            return _saved(picture, "TIFF")
        if picture.mode not in _PNG_MODES:
            deep = "I" if picture.mode.startswith("I") else "RGB"
            picture = picture.convert({"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(picture.mode, deep))
        return _saved(picture, "PNG")
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{where} cannot be read: {quoted(error)}; open the picture again") from error


def _saved(picture: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **({"compress_level": 1} if format == "PNG" else {}))
    return file.getvalue()


def _eight_bit(array: np.ndarray, where: str) -> np.ndarray:
    """The pixels as uint8."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return np.where(array, np.uint8(255), np.uint8(0))
    if not np.issubdtype(array.dtype, np.floating):
        raise DataError(
            f"{where} is an array of {array.dtype}: give uint8 from 0 to 255, as array.astype('uint8') does, or floats "
            "from 0 to 1"
        )
    if not np.isfinite(array).all():
        raise DataError(f"{where} holds NaN or infinity: give numbers from 0 to 1")
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        what = "leave out what normalizes it" if low < 0 else "divide it by 255, or give uint8"
        raise DataError(f"{where} holds floats from {short(low)} to {short(high)}, and 0 to 1 was expected: {what}")
    eight_bit: np.ndarray = np.rint(array * 255).astype(np.uint8)
    return eight_bit
