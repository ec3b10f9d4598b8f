"""Texts lie as their pictures do, so that both can be put together, and no two pictures share one."""

from pathlib import Path

import pytest

from eyespot.answering.detections import Detection, Detections
from eyespot.answering.labels import texts_of, write_labels
from eyespot.data.data_set import Picture
from eyespot.data.sources import list_pictures
from eyespot.errors import CannotWrite, OptionError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, from which paths are given."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of_files(names, asked):
    return texts_of([Picture(name, path=Path(name)) for name in names], asked)


def of_rows(names):
    """Of a Parquet file, whose pictures are no files."""
    return [*texts_of([Picture(name, data=b"") for name in names], ["a.parquet"]).values()]


@pytest.mark.parametrize("given", ["photos", "photos/", "./photos"])
def test_below_a_folder_they_lie_as_the_pictures_do(here, given):
    (here / "photos").mkdir()
    above = given.rstrip("/")
    found = of_files([f"{above}/cat/1.jpg", f"{above}/dog/1.jpg"], [given])
    assert [*found.values()] == ["cat/1.txt", "dog/1.txt"]


def test_of_files_and_tables_the_folder_that_they_lie_in_counts(here):
    assert of_files(["a/b/1.jpg", "2.v2.png"], ["a/b/1.jpg", "2.v2.png"]) == {
        "a/b/1.jpg": "1.txt",
        "2.v2.png": "2.v2.txt",
    }
    assert of_files(["lists/cats/1.jpg"], ["lists/all.csv"]) == {"lists/cats/1.jpg": "cats/1.txt"}
    assert of_files(["cats/1.jpg"], ["all.csv"]) == {"cats/1.jpg": "cats/1.txt"}


@pytest.mark.parametrize("name", ["../../etc/1.jpg", "/etc/1.jpg", "./../etc/1.jpg"])
def test_no_name_in_a_table_leads_out_of_the_folder(here, name):
    assert of_files([name], ["all.csv"]) == {name: "etc/1.txt"}


@pytest.mark.parametrize(
    "pictures", [["cat/1.jpg", "dog/1.jpg"], ["cat/1.jpg", "cat/1.png"], ["cat/a.jpg", "cat/A.jpg"]]
)
def test_two_pictures_with_one_text_are_refused(here, pictures):
    with pytest.raises(OptionError, match=r"of cat/.* and .* into one file, .*\.txt: name the folder that holds both"):
        of_files(pictures, pictures)


def test_one_picture_may_be_asked_twice(here):
    assert of_files(["1.jpg", "1.jpg"], ["1.jpg", "1.jpg"]) == {"1.jpg": "1.txt"}


def test_rows_of_a_file_without_paths_have_a_text_each():
    assert of_rows(["a.parquet, row 0", "a.parquet, row 1"]) == ["a.parquet, row 0.txt", "a.parquet, row 1.txt"]
    assert of_rows(["1.JPG", "1.JPG (a.parquet, row 1)"]) == ["1.txt", "1.JPG (a.parquet, row 1).txt"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("1.v2", "1.v2.txt"), ("1.v2.png", "1.v2.txt"), ("1", "1.txt"), ("1.", "1..txt"), (".png", ".png.txt")],
)
def test_only_the_ending_of_a_picture_makes_room_for_that_of_the_text(name, text):
    assert of_rows([name]) == [text]


@pytest.mark.parametrize("name", [".", "../", "../.."])
def test_a_name_that_only_leads_elsewhere_has_a_text_too(name):
    assert of_rows([name]) == ["_.txt"]


