"""What a file is that is no picture we read, by its first bytes, and what its owner can do about it."""

from __future__ import annotations

import zlib

_PICTURES = {
    "a PDF document": (b"%PDF",),
    "a Photoshop file": (b"8BPS",),
    "an icon file": (b"\0\0\1\0",),
    "a mouse pointer": (b"\0\0\2\0",),
    "a JPEG 2000 picture": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "a JPEG XL picture": (b"\0\0\0\x0cJXL ", b"\xff\x0a"),
    "a FITS picture": (b"SIMPLE  =",),
    "an OpenEXR picture": (b"v/1\x01",),
    "a Radiance HDR picture": (b"#?RADIANCE",),
    "a QOI picture": (b"qoif",),
    "a PAM picture": (b"P7\n",),
    "a PFM picture in color": (b"PF\n",),
    "a GIMP file": (b"gimp xcf",),
    "a camera's raw file": (b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\0", b"II\x1a\0\0\0HEAPCCDR"),
    "a text document": (b"{\\rtf",),
    "a document of an office program": (b"\xd0\xcf\x11\xe0",),
}
"""Pictures and documents that a program can save as JPEG or PNG."""
_KINDS = {
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
_LOOKED_AT = 4096
"""Bytes that tell what a text is."""


def what_else(data: bytes) -> str:
    """What a file is that is no readable picture, as a reason."""
    if data.startswith(b"\x1f\x8b") and b"<svg" in _text(_unpacked(data)):
        return "is a packed SVG drawing, which is not read: save it as JPEG or PNG"
    for beginning, what in _KINDS.items():
        if data.startswith(beginning):
            return what
    for what, beginnings in _PICTURES.items():
        if data.startswith(beginnings):
            return f"is {what}, which is not read: save it as JPEG or PNG"
    if data[4:8] == b"ftyp" and data[8:12] in _FTYP_KINDS:
        return f"is {_FTYP_KINDS[data[8:12]]}, which is not read: save pictures of it as JPEG or PNG"
    if data[128:132] == b"DICM":
        return "is a DICOM picture, which is not read: save it as PNG"
    text = _text(data)
    if b"<svg" in text:
        return "is an SVG drawing, which is not read: save it as JPEG or PNG"
    if b"<html" in text or b"<!doctype html" in text:
        return "is a web page, not a picture: save the picture itself"
    first = data[:12]
    shown = repr(first.decode("ascii")) if first.isascii() and first.decode("ascii").isprintable() else first.hex(" ")
    return f"is not a picture, whatever its name says (it begins with {shown})"


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
