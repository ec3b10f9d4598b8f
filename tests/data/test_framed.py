"""Pictures become images one after another, and whoever takes them is not inside of the reading."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from eyespot.data import formats
from eyespot.data.framed import read_cropped, read_framed, read_whole_pictures, shown_in
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess

READERS = [read_framed, read_whole_pictures, read_cropped]


def preprocess(read):
    return Preprocess(
        short_side=32,
        crop_hw=(32, 32),
        filter="bilinear",
        color="rgb",
        mean=(0, 0, 0),
        scale=(1, 1, 1),
        fit="letterbox" if read is read_framed else "crop",
    )


def picture(width, height):
    file = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 200, np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("read", READERS)
def test_what_the_caller_does_between_two_pictures_is_not_quiet(read):
    """Pillow's warnings are hidden only while a picture is read."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for _ in read([picture(40, 30)] * 2, preprocess(read)):
            warnings.warn_explicit("mine", UserWarning, "file", 1, module="PIL.mine")
    assert [str(each.message) for each in heard] == ["mine", "mine"]


@pytest.mark.parametrize("read", READERS)
def test_a_picture_that_cannot_be_read_is_its_error_and_stops_no_other(read):
    first, broken, last = read([picture(40, 30), b"", picture(30, 40)], preprocess(read))
    assert (first.picture_hw, last.picture_hw) == ((30, 40), (40, 30))
    assert isinstance(broken, UnreadablePicture)
    assert "is empty" in str(broken)


@pytest.mark.parametrize("read", READERS)
def test_they_are_read_as_they_are_taken(read, monkeypatch):
    opened = []
    open_picture = formats.open_picture
    monkeypatch.setattr(formats, "open_picture", lambda data: opened.append(0) or open_picture(data))
    pictures = read([picture(40, 30)] * 3, preprocess(read))
    assert opened == []
    next(pictures)
    assert opened == [0]


@pytest.mark.parametrize(("size_wh", "shown_hw"), [((40, 30), (24, 32)), ((30, 40), (32, 24)), ((64, 64), (32, 32))])
def test_what_a_picture_has_in_its_letterbox_is_known_before_it_is_read(size_wh, shown_hw):
    assert shown_in(picture(*size_wh), preprocess(read_framed)) == shown_hw
    [framed] = read_framed([picture(*size_wh)], preprocess(read_framed))
    assert framed.shown_hw == shown_hw
