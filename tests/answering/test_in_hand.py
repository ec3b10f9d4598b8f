"""Pictures as a program has them in hand are answered as their files are; what is no picture is named in a sentence."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

import eyespot
from eyespot.answering.results import ClassProbability, Prediction
from eyespot.data.handed import listed
from eyespot.data.pictures import read_whole
from eyespot.errors import BundleError, DataError, NoPictures, OptionError


@pytest.fixture
def model(split_run, shared_cache):
    return eyespot.load(split_run.run)


@pytest.fixture
def paths(split_photos):
    return [split_photos / "test" / kind / "203.png" for kind in ("triangle", "circle", "square")]


def labels(answers):
    return [each.label for each in answers]


WAYS = {
    "paths": lambda paths: paths,
    "names": lambda paths: [str(path) for path in paths],
    "an iterator": iter,
    "PIL": lambda paths: [Image.open(path) for path in paths],
    "bytes": lambda paths: [path.read_bytes() for path in paths],
    "open files": lambda paths: [io.BytesIO(path.read_bytes()) for path in paths],
    "arrays": lambda paths: [np.asarray(Image.open(path)) for path in paths],
    "a batch": lambda paths: np.stack([np.asarray(Image.open(path)) for path in paths]),
    "floats": lambda paths: np.stack([np.asarray(Image.open(path)) for path in paths]) / 255,
    "tensors": lambda paths: [torch.tensor(np.asarray(Image.open(path))).permute(2, 0, 1) / 255 for path in paths],
    "a batch of tensors": lambda paths: torch.tensor(np.stack([np.asarray(Image.open(path)) for path in paths])),
    "channels first": lambda paths: np.stack([np.asarray(Image.open(path)).transpose(2, 0, 1) for path in paths]),
    "RGBA": lambda paths: [np.asarray(Image.open(path).convert("RGBA")) for path in paths],
    "mixed": lambda paths: [paths[0], Image.open(paths[1]), np.asarray(Image.open(paths[2]))],
}


@pytest.mark.parametrize("way", WAYS)
def test_pictures_in_hand_are_answered_as_their_files_are(model, paths, way):
    answers = model.predict(WAYS[way](paths))
    assert labels(answers) == ["triangle", "circle", "square"]
    assert [each.predictions for each in answers] == [each.predictions for each in model.predict(paths)]


def test_one_picture_may_come_alone(model, paths):
    image = Image.open(paths[0])
    with paths[0].open("rb") as file:
        for one in (image, np.asarray(image), torch.tensor(np.asarray(image)), paths[0].read_bytes(), file):
            assert labels(model.predict(one)) == ["triangle"]


def test_a_pattern_stands_for_all_that_it_fits(model, split_photos):
    answers = model.predict(f"{split_photos}/test/*/20[0-1].png")
    assert [each.picture[-14:] for each in answers][:2] == ["circle/200.png", "circle/201.png"]
    assert len(answers) == 6
    with pytest.raises(NoPictures, match=r"nothing is called like .*\*\.heic"):
        model.predict(f"{split_photos}/*.heic")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F", "La"])
def test_a_picture_of_any_mode_is_what_its_file_is(mode, tmp_path):
    """Pillow writes the file: a PNG, or a TIFF for modes that a PNG does not have."""
    picture = Image.effect_noise((20, 30), 60).convert("RGB").rotate(7)
    if mode == "F":
        picture = Image.fromarray(np.asarray(picture.convert("L"), np.float32) / 255)
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 200)
    elif mode == "La":
        picture = picture.convert("LA").convert("La")
    else:
        picture = picture.convert(mode)
    suffix = "tif" if mode in ("F", "CMYK", "YCbCr") else "png"
    like = picture.convert({"HSV": "RGB", "La": "LA"}.get(mode, mode))
    like.save(tmp_path / f"a.{suffix}")
    [[held], _] = listed(picture)
    expected = read_whole((tmp_path / f"a.{suffix}").read_bytes(), "rgb")
    assert np.array_equal(read_whole(held.read(), "rgb"), expected)


def test_a_picture_is_turned_upright_as_its_file_would_be(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.effect_noise((20, 30), 60).save(tmp_path / "a.jpg", exif=exif)
    [[held], _] = listed(Image.open(tmp_path / "a.jpg"))
    assert held.name == str(tmp_path / "a.jpg")
    assert np.array_equal(read_whole(held.read(), "rgb"), read_whole((tmp_path / "a.jpg").read_bytes(), "rgb"))


def test_equal_pixels_are_equal_bytes_whatever_they_came_as():
    image = Image.effect_noise((9, 7), 60)
    gray = np.asarray(image)
    held = {listed(each)[0][0].read() for each in (image, gray, gray / 255, torch.tensor(gray), gray[:, :, None])}
    assert len(held) == 1


def test_arrays_of_bool_of_16_bits_and_gray_batches_keep_their_pixels():
    random = np.random.default_rng(0)
    black_or_white = random.integers(0, 2, (9, 8)).astype(bool)
    [[held], _] = listed(black_or_white)
    assert np.array_equal(read_whole(held.read(), "gray")[:, :, 0], 255 * black_or_white)
    deep = random.integers(0, 2**16, (9, 8), dtype=np.uint16)
    [[held], _] = listed(deep)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(held.read()))), deep)
    batch = random.integers(0, 256, (5, 9, 8), dtype=np.uint8)
    held_batch, _ = listed(batch)
    assert [each.name for each in held_batch] == [f"pictures[{number}]" for number in range(5)]
    assert np.array_equal([read_whole(each.read(), "gray")[:, :, 0] for each in held_batch], batch)


GRAY = np.zeros((9, 8), np.uint8)
WRONG = [
    (None, "pictures cannot be None: a picture is a path"),
    (5, "pictures cannot be 5 (an int)"),
    ({"a": 1}, "pictures cannot be a dict"),
    ({"a.png"}, "pictures cannot be a set"),
    ([], "there are no pictures: what was given is empty"),
    ([GRAY, 5], "pictures[1] is 5 (an int): a picture is"),
    ([GRAY, [1, 2]], "pictures[1] is a list"),
    ([GRAY, "nowhere.png"], "there is no picture or folder 'nowhere.png'"),
    (np.zeros((3, 9, 8), np.uint8), "may be 3 gray pictures or the 3 channels of one"),
    (np.zeros((9, 8, 5, 2, 2)), "(9, 8, 5, 2, 2)"),
    ([np.zeros((4, 9, 8, 3), np.uint8)], "which has the shape"),
    ([np.zeros((0, 8), np.uint8)], "has no pixels"),
    ([np.full((9, 8), 7, np.int64)], "is an array of int64: give uint8"),
    ([np.full((9, 8), 200.0)], "holds floats from 200 to 200, and 0 to 1 was expected: divide it by 255"),
    ([torch.full((3, 9, 8), -2.1)], "leave out what normalizes it"),
    ([np.full((9, 8), np.nan)], "holds NaN"),
    ([io.StringIO("text")], "is open as text"),
    ([Image.open(io.BytesIO(b"P5 9 9 255\n"))], "cannot be read"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_no_picture_is_named_with_what_is_taken(given, said):
    with pytest.raises(DataError, match=re.escape(said.replace("which has", "has"))):
        listed(given)


def test_a_wrong_array_is_named_by_its_place(model):
    with pytest.raises(DataError, match=r"^pictures\[2\] is an array of int64"):
        model.predict([GRAY, GRAY, GRAY.astype(np.int64)])


def test_probabilities_and_features_have_a_row_for_each_picture(model, paths):
    chances, features = model.probabilities(paths), model.embed(paths)
    assert (chances.shape, chances.dtype) == ((3, 3), np.float32)
    assert (features.shape, features.dtype) == ((3, 1280), np.float32)
    assert [model.classes[each] for each in chances.argmax(axis=1)] == ["triangle", "circle", "square"]
    for row, answer in zip(chances, model.predict(paths), strict=True):
        assert row.max() == pytest.approx(answer.predictions[0].probability)
    assert np.allclose(model.embed(np.asarray(Image.open(paths[1])))[0], features[1])


def test_a_picture_without_a_row_is_named(model, paths):
    for ask in (model.probabilities, model.embed):
        with pytest.raises(DataError, match=r"pictures\[1\] is not a picture.*, so it has no row: leave it out"):
            ask([paths[0], b"text"])


def test_an_exported_file_gives_no_features(split_run, shared_cache, paths, tmp_path):
    [file, *_] = eyespot.export(split_run.run, out=tmp_path / "out").files
    with pytest.raises(BundleError, match="gives no features: load its run instead"):
        eyespot.load(file).embed(paths)
    assert eyespot.load(file).probabilities(paths).shape == (3, 3)


def test_a_detector_takes_pictures_in_hand(detector_run, shared_cache, boxed_photos):
    detector = eyespot.load(detector_run.run)
    path = boxed_photos / "test" / "images" / "200.png"
    [from_file], [from_array] = detector.predict(path), detector.predict(np.asarray(Image.open(path)))
    assert from_array.detections == from_file.detections
    assert (from_array.width, from_array.height) == (96, 64)


def test_an_open_file_is_drawn_and_cut_out_too(detector_run, shared_cache, boxed_photos, tmp_path):
    out = {name: tmp_path / name for name in ("draw", "save_crop", "save_txt")}
    with open(boxed_photos / "test" / "images" / "200.png", "rb") as file:
        [answer] = eyespot.predict(detector_run.run, file, threshold=0.05, **out)
    assert answer.detections
    assert all(any(folder.rglob("*.*")) for folder in out.values())


@pytest.mark.parametrize(
    ("judged", "label"),
    [({}, "cat"), ({"known": True}, "cat"), ({"known": False}, None), ({"sure": False}, None), ({"sure": True}, "cat")],
)
def test_an_answer_has_a_label_unless_it_is_refused_or_not_sure(judged, label):
    answer = Prediction(picture="a", predictions=(ClassProbability(class_="cat", probability=0.5),), **judged)
    assert (answer.label, answer.probability) == (label, 0.5 if label else None)


def test_a_picture_that_cannot_be_read_has_no_label():
    assert Prediction(picture="a", predictions=(), set_aside="is empty").label is None


@pytest.mark.parametrize("path", [None, 5, []])
def test_what_is_no_path_to_a_model_is_said(path):
    with pytest.raises(OptionError, match=r"a path was expected, not (None|int|list): give"):
        eyespot.load(path)


def test_a_whole_table_and_a_closed_file_are_no_pictures(paths):
    class Table:
        columns = ("image", "label")

    with pytest.raises(DataError, match=re.escape("pictures cannot be a whole table: give the column that holds them")):
        listed(Table())
    closed = io.BytesIO(paths[0].read_bytes())
    closed.close()
    with pytest.raises(
        DataError, match=r"the picture cannot be read: .*closed file.*open the file again, with mode 'rb'"
    ):
        listed(closed)
