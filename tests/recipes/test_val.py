"""`val`: the part that is read, the numbers of training, and honesty about pictures that were trained on."""

import csv
import shutil

import pytest
from color_bundle import write_color_bundle
from PIL import Image

import eyespot
from eyespot.errors import DataError, OptionError


@pytest.fixture
def model(split_run, shared_cache):
    return eyespot.load(split_run.run)


@pytest.mark.parametrize(
    ("split", "part", "n"), [("auto", "test", 33), ("val", "val", 12), ("train", "train", 24), ("all", "all", 69)]
)
def test_the_part_that_is_asked_for_is_read(model, split_photos, split, part, n):
    result = model.evaluate(split_photos, split=split)
    assert (result.part, result.n) == (part, n)
    assert sum(map(sum, result.confusion)) == n
    assert sum(each.support for each in result.per_class) == n


def test_the_numbers_are_those_of_training(model, split_run, split_photos):
    for split in ("val", "test"):
        result = model.evaluate(split_photos, split=split)
        trained = split_run.test if split == "test" else split_run.validation
        assert (result.accuracy, result.low, result.high, result.n) == pytest.approx(
            (trained.accuracy, trained.low, trained.high, trained.n)
        )


def test_a_folder_that_is_not_split_is_read_whole(model, split_photos):
    result = model.evaluate(split_photos / "test")
    assert (result.part, result.n) == ("all", 33)
    assert result.notes == ()


def test_pictures_that_were_trained_on_are_pointed_out(model, split_photos):
    said = " ".join(model.evaluate(split_photos, split="all").notes)
    assert "24 of these 69 pictures were trained on" in said
    assert "trained on" not in " ".join(model.evaluate(split_photos, split="test").notes)


def test_a_copied_bundle_alone_knows_what_it_was_trained_on(model, split_run, split_photos, shared_cache, tmp_path):
    copied = eyespot.load(shutil.copytree(split_run.bundle, tmp_path / "copied"))
    for split in ("all", "train", "val", "test"):
        assert copied.evaluate(split_photos, split=split).notes == model.evaluate(split_photos, split=split).notes
    assert "24 of these 69 pictures were trained on" in " ".join(copied.evaluate(split_photos, split="all").notes)


def test_what_is_refused_is_counted_and_the_accuracy_of_the_others_is_told(draw, tmp_path, shared_cache):
    """Three pure colours, and three grayish ones that are refused, two of them likeliest what they are called."""
    model = eyespot.load(write_color_bundle(tmp_path / "colors", refuses=True))
    pictures = {"red": [(200, 0, 0), (140, 130, 130)], "green": [(0, 200, 0), (130, 140, 130)]}
    pictures["blue"] = [(0, 0, 200), (140, 130, 131)]
    for name, colors in pictures.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, color in enumerate(colors):
            Image.new("RGB", (40, 40), color).save(tmp_path / "photos" / name / f"{number}.png")
    found = model.evaluate(tmp_path / "photos")
    assert (found.accuracy, found.n, found.refused) == (pytest.approx(5 / 6), 6, 3)
    assert (found.accepted.accuracy, found.accepted.n) == (1, 3)


def test_a_model_that_refuses_nothing_says_so(tmp_path, shared_cache):
    model = eyespot.load(write_color_bundle(tmp_path / "colors"))
    (tmp_path / "photos" / "red").mkdir(parents=True)
    Image.new("RGB", (40, 40), (200, 0, 0)).save(tmp_path / "photos" / "red" / "a.png")
    found = model.evaluate(tmp_path / "photos")
    assert (found.refused, found.accepted) == (None, None)
    assert "refuses no picture" in " ".join(found.notes)


@pytest.fixture(scope="module")
def unsplit(draw, warm_cache, tmp_path_factory):
    """An unsplit folder, and the run on it: 141 pictures train, 30 validate, 30 test."""
    folder = tmp_path_factory.mktemp("unsplit")
    draw(folder / "photos", 67)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return folder / "photos", eyespot.train(folder / "photos", out=folder / "runs")


def contents(run, part):
    with open(f"{run.run}/split.csv", encoding="utf-8", newline="") as file:
        return {row["content_hash"] for row in csv.DictReader(file) if row["part"] == part}


