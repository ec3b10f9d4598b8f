"""Opening a picture: its first bytes tell its format, never its name, and its header is checked before decoding."""

from __future__ import annotations

import io
import logging
import math
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module, metadata
from itertools import chain
from typing import cast

from PIL import Image, ImageFile, features

from eyespot.data import decoder_lines, decoding, picture_limits, plain, structure
from eyespot.data.other_files import what_else
from eyespot.errors import UnreadablePicture
from eyespot.machine import cores, glibc
from eyespot.words import counted

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif"}
    | {".tif", ".tiff", ".heic", ".heif", ".hif", ".avif", ".avifs", ".pgm", ".ppm", ".pbm", ".pnm", ".pfm"}
)
"""Lower-case endings of files that are taken for pictures; what they hold is told by their content."""
_BEGINNINGS = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (structure.PNG_SIGNATURE,),
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "BMP": (b"BM",),
    "PPM": (b"Pf\n", *(b"P%d" % kind + blank for kind in range(1, 7) for blank in (b"\n", b" ", b"\r", b"\t", b"#"))),
}
_TIFF_NUMBERS = {1: "whole numbers", 2: "signed numbers", 3: "floats", 5: "complex numbers", 6: "complex numbers"}
MUCH_MEMORY = 2**26
"""Bytes of a picture that are worth asking the C library to give them back to the system."""
LITTLE_MEMORY = 2**24
"""Bytes of a picture that are there beside whatever else is decoded."""
_AVIF_BRANDS = {b"avif", b"avis"}
_MOST_BRANDS = 4096
"""Bytes of a container in which its brands are looked for."""
_PRINTING = {"TIFF", "AVIF"}
"""Formats whose decoders write to standard error, past Python."""
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_ENDINGS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b";"}
_SAID_WHEN_CUT_OFF = ("truncated", "end of file", "unexpected end", "not enough", "eof")


def open_picture(data: bytes, *, most_pixels: int = picture_limits.MAX_PIXELS) -> Image.Image:
    """The picture with its header read and believable, nothing decoded yet. To be called inside `quiet`.

    Raises UnreadablePicture: empty, not a picture, a format that is not read, a damaged header, or what
    `picture_limits` refuses, such as (TooManyPixels) more than `most_pixels`.
    """
    gray = plain.gray_size(data)
    if gray and math.prod(gray) <= min(most_pixels, plain.MOST_SIDE**2):
        return Image.frombuffer("L", gray, data[-math.prod(gray) :], "raw", "L", 0, 1)
    name = format_of(data)
    opener = _class(name)
    picture_limits.check_bytes(data, name)
    if decoding.is_opened_apart(name):
        return decoding.opened(data, most_pixels)
    with _told_in_words(data, name):
        picture = _opened(opener, data, name)
    picture_limits.check_header(picture, data, most_pixels=most_pixels)
    return picture


def _opened(opener: type[ImageFile.ImageFile], data: bytes, name: str) -> Image.Image:
    """The picture, whatever stands in its remarks."""
    if name == "PNG":
        data = structure.png_without_remarks(data)
    try:
        return opener(io.BytesIO(data))
    except Exception:
        if name != "JPEG":
            raise
    return opener(io.BytesIO(structure.jpeg_without_remarks(data)))


def decode(picture: Image.Image, data: bytes) -> None:
    """Fills an opened picture with its pixels, all of them: a file that ends early is an error. Inside `quiet`.

    It waits until there is memory for it beside those that others decode, and keeps it until the end of `quiet`.
    """
    name = picture.format or "picture"
    _memory.take(picture_limits.memory(picture))
    if decoding.is_decoded_apart(picture, data, in_scans=picture_limits.scanned(picture)):
        decoding.decode(picture, data)
        return
    lines: list[str] = []
    with _told_in_words(data, name, lines):
        if name not in _PRINTING:
            picture.load()
            return
        try:
            with decoder_lines.unprinted():
                picture.load()
        except MemoryError:
            raise
        except Exception:
            picture.im = Image.new(picture.mode, (1, 1)).im  # its memory is for the second try
            with decoder_lines.kept(lines), suppress(Exception):
                _opened(_class(name), data, name).load()
            raise


def format_of(data: bytes) -> str:
    """The format's name, for example "JPEG"; UnreadablePicture says what the bytes are instead."""
    if not data:
        raise UnreadablePicture("is empty (0 bytes)")
    for name, beginnings in _BEGINNINGS.items():
        if data.startswith(beginnings):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS | _AVIF_BRANDS:
        if _AVIF_BRANDS & {data[at : at + 4] for at in range(8, min(_MOST_BRANDS, int.from_bytes(data[:4])), 4)}:
            return "AVIF"  # its brand may be the container's
        return "HEIC"
    if any(beginning.startswith(data) for beginning in (*chain(*_BEGINNINGS.values()), b"RIFF")):
        raise UnreadablePicture("is cut off: the file ends too early")
    raise UnreadablePicture(what_else(data))


def heic_version() -> str | None:
    """The version of the HEIC decoder, None where it is not installed."""
    try:
        return metadata.version("pi_heif")
    except metadata.PackageNotFoundError:
        return None


