"""Small, plain pictures: the pixels that Pillow alone gives, whatever lies beside them, and nothing for the rest."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from eyespot.data.pictures import read_image, read_images
from eyespot.data.plain import MOST_SIDE, gray_size, plain_pixels, resize_together
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess

SIDES = st.integers(1, 70)


def noise(width: int, height: int, *, channels: int = 3, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[..., 0])


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pgm(image: Image.Image) -> bytes:
    return b"P5 %d %d 255\n" % image.size + image.tobytes()


def preprocess(short_side: int = 20, channels: int = 3, *, exact: bool = True) -> Preprocess:
    return Preprocess(
        short_side=short_side,
        crop_hw=(short_side, max(1, short_side - 3)),
        filter="bilinear",
        color="rgb" if channels == 3 else "gray",
        mean=(0.0,) * channels,
        scale=(1.0,) * channels,
        exact=exact,
    )


def alone(data: bytes, record: Preprocess) -> np.ndarray | str:
    try:
        return read_image(data, record)
    except UnreadablePicture as error:
        return error.reason


def require_as_alone(files: list[bytes], record: Preprocess) -> None:
    for number, (data, image) in enumerate(zip(files, read_images(files, record), strict=True)):
        expected = alone(data, record)
        if isinstance(image, UnreadablePicture):
            assert image.reason == expected, number
        else:
            np.testing.assert_array_equal(image, expected, str(number))
            assert image.flags.c_contiguous


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 12),
    st.tuples(SIDES, SIDES),
    st.tuples(SIDES, SIDES),
    st.sampled_from([1, 3]),
    st.sampled_from([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]),
)
def test_resizing_together_is_resizing_alone_to_the_last_bit(count, size_hw, new_hw, channels, filter):
    images = np.random.default_rng(0).integers(0, 256, (count, *size_hw, channels), dtype=np.uint8)
    together = resize_together(images, new_hw, filter)
    assert together.shape == (count, *new_hw, channels)
    for image, resized in zip(images, together, strict=True):
        pillow = Image.fromarray(image if channels == 3 else image[..., 0]).resize((new_hw[1], new_hw[0]), filter)
        np.testing.assert_array_equal(resized, np.asarray(pillow).reshape(resized.shape))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("exact", [True, False])
def test_many_are_read_as_each_alone_and_in_order(channels, exact):
    gray, color = noise(28, 28, channels=1), noise(32, 32)
    files = [
        pgm(gray),
        save(color, "JPEG"),
        b"no picture",
        save(color, "PNG"),
        save(noise(32, 32, seed=1), "JPEG", quality=30),
        pgm(noise(28, 28, channels=1, seed=2)),
        save(gray, "JPEG"),
        save(noise(61, 17), "JPEG", subsampling=0),
        save(noise(9, 40), "JPEG", optimize=True),
        save(noise(300, 200), "JPEG"),
        pgm(noise(300, 200, channels=1)),
        save(noise(1, 1), "JPEG"),
        b"",
    ]
    require_as_alone(files, preprocess(20, channels, exact=exact))
    require_as_alone(files, preprocess(300, channels, exact=exact))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 255), st.booleans(), st.integers(1, 8))
def test_a_damaged_jpeg_gives_the_image_or_the_reason_that_it_gives_alone(place, value, cut, quality):
    data = save(noise(16, 12), "JPEG", quality=10 * quality)
    place %= len(data)
    damaged = data[:place] if cut else data[:place] + bytes([value]) + data[place + 1 :]
    require_as_alone([damaged, data], preprocess(12))


def test_only_what_is_small_and_plain_is_read_here():
    exif = Image.Exif()
    exif[0x0112] = 6
    color = noise(20, 10)
    unusual = [
        save(color, "JPEG", exif=exif),
        save(color, "JPEG", comment=b"a comment"),
        save(color, "JPEG", progressive=True),
        save(color, "JPEG", icc_profile=b"a profile"),
        save(color.convert("CMYK"), "JPEG"),
        save(noise(MOST_SIDE + 1, 10), "JPEG"),
        save(color, "JPEG")[:-30],
        save(color, "PNG"),
        pgm(noise(MOST_SIDE + 1, 10, channels=1)),
        pgm(noise(10, 10, channels=1)) + b"more",
        b"P5 0 0 255\n",
        b"\xff\xd8\xff\xe0",
        b"",
    ]
    assert [plain_pixels(data, 3) for data in unusual] == [None] * len(unusual)
    require_as_alone(unusual, preprocess())


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_read_here_has_the_pixels_and_channels_that_pillow_gives(channels):
    for data in (save(noise(20, 10), "JPEG"), save(noise(20, 10, channels=1), "JPEG"), pgm(noise(20, 10, channels=1))):
        pillow = Image.open(io.BytesIO(data)).convert("RGB" if channels == 3 else "L")
        pixels = plain_pixels(data, channels)
        assert pixels is not None
        np.testing.assert_array_equal(pixels, np.asarray(pillow).reshape(10, 20, channels))


def test_the_size_of_a_plain_pgm_is_width_and_height():
    assert gray_size(pgm(noise(7, 5, channels=1))) == (7, 5)
    assert gray_size(b"P5 7 5 255\n") is None
