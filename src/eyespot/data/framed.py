"""Pictures as images, with all that it takes to say where in a picture something is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image

from eyespot.data import formats
from eyespot.data.cropping import letterbox_size, window_of
from eyespot.data.pictures import as_pixels, fitted, lies_on_its_side, orientation_of, to_be_resized
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess, Window

T = TypeVar("T")


@dataclass(frozen=True)
class Framed:
    """A picture as an image, and how boxes go from the image to the picture."""

    image: np.ndarray
    """uint8 (H, W, C)."""
    picture_hw: tuple[int, int]
    """Height and width of the picture held upright, pixels; all of it, not of a reduced JPEG."""
    shown_hw: tuple[int, int]
    """Height and width that it has in the image."""


def read_framed(files: Sequence[bytes], preprocess: Preprocess) -> Iterator[Framed | UnreadablePicture]:
    """Each picture with a letterbox, in order, or the error that `read_image` would raise."""
    return _each(files, lambda picture, data: frame_opened(picture, data, preprocess))


@dataclass(frozen=True)
class Whole:
    """A picture as it is decoded."""

    image: np.ndarray
    """uint8 (H, W, C), upright, of any size."""
    picture_hw: tuple[int, int]
    """Height and width of the picture held upright, pixels; those of a reduced JPEG are larger than the image's."""


def read_whole_pictures(files: Sequence[bytes], preprocess: Preprocess) -> Iterator[Whole | UnreadablePicture]:
    """Each picture as a graph takes it that makes the letterbox itself, in order, or the error of `read_image`."""

    def whole(picture: Image.Image, data: bytes) -> Whole:
        stored = picture.size
        decoded = to_be_resized(picture, data, preprocess)
        return Whole(as_pixels(decoded, preprocess.color), _upright(picture, stored)[::-1])

    return _each(files, whole)


@dataclass(frozen=True)
class Cropped:
    """A picture as the image that a network which names classes sees: its middle."""

    image: np.ndarray
    """uint8 (H, W, C)."""
    picture_hw: tuple[int, int]
    """Height and width of the picture held upright, pixels; all of it, not of a reduced JPEG."""
    window: Window
    """The part of the picture that the image shows."""


def read_cropped(files: Sequence[bytes], preprocess: Preprocess) -> Iterator[Cropped | UnreadablePicture]:
    """What `read_images` gives for each picture, in order, and which part of it that is; or the error that it gives."""

    def cropped(picture: Image.Image, data: bytes) -> Cropped:
        stored = picture.size
        decoded = to_be_resized(picture, data, preprocess)
        return Cropped(fitted(decoded, preprocess), _upright(picture, stored)[::-1], window_of(decoded, preprocess))

    return _each(files, cropped)


def frame_opened(picture: Image.Image, data: bytes, preprocess: Preprocess) -> Framed:
    """The same of a picture that is open already, for whoever looks at its header first. Called inside `quiet`."""
    stored = picture.size
    decoded = to_be_resized(picture, data, preprocess)
    shown = letterbox_size(decoded.width, decoded.height, preprocess.crop_hw)
    return Framed(fitted(decoded, preprocess), _upright(picture, stored)[::-1], shown[::-1])


def shown_in(data: bytes, preprocess: Preprocess) -> tuple[int, int]:
    """Height and width that a picture has in its letterbox. Raises UnreadablePicture with the reason."""
    (width, height), _ = upright_size(data)
    return letterbox_size(width, height, preprocess.crop_hw)[::-1]


def upright_size(data: bytes) -> tuple[tuple[int, int], int]:
    """Width and height of the picture held upright, and its EXIF orientation, 1 to 8; from its header alone.

    Only a PNG with EXIF is decoded: that may come after the pixels. Raises UnreadablePicture with the reason.
    """
    with formats.quiet():
        picture = formats.open_picture(data)
        if picture.format == "PNG":
            if b"eXIf" not in data:
                return picture.size, 1
            formats.decode(picture, data)
        return _upright(picture, picture.size), orientation_of(picture)


def _each(files: Sequence[bytes], make: Callable[[Image.Image, bytes], T]) -> Iterator[T | UnreadablePicture]:
    """What `make` gives for each picture, opened, and its file, or the error; the caller's work is not in `quiet`."""
    for data in files:
        try:
            with formats.quiet():
                made = make(formats.open_picture(data), data)
        except UnreadablePicture as error:
            yield error
        else:
            yield made


def _upright(picture: Image.Image, stored: tuple[int, int]) -> tuple[int, int]:
    """Width and height held upright. stored: as the file's header says; of a TIFF Pillow turns them at once."""
    is_turned = picture.format != "TIFF" and lies_on_its_side(picture)
    return stored[::-1] if is_turned else stored