@cache
def _class(name: str) -> type[ImageFile.ImageFile]:
    """The class that opens a format, imported when the first picture of it comes: all of them take 50 ms.

    Not Image.open, whose registry other packages can change.
    """
    if name == "HEIC":
        try:
            return cast(type[ImageFile.ImageFile], import_module("pi_heif").HeifImageFile)
        except ImportError:
            raise UnreadablePicture("is HEIC: pip install 'eyespot[heic]'") from None
    plugin = name if name == "WebP" else name.capitalize()
    found: type[ImageFile.ImageFile] = getattr(import_module(f"PIL.{plugin}ImagePlugin"), f"{plugin}ImageFile")
    if name == "AVIF" and not features.check("avif"):
        raise UnreadablePicture("is an AVIF picture, which this Pillow cannot read: save it as JPEG or PNG")
    return _of_one_frame(found) if name == "WebP" else found


def _of_one_frame(base: type[ImageFile.ImageFile]) -> type[ImageFile.ImageFile]:
    """The class, without the two canvases of an animation once the first picture is out: half of its memory."""

    class OfOneFrame(base):  # type: ignore[misc, valid-type]
        def load_prepare(self) -> None:
            self._decoder = None
            super().load_prepare()

    return OfOneFrame


@contextmanager
def quiet() -> Iterator[None]:
    """Within it a picture is read: Pillow's warnings are not heard in this thread; others hear theirs.

    Pillow warns about odd metadata that changes no pixel. `warnings.catch_warnings` would swap the filters of all
    threads, so one filter stays in the list, and its pattern matches only in a thread that is inside `quiet`.
    """
    if getattr(sys.flags, "context_aware_warnings", False):  # Python 3.14: catch_warnings keeps to its thread
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from _reading()
        return
    filters = cast("list[object]", warnings.filters)
    if not filters or filters[0] is not _FILTER:
        filters.insert(0, _FILTER)
    yield from _reading()


def _reading() -> Iterator[None]:
    before, _thread.is_quiet = getattr(_thread, "is_quiet", False), True
    try:
        yield
    finally:
        _thread.is_quiet = before
        if not before:
            _memory.give_back()


class _Memory:
    """What all threads together may take for pictures that they decode: one of the largest for every two cores.

    A picture that takes little does not wait for the large ones.
    """

    def __init__(self) -> None:
        self._most = picture_limits.MOST_MEMORY * max(1, cores() // 2)
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, size: int) -> None:
        """Waits until this many bytes are free. A thread that has some already, or the only one, does not wait."""
        held = getattr(_thread, "memory", 0)
        with self._changed:
            while size > LITTLE_MEMORY and self._taken > held and self._taken + size > self._most:
                self._changed.wait()
            self._taken += size
        _thread.memory = held + size

    def give_back(self) -> None:
        """All that this thread has."""
        held, _thread.memory = getattr(_thread, "memory", 0), 0
        library = glibc() if held > MUCH_MEMORY else None
        if library:  # else each thread would keep what its largest picture took
            library.malloc_trim(0)
        if held:
            with self._changed:
                self._taken -= held
                self._changed.notify_all()


class _PillowInAQuietThread:
    """Stands where a warning filter keeps the compiled pattern of module names."""

    pattern = "(?!)"
    """For who copies filters, as scikit-learn does for its workers: of no module, since a copy knows no thread."""

    def match(self, module: str) -> bool:
        return module.startswith(("PIL.", "pi_heif.")) and getattr(_thread, "is_quiet", False)


_thread = threading.local()
logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python writes its errors to standard error
_memory = _Memory()
_FILTER = ("ignore", None, Warning, _PillowInAQuietThread(), 0)


@contextmanager
def _told_in_words(data: bytes, name: str, lines: Sequence[str] = ()) -> Iterator[None]:
    """Turns whatever a decoder raises into UnreadablePicture: decoders raise nearly every class there is.

    lines: what the decoder has written by then; the first says most.
    """
    try:
        yield
    except MemoryError as error:
        raise UnreadablePicture("does not fit into this machine's memory") from error
    except Exception as error:
        if name == "TIFF" and (isinstance(error, KeyError) or "unknown" in str(error) or "samples" in str(error)):
            raise UnreadablePicture(_what_tiff(data)) from error
        says = str(error).lower()
        if any(words in says for words in _SAID_WHEN_CUT_OFF) or _ENDINGS.get(name, b"") not in data[-4096:]:
            raise UnreadablePicture("is cut off: the file ends too early") from error
        why = next(iter(lines), "") or error or type(error).__name__
        raise UnreadablePicture(f"is a damaged {name} ({why})") from error


def _what_tiff(data: bytes) -> str:
    """What is said of a TIFF whose kind of pixels Pillow does not know."""
    header = structure.tiff_header(data)
    if header is None:
        return "is a damaged TIFF (it has no directory)"
    kind = _TIFF_NUMBERS.get(header.kind, "numbers")
    return (
        f"is a TIFF of {counted(header.bands, 'band')} of {header.bits}-bit {kind}, compression {header.compression}, "
        "which is not read: save it as gray or RGB, with 8 or 16 bits"
    )
