"""Opening a picture: its first bytes tell its format, never its name, and its header is checked before decoding."""

from __future__ import annotations

import io
import math
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module, metadata
from typing import cast

from PIL import Image, ImageFile

from eyespot.data import plain
from eyespot.errors import TooManyPixels, UnreadablePicture

MAX_PIXELS = 178_956_970
"""Largest picture that is read: where Pillow, too, stops believing a header (twice its `MAX_IMAGE_PIXELS`)."""

# A format's own class, not Image.open: other packages can change the registry behind Image.open.
_CLASSES = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
}
_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    **{kind + blank: "PPM" for kind in (b"P5", b"P6") for blank in (b"\n", b" ", b"\r", b"\t")},
}
_UNREAD_BEGINNINGS = {
    b"%PDF": "a PDF document",
    b"<svg": "an SVG drawing",
    b"8BPS": "a Photoshop file",
    b"\0\0\1\0": "an icon file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_ENDINGS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b";"}
_SAID_WHEN_CUT_OFF = ("truncated", "end of file", "unexpected end", "not enough", "eof")


def open_picture(data: bytes, *, most_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture with its header read and believable, nothing decoded yet. To be called inside `quiet`.

    Raises UnreadablePicture: empty, not a picture, a format that is not read, a damaged header, or (TooManyPixels)
    more than `most_pixels`.
    """
    gray = plain.gray_size(data)
    if gray and math.prod(gray) <= most_pixels:
        return Image.frombuffer("L", gray, data[-math.prod(gray) :], "raw", "L", 0, 1)
    name = format_of(data)
    opener = _heic_class() if name == "HEIC" else _class(name)
    with _told_in_words(data, name):
        picture = opener(io.BytesIO(data))
    width, height = picture.size
    if width < 1 or height < 1:
        raise UnreadablePicture(f"has no pixels: its header says {width} x {height}")
    if width * height > most_pixels:
        limit = most_pixels // 1_000_000
        raise TooManyPixels(f"claims {width} x {height} pixels, more than the {limit} megapixels that are read")
    return picture


def decode(picture: Image.Image, data: bytes) -> None:
    """Fills an opened picture with its pixels, all of them: a file that ends early is an error. Inside `quiet`."""
    with _told_in_words(data, picture.format or "picture"):
        picture.load()


def format_of(data: bytes) -> str:
    """The format's name, for example "JPEG"; UnreadablePicture says what the bytes are instead."""
    if not data:
        raise UnreadablePicture("is empty (0 bytes)")
    for beginning, name in _BEGINNINGS.items():
        if data.startswith(beginning):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "HEIC"
    raise UnreadablePicture(_what_else(data))


def heic_version() -> str | None:
    """The version of the HEIC decoder, None where it is not installed."""
    try:
        return metadata.version("pi_heif")
    except metadata.PackageNotFoundError:
        return None


@cache
def _class(name: str) -> type[ImageFile.ImageFile]:
    """Pillow's class of a format, imported when the first picture of it comes: all of them take 50 ms."""
    module, class_name = _CLASSES[name]
    return cast(type[ImageFile.ImageFile], getattr(import_module(module), class_name))


@contextmanager
def quiet() -> Iterator[None]:
    """Within it Pillow's warnings are not heard in this thread; other threads and other packages hear theirs.

    Pillow warns about odd metadata that changes no pixel. `warnings.catch_warnings` would swap the filters of all
    threads, so one filter stays in the list, and its pattern matches only in a thread that is inside `quiet`.
    """
    if getattr(sys.flags, "context_aware_warnings", False):  # Python 3.14: catch_warnings keeps to its thread
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
        return
    filters = cast("list[object]", warnings.filters)
    if not filters or filters[0] is not _FILTER:
        filters.insert(0, _FILTER)
    before, _thread.is_quiet = getattr(_thread, "is_quiet", False), True
    try:
        yield
    finally:
        _thread.is_quiet = before


class _PillowInAQuietThread:
    """Stands where a warning filter keeps the compiled pattern of module names."""

    def match(self, module: str) -> bool:
        return module.startswith(("PIL.", "pi_heif.")) and getattr(_thread, "is_quiet", False)


_thread = threading.local()
_FILTER = ("ignore", None, Warning, _PillowInAQuietThread(), 0)


@contextmanager
def _told_in_words(data: bytes, name: str) -> Iterator[None]:
    """Turns whatever a decoder raises into UnreadablePicture: decoders raise nearly every class there is."""
    try:
        yield
    except MemoryError as error:
        raise UnreadablePicture("does not fit into this machine's memory") from error
    except Exception as error:
        says = str(error).lower()
        if any(words in says for words in _SAID_WHEN_CUT_OFF) or _ENDINGS.get(name, b"") not in data[-4096:]:
            raise UnreadablePicture("is cut off: the file ends too early") from error
        raise UnreadablePicture(f"is a damaged {name} ({error or type(error).__name__})") from error


def _heic_class() -> type[ImageFile.ImageFile]:
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        raise UnreadablePicture("is HEIC: pip install 'eyespot[heic]'") from None
    opener: type[ImageFile.ImageFile] = HeifImageFile
    return opener


def _what_else(data: bytes) -> str:
    """What a file is that is no readable picture, as a reason."""
    for beginning, what in _UNREAD_BEGINNINGS.items():
        if data.startswith(beginning):
            return f"is {what}, which is not read: save it as JPEG or PNG"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "is an AVIF picture, which is not read: save it as JPEG or PNG"
    if any(beginning.startswith(data) for beginning in (*_BEGINNINGS, b"RIFF")):
        return "is cut off: the file ends too early"
    first = data[:12]
    shown = repr(first.decode("ascii")) if first.isascii() and first.decode("ascii").isprintable() else first.hex(" ")
    return f"is not a picture, whatever its name says (it begins with {shown})"
