"""Names as pictures show them."""

import io

import numpy as np
import pytest
from PIL import Image

from eyespot.evaluate import lettering
from eyespot.palette import GROUND


@pytest.mark.parametrize("text", ["", "hat", "a" * 24])
def test_short_names_are_left_as_they_are(text):
    assert lettering.shorten(text) == text


def test_long_names_lose_their_middle():
    short = lettering.shorten("long-sleeved-shirt-with-stripes-07", 16)
    assert short == "long-sle…ipes-07"
    assert lettering.shorten("one\n two") == "one two"


def test_controls_and_direction_overrides_become_visible():
    assert lettering.shorten("a\u202eb\x00\udcffc") == r"a\u202eb\x00\xffc"
    assert lettering.shorten("שלום é 漢 👩‍👧\n") == "שלום é 漢 👩‍👧"


@pytest.mark.parametrize("size_hw", [(1, 1), (40, 5), (3, 320), (50, 700)])
@pytest.mark.parametrize("caption", [["one", "two words", "of many " * 30], ["x" * 90, "y"], ["袋子 3 x 3"]])
def test_a_caption_leaves_the_picture_and_is_whole(size_hw, caption):
    pixels = np.random.default_rng(0).integers(0, 256, (*size_hw, 3)).astype(np.uint8)
    with Image.open(io.BytesIO(lettering.captioned(pixels, caption))) as image:
        whole = np.asarray(image)
        assert image.info["Description"] == " | ".join(caption)
    np.testing.assert_array_equal(whole[: size_hw[0], : size_hw[1]], pixels)
    assert (whole[: size_hw[0], size_hw[1] :] == GROUND).all()
    strip = whole[size_hw[0] :]
    assert whole.shape[1] >= 320
    assert strip.max() > 250  # letters
    for edge in (strip[:3], strip[-3:], strip[:, :3], strip[:, -3:]):  # none of them is cut off
        assert (edge == GROUND).all()


def test_the_parts_of_a_caption_share_a_line_where_they_fit():
    heights = []
    for words in (["one", "two"], ["one " * 10, "two " * 10], ["one " * 40, "two"]):
        with Image.open(io.BytesIO(lettering.captioned(np.zeros((1, 320, 3), np.uint8), words))) as image:
            heights.append((image.height - 1 - 2 * lettering.CAPTION_MARGIN) // lettering.CAPTION_LINE)
    assert heights[:2] == [1, 2]
    assert heights[2] > 2
