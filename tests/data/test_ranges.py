"""One range for a data set: the unit of its numbers is no matter, and nothing wild decides."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from eyespot.data import ranges
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.levels import is_deep
from eyespot.data.pictures import read_whole
from eyespot.data.ranges import find_levels
from eyespot.errors import UnreadablePicture
from eyespot.records import Levels, Preprocess


def scenes(count: int = 12) -> np.ndarray:
    """Smooth pictures with noise, most numbers between 0.1 and 0.6: (N, 40, 48)."""
    random = np.random.default_rng(3)
    across, down = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 40))
    return np.stack(
        [0.2 + 0.2 * across * random.random() + 0.1 * down + random.normal(0, 0.02, (40, 48)) for _ in range(count)]
    )


def tiff(values: np.ndarray, **tags: int) -> bytes:
    file, info = io.BytesIO(), TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[int(tag[1:])] = value
    Image.fromarray(values).save(file, "TIFF", tiffinfo=info)
    return file.getvalue()


def hashed(files: list[bytes]) -> list[Hashed]:
    return [Hashed(Picture(f"{n}.tif", "a", data=d), content_hash(d), is_deep(d)) for n, d in enumerate(files)]


def images(files: list[bytes], levels: Levels | None) -> np.ndarray:
    return np.stack([read_whole(data, "gray", levels) for data in files]).astype(int)  # (N, H, W, 1)


def seen(files: list[bytes]) -> np.ndarray:
    """As the data set itself is seen."""
    return images(files, find_levels(hashed(files))[0])


def as_floats(values: np.ndarray) -> list[bytes]:
    return [tiff(each.astype(np.float32)) for each in values]


TO_FLOATS = [(1.0, 0.0), (100.0, -40.0), (60.0, 273.15), (255.0, 0.0), (0.001, 0.0), (1e6, 5e5)]


@pytest.mark.parametrize(("factor", "shift"), TO_FLOATS)
def test_the_unit_of_floats_is_no_matter(factor, shift):
    expected = seen(as_floats(scenes()))
    assert np.ptp(expected) == 255
    assert np.abs(seen(as_floats(scenes() * factor + shift)) - expected).max() <= 1


@pytest.mark.parametrize(
    ("dtype", "factor", "shift"), [("uint16", 4000, 2731), ("uint16", 4000, 50000), ("int32", 1e6, -5e5)]
)
def test_whole_numbers_of_any_range_look_as_floats_do(dtype, factor, shift):
    whole = [tiff((each * factor + shift).round().astype(dtype)) for each in scenes()]
    assert np.abs(seen(whole) - seen(as_floats(scenes()))).max() <= 1


def test_names_and_order_decide_nothing():
    files = as_floats(scenes())
    assert find_levels(hashed(files)) == find_levels(hashed(files[::-1]))


@pytest.mark.parametrize("wild", [1e9, -1e9, float("nan"), float("inf"), 1.001])
def test_one_wild_pixel_changes_at_most_itself(wild):
    values, spoilt = scenes(), scenes()
    spoilt[4, 7, 9] = wild
    changed = np.abs(seen(as_floats(spoilt)) - seen(as_floats(values))) > 1
    assert set(zip(*np.nonzero(changed), strict=True)) <= {(4, 7, 9, 0)}


@pytest.mark.parametrize("fill", [-9999.0, 65535.0, float("nan")])
def test_a_value_for_no_data_does_not_decide(fill):
    values = scenes()
    values[:, :, :10] = fill
    low, high = find_levels(hashed(as_floats(values)))[0].floats
    assert 0 < low < 0.3
    assert 0.4 < high < 0.8


def test_one_wild_picture_does_not_decide_and_is_set_aside():
    files = as_floats(scenes())
    wild = tiff((60_000 + scenes(1)[0]).astype(np.float32))
    before, after = find_levels(hashed(files))[0], find_levels(hashed([*files, wild]))[0]
    assert np.allclose(before.floats, after.floats, atol=0.02)
    with pytest.raises(UnreadablePicture, match=r"holds numbers from 60,000 to 60,00\d; .* is black"):
        read_whole(wild, "gray", after)


def test_sixteen_bit_photos_stay_as_they_are_beside_8_bits():
    full = np.random.default_rng(0).integers(0, 65536, (5, 20, 20)).astype(np.uint16)
    levels, _ = find_levels(hashed([tiff(each) for each in full]))
    assert levels == Levels(integers=(0, 65535), floats=None)


def test_pictures_with_8_bits_have_no_range_and_are_written_as_before():
    assert find_levels(hashed([tiff(np.zeros((4, 4), np.uint8))])) == (None, [])
    plain = Preprocess(short_side=8, crop_hw=(8, 8), filter="bilinear", color="gray", mean=(0,), scale=(1,))
    assert "levels" not in plain.model_dump_json()
    deep = plain.model_copy(update={"levels": Levels(integers=None, floats=(-1.5, 2.0))})
    assert Preprocess.model_validate_json(deep.model_dump_json()) == deep


def test_a_picture_that_comes_out_flat_is_named():
    values = np.concatenate([scenes() * 1000, 300 + 0.5 * scenes(1)])
    _, notes = find_levels(hashed(as_floats(values)))
    assert notes[1:] == ["1 picture came out all of one color, or nearly so: 12.tif"]


@pytest.mark.parametrize("kind", ["float32", "uint16"])
def test_inverted_tiffs_are_turned_round(kind):
    values = (np.linspace(0, 1, 64).reshape(8, 8) * (1 if kind == "float32" else 65535)).astype(kind)
    upright, inverted = tiff(values), tiff(values)
    entry = np.array([262, 3], "<u2").tobytes() + b"\1\0\0\0"
    assert entry + b"\1" in inverted
    inverted = inverted.replace(entry + b"\1", entry + b"\0")
    assert np.abs(255 - images([upright], None) - images([inverted], None)).max() <= 1


def test_without_a_range_one_pixel_beyond_changes_only_itself_and_other_units_are_refused():
    values = np.linspace(0, 1, 400).reshape(20, 20).astype(np.float32)
    beyond = values.copy()
    beyond[3, 3] = 1.001
    changed = np.nonzero(images([tiff(values)], None) != images([tiff(beyond)], None))
    assert list(zip(*changed, strict=True)) == [(0, 3, 3, 0)]
    for other in ((20 + 100 * values), (2731 + 700 * values).astype(np.uint16), np.full((3, 3), np.nan, np.float32)):
        with pytest.raises(UnreadablePicture, match="holds n"):
            read_whole(tiff(other), "gray")


def test_what_is_decoded_for_the_range_is_bounded(monkeypatch):
    files = as_floats(np.concatenate([scenes(4), scenes(4) + 5]))
    whole, _ = find_levels(hashed(files))
    alone = [find_levels(hashed([data]))[0] for data in files]
    monkeypatch.setattr(ranges, "MOST_PICTURES", 1)
    assert find_levels(hashed(files))[0] in alone
    monkeypatch.setattr(ranges, "MOST_PICTURES", 256)
    monkeypatch.setattr(ranges, "MOST_PIXELS", 40 * 48 + 1)
    assert find_levels(hashed(files))[0] in alone
    assert whole not in alone


def test_what_gives_no_numbers_does_not_decide():
    files = as_floats(scenes(4))
    torn = Picture("torn.tif", "a", data=files[0][:-900])
    shallow = Picture("shallow.png", "a", data=tiff(np.zeros((4, 4), np.uint8)))
    empty = Picture("empty.tif", "a", data=tiff(np.full((40, 48), np.nan, np.float32)))
    others = [Hashed(each, content_hash(each.read()), deep=True) for each in (torn, shallow, empty)]
    assert find_levels([*hashed(files), *others]) == find_levels(hashed(files))
    assert find_levels(others) == (None, [])


def test_all_that_lies_on_a_plain_ground_is_in_the_range():
    values = np.full((40, 48), 7.0)
    values[5, 3:15] = np.repeat(np.linspace(24, 29, 6), 2)
    assert find_levels(hashed(as_floats(values[None])))[0] == Levels(integers=None, floats=(7, 29))


def test_few_different_numbers_are_all_of_the_range():
    values = np.resize([0.0, 1.0, 2.0, 1000.0], (40, 48))
    assert find_levels(hashed(as_floats(values[None])))[0] == Levels(integers=None, floats=(0, 1000))


def test_one_number_alone_has_no_range():
    assert find_levels(hashed(as_floats(np.full((1, 40, 48), 7.0)))) == (None, [])


def test_signed_bytes_are_read_as_the_numbers_they_are():
    values = np.linspace(-128, 127, 64).round().astype(np.int8).reshape(8, 8)
    found = images([tiff(values.view(np.uint8), _339=2)], None)[0, :, :, 0]
    assert found.tolist() == (values.astype(int) + 128).tolist()


def test_a_tiff_that_is_damaged_is_not_deep():
    assert is_deep(tiff(np.ones((8, 8), np.float32)))
    assert not is_deep(b"II*\0" + bytes(100))


def test_eight_values_for_no_data_do_not_decide():
    filled, empty = scenes(), scenes()
    for number in range(8):
        filled[:, number, :2] = -10_000 * 2.0**number
        empty[:, number, :2] = np.nan
    assert find_levels(hashed(as_floats(filled)))[0] == find_levels(hashed(as_floats(empty)))[0]
