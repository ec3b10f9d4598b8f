"""Opening a picture: its first bytes tell its format, never its name, and its header is checked before decoding."""

from __future__ import annotations

import io
import logging
import math
import os
import re
import sys
import tempfile
import threading
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import cache
from importlib import import_module, metadata
from typing import cast

from PIL import Image, ImageFile, features

from eyespot.data import jpeg_segments, picture_limits, plain, png_chunks
from eyespot.data.tiff_header import read_header
from eyespot.errors import UnreadablePicture
from eyespot.machine import cores, glibc
from eyespot.words import counted

# A format's own class, not Image.open: other packages can change the registry behind Image.open.
_CLASSES = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
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
    **{b"P%d" % kind + blank: "PPM" for kind in range(1, 7) for blank in (b"\n", b" ", b"\r", b"\t", b"#")},
    b"Pf\n": "PPM",
}
_UNREAD_BEGINNINGS = {
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop file",
    b"\0\0\1\0": "an icon file",
    b"\0\0\2\0": "a mouse pointer",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"SIMPLE  =": "a FITS picture",
    b"v/1\x01": "an OpenEXR picture",
    b"#?RADIANCE": "a Radiance HDR picture",
    b"qoif": "a QOI picture",
    b"P7\n": "a PAM picture",
    b"PF\n": "a PFM picture in colour",
    b"gimp xcf": "a GIMP file",
    b"FUJIFILMCCD-RAW": "a camera's raw file",
    b"IIRO": "a camera's raw file",
    b"IIU\0": "a camera's raw file",
    b"II\x1a\0\0\0HEAPCCDR": "a camera's raw file",
    b"{\\rtf": "a text document",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
}
"""Pictures and documents that a program can save as JPEG or PNG."""
_UNREAD_KINDS = {
    b"PK\x03\x04": "is a ZIP archive: unpack it",
    b"Rar!": "is a RAR archive: unpack it",
    b"7z\xbc\xaf": "is a 7z archive: unpack it",
    b"\x1f\x8b": "is packed by gzip: unpack it",
    b"\x1aE\xdf\xa3": "is a film: save pictures of it as JPEG or PNG",
    b"OggS": "is a film or sound",
    b"ID3": "is a sound",
    b"version https://git-lfs": "is a pointer to a file that Git LFS has not fetched: run `git lfs pull`",
}
_FTYP_KINDS = {
    b"crx ": "a camera's raw file",
    **dict.fromkeys((b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ", b"3gp4", b"3gp5"), "a film"),
}
_TIFF_NUMBERS = {1: "whole numbers", 2: "signed numbers", 3: "floats", 5: "complex numbers", 6: "complex numbers"}
MUCH_MEMORY = 2**26
"""Bytes of a picture that are worth asking the C library to give them back to the system."""
_LOOKED_AT = 4096
"""Bytes that tell what a text is."""
_AVIF_BRANDS = {b"avif", b"avis"}
_PRINTING = {"TIFF", "AVIF"}
"""Formats whose decoders write to standard error, past Python."""
_LINE = re.compile(
    r"(?:_?TIFF|tempfile|\w*(?:Decode|Setup|Predict|JPEG|Fax|LZW|ZIP|Log[Lu])\w*)[^\x1b\n:]{0,80}: [^\x1b\n]*\."
)
"""One that libtiff writes: one of its modules, what is wrong, a full stop."""
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
    opener = _heic_class() if name == "HEIC" else _class(name)
    picture_limits.check_bytes(data, name)
    with _told_in_words(data, name):
        picture = _opened(opener, data, name)
    picture_limits.check_header(picture, data, most_pixels=most_pixels)
    return picture


def _opened(opener: type[ImageFile.ImageFile], data: bytes, name: str) -> Image.Image:
    """The picture, whatever stands in its remarks."""
    if name == "PNG":
        data = png_chunks.without_remarks(data)
    try:
        return opener(io.BytesIO(data))
    except Exception:
        if name != "JPEG":
            raise
    return opener(io.BytesIO(jpeg_segments.without_remarks(data)))


def decode(picture: Image.Image, data: bytes) -> None:
    """Fills an opened picture with its pixels, all of them: a file that ends early is an error. Inside `quiet`.

    It waits until there is memory for it beside those that others decode, and keeps it until the end of `quiet`.
    """
    name = picture.format or "picture"
    _memory.take(picture_limits.memory(picture))
    lines: list[str] = []
    with _told_in_words(data, name, lines), _unprinted(lines) if name in _PRINTING else nullcontext():
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
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS | _AVIF_BRANDS:
        if _AVIF_BRANDS & {data[at : at + 4] for at in range(8, min(_LOOKED_AT, int.from_bytes(data[:4])), 4)}:
            return "AVIF"  # its brand may be the container's
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
    found = cast(type[ImageFile.ImageFile], getattr(import_module(module), class_name))
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


@contextmanager
def _unprinted(lines: list[str]) -> Iterator[None]:
    """What a decoder writes to standard error within it is added to the lines instead.

    The descriptor belongs to the whole process: what others write meanwhile is written when it is back.
    """
    with _alone_printing, ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            saved = os.dup(2)
        except OSError:  # closed, or there is no place for the file
            yield
            return
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            written = file.read().decode(errors="surrogateescape").split("\n")
            lines += filter(_LINE.fullmatch, written)
            others = [line for line in written if not _LINE.fullmatch(line)]
            if any(others):
                with suppress(OSError):
                    os.write(2, "\n".join(others).encode(errors="surrogateescape"))


class _Memory:
    """What all threads together may take for pictures that they decode: one of the largest for every two cores."""

    def __init__(self) -> None:
        self._most = picture_limits.MOST_MEMORY * max(1, cores() // 2)
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, size: int) -> None:
        """Waits until so many bytes are free. A thread that has some already, or the only one, does not wait."""
        held = getattr(_thread, "memory", 0)
        with self._changed:
            while self._taken > held and self._taken + size > self._most:
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

    def match(self, module: str) -> bool:
        return module.startswith(("PIL.", "pi_heif.")) and getattr(_thread, "is_quiet", False)


_thread = threading.local()
logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python writes its errors to standard error
_alone_printing = threading.Lock()
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
    header = read_header(data, most_entries=picture_limits.MOST_ENTRIES)
    if header is None:
        return "is a damaged TIFF (it has no directory)"
    kind = _TIFF_NUMBERS.get(header.kind, "numbers")
    return (
        f"is a TIFF of {counted(header.bands, 'band')} of {header.bits}-bit {kind}, compression {header.compression}, "
        "which is not read: save it as grey or RGB, with 8 or 16 bits"
    )


def _heic_class() -> type[ImageFile.ImageFile]:
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        raise UnreadablePicture("is HEIC: pip install 'eyespot[heic]'") from None
    opener: type[ImageFile.ImageFile] = HeifImageFile
    return opener


def _what_else(data: bytes) -> str:
    """What a file is that is no readable picture, as a reason."""
    if data.startswith(b"\x1f\x8b") and _is_svg(_unpacked(data)):
        return "is a packed SVG drawing, which is not read: save it as JPEG or PNG"
    for beginning, what in _UNREAD_KINDS.items():
        if data.startswith(beginning):
            return what
    for beginning, what in _UNREAD_BEGINNINGS.items():
        if data.startswith(beginning):
            return f"is {what}, which is not read: save it as JPEG or PNG"
    if data[4:8] == b"ftyp" and data[8:12] in _FTYP_KINDS:
        return f"is {_FTYP_KINDS[data[8:12]]}, which is not read: save pictures of it as JPEG or PNG"
    if data[128:132] == b"DICM":
        return "is a DICOM picture, which is not read: save it as PNG"
    if _is_svg(data):
        return "is an SVG drawing, which is not read: save it as JPEG or PNG"
    if b"<html" in _text(data) or b"<!doctype html" in _text(data):
        return "is a web page, not a picture: save the picture itself"
    if any(beginning.startswith(data) for beginning in (*_BEGINNINGS, b"RIFF")):
        return "is cut off: the file ends too early"
    first = data[:12]
    shown = repr(first.decode("ascii")) if first.isascii() and first.decode("ascii").isprintable() else first.hex(" ")
    return f"is not a picture, whatever its name says (it begins with {shown})"


def _is_svg(data: bytes) -> bool:
    return b"<svg" in _text(data)


def _text(data: bytes) -> bytes:
    """The beginning of a text that opens with a tag, in lower case; empty for all else."""
    text = data[:_LOOKED_AT]
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text.decode("utf-16", "ignore").encode()
    text = text.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text if text.startswith(b"<") else b""


def _unpacked(data: bytes) -> bytes:
    """The beginning of what gzip packed."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, _LOOKED_AT)
    except zlib.error:
        return b""
