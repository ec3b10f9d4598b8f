"""Views: boxes lie where the things are that they were drawn around."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from eyespot.data.cropping import letterbox
from eyespot.detecting.windows import drawn_window, seen_through, shown_boxes, whole_window
from eyespot.records import Preprocess

PREPROCESS = Preprocess(
    short_side=128, crop_hw=(96, 128), filter="bilinear", color="rgb", mean=(120.0,) * 3, scale=(60.0,) * 3,
    exact=False, fit="letterbox",
)  # fmt: skip
BOX = (30, 40, 90, 70)


def picture(width: int = 160, height: int = 120) -> Image.Image:
    """Black, with a white box."""
    image = Image.new("RGB", (width, height))
    ImageDraw.Draw(image).rectangle((BOX[0], BOX[1], BOX[2] - 1, BOX[3] - 1), fill="white")
    return image


@given(content=st.integers(0, 2**64 - 1), number=st.integers(0, 30))
def test_a_box_lies_where_its_thing_is(content: int, number: int) -> None:
    window = drawn_window(f"{content:016x}", number, width=160, height=120, image_hw=PREPROCESS.crop_hw)
    view = seen_through(replace(window, colors=(1.0, 1.0, 1.0)), picture(), PREPROCESS)
    [cut], _ = shown_boxes(window.boxes(np.array([BOX], float), 128), PREPROCESS.crop_hw)
    filling = np.abs(view.astype(int) - 120).max(2) < 2
    bright = (view.max(2) > 128) & ~filling
    if (cut[2:] - cut[:2]).min() < 4:
        return
    rows, columns = np.nonzero(bright)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(np.array(found) - cut).max() <= 2.5


def test_view_number_0_is_the_letterbox() -> None:
    window = drawn_window("0" * 16, 0, width=160, height=120, image_hw=PREPROCESS.crop_hw)
    assert window == whole_window(160, 120, PREPROCESS.crop_hw)
    assert (seen_through(window, picture(), PREPROCESS) == np.asarray(letterbox(picture(), PREPROCESS))).all()


def test_a_view_follows_from_content_and_number_alone() -> None:
    views = [drawn_window("12" * 8, 3, width=160, height=120, image_hw=(96, 128)) for _ in range(2)]
    assert views[0] == views[1]
    assert views[0] != drawn_window("12" * 8, 4, width=160, height=120, image_hw=(96, 128))
    assert views[0] != drawn_window("13" * 8, 3, width=160, height=120, image_hw=(96, 128))


def test_a_mirrored_box_is_mirrored() -> None:
    window = whole_window(128, 96, (96, 128))
    assert replace(window, mirrored=True).boxes(np.array([[0.0, 0, 10, 10]]), 128).tolist() == [[118, 0, 128, 10]]


@pytest.mark.parametrize(("box", "seen"), [((-50, 0, 50, 10), True), ((-80, 0, 20, 10), False), ((0, 0, 9, 9), True)])
def test_a_box_of_which_too_little_is_seen_is_left_out(box: tuple[float, ...], seen: bool) -> None:
    cut, enough = shown_boxes(np.array([box], float), (96, 128))
    assert bool(enough[0]) is seen
    assert cut.min() >= 0


@pytest.mark.parametrize("number", range(1, 6))
def test_a_gray_picture_is_recolored_as_it_is_in_rgb(number: int) -> None:
    """Saturation, which it has not, changes nothing; each of three channels is the one."""
    noise = Image.fromarray(np.random.default_rng(number).integers(60, 180, (120, 160), np.uint8))
    gray = PREPROCESS.model_copy(update={"color": "gray", "mean": (120.0,), "scale": (60.0,)})
    window = drawn_window("5" * 16, number, width=160, height=120, image_hw=(96, 128))
    one = seen_through(window, noise, gray)
    three = seen_through(window, noise.convert("RGB"), PREPROCESS)
    assert (one.shape, three.shape) == ((96, 128, 1), (96, 128, 3))
    assert np.abs(three.astype(int) - one).max() <= 1
    assert len({*one.ravel()[::97]}) > 20