def test_the_test_part_of_an_unsplit_folder_is_that_of_training(unsplit, shared_cache, tmp_path):
    photos, run = unsplit
    copied = eyespot.load(shutil.copytree(run.bundle, tmp_path / "copied"))
    result = copied.evaluate(photos, split="test")
    assert (result.n, result.accuracy) == (run.test.n, pytest.approx(run.test.accuracy))
    assert (result.notes, result.set_aside) == ((), ())


def test_a_folder_that_has_grown_tests_on_no_picture_that_was_trained_on(unsplit, shared_cache, draw, tmp_path):
    photos, run = unsplit
    shutil.copytree(photos, tmp_path / "photos")
    draw(tmp_path / "photos", 20, first=500)
    model = eyespot.load(run.run)
    for split, n in (("test", 30 + 60), ("val", 30), ("train", 141)):
        assert model.evaluate(tmp_path / "photos", split=split).n == n
    said = model.evaluate(tmp_path / "photos", split="test").notes
    assert said == ("60 of these 90 pictures are new: they were not there when the model was trained",)
    said = " ".join(model.evaluate(tmp_path / "photos").notes)
    assert "141 of these 261 pictures were trained on" in said
    assert "60 of these 261 pictures are new" in said


def test_a_trained_picture_that_moved_to_the_test_folder_is_set_aside(model, split_photos, tmp_path):
    shutil.copytree(split_photos, tmp_path / "photos")
    (tmp_path / "photos/train/circle/000.png").rename(tmp_path / "photos/test/circle/moved.png")
    result = model.evaluate(tmp_path / "photos")
    assert (result.part, result.n) == ("test", 33)
    assert [(each.picture, each.reason) for each in result.set_aside] == [
        ("test/circle/moved.png", "the model was trained on it, so it tests nothing")
    ]


def test_where_everything_was_trained_on_no_part_is_left_to_test(draw, shared_cache, tmp_path):
    draw(tmp_path / "photos", 6)
    run = eyespot.train(tmp_path / "photos", out=tmp_path / "runs")
    assert (len(contents(run, "train")), contents(run, "test")) == (18, set())
    model = eyespot.load(run.run)
    with pytest.raises(
        DataError, match="has no picture that was in part 'test' in training and none that is new: choose"
    ):
        model.evaluate(tmp_path / "photos", split="test")
    assert "18 of these 18 pictures were trained on" in " ".join(model.evaluate(tmp_path / "photos").notes)


def test_a_test_folder_of_nothing_but_trained_pictures_is_refused(model, split_photos, tmp_path):
    shutil.copytree(split_photos / "train", tmp_path / "photos" / "train")
    shutil.copytree(split_photos / "train", tmp_path / "photos" / "test")
    with pytest.raises(DataError, match="was trained on all 24 pictures of part 'test'"):
        model.evaluate(tmp_path / "photos")


def test_foreign_classes_and_broken_files_are_set_aside(model, split_photos, draw, tmp_path):
    shutil.copytree(split_photos / "test", tmp_path / "photos")
    (tmp_path / "photos" / "circle").rename(tmp_path / "photos" / "star")
    (tmp_path / "photos" / "square" / "broken.jpg").write_bytes(b"")
    result = model.evaluate(tmp_path / "photos")
    assert result.n == 22
    reasons = {each.picture: each.reason for each in result.set_aside}
    assert "not one that the model knows" in reasons["star/200.png"]
    assert "is empty" in reasons["square/broken.jpg"]
    assert len(reasons) == 12


def test_no_common_class_is_a_sentence(model, draw, tmp_path):
    draw(tmp_path / "photos", 1)
    for kind in ("circle", "square", "triangle"):
        (tmp_path / "photos" / kind).rename(tmp_path / "photos" / kind.upper()[::-1])
    with pytest.raises(DataError, match="is one of the model's"):
        model.evaluate(tmp_path / "photos")


def test_nothing_readable_is_a_sentence(model, tmp_path):
    for kind in ("circle", "square"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        (tmp_path / "photos" / kind / "x.jpg").write_text(kind)
    with pytest.raises(DataError, match="no readable picture"):
        model.evaluate(tmp_path / "photos")


def test_an_unknown_part_is_refused(model, split_photos):
    with pytest.raises(OptionError, match="there are auto, all, train, val and test"):
        model.evaluate(split_photos, split="tset")


def test_a_part_that_is_missing_is_a_sentence(model, split_photos, tmp_path):
    shutil.copytree(split_photos / "train", tmp_path / "photos" / "train")
    with pytest.raises(DataError, match="has no part 'test'"):
        model.evaluate(tmp_path / "photos", split="test")
