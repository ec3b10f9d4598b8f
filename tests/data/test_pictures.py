from __future__ import annotations

import importlib.util
import io
import os
import struct
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin, features

from eyespot.data import formats
from eyespot.data.decoding import apart
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.framed import upright_size
from eyespot.data.pictures import (
    decoder_version,
    read_image,
    read_named,
    read_whole,
    read_with_window,
    thumbnail,
)
from eyespot.errors import DataError, UnreadablePicture
from eyespot.records import Preprocess

FilterName = Literal["bilinear", "bicubic"]
SIZES_WH = [
    (400, 533),
    (533, 400),
    (401, 301),
    (400, 711),
    (33, 47),
    (256, 256),
    (256, 300),
    (97, 640),
    (640, 97),
    (1, 1),
]


def preprocess(
    short_side: int,
    crop_hw: tuple[int, int] | None = None,
    *,
    filter: FilterName = "bicubic",
    color: Literal["rgb", "gray"] = "rgb",
    reduced_decode: bool = False,
) -> Preprocess:
    channels = 3 if color == "rgb" else 1
    return Preprocess(
        short_side=short_side,
        crop_hw=crop_hw or (short_side, short_side),
        filter=filter,
        color=color,
        mean=(0.0,) * channels,
        scale=(1.0,) * channels,
        exact=not reduced_decode,
    )


def plain(image: Image.Image, record: Preprocess) -> np.ndarray:
    """Resize of the whole and centre crop, as torchvision does it to Pillow images; passes in Pillow's usual order."""
    image = image.convert("RGB" if record.color == "rgb" else "L")
    width, height = image.size
    short, long = min(width, height), max(width, height)
    new_long = int(record.short_side * long / short)
    new_w, new_h = (record.short_side, new_long) if width <= height else (new_long, record.short_side)
    filter = Image.Resampling[record.filter.upper()]
    image = image.resize((new_w, new_h), filter)
    crop_h, crop_w = record.crop_hw
    top, left = int(round((new_h - crop_h) / 2.0)), int(round((new_w - crop_w) / 2.0))  # noqa: RUF046
    cropped = np.array(image.crop((left, top, left + crop_w, top + crop_h)))
    return cropped.reshape(crop_h, crop_w, record.channels)


