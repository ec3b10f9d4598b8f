"""Small pictures of every format that is read, damaged: all verbs must read the same pixels, or refuse them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from fuzz.damage import damaged
from fuzz.kinds import Kind
from PIL import Image, ImageCms

from eyespot.data.pictures import read_image
from eyespot.errors import RequestError, UnreadablePicture
from eyespot.records import Preprocess
from eyespot.serve.pictures import read_sent

RECORD = Preprocess(
    short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3, exact=False
)
SIZE_HW = (20, 24)


def write(chance: Random, folder: Path) -> Path:
    sound = sound_pictures()
    path = folder / "a.png"
    path.write_bytes(damaged(chance.choice(sound), sound, chance))
    return path


def read(path: Path) -> None:
    """As for training and as by the server."""
    data = path.read_bytes()
    try:
        image = read_image(data, RECORD)
    except UnreadablePicture as error:
        try:
            read_sent(data, RECORD)
        except RequestError:
            raise error from None
        raise AssertionError(f"read by the server, and refused with {error.reason}") from error
    assert image.shape == (32, 32, 3)
    assert image.dtype == np.uint8
    assert np.array_equal(image, read_sent(data, RECORD).image), "other pixels"


@cache
def sound_pictures() -> tuple[bytes, ...]:
    """Small pictures of every format and kind that is read."""
    random = np.random.default_rng(0)
    color = Image.fromarray(random.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)).resize(SIZE_HW[::-1])
    gray, exif = color.convert("L"), Image.Exif()
    exif[0x0112] = 6
    deep = random.integers(0, 4096, SIZE_HW)
    kinds = {kind: Image.fromarray(deep.astype(kind)) for kind in (np.uint16, np.int32, np.float32)}
    saved: list[tuple[Image.Image, str, dict[str, object]]] = [
        *(
            (color, "JPEG", given)
            for given in ({}, {"progressive": True}, {"exif": exif.tobytes()}, {"subsampling": 0})
        ),
        *((color.convert(mode), "JPEG", {}) for mode in ("L", "CMYK")),
        *((color.convert(mode), "PNG", {}) for mode in ("RGB", "RGBA", "L", "LA", "P", "1")),
        (color, "PNG", {"exif": exif.tobytes(), "icc_profile": _profile()}),
        (kinds[np.uint16], "PNG", {}),
        (color.convert("P"), "GIF", {}),
        (color, "GIF", {"save_all": True, "append_images": [gray]}),
        *((color.convert(mode), "BMP", {}) for mode in ("RGB", "L", "P", "1")),
        *(
            (color, "TIFF", {"compression": name})
            for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
        ),
        *((color.convert(mode), "TIFF", {}) for mode in ("1", "L", "RGBA", "CMYK", "LAB")),
        *((image, "TIFF", {"compression": name}) for image in kinds.values() for name in ("raw", "tiff_lzw")),
        *((color.convert(mode), "WEBP", given) for mode in ("RGB", "RGBA") for given in ({}, {"lossless": True})),
        (color, "WEBP", {"save_all": True, "append_images": [gray.convert("RGB")]}),
        *((image, "PPM", {}) for image in (color, gray, gray.convert("1"), kinds[np.float32])),
        (color, "AVIF", {"speed": 10}),
        (color.convert("RGBA"), "AVIF", {"speed": 10, "exif": exif.tobytes()}),
    ]
    size = f"{SIZE_HW[1]} {SIZE_HW[0]}"
    written_out = f"P3\n# by hand\n{size}\n255\n{' '.join(map(str, np.asarray(color).ravel()))}\n".encode()
    return (*(_file(image, format, given) for image, format, given in saved), written_out)


def _file(image: Image.Image, format: str, given: dict[str, object]) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **given)
    return file.getvalue()


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@cache
def tiny() -> tuple[bytes, ...]:
    """A few sound PNGs of 8 x 6 pixels, for what names pictures."""
    random = np.random.default_rng(1)
    return tuple(
        _file(Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8)), "PNG", {}) for _ in range(6)
    )


KINDS = {"pictures": Kind(write, read, seconds=5.0, megabytes=300, names_file=False)}
