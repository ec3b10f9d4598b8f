"""The centre crop of a resized picture: on which pixels it lies, and how it is made without resizing all the others;
and the letterbox, which leaves nothing out."""

from __future__ import annotations

import math

from PIL import Image

from eyespot.records import MOST_RESIZED_PIXELS, WINDOW_STEPS, Preprocess, Window

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_REACH = {Image.Resampling.BILINEAR: 1, Image.Resampling.BICUBIC: 2}
"""Pixels of the resized image to each side that a filter looks at."""


def resize_and_crop(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    """The centre crop of the resized picture, mode RGB or L. image: upright, of the record's colour."""
    crop_height, crop_width = preprocess.crop_hw
    filter = FILTERS[preprocess.filter]
    across = Side(image.width, image.height, preprocess.short_side, crop_width)
    down = Side(image.height, image.width, preprocess.short_side, crop_height)
    if preprocess.exact and across.resized * down.resized <= MOST_RESIZED_PIXELS:
        resized = image.resize((across.resized, down.resized), filter)
        return resized.crop((across.offset, down.offset, across.offset + crop_width, down.offset + crop_height))
    left, right = across.window()
    top, bottom = down.window()
    if image.height - crop_height > max(0, 2 * (image.width - crop_width)):  # Pillow would begin with the columns
        first, last = down.rows_in_reach(top, bottom, filter)
        image = image.resize((crop_width, last - first), filter, box=(left, first, right, last))
        left, right, top, bottom = 0, crop_width, top - first, bottom - first
    return image.resize((crop_width, crop_height), filter, box=(left, top, right, bottom))


def squash(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    """The centre crop of the picture resized to a square; mode RGB or L. image: upright, of the record's colour."""
    side, (height, width) = preprocess.short_side, preprocess.crop_hw
    left, top = (Side(side, side, side, crop).offset for crop in (width, height))
    return image.resize((side, side), FILTERS[preprocess.filter]).crop((left, top, left + width, top + height))


def letterbox(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    """The whole picture, resized to fit, at the top left corner; mode RGB or L.

    image: upright, of the record's color, or gray.
    """
    height, width = preprocess.crop_hw
    size = letterbox_size(image.width, image.height, preprocess.crop_hw)
    resized = image.resize(size, FILTERS[preprocess.filter])
    if size == (width, height):
        return resized
    filled = filled_image(preprocess)
    filled.paste(resized)  # which turns gray into the three colors that it is
    return filled


def filled_image(preprocess: Preprocess) -> Image.Image:
    """What a letterbox is before a picture lies in it: the mean; mode RGB or L."""
    height, width = preprocess.crop_hw
    if preprocess.color == "gray":
        return Image.new("L", (width, height), preprocess.filling[0])
    return Image.new("RGB", (width, height), preprocess.filling)


def letterbox_size(width: int, height: int, into_hw: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a resized picture that fits: one as `into_hw` says, the other rounded half up, at least 1.

    In whole numbers below 2^31, as an exported graph counts, too.
    """
    into_height, into_width = into_hw
    if into_height * width <= into_width * height:  # the height decides
        return max(1, (2 * width * into_height + height) // (2 * height)), into_height
    return into_width, max(1, (2 * height * into_width + width) // (2 * width))


def window_of(picture: Image.Image, preprocess: Preprocess) -> Window:
    """What `resize_and_crop` leaves of the picture."""
    if preprocess.fit == "letterbox":
        return Window(left=0, top=0, width=1, height=1)
    crop_height, crop_width = preprocess.crop_hw
    shape = (preprocess.short_side,) * 2 if preprocess.fit == "squash" else picture.size
    width, height = shape
    left, right = Side(width, height, preprocess.short_side, crop_width).window()
    top, bottom = Side(height, width, preprocess.short_side, crop_height).window()
    return Window(left=left / width, top=top / height, width=(right - left) / width, height=(bottom - top) / height)


class Side:
    """Along one side: its length after resizing and where the crop begins, rounded as torchvision does it."""

    def __init__(self, side: int, other_side: int, short_side: int, crop: int) -> None:
        self.resized = short_side if side <= other_side else int(short_side * side / other_side)
        self.offset = round((self.resized - crop) / 2.0)
        self._side, self._crop = side, crop

    def window(self) -> tuple[float, float]:
        """Where the crop begins and ends in the picture, pixels, in whole steps."""
        places = (self.offset, self.offset + self._crop)
        steps = ((2 * WINDOW_STEPS * place * self._side + self.resized) // (2 * self.resized) for place in places)
        start, stop = (step / WINDOW_STEPS for step in steps)
        return start, stop

    def rows_in_reach(self, start: float, stop: float, filter: Image.Resampling) -> tuple[int, int]:
        """The whole pixels that decide what lies between two places once it is resized: the first, and one past the
        last."""
        reach = _REACH[filter] * max(1.0, (stop - start) / self._crop) + 1
        return max(0, math.floor(start - reach)), min(self._side, math.ceil(stop + reach))
