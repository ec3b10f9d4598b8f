"""Texts lie as their pictures do, so that both can be put together, and no two pictures share one."""

import pytest

from eyespot.answering.detections import Detection, Detections
from eyespot.answering.labels import texts_of, write_labels
from eyespot.errors import CannotWrite, OptionError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, from which paths are given."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("given", ["photos", "photos/", "./photos"])
def test_below_a_folder_they_lie_as_the_pictures_do(here, given):
    (here / "photos").mkdir()
    above = given.rstrip("/")
    found = texts_of([f"{above}/cat/1.jpg", f"{above}/dog/1.jpg"], [given])
    assert [*found.values()] == ["cat/1.txt", "dog/1.txt"]


def test_of_files_and_tables_the_folder_that_they_lie_in_counts(here):
    assert texts_of(["a/b/1.jpg", "2.v2.png"], ["a/b/1.jpg", "2.v2.png"]) == {
        "a/b/1.jpg": "1.txt",
        "2.v2.png": "2.v2.txt",
    }
    assert texts_of(["lists/cats/1.jpg"], ["lists/all.csv"]) == {"lists/cats/1.jpg": "cats/1.txt"}
    assert texts_of(["cats/1.jpg"], ["all.csv"]) == {"cats/1.jpg": "cats/1.txt"}


@pytest.mark.parametrize("name", ["../../etc/1.jpg", "/etc/1.jpg", "./../etc/1.jpg"])
def test_no_name_in_a_table_leads_out_of_the_folder(here, name):
    assert texts_of([name], ["all.csv"]) == {name: "etc/1.txt"}


@pytest.mark.parametrize(
    "pictures", [["cat/1.jpg", "dog/1.jpg"], ["cat/1.jpg", "cat/1.png"], ["cat/a.jpg", "cat/A.jpg"]]
)
def test_two_pictures_with_one_text_are_refused(here, pictures):
    with pytest.raises(OptionError, match=r"of cat/.* and .* into one file, .*\.txt: name the folder that holds both"):
        texts_of(pictures, pictures)


def test_one_picture_may_be_asked_twice(here):
    assert texts_of(["1.jpg", "1.jpg"], ["1.jpg", "1.jpg"]) == {"1.jpg": "1.txt"}


def answer(picture, *boxes):
    found = tuple(Detection(class_=name, probability=0.9, xyxy=xyxy) for name, xyxy in boxes)
    return Detections(picture=picture, width=200, height=100, detections=found)


def test_a_box_is_five_columns_and_the_names_lie_beside(tmp_path):
    answers = [answer("a.jpg", ("dog", (20, 10, 60, 60))), answer("b.jpg")]
    texts = {"a.jpg": "sub/a.txt", "b.jpg": "b.txt"}
    write_labels(tmp_path / "new", answers, texts, ["cat", "dog"], overwrite=False)
    written = {path.relative_to(tmp_path / "new").as_posix(): path for path in (tmp_path / "new").rglob("*.*")}
    assert written.keys() == {"data.yaml", "sub/a.txt", "sub/classes.txt"}
    assert written["sub/a.txt"].read_text() == "1 0.200000 0.350000 0.200000 0.500000\n"
    assert written["sub/classes.txt"].read_text() == "cat\ndog\n"
    assert written["data.yaml"].read_text() == 'names:\n  0: "cat"\n  1: "dog"\n'


def test_a_text_that_was_corrected_is_not_written_over(tmp_path):
    answers, texts = [answer("a.jpg", ("dog", (20, 10, 60, 60)))], {"a.jpg": "a.txt"}
    for _ in range(2):  # what says the same is left as it is
        write_labels(tmp_path, answers, texts, ["dog"], overwrite=False)
    (tmp_path / "a.txt").write_text("0 0.5 0.5 1 1\n")
    with pytest.raises(CannotWrite, match=r"a\.txt exists already"):
        write_labels(tmp_path, answers, texts, ["dog"], overwrite=False)
    assert (tmp_path / "a.txt").read_text() == "0 0.5 0.5 1 1\n"
    write_labels(tmp_path, answers, texts, ["dog"], overwrite=True)
    assert (tmp_path / "a.txt").read_text().startswith("0 0.2000")


def test_a_picture_called_classes_keeps_its_text(tmp_path):
    write_labels(
        tmp_path,
        [answer("classes.jpg", ("dog", (0, 0, 200, 100)))],
        {"classes.jpg": "classes.txt"},
        ["dog"],
        overwrite=False,
    )
    assert (tmp_path / "classes.txt").read_text() == "0 0.500000 0.500000 1.000000 1.000000\n"
