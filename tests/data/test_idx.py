"""IDX: MNIST's files, against a reader of ten lines and files made by hand; every damaged file has its sentence."""

from __future__ import annotations

import contextlib
import gzip
import io
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eyespot.data import list_limits as limits
from eyespot.data.pictures import is_small_and_gray, read_whole
from eyespot.data.sources import list_pictures, open_data_set
from eyespot.errors import DataError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 5, 7), dtype=np.uint8)  # (N, H, W)
DIGITS = [0, 1, 2, 10, 9, 0, 1, 2, 10, 9, 0, 1]


def idx_file(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write(folder: Path, *, part: str = "train", pixels: np.ndarray = PIXELS, digits: list[int] = DIGITS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_file(pixels))
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_file(np.array(digits, dtype=np.uint8)))
    return folder


def pack(path: Path) -> None:
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def twin(path: Path) -> np.ndarray:
    """What an IDX file holds, read by struct and numpy alone."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    count = data[3]
    shape = struct.unpack(f">{count}I", data[4 : 4 + 4 * count])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * count).reshape(shape)


def test_each_item_is_a_picture_with_its_label_and_its_part(tmp_path):
    write(write(tmp_path / "set"), part="t10k", pixels=255 - PIXELS[:4], digits=[1, 0, 9, 10])
    data_set = open_data_set(tmp_path / "set")
    assert data_set.name == "set"
    assert data_set.classes == ("0", "1", "2", "9", "10")
    assert [each.label for each in data_set.pictures] == [str(digit) for digit in (*DIGITS, 1, 0, 9, 10)]
    assert Counter(each.part for each in data_set.pictures) == {"train": 12, "test": 4}
    assert (data_set.pictures[0].name, data_set.pictures[12].name) == ("train/00000", "test/00000")
    assert len({each.name for each in data_set.pictures}) == 16
    assert data_set.mirror_changes_meaning
    assert data_set.set_aside == ()
    for each, pixels in zip(data_set.pictures, [*PIXELS, *(255 - PIXELS[:4])], strict=True):
        np.testing.assert_array_equal(read_whole(each.read(), "gray")[..., 0], pixels)
        assert is_small_and_gray(each.read(), most_side=64)


def test_a_pictures_bytes_are_a_file_that_others_read(tmp_path):
    picture = open_data_set(write(tmp_path / "set")).pictures[3]
    (tmp_path / "3.pgm").write_bytes(picture.read())
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "3.pgm")), PIXELS[3])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(picture.read()))), PIXELS[3])


def test_mnist_agrees_with_a_reader_of_ten_lines(real_data):
    folder = real_data / "mnist"
    data_set = open_data_set(folder)
    for part, beginning in (("train", "train"), ("test", "t10k")):
        pictures = [each for each in data_set.pictures if each.part == part]
        digits = twin(folder / f"{beginning}-labels-idx1-ubyte.gz")
        pixels = twin(folder / f"{beginning}-images-idx3-ubyte.gz")
        assert [each.label for each in pictures] == [str(digit) for digit in digits]
        for number in range(0, len(pictures), 997):
            np.testing.assert_array_equal(read_whole(pictures[number].read(), "gray")[..., 0], pixels[number])
    assert data_set.classes == tuple("0123456789")


@pytest.mark.parametrize("separator", ["-", "."])
def test_packed_unpacked_and_files_with_a_dot_in_their_name_are_read(tmp_path, separator):
    write(tmp_path)
    pack(tmp_path / LABELS)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", f"{separator}idx")))
    assert len(open_data_set(tmp_path).pictures) == 12


def test_a_file_that_a_browser_unpacked_is_read_whatever_its_name(tmp_path):
    write(tmp_path)
    (tmp_path / IMAGES).rename(tmp_path / f"{IMAGES}.gz")
    assert len(open_data_set(tmp_path).pictures) == 12


def test_of_a_packed_and_an_unpacked_file_one_is_read_and_the_other_is_named_with_the_rest(tmp_path):
    write(tmp_path)
    (tmp_path / f"{IMAGES}.gz").write_bytes(b"not read")
    (tmp_path / "README.md").write_text("x")
    data_set = open_data_set(tmp_path)
    assert len(data_set.pictures) == 12
    assert [each.picture for each in data_set.set_aside] == ["README.md", f"{IMAGES}.gz"]


def test_the_test_files_alone_are_a_data_set_to_measure_on(tmp_path):
    assert {each.part for each in open_data_set(write(tmp_path, part="t10k")).pictures} == {"test"}


def test_predict_takes_the_pictures_too(tmp_path):
    pictures, set_aside = list_pictures([write(tmp_path / "set")])
    assert pictures[0].name == f"{tmp_path}/set/train/00000"
    assert (len(pictures), set_aside) == (12, ())


def test_class_folders_beside_idx_files_are_read_as_class_folders(tmp_path):
    write(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name / "1.png")
    assert open_data_set(tmp_path).classes == ("cat", "dog")


@pytest.mark.parametrize(("gone", "needed"), [(LABELS, LABELS), (IMAGES, IMAGES)])
def test_a_file_without_its_other_half_is_refused_with_the_name_of_that(tmp_path, gone, needed):
    write(write(tmp_path), part="t10k")
    (tmp_path / gone).unlink()
    with pytest.raises(DataError, match=f"stands alone: the file {needed} is missing"):
        open_data_set(tmp_path)


def test_a_label_too_few_is_refused_with_both_numbers(tmp_path):
    write(tmp_path, digits=DIGITS[:-1])
    with pytest.raises(DataError, match="holds 12 pictures and train-labels-idx1-ubyte holds 11 labels"):
        open_data_set(tmp_path)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("packed", [False, True])
def test_every_cut_of_a_file_is_one_sentence(tmp_path, name, packed):
    write(tmp_path)
    if packed:
        pack(tmp_path / name)
        name += ".gz"
    whole = (tmp_path / name).read_bytes()
    for length in range(len(whole)):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut off|is damaged|begins with 1f,"):
            open_data_set(tmp_path)


def test_every_changed_byte_of_a_packed_file_is_read_or_refused_in_a_sentence(tmp_path):
    write(tmp_path)
    pack(tmp_path / IMAGES)
    path = tmp_path / f"{IMAGES}.gz"
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        with contextlib.suppress(DataError):
            pictures = open_data_set(tmp_path).pictures  # gzip's header holds a date and a system: they change nothing
            np.testing.assert_array_equal(read_whole(pictures[5].read(), "gray")[..., 0], PIXELS[5])


def test_bytes_after_the_last_picture_are_refused(tmp_path):
    write(tmp_path)
    (tmp_path / IMAGES).write_bytes((tmp_path / IMAGES).read_bytes() + b"\0")
    with pytest.raises(DataError, match="goes on after the 12 items"):
        open_data_set(tmp_path)


@pytest.mark.parametrize(
    "begins",
    [b"\0\0\x08\x01", b"\0\0\x0d\x03", b"<htm", b"\x03\x08\0\0"],
)
def test_a_file_that_begins_otherwise_is_refused_with_what_it_begins_with(tmp_path, begins):
    write(tmp_path)
    (tmp_path / IMAGES).write_bytes(begins + (tmp_path / IMAGES).read_bytes()[4:])
    with pytest.raises(DataError, match=f"begins with {begins.hex(' ')}, and 00 00 08 03 was expected"):
        open_data_set(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(2**32 - 1, 28, 28), (12, 2**32 - 1, 2**32 - 1), (2**20, 2**20, 1)])
def test_a_header_that_claims_more_than_the_file_can_hold_is_refused_unread(tmp_path, shape, packed):
    write(tmp_path)
    (tmp_path / IMAGES).write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *shape) + b"\0" * 99)
    if packed:
        pack(tmp_path / IMAGES)
    with pytest.raises(DataError, match=f"says that it holds {shape[0]} x .* bytes on disk cannot hold"):
        open_data_set(tmp_path)


def test_more_than_memory_should_hold_is_refused_unread(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setattr(limits, "MOST_BYTES", PIXELS.size)
    with pytest.raises(DataError, match=r"unfolds .* at most 420 are read: .* class folders"):
        open_data_set(tmp_path)


@pytest.mark.parametrize("shape", [(12, 0, 5), (12, 5, 0)])
def test_pictures_without_pixels_are_refused(tmp_path, shape):
    write(tmp_path, pixels=np.zeros(shape, dtype=np.uint8))
    with pytest.raises(DataError, match="its pictures have no pixels"):
        open_data_set(tmp_path)


def test_no_pictures_at_all_are_refused(tmp_path):
    write(tmp_path, pixels=PIXELS[:0], digits=[])
    with pytest.raises(DataError, match="holds no picture that can be used"):
        open_data_set(tmp_path)


def test_of_two_folders_with_idx_files_one_is_to_be_named(tmp_path):
    for name in ("digits", "letters"):
        write(tmp_path / name)
    with pytest.raises(DataError, match=r"holds IDX files in digits and letters: name one of these folders"):
        open_data_set(tmp_path)
    assert len(open_data_set(tmp_path / "letters").pictures) == len(DIGITS)
