"""When and by which camera, from files that Pillow wrote, and from blocks that lie or are damaged."""

from __future__ import annotations

import io
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from eyespot.data.taken import DATE, DETAILS, FRACTION, MAKE, MARKER, MODEL, SERIAL, TAKEN, Taken, believable, taken


def jpeg(tags: dict[int, str], details: dict[int, str]) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    exif.get_ifd(DETAILS).update(details)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_camera_and_moment_to_fractions_of_a_second():
    data = jpeg({MAKE: "Acme", MODEL: "One"}, {TAKEN: "2024:05:01 10:20:30", FRACTION: "25", SERIAL: "77"})
    assert taken(data) == Taken("Acme One 77", 1714558830.25)


def test_in_a_heic_it_may_lie_far_behind():
    block = GOOD[GOOD.index(MARKER) :]
    assert taken(b"\0\0\0\x18ftypheic" + bytes(2**17) + block) == Taken("Acme", 1714558830.0)
    assert taken(b"\xff\xd8" + bytes(2**17) + block) is None


def test_the_files_date_where_it_does_not_say_when_it_was_taken():
    assert taken(jpeg({DATE: "2024:05:01 10:20:30"}, {})) == Taken("", 1714558830.0)


@pytest.mark.parametrize("date", ["0000:00:00 00:00:00", "1970:01:01 00:00:00", "2999:01:01 00:00:00", "yesterday", ""])
def test_dates_on_which_it_cannot_have_been_are_none(date):
    assert taken(jpeg({MAKE: "Acme"}, {TAKEN: date})) is None


def test_most_files_say_nothing():
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    assert taken(file.getvalue()) is None
    assert taken(b"") is None


GOOD = jpeg({MAKE: "Acme"}, {TAKEN: "2024:05:01 10:20:30"})


@given(st.integers(0, len(GOOD)), st.integers(0, 255))
def test_a_damaged_block_is_no_error(at, value):
    damaged = bytearray(GOOD)
    damaged[min(at, len(GOOD) - 1)] = value
    for data in (bytes(damaged), GOOD[:at]):
        found = taken(data)
        assert found is None or isinstance(found, Taken)


def test_a_damaged_block_is_not_spoken_of_by_pillow():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for at in range(len(GOOD)):
            taken(GOOD[:at])
    assert not heard


def test_times_that_too_many_share_are_believed_of_none():
    scanned = [Taken("scanner", 1e9)] * 11 + [Taken("scanner", 1e9 + 60)]
    assert believable(scanned) == [None] * 12
    burst = [Taken("phone", 1e9 + number / 10) for number in range(8)] + [None] * 4
    assert believable(burst) == burst
