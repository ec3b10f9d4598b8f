"""Boxes in YOLO's format: folders as people have them, and each wrong line with its answer."""

from __future__ import annotations

import pytest
from boxed_folders import arrays_fit, boxes_of, picture, reasons, text, yolo

from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.errors import DataError

ONE = "0 0.5 0.5 0.5 0.5\n"
CENTER = ("cat", 20, 15, 60, 45)
"""What that is on a picture of 80 x 60."""


def test_shares_become_pixels(tmp_path):
    data = read_boxes(yolo(tmp_path, {"a": "1 0.25 0.5 0.5 1\n0 0.5 0.5 0.1 0.2\n", "b": ""}))
    assert (data.format, data.classes, [*data.parts]) == ("YOLO", ("cat", "dog"), ["all"])
    assert boxes_of(data) == {"a": [("dog", 0, 0, 40, 60), ("cat", 36, 24, 44, 36)], "b": []}
    assert arrays_fit(data)
    assert (data.notes, data.set_aside) == ((), ())


ROBOFLOW = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n"
ULTRALYTICS = "path: ../datasets/pets # root\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n"
ELSEWHERE = "path: /home/somebody/pets\ntrain: images/train\nval: /content/pets/images/val\nnames: {0: cat, 1: dog}\n"


@pytest.mark.parametrize(
    ("yaml", "images"),
    [
        (ROBOFLOW, {"train": "train/images", "val": "valid/images", "test": "test/images"}),
        (ULTRALYTICS, {"train": "images/train", "val": "images/val"}),
        (ELSEWHERE, {"train": "images/train", "val": "images/val"}),
        ("path: pets\ntrain: images/train\nnames: [cat, dog]\n", {"train": "pets/images/train"}),
        ("names: [cat, dog]\n", {"train": "images/train", "val": "images/val", "test": "images/test"}),
        ("names: [cat, dog]\n", {"train": "train/images", "val": "valid/images"}),
        ("train: [a/images, b/images]\nnames: [cat, dog]\n", {"train": "b/images"}),
    ],
    ids=["roboflow", "ultralytics", "elsewhere", "path", "by folder", "by outer folder", "list"],
)
def test_folders_are_found_beside_the_yaml(tmp_path, yaml, images):
    text(tmp_path / "data.yaml", yaml)
    if "a/images" in yaml:
        picture(tmp_path / "a/images/x.jpg")
        text(tmp_path / "a/labels/x.txt", ONE)
    for part, folder in images.items():
        picture(tmp_path / folder / f"{part}.jpg")
        text(tmp_path / folder.replace("images", "labels") / f"{part}.txt", ONE)
    assert find_boxes(tmp_path) == "YOLO"
    data = read_boxes(tmp_path)
    found = {part: {each.picture.name.split("/")[-1] for each in pictures} for part, pictures in data.parts.items()}
    assert {part: names - {"x.jpg"} for part, names in found.items()} == {part: {f"{part}.jpg"} for part in images}
    assert all(each.picture.part == part for part, pictures in data.parts.items() for each in pictures)
    assert all(boxes == [CENTER] for boxes in boxes_of(data).values())
    assert data.set_aside == ()


def test_a_text_may_list_the_pictures_of_a_part(tmp_path):
    yolo(tmp_path, {"a": ONE, "b": ONE, "c": ONE}, yaml="train: train.txt\nval: val.txt\nnames: [cat]\n")
    text(tmp_path / "train.txt", "./images/a.jpg\n./images/b.jpg\n")
    text(tmp_path / "val.txt", "/elsewhere/images/c.jpg\n")
    data = read_boxes(tmp_path)
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 2, "val": 1}
    assert data.set_aside == ()


def test_texts_may_lie_beside_pictures_with_a_text_of_names(tmp_path):
    picture(tmp_path / "a.jpg")
    text(tmp_path / "a.txt", ONE)
    text(tmp_path / "classes.txt", "cat\ndog\n\n")
    assert find_boxes(tmp_path) == "YOLO"
    data = read_boxes(tmp_path)
    assert (boxes_of(data), data.classes, data.set_aside) == ({"a": [CENTER]}, ("cat", "dog"), ())