def noise(width: int, height: int, *, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def scene(width: int, height: int) -> Image.Image:
    """Something smooth with edges, different in every corner: JPEG and scaled decoding treat it as they do a photo."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 255 * x / max(width - 1, 1)
    green = 255 * y / max(height - 1, 1)
    blue = np.where((x - 0.3 * width) ** 2 + (y - 0.4 * height) ** 2 < (0.2 * min(width, height)) ** 2, 230.0, 20.0)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def one_pixel(image: Image.Image, kind: str, *, color: Literal["rgb", "gray"] = "rgb", **options: Any) -> list[int]:
    """The upper left pixel of a lossless picture that is read without resizing."""
    side = image.width
    return read_image(save(image, kind, **options), preprocess(side, color=color))[0, 0].tolist()


def reason(data: bytes, **options: Any) -> str:
    with pytest.raises(UnreadablePicture) as caught:
        read_image(data, preprocess(8, **options))
    return caught.value.reason


class TestResizing:
    @pytest.mark.parametrize("filter", ["bilinear", "bicubic"])
    @pytest.mark.parametrize("size_wh", SIZES_WH)
    def test_is_that_of_resizing_all_of_the_picture_bit_for_bit(
        self, size_wh: tuple[int, int], filter: FilterName
    ) -> None:
        image = noise(*size_wh)
        for record in (preprocess(256, (224, 224), filter=filter), preprocess(65, (31, 64), filter=filter)):
            np.testing.assert_array_equal(read_image(save(image, "PNG"), record), plain(image, record))

    @pytest.mark.parametrize("filter", ["bilinear", "bicubic"])
    @pytest.mark.parametrize("size_wh", SIZES_WH)
    def test_not_exact_differs_by_a_level_in_few_values_where_nothing_is_reduced(
        self, size_wh: tuple[int, int], filter: FilterName
    ) -> None:
        image, record = noise(*size_wh), preprocess(256, (224, 224), filter=filter, reduced_decode=True)
        difference = np.abs(read_image(save(image, "PNG"), record).astype(int) - plain(image, record).astype(int))
        assert difference.max() <= 24  # noise is the worst case; the order of the two passes may differ
        assert difference.mean() < 0.5

    @settings(max_examples=60, deadline=None)
    @given(
        width=st.integers(1, 200),
        height=st.integers(1, 200),
        short_side=st.integers(1, 90),
        crop=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)),
        filter=st.sampled_from(["bilinear", "bicubic"]),
        color=st.sampled_from(["rgb", "gray"]),
    )
    def test_any_size_is_that_of_resizing_all_of_it(
        self, width: int, height: int, short_side: int, crop: tuple[float, float], filter: Any, color: Any
    ) -> None:
        crop_hw = (max(1, int(crop[0] * short_side)), max(1, int(crop[1] * short_side)))
        record, image = preprocess(short_side, crop_hw, filter=filter, color=color), noise(width, height)
        result = read_image(save(image, "PNG"), record)
        assert result.dtype == np.uint8
        assert result.shape == (*crop_hw, record.channels)
        assert result.flags.c_contiguous
        assert result.flags.writeable
        np.testing.assert_array_equal(result, plain(image, record))

    @pytest.mark.parametrize("size_wh", [(1, 65_500), (65_500, 1), (3, 20_000)])
    def test_a_very_long_picture_is_read(self, size_wh: tuple[int, int]) -> None:
        data = save(Image.new("RGB", size_wh, (10, 200, 30)), "PNG")
        image = read_image(data, preprocess(256, (224, 224)))
        np.testing.assert_array_equal(image, np.broadcast_to(np.uint8([10, 200, 30]), (224, 224, 3)))

    def test_the_pixels_of_a_jpeg_are_those_of_pillow(self) -> None:
        data, record = save(scene(400, 600), "JPEG", quality=85), preprocess(256, (224, 224))
        np.testing.assert_array_equal(read_image(data, record), plain(Image.open(io.BytesIO(data)), record))


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF"])
    def test_is_applied_as_pillow_does_it(self, kind: str, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        data, record = save(scene(61, 40), kind, exif=exif), preprocess(32, (32, 28))
        expected = plain(ImageOps.exif_transpose(Image.open(io.BytesIO(data))), record)
        np.testing.assert_array_equal(read_image(data, record), expected)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    def test_tells_the_upright_size_from_the_header(self, kind: str, orientation: int, monkeypatch: Any) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = save(scene(61, 40), kind, exif=exif)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size
        if kind != "PNG":  # whose EXIF may come after the pixels
            monkeypatch.setattr(formats, "decode", None)
        assert upright_size(data) == (upright, orientation)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM"])
    def test_without_any_is_told_without_decoding(self, kind: str, monkeypatch: Any) -> None:
        data = save(scene(61, 40), kind)
        monkeypatch.setattr(formats, "decode", None)
        monkeypatch.setattr(ImageFile.ImageFile, "load", None)
        assert upright_size(data) == ((61, 40), 1)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_is_applied_to_a_reduced_jpeg_with_a_partly_filled_last_pixel(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = save(scene(805, 605), "JPEG", quality=95, subsampling=0, exif=exif)
        record = preprocess(64, (64, 56), reduced_decode=True)
        expected = plain(ImageOps.exif_transpose(Image.open(io.BytesIO(data))), record)
        assert np.abs(read_image(data, record).astype(int) - expected.astype(int)).mean() < 0.7

    @pytest.mark.parametrize("endian", ["<", ">"])
    def test_is_read_in_both_byte_orders(self, endian: str) -> None:
        assert (
            read_image(jpeg_with_exif(exif_of(6, endian)), preprocess(20)).tolist()
            == read_image(
                save(Image.open(io.BytesIO(jpeg_with_exif(b""))).transpose(Image.Transpose.ROTATE_270), "PNG"),
                preprocess(20),
            ).tolist()
        )

    @pytest.mark.parametrize(
        "exif",
        [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0"],
        ids=["empty", "nonsense", "cut off"],
    )
    def test_damaged_metadata_neither_stops_nor_turns_the_picture(self, exif: bytes) -> None:
        np.testing.assert_array_equal(
            read_image(jpeg_with_exif(exif), preprocess(20)), read_image(jpeg_with_exif(b""), preprocess(20))
        )

    @pytest.mark.parametrize("orientation", [0, 9, 65535])
    def test_a_number_without_meaning_is_taken_as_upright(self, orientation: int) -> None:
        np.testing.assert_array_equal(
            read_image(jpeg_with_exif(exif_of(orientation, "<")), preprocess(20)),
            read_image(jpeg_with_exif(b""), preprocess(20)),
        )


def exif_of(orientation: int, endian: str) -> bytes:
    order = b"II" if endian == "<" else b"MM"
    return b"Exif\0\0" + order + struct.pack(endian + "HLHHHLHHL", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_with_exif(exif: bytes) -> bytes:
    data = save(scene(31, 20), "JPEG", quality=95)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:] if exif else data


class TestReducedDecode:
    @pytest.mark.parametrize("size_wh", [(801, 603), (1200, 1999), (2567, 1283)])
    def test_shows_the_same_window_nearly_the_same(self, size_wh: tuple[int, int]) -> None:
        data = save(scene(*size_wh), "JPEG", quality=95, subsampling=0)
        exact = read_image(data, preprocess(100, (90, 90))).astype(int)
        reduced = read_image(data, preprocess(100, (90, 90), reduced_decode=True)).astype(int)
        assert np.abs(exact - reduced).mean() < 1.5

    def test_changes_at_most_two_levels_where_the_picture_is_not_large(self) -> None:
        data = save(scene(400, 600), "JPEG")
        for filter in ("bilinear", "bicubic"):
            exact = read_image(data, preprocess(256, (224, 224), filter=filter))
            reduced = read_image(data, preprocess(256, (224, 224), filter=filter, reduced_decode=True))
            np.testing.assert_allclose(exact.astype(int), reduced.astype(int), rtol=0, atol=2)

    @pytest.mark.parametrize("kind", ["PNG", "WebP", "BMP", "GIF", "TIFF"])
    def test_other_formats_are_decoded_whole_and_their_window_moves_by_less_than_a_level(self, kind: str) -> None:
        data = save(scene(400, 300), kind)
        exact, reduced = (read_image(data, preprocess(32, reduced_decode=each)).astype(int) for each in (False, True))
        np.testing.assert_allclose(exact, reduced, rtol=0, atol=1)

    @pytest.mark.parametrize("size_wh", [(8, 9), (9, 17), (17, 9), (63, 8)])
    def test_a_tiny_picture_is_read(self, size_wh: tuple[int, int]) -> None:
        data = save(Image.new("RGB", size_wh, (90, 90, 90)), "JPEG")
        assert read_image(data, preprocess(1, reduced_decode=True)).tolist() == [[[90, 90, 90]]]


class TestPixels:
    def test_sixteen_bit_grey_is_scaled_not_clipped(self) -> None:
        levels = np.array(
            [[0, 128, 129, 257], [32768, 65279, 65407, 65535], [1, 2, 3, 4], [5, 6, 7, 8]], dtype=np.uint16
        )
        image = Image.fromarray(levels)
        for kind in ("PNG", "TIFF"):
            result = read_image(save(image, kind), preprocess(4, color="gray"))[:2, :, 0]
            assert result.tolist() == [[0, 0, 1, 1], [128, 254, 255, 255]]

    def test_sixteen_bit_grey_in_a_big_endian_tiff_is_scaled(self) -> None:
        image = Image.frombytes("I;16B", (1, 1), b"\x80\x00")
        assert one_pixel(image, "TIFF", color="gray") == [128]

    def test_sixteen_bit_colour_png_is_scaled(self) -> None:
        assert read_image(png(2, 16, struct.pack(">3H", 0, 32896, 65535)), preprocess(1)).tolist() == [[[0, 128, 255]]]

    def test_signed_sixteen_bit_tiff_is_scaled_by_its_whole_range(self) -> None:
        data = tiff(struct.pack("<h", 0), bits=16, sample_format=2)
        assert read_image(data, preprocess(1, color="gray")).tolist() == [[[128]]]

    @pytest.mark.parametrize(("value", "level"), [(0, 0), (2**31, 128), (2**32 - 1, 255)])
    def test_unsigned_thirty_two_bit_tiff_is_scaled(self, value: int, level: int) -> None:
        data = tiff(struct.pack("<L", value), bits=32, sample_format=1)
        assert read_image(data, preprocess(1, color="gray")).tolist() == [[[level]]]

    def test_transparency_shows_white(self) -> None:
        assert one_pixel(Image.new("RGBA", (1, 1), (100, 0, 200, 0)), "PNG") == [255, 255, 255]
        assert one_pixel(Image.new("RGBA", (1, 1), (100, 0, 200, 255)), "PNG") == [100, 0, 200]
        # 100 * 51/255 + 255 * 204/255 and so on
        assert one_pixel(Image.new("RGBA", (1, 1), (100, 0, 200, 51)), "PNG") == [224, 204, 244]
        assert one_pixel(Image.new("LA", (1, 1), (100, 51)), "PNG") == [224, 224, 224]
        assert one_pixel(Image.new("LA", (1, 1), (100, 51)), "PNG", color="gray") == [224]
        assert one_pixel(Image.new("RGBA", (1, 1), (100, 0, 200, 51)), "WebP", lossless=True, exact=True) == [
            224,
            204,
            244,
        ]

    def test_a_palette_is_looked_up_and_its_transparent_entries_show_white(self) -> None:
        image = Image.new("P", (2, 2), 1)
        image.putpalette([10, 20, 30, 40, 50, 60])
        assert one_pixel(image, "PNG") == [40, 50, 60]
        assert one_pixel(image, "GIF") == [40, 50, 60]
        assert one_pixel(image, "PNG", transparency=1) == [255, 255, 255]
        assert one_pixel(image, "GIF", transparency=1) == [255, 255, 255]
        assert one_pixel(image, "PNG", transparency=bytes([255, 51])) == [212, 214, 216]

    @pytest.mark.parametrize("mode", ["L", "RGB", "1"])
    def test_a_transparent_colour_of_a_png_shows_white(self, mode: str) -> None:
        transparency = (0, 0, 0) if mode == "RGB" else 0
        assert one_pixel(Image.new(mode, (1, 1)), "PNG", transparency=transparency) == [255, 255, 255]

    @pytest.mark.parametrize(("extra", "mode"), [(1, "La"), (2, "LA")])
    def test_alpha_of_a_grey_tiff_is_laid_on_white(self, extra: int, mode: str) -> None:
        data = tiff(bytes([20 if mode == "La" else 100, 51]), bits=8, samples=2, extra=extra)
        assert Image.open(io.BytesIO(data)).mode == mode
        assert read_image(data, preprocess(1)).tolist() == [[[224, 224, 224]]]

    def test_one_bit_pictures_are_black_and_white(self) -> None:
        for kind in ("PNG", "BMP", "TIFF", "GIF"):
            assert one_pixel(Image.new("1", (1, 1), 1), kind) == [255, 255, 255]
            assert one_pixel(Image.new("1", (1, 1), 0), kind, color="gray") == [0]

    def test_grey_is_pillows_luma(self) -> None:
        assert one_pixel(Image.new("RGB", (1, 1), (255, 0, 0)), "PNG", color="gray") == [76]
        assert one_pixel(Image.new("L", (1, 1), 77), "PNG") == [77, 77, 77]

    def test_cmyk_becomes_rgb(self) -> None:
        image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
        assert one_pixel(image, "TIFF") == [0, 255, 255]
        result = read_image(
            save(image, "JPEG", quality=100), preprocess(16)
        )  # Pillow writes it inverted, as Adobe does
        assert np.abs(result[8, 8].astype(int) - [0, 255, 255]).max() <= 2
        assert (
            np.abs(read_image(save(Image.new("CMYK", (16, 16)), "JPEG"), preprocess(16)).astype(int) - 255).max() <= 2
        )

    def test_of_many_frames_or_pages_the_first_is_read(self) -> None:
        red, blue = Image.new("RGB", (4, 4), (255, 0, 0)), Image.new("RGB", (4, 4), (0, 0, 255))
        for kind in ("GIF", "PNG", "TIFF"):
            assert one_pixel(red, kind, save_all=True, append_images=[blue]) == [255, 0, 0]
        assert one_pixel(red, "WebP", save_all=True, append_images=[blue], lossless=True) == [255, 0, 0]


def png(color_type: int, bits: int, row: bytes, *, size_wh: tuple[int, int] = (1, 1), extra: bytes = b"") -> bytes:
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    header = struct.pack(">2L5B", *size_wh, bits, color_type, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body + chunk(b"IEND", b"")


def tiff(pixel: bytes, *, bits: int, sample_format: int = 1, samples: int = 1, extra: int | None = None) -> bytes:
    """A TIFF of one pixel, as `Image.save` cannot write it."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[256], directory[257], directory[258] = 1, 1, (bits,) * samples
    directory[259], directory[262], directory[277] = 1, 1, samples
    directory[278], directory[279], directory[339] = 1, len(pixel), sample_format
    directory[273] = 0  # where the pixel lies behind the directory
    if extra is not None:
        directory[338] = extra
    return b"II*\0" + struct.pack("<L", 8) + directory.tobytes(8) + pixel


class TestUnreadable:
    def test_says_that_a_file_is_empty(self) -> None:
        assert reason(b"") == "is empty (0 bytes)"

    def test_says_what_a_file_begins_with_that_is_no_picture(self) -> None:
        said = "is not a picture, whatever its name says (it begins with {})"
        assert reason(b"GIF is a format") == said.format("'GIF is a for'")
        assert reason(b"\0\1\2\3") == said.format("00 01 02 03")

    def test_names_known_formats_that_are_not_read(self) -> None:
        assert reason(b"%PDF-1.7 ...") == "is a PDF document, which is not read: save it as JPEG or PNG"

    def test_names_the_extra_for_heic(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(formats, "_class", formats._class.__wrapped__)  # which keeps no class
        monkeypatch.setitem(sys.modules, "pi_heif", None)
        assert reason(b"\0\0\0\x18ftypheic\0\0\0\0") == "is HEIC: pip install 'eyespot[heic]'"

    def test_heic_is_read_with_the_class_of_pi_heif(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class HeifImageFile(ImageFile.ImageFile):
            format = "HEIF"

            def _open(self) -> None:
                self._size, self._mode = (1, 1), "RGB"
                self.tile = [ImageFile._Tile("raw", (0, 0, 1, 1), 12, ("RGB", 0, 1))]

        monkeypatch.setattr(formats, "_class", formats._class.__wrapped__)  # which keeps no class
        monkeypatch.setitem(sys.modules, "pi_heif", SimpleNamespace(HeifImageFile=HeifImageFile))
        monkeypatch.setattr(apart, "is_here", True)
        data = b"\0\0\0\x0cftypheic" + bytes([7, 8, 9])
        assert read_image(data, preprocess(1)).tolist() == [[[7, 8, 9]]]
        assert reason(data[:-2]) == "is cut off: the file ends too early"

    @pytest.mark.parametrize("reduced_decode", [False, True])
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF"])
    def test_a_file_cut_in_the_middle_is_an_error(self, kind: str, reduced_decode: bool) -> None:
        data = save(noise(200, 200), kind)
        said = reason(data[: len(data) // 2], reduced_decode=reduced_decode)
        assert said == "is cut off: the file ends too early" or said.startswith("is a damaged")
        if kind in ("JPEG", "PNG", "GIF", "BMP"):
            assert said == "is cut off: the file ends too early"

    @pytest.mark.parametrize("reduced_decode", [False, True])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_jpeg_that_lacks_its_last_lines_is_an_error_for_both_ways_of_decoding(
        self, progressive: bool, reduced_decode: bool
    ) -> None:
        data = save(noise(200, 200), "JPEG", progressive=progressive)
        assert reason(data[:-100], reduced_decode=reduced_decode) == "is cut off: the file ends too early"

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 8, 11, 12, 20])
    def test_the_first_bytes_alone_are_an_error(self, length: int) -> None:
        for kind in ("JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF"):
            reason(save(noise(20, 20), kind)[:length])

    @pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
    def test_a_header_that_claims_too_many_pixels_is_refused_before_decoding(self, kind: str) -> None:
        data = bytearray(save(noise(20, 20), kind))
        if kind == "PNG":
            data = bytearray(png(2, 8, b"", size_wh=(60000, 60000)))
        elif kind == "BMP":
            data[18:26] = struct.pack("<2l", 60000, 60000)
        else:
            data[6:10] = struct.pack("<2H", 60000, 60000)
        assert reason(bytes(data)) == "claims 60000 x 60000 pixels, more than the 178 megapixels that are read"

    def test_a_picture_above_pillows_warning_is_read_without_one(self) -> None:
        data = save(Image.new("1", (10_000, 9_000), 1), "TIFF", compression="group4")
        assert read_image(data, preprocess(8, color="gray")).min() == 255

    @settings(max_examples=300, deadline=None)
    @given(
        beginning=st.sampled_from(
            [b"", *sum(formats._BEGINNINGS.values(), ()), b"RIFF\0\0\0\0WEBP", b"RIFF\xff\0\0\0WEBPVP8 "]
        ),
        rest=st.binary(max_size=200),
    )
    def test_random_bytes_are_unreadable_and_nothing_else(self, beginning: bytes, rest: bytes) -> None:
        told: list[str] = []
        try:
            read_image(beginning + rest, preprocess(4))
        except UnreadablePicture as error:
            told.append(error.reason)
        assert all(told)

    @settings(max_examples=200, deadline=None)
    @given(
        kind=st.sampled_from(["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF"]),
        share=st.floats(0, 1),
        flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3),
        reduced_decode=st.booleans(),
    )
    @example(kind="TIFF", share=1.0, flips=[(0.05, 255)], reduced_decode=False)
    def test_a_cut_or_altered_picture_gives_an_image_or_a_reason(
        self, kind: str, share: float, flips: list[tuple[float, int]], reduced_decode: bool
    ) -> None:
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = 6, "a description long enough to lie outside its entry"
        data = bytearray(save(scene(24, 17), kind, exif=exif))
        for where, value in flips:
            data[int(where * len(data))] = value
        told: list[str] = []
        for read in (lambda d: read_image(d, preprocess(4, reduced_decode=reduced_decode)), lambda d: thumbnail(d, 4)):
            try:
                read(bytes(data[: int(share * len(data))]))
            except UnreadablePicture as error:
                told.append(error.reason)
        assert all(told)

    @settings(max_examples=100, deadline=None)
    @given(share=st.floats(0, 1), kind=st.sampled_from(["JPEG", "PNG"]))
    def test_a_cut_picture_gives_the_whole_image_or_a_reason_never_a_part(self, share: float, kind: str) -> None:
        data = save(noise(40, 30), kind)
        try:
            image = read_image(data[: int(share * len(data))], preprocess(30))
        except UnreadablePicture:
            return
        np.testing.assert_array_equal(image, read_image(data, preprocess(30)))


class TestThreadsAndWarnings:
    def test_many_threads_give_the_same_images_as_one(self) -> None:
        pictures = [save(noise(90, 70, seed=n), kind) for n in range(8) for kind in ("JPEG", "PNG", "TIFF", "WebP")]
        record = preprocess(32, (28, 30))
        expected = [read_image(data, record) for data in pictures]
        with ThreadPoolExecutor(8) as pool:
            for _ in range(3):
                for image, alone in zip(pool.map(lambda d: read_image(d, record), pictures), expected, strict=True):
                    np.testing.assert_array_equal(image, alone)

    def test_odd_metadata_gives_no_warning_in_any_thread(self) -> None:
        description = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\xff\0\0\0\xff\xff\0\0\0\0\0\0"
        odd = jpeg_with_exif(description)
        with pytest.warns(UserWarning, match=r".+"):  # what Pillow says of it
            Image.open(io.BytesIO(odd)).getexif()
        with ThreadPoolExecutor(4) as pool:
            assert len(list(pool.map(lambda _: read_image(odd, preprocess(8)), range(32)))) == 32

    def test_a_png_with_a_wrong_animation_header_gives_no_warning(self) -> None:
        import zlib

        body = b"acTL" + struct.pack(">2L", 0, 0)
        odd = png(2, 8, b"\1\2\3", extra=struct.pack(">L", 8) + body + struct.pack(">L", zlib.crc32(body)))
        assert read_image(odd, preprocess(1)).tolist() == [[[1, 2, 3]]]

    def test_other_warnings_are_heard_as_before(self) -> None:
        read_image(save(noise(8, 8), "PNG"), preprocess(8))
        with pytest.warns(UserWarning, match="mine"):
            warnings.warn("mine", stacklevel=1)
        with formats.quiet(), pytest.warns(UserWarning, match="mine"):
            warnings.warn("mine", stacklevel=1)

    def test_filters_can_be_copied_as_scikit_learn_does_for_its_workers(self) -> None:
        from sklearn.utils.parallel import Parallel, delayed

        with formats.quiet():
            assert Parallel(n_jobs=1)([delayed(abs)(-3)]) == [3]

    def test_importing_needs_no_torch_and_no_heif(self) -> None:
        code = "import sys, eyespot.data.pictures; assert not {'torch', 'pi_heif', 'simplejpeg'} & set(sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestThumbnail:
    def test_is_an_upright_jpeg_of_the_whole_picture(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        small = Image.open(io.BytesIO(thumbnail(save(scene(400, 200), "JPEG", exif=exif), 64)))
        assert (small.format, small.mode, small.size) == ("JPEG", "RGB", (32, 64))
        expected = np.asarray(scene(400, 200).transpose(Image.Transpose.ROTATE_270).resize((32, 64))).astype(int)
        assert np.abs(np.asarray(small).astype(int) - expected).mean() < 6

    def test_does_not_enlarge(self) -> None:
        assert Image.open(io.BytesIO(thumbnail(save(noise(20, 10), "PNG"), 64))).size == (20, 10)

    def test_of_transparent_and_deep_pictures_is_a_jpeg_too(self) -> None:
        for image in (Image.new("RGBA", (9, 9)), Image.new("I;16", (9, 9)), Image.new("P", (9, 9))):
            assert thumbnail(save(image, "PNG"), 8).startswith(b"\xff\xd8")

    def test_says_why_a_picture_cannot_be_read(self) -> None:
        with pytest.raises(UnreadablePicture, match="is empty"):
            thumbnail(b"", 64)


def test_the_decoder_version_names_pillow() -> None:
    import PIL

    assert f"pillow-{PIL.__version__}" in decoder_version()


@pytest.mark.parametrize(("name", "codec"), [("libwebp", "webp"), ("libtiff", "libtiff"), ("libjpeg", "jpg")])
def test_the_decoders_version_names_every_library_that_decides_pixels(name, codec):
    assert f" {name}-{features.version(codec)}" in decoder_version()


def test_the_decoders_version_names_the_heic_decoder_where_there_is_one():
    installed = importlib.util.find_spec("pi_heif") is not None
    assert (" pi_heif-" in decoder_version()) == installed


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert {".jpg", ".jpeg", ".png", ".webp", ".heic", ".tiff"} <= PICTURE_SUFFIXES
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in PICTURE_SUFFIXES)


# PGM and PPM


def pgm(pixels: np.ndarray, header: bytes) -> bytes:
    return header % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()


@pytest.mark.parametrize("color", ["gray", "rgb"])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("size_hw", [(28, 28), (5, 7), (1, 1), (300, 40)])
def test_a_plain_pgm_gives_the_image_that_pillow_alone_makes_of_it(color, exact, size_hw):
    pixels = np.random.default_rng(0).integers(0, 256, size_hw, dtype=np.uint8)
    record = preprocess(32, (32, 30), color=color, reduced_decode=not exact)
    opened = Image.open(io.BytesIO(pgm(pixels, b"P5 %d %d 255\n")))
    file = io.BytesIO()
    opened.save(file, "PNG")
    images = [read_image(pgm(pixels, header), record) for header in (b"P5 %d %d 255\n", b"P5\n# by hand\n%d %d\n255\n")]
    np.testing.assert_array_equal(images[0], read_image(file.getvalue(), record))
    np.testing.assert_array_equal(images[1], images[0])


def test_a_ppm_and_a_deep_pgm_are_read():
    colors = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_whole(pgm(colors, b"P6\n%d %d\n255\n"), "rgb"), colors)
    deep = np.array([[0, 257, 65535]], dtype=">u2")
    np.testing.assert_array_equal(read_whole(pgm(deep, b"P5\n%d %d\n65535\n"), "gray")[..., 0], [[0, 1, 255]])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"P5 2 2 255\nabc", "cut off"),
        (b"P5 2 2", "cut off|damaged"),
        (b"P5 0 2 255\n", "damaged|no pixels"),
        (b"P5 99999 99999 255\nabcd", "claims 99999 x 99999 pixels"),
        (b"P5 999999999 999999999 255\nabcd", "claims|damaged"),
        (b"P5 2 2 0\nabcd", "damaged"),
        (b"P5 2 x 255\nabcd", "damaged"),
        (b"P5 is no picture at all", "damaged"),
    ],
)
def test_a_pgm_that_is_wrong_is_refused_with_the_reason(data, reason):
    with pytest.raises(UnreadablePicture, match=reason):
        read_whole(data, "gray")


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("size", [(300, 200), (200, 900), (224, 224), (31, 40)])
def test_the_window_is_the_part_that_the_image_shows(size, exact):
    """A ramp from left to right and one from top to bottom: the image's first and last values say where it lies."""
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    pixels = np.stack([across, down, 0 * across], axis=2).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    record = Preprocess(
        short_side=96, crop_hw=(80, 64), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3, exact=exact
    )
    image, window = read_with_window(file.getvalue(), record)
    np.testing.assert_array_equal(image, read_image(file.getvalue(), record))
    assert image[:, 0, 0].mean() / 255 == pytest.approx(window.left, abs=0.03)
    assert image[:, -1, 0].mean() / 255 == pytest.approx(window.left + window.width, abs=0.03)
    assert image[0, :, 1].mean() / 255 == pytest.approx(window.top, abs=0.03)
    assert image[-1, :, 1].mean() / 255 == pytest.approx(window.top + window.height, abs=0.03)


@pytest.mark.parametrize("start", [b"\x89P", b"\xff\xd8", b"GIF8", b"II*", b"RIF"])
def test_the_first_bytes_of_a_picture_alone_are_one_that_is_cut_off(start: bytes) -> None:
    with pytest.raises(UnreadablePicture, match="is cut off: the file ends too early"):
        read_whole(start, "rgb")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_picture_with_a_profile_that_is_none_is_read_as_if_it_had_none(format: str) -> None:
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    with_profile, without = io.BytesIO(), io.BytesIO()
    image.save(with_profile, format, icc_profile=bytes(16) + b"RGB " + bytes(300))
    image.save(without, format)
    assert np.array_equal(read_whole(with_profile.getvalue(), "rgb"), read_whole(without.getvalue(), "rgb"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param(
            ".",
            "is a folder: name one picture in it",
            marks=pytest.mark.skipif(os.name != "posix", reason="Windows says it otherwise"),
        ),
        ("no.png", "no.png cannot be read: No such file"),
        ("a\0.png", "null"),
    ],
)
def test_a_named_picture_that_cannot_be_read_is_a_sentence(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_named(f"{tmp_path}/{name}")
