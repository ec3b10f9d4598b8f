"""What a picture costs, told from its header: for every format what its decoder will find."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from eyespot.errors import RequestError
from eyespot.serve.costs import LARGE, LEAST, cost_of, pixels_of, require_affordable
from eyespot.serve.pictures import MOST_PIXELS

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")


def file_of(size, format, *, mode="RGB", **save):
    file = io.BytesIO()
    Image.new(mode, size, 7).save(file, format, **save)
    return file.getvalue()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (301, 7), (640, 480)])
def test_the_pixels_are_those_that_the_decoder_finds(format, size):
    assert pixels_of(file_of(size, format)) == size[0] * size[1]


@pytest.mark.parametrize(
    ("format", "save"),
    [
        ("JPEG", {"progressive": True, "comment": b"\xff\xda" * 50, "exif": Image.Exif().tobytes() + bytes(5000)}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": True, "exif": b"Exif\0\0" + bytes(20)}),
        ("GIF", {"comment": b"," * 900}),
        ("PPM", {}),
        ("TIFF", {"compression": "tiff_deflate"}),
    ],
)
def test_remarks_before_the_size_do_not_hide_it(format, save):
    assert pixels_of(file_of((600, 500), format, **save)) == 300_000


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_of_an_avif_the_size_is_that_of_the_whole():
    assert pixels_of(file_of((600, 500), "AVIF")) == 300_000


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_header_that_says_two_sizes_counts_with_the_larger_one():
    small, large = (struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0) for side in (10, 5000))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", small) + chunk(b"IHDR", large) + chunk(b"IDAT", zlib.compress(b""))
    assert pixels_of(png) == 25_000_000
    gif = bytearray(file_of((20, 20), "GIF", mode="P"))
    at = gif.index(b",\0\0\0\0")
    gif[at + 5 : at + 9] = struct.pack("<HH", 5000, 4000)
    assert pixels_of(bytes(gif)) == 20_000_000


@pytest.mark.parametrize("format", FORMATS)
def test_what_cannot_be_read_counts_as_the_largest_and_never_more(format):
    data = file_of((64, 64), format)
    for end in range(4, len(data), max(1, len(data) // 200)):
        assert pixels_of(data[:end]) in (64 * 64, MOST_PIXELS, 0)
    assert pixels_of(b"\xff\xd8\xff\xe0\0\x04ab" + b"\xff\xe1\0\x04ab" * 5000) == MOST_PIXELS
    assert pixels_of(b"P6\n99999999 99999999\n255\n") == MOST_PIXELS


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg/>", b"%PDF", b"\x89PNG"])
def test_what_is_no_picture_costs_little(data):
    assert pixels_of(data) == 0
    assert cost_of(data) == LEAST


@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9)), max_size=4))
def test_whatever_stands_in_a_file_it_has_a_cost(format, changes):
    data = bytearray(file_of((40, 30), format))
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + len(new)] = new
    assert 0 <= pixels_of(bytes(data)) <= MOST_PIXELS
    assert cost_of(bytes(data)) >= LEAST


def test_large_is_what_takes_long_to_decode():
    size = (3400, 3000)
    assert cost_of(file_of(size, "PNG")) > LARGE > cost_of(file_of(size, "JPEG"))
    assert cost_of(file_of(size, "JPEG", progressive=True)) > cost_of(file_of(size, "JPEG"))
    assert cost_of(np.zeros((224, 224, 3), np.uint8)) == LEAST


def test_the_pictures_of_a_request_have_a_budget():
    large = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8000, 6000, 8, 2, 0, 0, 0)) + b"....IDAT"
    require_affordable([large] * 4)
    require_affordable([file_of((640, 480), "JPEG")] * 64)
    with pytest.raises(RequestError, match="have 288 megapixels together, more than the 200 that are taken") as raised:
        require_affordable([large] * 6)
    assert raised.value.status == 413


def test_a_gif_with_more_remarks_than_any_program_writes_counts_as_the_largest():
    data = file_of((60, 50), "GIF", mode="P")
    at = data.index(b",\0\0\0\0")
    for remarks, pixels in ((255, 3000), (256, MOST_PIXELS)):
        assert pixels_of(data[:at] + b"\x21\xfe\x01x\0" * remarks + data[at:]) == pixels