def test_a_folder_that_is_train_and_val_is_train_only(tmp_path):
    yolo(tmp_path, {"a": ONE}, yaml="train: images\nval: images\nnames: [cat]\n")
    data = read_boxes(tmp_path)
    assert [*data.parts] == ["train"]
    assert data.notes == ("data.yaml names images for val, which is train already: it is not used twice",)


def test_a_part_that_is_not_there_is_a_note_and_train_an_error(tmp_path):
    yolo(tmp_path, {"a": ONE}, yaml="train: images\ntest: test/images\nnames: [cat]\n")
    assert read_boxes(tmp_path).notes == ("data.yaml names test/images for test, and no pictures are there",)
    text(tmp_path / "data.yaml", "train: pictures\nnames: [cat]\n")
    with pytest.raises(
        DataError, match=r"data\.yaml says that the pictures to train on lie in pictures, and .* no such"
    ):
        read_boxes(tmp_path)


def test_a_polygon_counts_as_the_box_around_it(tmp_path):
    data = read_boxes(yolo(tmp_path, {"a": "0 0.5 0.1 0.75 0.5 0.5 0.9\n"}))
    assert boxes_of(data) == {"a": [("cat", 40, 6, 60, 54)]}


def test_four_upright_corners_are_a_box_and_slanted_ones_an_error(tmp_path):
    upright = "0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"
    assert boxes_of(read_boxes(yolo(tmp_path / "upright", {"a": upright}))) == {"a": [CENTER]}
    slanted = "0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5\n"
    with pytest.raises(DataError, match=r"labels/b\.txt holds oriented boxes, .*class x y width height"):
        read_boxes(yolo(tmp_path / "slanted", {"a": upright, "b": slanted}))
    mixed = read_boxes(yolo(tmp_path / "mixed", {"a": ONE, "b": slanted}))  # polygons, not oriented boxes
    assert boxes_of(mixed)["b"] == [("cat", 8, 6, 72, 54)]


def test_numbers_of_pixels_set_the_picture_aside(tmp_path):
    data = read_boxes(yolo(tmp_path, {"a": "0 40 30 20 20\n", "b": ONE, "c": "0 0.5 0.5 1.4 1.4\n"}))
    (reason,) = [reason for name, reason in reasons(data).items() if name == "images/a.jpg"]
    assert "numbers above 1.5" in reason
    assert "shares of the picture's width and height are expected" in reason
    assert boxes_of(data) == {"b": [CENTER], "c": [("cat", 0, 0, 80, 60)]}


def test_a_class_number_without_a_name_is_an_error(tmp_path):
    with pytest.raises(DataError) as error:
        read_boxes(yolo(tmp_path, {"a": f"{ONE}7 0.5 0.5 0.5 0.5\n"}))
    assert "labels/a.txt, line 2 has the class number 7, and data.yaml has 2 names, for the numbers 0 to 1" in str(
        error.value
    )


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.5", "0 0.5 0.5 0.5 0.5 0.9", "cat 0.5 0.5 0.5 0.5", "0.5 0.5 0.5 0.5 1"])
def test_a_line_that_is_no_box_is_left_out_and_named(tmp_path, line):
    data = read_boxes(yolo(tmp_path, {"a": f"{ONE}{line}\n"}))
    assert boxes_of(data) == {"a": [CENTER]}
    assert data.notes == ("left out: 1 box not written as `class x y width height` (labels/a.txt, line 2)",)


def test_pictures_without_texts_count_as_without_objects(tmp_path):
    data = read_boxes(yolo(tmp_path, {"a": ONE, "b": ONE, "c": None}))
    assert boxes_of(data) == {"a": [CENTER], "b": [CENTER], "c": []}
    assert data.notes == ("1 picture without a text count as without objects",)


def test_where_most_have_no_texts_these_are_asked_for(tmp_path):
    with pytest.raises(
        DataError, match=r"2 of 3 pictures .* have no boxes: for images/b\.jpg .*labels/b\.txt.*labels/"
    ):
        read_boxes(yolo(tmp_path, {"a": ONE, "b": None, "c": None}))


