"""Turned boxes cover what they covered before: Pillow turns the same picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from eyespot.data.boxes.turning import placed, turned

STORED = (9, 5)
BOX = (6, 1, 8, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_painted_box_is_where_pillow_turns_it(orientation):
    image = Image.new("L", STORED)
    image.paste(255, BOX)
    image.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(image)
    (found,) = turned(np.array([BOX], np.float64), orientation, stored=STORED)
    assert tuple(found) == upright.getbbox()


@pytest.mark.parametrize("orientation", [1, 3])
def test_sizes_that_cannot_tell_leave_boxes_as_they_are(orientation):
    boxes = np.array([BOX], np.float64)
    assert (placed(boxes, said=STORED, upright=STORED, orientation=orientation) == boxes).all()


def test_a_square_picture_keeps_its_boxes():
    boxes = np.array([[0, 0, 9, 2]], np.float64)
    assert (placed(boxes, said=(9, 9), upright=(9, 9), orientation=6) == boxes).all()