def test_a_picture_that_a_table_names_twice_has_one_text(here):
    (here / "cats").mkdir()
    (here / "cats" / "1.jpg").write_bytes(b"")
    (here / "all.csv").write_text("image_path\ncats/1.jpg\ncats/1.jpg\n")
    pictures, _ = list_pictures(["all.csv"])
    assert texts_of(pictures, ["all.csv"]) == {
        "cats/1.jpg": "cats/1.txt",
        "cats/1.jpg (all.csv, line 3)": "cats/1.txt",
    }


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


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_where_any_text_was_changed_none_is_written(tmp_path):
    names = ("a", "b", "c", "d")
    answers = [answer(f"{name}.jpg", ("dog", (20, 10, 60, 60))) for name in names]
    texts = {f"{name}.jpg": f"{name}/{name}.txt" for name in names}
    for name in ("b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("0 0.5 0.5 1 1\n")
    before = contents(tmp_path)
    with pytest.raises(
        CannotWrite, match=r"b.b\.txt exists already and says something else, the first of 2 such files: "
    ):
        write_labels(tmp_path, answers, texts, ["dog"], overwrite=False)
    assert contents(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {"b", "c"}


def test_where_a_text_cannot_be_written_none_is(tmp_path):
    (tmp_path / "b.txt").mkdir()
    answers = [answer(name, ("dog", (20, 10, 60, 60))) for name in ("a.jpg", "b.jpg")]
    with pytest.raises(CannotWrite, match=r"b\.txt is a folder"):
        write_labels(tmp_path, answers, {"a.jpg": "a.txt", "b.jpg": "b.txt"}, ["dog"], overwrite=True)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_name_that_no_file_can_have_is_an_error_of_ours(tmp_path, overwrite):
    answers = [answer("a.jpg", ("dog", (20, 10, 60, 60))), answer("b.jpg")]
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_labels(
            tmp_path, answers, {"a.jpg": f"{'a' * 999}.txt", "b.jpg": f"{'b' * 999}.txt"}, ["dog"], overwrite=overwrite
        )


def test_a_picture_that_has_no_box_any_more_keeps_its_text_only_without_overwrite(tmp_path):
    """Without a text it counts as without objects when `train` reads the folder, as it would in a new folder."""
    texts = {"a.jpg": "a.txt", "b.jpg": "b.txt", "broken.jpg": "broken.txt"}
    box = ("dog", (20, 10, 60, 60))
    write_labels(tmp_path, [answer(name, box) for name in texts], texts, ["dog"], overwrite=False)
    texts["c.jpg"] = "c.txt"
    (tmp_path / "c.txt").mkdir()
    before, now = contents(tmp_path), [answer("a.jpg", box), answer("b.jpg"), answer("c.jpg")]
    write_labels(tmp_path, now, texts, ["dog"], overwrite=False)
    assert contents(tmp_path) == before
    write_labels(tmp_path, now, texts, ["dog"], overwrite=True)
    assert contents(tmp_path).keys() == before.keys() - {"b.txt"}


def test_a_class_whose_name_breaks_the_line_has_one_line(tmp_path):
    texts = {"a.jpg": "a.txt"}
    write_labels(tmp_path, [answer("a.jpg", ("dog", (0, 0, 9, 9)))], texts, ["a\ncat", "dog"], overwrite=False)
    assert (tmp_path / "classes.txt").read_text() == "a\\ncat\ndog\n"


def test_a_picture_called_classes_keeps_its_text(tmp_path):
    write_labels(
        tmp_path,
        [answer("classes.jpg", ("dog", (0, 0, 200, 100)))],
        {"classes.jpg": "classes.txt"},
        ["dog"],
        overwrite=False,
    )
    assert (tmp_path / "classes.txt").read_text() == "0 0.500000 0.500000 1.000000 1.000000\n"


def test_killed_in_between_texts_are_no_data_set_yet(tmp_path, monkeypatch):
    """With data.yaml `train` would take a picture whose text is not there for one without objects."""
    answers = [answer(f"{number}.jpg", ("cat", (20, 10, 60, 60))) for number in range(3)]
    texts = {each.picture: each.picture.replace(".jpg", ".txt") for each in answers}
    written = []
    monkeypatch.setattr("eyespot.answering.labels.write_chosen", lambda path, content: written.append(path.name))
    write_labels(tmp_path, answers, texts, ["cat"], overwrite=False)
    assert written[-1] == "data.yaml"
    assert len(written) == 5