def test_a_part_without_any_text_is_an_error(tmp_path):
    yolo(tmp_path, {"train/a": ONE, "train/b": ONE, "test/c": None})
    with pytest.raises(DataError, match=r"no picture of test in .* has a text of boxes"):
        read_boxes(tmp_path)


def test_a_text_without_a_picture_is_named(tmp_path):
    text(yolo(tmp_path, {"a": ONE}) / "labels" / "b.txt", ONE)
    assert reasons(read_boxes(tmp_path)) == {"labels/b.txt": "holds boxes, and there is no picture of that name"}


def test_a_text_that_is_none_sets_its_picture_aside(tmp_path):
    yolo(tmp_path, {"a": ONE, "b": ONE})
    (tmp_path / "labels" / "b.txt").write_bytes(b"\xff\xfe\x00")
    assert reasons(read_boxes(tmp_path)) == {
        "images/b.jpg": "has boxes in labels/b.txt, which is not UTF-8 text: save it as UTF-8"
    }


def test_pictures_that_share_a_text_are_set_aside(tmp_path):
    picture(yolo(tmp_path, {"a": ONE, "b": ONE}) / "images" / "b.png")
    data = read_boxes(tmp_path)
    assert [*boxes_of(data)] == ["a"]
    assert reasons(data) == {
        f"images/b.{ending}": "has boxes in labels/b.txt, which is the text of another picture, too: rename one of them"
        for ending in ("jpg", "png")
    }


def test_names_with_gaps_and_the_same_name_twice(tmp_path):
    yolo(tmp_path, {"a": "3 0.5 0.5 0.5 0.5\n5 0.5 0.5 0.1 0.1\n"}, yaml="names:\n  3: cat\n  5: 'cat '\n  7: dog\n")
    data = read_boxes(tmp_path)
    assert data.classes == ("cat", "dog")
    assert boxes_of(data)["a"][1][0] == "cat"
    assert data.notes == ("'cat' stands for several numbers in data.yaml: it is one class",)


@pytest.mark.parametrize("yaml", ["names: []\n", "names: {a: cat}\n", "names: cat\n", "names: [cat, '']\n"])
def test_names_that_name_nothing_are_an_error(tmp_path, yaml):
    with pytest.raises(DataError, match=r"data\.yaml .*write `names: \[cat, dog\]`"):
        read_boxes(yolo(tmp_path, {"a": ONE}, yaml=yaml))


def test_labels_without_names_are_an_error(tmp_path):
    yolo(tmp_path, {"a": ONE})
    (tmp_path / "data.yaml").unlink()
    assert find_boxes(tmp_path) == "YOLO"
    with pytest.raises(DataError, match="nothing says what their classes are"):
        read_boxes(tmp_path)


def test_a_polygon_with_a_corner_that_is_no_number_is_left_out_and_named(tmp_path):
    data = read_boxes(yolo(tmp_path, {"a": f"{ONE}0 0.5 0.1 nan 0.5 0.5 0.9\n"}))
    assert boxes_of(data) == {"a": [CENTER]}
    assert data.notes == ("left out: 1 box with what is no number (labels/a.txt, line 2)",)


def test_a_picture_in_no_folder_of_the_yaml_is_set_aside(tmp_path):
    yolo(
        tmp_path,
        {"train/a": ONE, "val/b": ONE, "more/c": ONE},
        yaml="train: images/train\nval: images/val\nnames: [cat]\n",
    )
    data = read_boxes(tmp_path)
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 1, "val": 1}
    assert reasons(data)["images/more/c.jpg"] == "lies in no folder that data.yaml names"


def test_a_class_of_too_many_letters_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"data\.yaml.* names a class of 256 letters, and at most 255 are read"):
        read_boxes(yolo(tmp_path, {"a": ONE}, yaml=f"names: [{'c' * 256}]\n"))
    assert read_boxes(yolo(tmp_path, {"a": ONE}, yaml=f"names: [{'c' * 255}]\n")).classes == ("c" * 255,)
