"""Names as pictures show them."""

import pytest

from eyespot.evaluate import lettering


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
