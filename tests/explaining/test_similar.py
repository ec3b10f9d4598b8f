"""The nearest training pictures are those a search through all finds; a file that is not ours is refused."""

import io
import struct
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from eyespot.errors import BundleError
from eyespot.explaining import similar as module
from eyespot.explaining.similar import read_similar, similar_of, write_similar

HASH = "ab" * 32
CLASSES = 3
COUNT, D = 7, 5


def _jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), (shade, 0, 0)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(COUNT, D)).astype(np.float32)


@pytest.fixture
def similar(features):
    return similar_of(features, [number % CLASSES for number in range(COUNT)], [_jpeg(30 * n) for n in range(COUNT)])


@pytest.fixture
def path(similar, tmp_path):
    write_similar(tmp_path / "similar.npz", similar, graph_sha256=HASH)
    return tmp_path / "similar.npz"


def _read(path):
    return read_similar(path, graph_sha256=HASH, classes=CLASSES)


def test_the_nearest_are_those_with_the_smallest_angle(similar, features):
    wanted = np.random.default_rng(1).normal(size=D).astype(np.float32)
    angles = [np.dot(each, wanted) / np.linalg.norm(each) / np.linalg.norm(wanted) for each in features]
    expected = sorted(range(COUNT), key=lambda number: -angles[number])[:4]
    found = similar.nearest(wanted, 4)
    assert [each.jpeg for each in found] == [_jpeg(30 * number) for number in expected]
    assert [each.class_index for each in found] == [number % CLASSES for number in expected]
    assert [each.similarity for each in found] == pytest.approx([angles[number] for number in expected], abs=2e-3)
    assert similar.nearest(1000 * features[2], 1)[0].similarity == pytest.approx(1, abs=2e-3)


def test_more_than_there_are_and_features_of_nothing_but_zeros_are_no_error(similar):
    assert len(similar.nearest(np.zeros(D, np.float32), 100)) == COUNT


def test_features_of_another_length_are_refused(similar):
    with pytest.raises(BundleError, match=rf"similar\.npz is damaged .*{D} numbers.*{D + 1}\): remove"):
        similar.nearest(np.zeros(D + 1, np.float32), 1)


def test_what_is_written_is_read(similar, path):
    found = _read(path)
    np.testing.assert_array_equal(found.features, similar.features)
    np.testing.assert_array_equal(found.classes, similar.classes)
    assert found.thumbnails == similar.thumbnails
    with np.load(path, allow_pickle=False) as archive:
        assert archive["features"].dtype == np.float16


def test_nothing_there_and_what_belongs_to_another_model_is_nothing(path, tmp_path):
    assert _read(tmp_path / "none.npz") is None
    assert read_similar(path, graph_sha256="cd" * 32, classes=CLASSES) is None


def _with(path, **arrays):
    """The file with other arrays in it."""
    with np.load(path, allow_pickle=True) as archive:
        content = {name: archive[name] for name in archive.files} | arrays
    np.savez(path, **{name: array for name, array in content.items() if array is not None})


def _replace(path, member, content):
    """The file with another member in it, byte by byte."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, kept in (members | {member: content}).items():
            archive.writestr(name, kept)


@pytest.mark.parametrize(
    "changed",
    [
        {"features": np.full((COUNT, D), np.nan, np.float16)},
        {"features": np.zeros((COUNT, D), np.float32)},
        {"features": np.zeros((COUNT + 1, D), np.float16)},
        {"features": np.zeros((COUNT, 0), np.float16)},
        {"features": np.zeros((D, COUNT), np.float16).T},
        {"classes": np.full(COUNT, CLASSES, np.int32)},
        {"classes": np.full(COUNT, -1, np.int32)},
        {"classes": np.array([{}] * COUNT, object)},
        {"classes": np.zeros(0, np.int32), "features": np.zeros((0, D), np.float16), "offsets": np.zeros(1, np.int64)},
        {"offsets": np.arange(COUNT + 1)[::-1].copy()},
        {"offsets": np.full(COUNT + 1, 2**62)},
        {"thumbnails": np.zeros(10_000, np.uint8)},
        {"thumbnails": None},
        {"version": np.array([1, 2])},
    ],
    ids=str,
)
def test_arrays_that_cannot_be_right_are_refused_in_a_sentence(path, changed):
    _with(path, **changed)
    with pytest.raises(BundleError, match=r"similar\.npz is damaged .*remove it"):
        _read(path)


def test_a_newer_version_is_left_alone(path):
    _with(path, version=np.int64(2))
    assert _read(path) is None


def test_a_shape_that_promises_more_than_there_is_takes_no_memory(path):
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f2", "fortran_order": False, "shape": (10**6, 10**6)})
    _replace(path, "features.npy", huge.getvalue())
    with pytest.raises(BundleError, match="its features cannot be right"):
        _read(path)


@pytest.mark.parametrize("text", ["{'descr': (", "{'descr': '''", "lambda", "\x00", "(" * 900, "-" * 900, "9" * 900])
def test_a_header_that_is_no_python_is_refused_in_a_sentence(path, text):
    _replace(path, "features.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n")
    with pytest.raises(BundleError, match="damaged"):
        _read(path)


def test_a_compressed_file_which_may_hold_any_amount_is_refused(path):
    with np.load(path) as archive:
        np.savez_compressed(path, **{name: archive[name] for name in archive.files})
    with pytest.raises(BundleError, match="cannot be right"):
        _read(path)


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_ends_early_is_refused(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(BundleError, match="damaged"):
        _read(path)


def test_no_damaged_byte_is_more_than_a_sentence(path):
    data, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for place in random.integers(0, len(data), 3):
            broken[place] = random.integers(256)
        path.write_bytes(broken)
        with suppress(BundleError):  # any other error fails the test
            _read(path)


def test_what_a_library_says_of_a_damaged_file_is_told_in_brief(path):
    """zipfile quotes a name of any length that is not the directory's, with whatever bytes it has."""
    data = bytearray(path.read_bytes())
    data[26:28] = (5000).to_bytes(2, "little")  # the length of the first member's name
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"similar\.npz is damaged") as caught:
        _read(path)
    assert len(str(caught.value)) < len(str(path)) + 500
    assert str(caught.value).isprintable()


def test_a_file_too_large_or_no_file_at_all_is_refused(path, tmp_path, monkeypatch):
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(BundleError, match="no file of eyespot's"):
        _read(tmp_path / "folder.npz")
    monkeypatch.setattr(module, "LARGEST_FILE", 10)
    with pytest.raises(BundleError, match="larger than one can be"):
        _read(path)
