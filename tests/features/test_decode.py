"""Decoding ahead: in order, with bounded memory, and with a reason for every picture that has no image."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image

from eyespot.data.copies import content_hash
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_image
from eyespot.features import decode
from eyespot.features.decode import decode_pictures
from eyespot.records import Preprocess

GRAY = Preprocess(short_side=8, crop_hw=(8, 8), filter="bilinear", color="gray", mean=(0,), scale=(1,))


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (9, 8), shade).save(file, format="PNG")
    return file.getvalue()


def pictures(count: int) -> list[tuple[Picture, str | None]]:
    return [(Picture(str(shade), data=png(shade)), content_hash(png(shade))) for shade in range(count)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ahead", [1, 4, 1000])
def test_images_come_in_order_whatever_the_threads(threads, ahead):
    images = list(decode_pictures(pictures(40), GRAY, {}, threads=threads, ahead=ahead))
    assert [(number, int(image[0, 0, 0])) for number, image in images] == [(n, n) for n in range(40)]
    assert {image.shape for _, image in images} == {(8, 8, 1)}


def test_an_image_is_that_of_read_image():
    data = png(3)
    [(_, image)] = decode_pictures([(Picture("a", data=data), None)], GRAY, {}, ahead=1)
    np.testing.assert_array_equal(image, read_image(data, GRAY))


def test_what_cannot_be_decoded_has_a_reason_and_no_image(tmp_path):
    (tmp_path / "text.png").write_bytes(b"no picture at all")
    (tmp_path / "cut.png").write_bytes(png(1)[:40])
    (tmp_path / "empty.png").touch()
    work = [(Picture(name, path=tmp_path / name), None) for name in ("text.png", "cut.png", "empty.png", "gone.png")]
    reasons: dict[int, str] = {}
    [(number, image)] = decode_pictures([*work, *pictures(1)], GRAY, reasons, threads=2, ahead=2)
    assert (number, image.shape) == (4, (8, 8, 1))
    assert "is not a picture" in reasons[0]
    assert "is cut off" in reasons[1]
    assert "is empty" in reasons[2]
    assert reasons[3].startswith("cannot be read: ")


def test_a_picture_that_is_no_longer_what_was_hashed_has_no_image():
    reasons: dict[int, str] = {}
    assert list(decode_pictures([(Picture("a", data=png(1)), content_hash(png(2)))], GRAY, reasons, ahead=1)) == []
    assert reasons == {0: "changed on disk while it was being read: run again"}


@pytest.mark.parametrize("ahead", [1, 5, 40])
def test_no_more_than_ahead_are_decoded_before_they_are_taken(monkeypatch, ahead):
    counted: list[bytes] = []

    def count(files, preprocess):
        for data in files:
            counted.append(data)
            yield np.zeros((8, 8, 1), np.uint8)

    monkeypatch.setattr(decode, "read_images", count)
    images = decode_pictures(pictures(250), GRAY, {}, threads=2, ahead=ahead)
    for taken in range(1, 11):
        next(images)
        assert len(counted) <= taken + ahead
    images.close()
    assert len(counted) <= 10 + ahead


def test_of_whole_pictures_which_may_be_large_few_are_decoded_ahead_whatever_is_asked_for(monkeypatch):
    counted: list[bytes] = []

    def count(files, preprocess):
        for data in files:
            counted.append(data)
            yield np.zeros((9, 8, 1), np.uint8)

    monkeypatch.setattr(decode, "read_as_they_are", count)
    images = decode_pictures(pictures(250), GRAY, {}, threads=2, ahead=1000, resized=False)
    for taken in range(1, 11):
        next(images)
        assert len(counted) <= taken + decode.MOST_WHOLE
    images.close()
    assert len(counted) <= 10 + decode.MOST_WHOLE


def test_abandoning_the_generator_ends_the_work(monkeypatch):
    before = threading.active_count()
    images = decode_pictures(pictures(200), GRAY, {}, threads=3, ahead=50)
    next(images)
    images.close()
    assert threading.active_count() == before


def test_our_own_mistakes_are_not_taken_for_bad_pictures(monkeypatch):
    def broken(files, preprocess):
        raise ZeroDivisionError

    monkeypatch.setattr(decode, "read_images", broken)
    with pytest.raises(ZeroDivisionError):
        list(decode_pictures(pictures(3), GRAY, {}, threads=2, ahead=2))


def test_no_pictures_are_no_images():
    assert list(decode_pictures([], GRAY, {}, threads=2, ahead=2)) == []
