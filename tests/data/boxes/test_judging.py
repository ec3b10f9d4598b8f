"""What files claim, held against the pictures: each odd box, picture and size with its answer."""

from __future__ import annotations

import numpy as np
import pytest
from boxed_folders import annotation, boxes_of, coco, picture, reasons, text, voc, voc_folder, voc_object, yolo
from PIL import Image

from eyespot.data.boxes.reading import read_boxes
from eyespot.errors import DataError

CAT = voc_object("cat", 10, 20, 40, 50)
CAT_BOX = ("cat", 10, 20, 40, 50)


def read_one(tmp_path, *objects, **more):
    return read_boxes(voc_folder(tmp_path, {"a": objects}, **more))


# Boxes


def test_a_box_partly_outside_is_cut_and_counted(tmp_path):
    data = read_one(tmp_path, CAT, voc_object("cat", -10, 50, 30, 70), voc_object("cat", 70.2, 0, 80.4, 60))
    assert boxes_of(data) == {"a": [CAT_BOX, ("cat", 0, 50, 30, 60), ("cat", 70.2, 0, 80, 60)]}
    assert data.notes == ("cut to the picture: 1 box partly outside of it",)  # 0.4 pixels are a rounding


@pytest.mark.parametrize(
    ("corners", "said"),
    [
        ((10, 20, 10, 50), "without area"),
        ((10, 20, 40, 20), "without area"),
        ((40, 20, 10, 50), "that ends before it begins"),
        ((10, 50, 40, 20), "that ends before it begins"),
        (("nan", 20, 40, 50), "with what is no number"),
        (("", 20, 40, 50), "with what is no number"),
        ((10, 20, "inf", 50), "with what is no number"),
        ((90, 20, 120, 50), "outside of its picture"),
        ((-20, -20, 0, 50), "outside of its picture"),
    ],
)
def test_a_box_that_is_none_is_left_out_and_named_and_its_picture_stays(tmp_path, corners, said):
    data = read_one(tmp_path, CAT, voc_object("cat", *corners))
    assert boxes_of(data) == {"a": [CAT_BOX]}
    assert data.notes == (f"left out: 1 box {said} (Annotations/a.xml, object 2)",)
    assert data.set_aside == ()


def test_the_same_box_twice_counts_once(tmp_path):
    hard = voc_object("cat", 10, 20, 40, 50, more="<difficult>1</difficult>")
    data = read_one(tmp_path, CAT, CAT, voc_object("dog", 10, 20, 40, 50), CAT, hard)
    assert boxes_of(data) == {"a": [CAT_BOX, ("dog", *CAT_BOX[1:]), CAT_BOX]}  # the last is to be ignored
    assert data.notes == ("counted once: 2 boxes written twice in the same picture",)


def test_names_that_differ_in_case_are_two_classes_and_spaces_are_cut(tmp_path):
    data = read_one(
        tmp_path, voc_object("RBC", 0, 0, 5, 5), voc_object("rbc ", 5, 5, 9, 9), voc_object(" RBC", 9, 9, 12, 12)
    )
    assert data.classes == ("RBC", "rbc")
    assert [name for name, *_ in boxes_of(data)["a"]] == ["RBC", "rbc", "RBC"]
    assert data.notes == (
        "the classes 'RBC' and 'rbc' differ in upper and lower case only: they are learned as different classes",
    )


# Sizes


def test_a_size_of_zero_says_nothing(tmp_path):
    data = read_one(tmp_path, CAT, voc_object("cat", 70, 0, 90, 60), size=(0, 0))
    assert boxes_of(data) == {"a": [CAT_BOX, ("cat", 70, 0, 80, 60)]}


def test_where_the_size_is_wrong_and_the_boxes_fit_the_file_counts(tmp_path):
    data = read_one(tmp_path, CAT, size=(999, 999))
    assert boxes_of(data) == {"a": [CAT_BOX]}
    assert (data.pictures[0].width, data.pictures[0].height) == (80, 60)
    assert data.notes == ("of another size than the one written beside their boxes: 1 picture",)


def test_where_the_size_is_wrong_and_the_boxes_do_not_fit_the_picture_is_set_aside(tmp_path):
    voc_folder(tmp_path, {"a": [CAT]})
    picture(tmp_path / "JPEGImages" / "b.jpg")
    voc(tmp_path / "Annotations" / "b.xml", voc_object("cat", 100, 100, 300, 200), size=(800, 600))
    data = read_boxes(tmp_path)
    assert [*boxes_of(data)] == ["a"]
    assert reasons(data) == {
        "JPEGImages/b.jpg": "is 80 x 60 pixels, its boxes were drawn on 800 x 600, and not all lie within the picture: "
        "draw them on this file"
    }


@pytest.mark.parametrize("size", [(0, 0), (80, 60), (999, 9)])
def test_boxes_that_fit_only_the_picture_as_stored_are_turned(tmp_path, size):
    """80 x 60 pixels are stored; upright, a quarter turn clockwise, it is 60 x 80."""
    picture(tmp_path / "a.jpg", orientation=6)
    voc(tmp_path / "a.xml", voc_object("cat", 70, 10, 80, 30), size=size)
    data = read_boxes(tmp_path)
    assert (data.pictures[0].width, data.pictures[0].height) == (60, 80)
    assert boxes_of(data) == {"a": [("cat", 60 - 30, 70, 60 - 10, 80)]}
    assert data.notes[0] == "turned as EXIF says, with their boxes: 1 picture"


def test_boxes_that_were_drawn_on_the_upright_picture_stay(tmp_path):
    picture(tmp_path / "a.jpg", orientation=6)
    voc(tmp_path / "a.xml", CAT, size=(60, 80))
    assert boxes_of(read_boxes(tmp_path)) == {"a": [CAT_BOX]}


def test_coco_turns_boxes_by_its_sizes_and_shares_are_of_the_upright_picture(tmp_path):
    picture(tmp_path / "coco" / "a.jpg", orientation=6)
    images = [{"id": 1, "file_name": "a.jpg", "width": 80, "height": 60}]
    turned = read_boxes(coco(tmp_path / "coco", [], [annotation(1, 1, 1, (70, 10, 10, 20))], images=images))
    assert boxes_of(turned) == {"a": [("cat", 30, 70, 50, 80)]}
    yolo(tmp_path / "yolo", {"a": "0 0.5 0.5 0.5 0.5\n"})
    picture(tmp_path / "yolo" / "images" / "a.jpg", orientation=6)
    assert boxes_of(read_boxes(tmp_path / "yolo")) == {"a": [("cat", 15, 20, 45, 60)]}


# Pictures


def test_what_a_file_says_of_when_it_was_taken_and_of_its_depth_is_kept(tmp_path):
    voc_folder(tmp_path, {"a": [CAT]})
    deep, jpeg = tmp_path / "JPEGImages" / "b.png", tmp_path / "JPEGImages" / "c.jpg"
    Image.fromarray(np.arange(4800, dtype=np.uint16).reshape(60, 80)).save(deep)
    exif = Image.Exif()
    exif[0x0110], exif[0x0132] = "Camera", "2024:05:01 10:20:30"
    Image.new("RGB", (80, 60)).save(jpeg, exif=exif)
    for name in "bc":
        voc(tmp_path / "Annotations" / f"{name}.xml", CAT)
    one, two, three = (each.hashed for each in read_boxes(tmp_path).pictures)
    assert [each.deep for each in (one, two, three)] == [False, True, False]
    assert (one.taken, two.taken, three.taken.camera.strip()) == (None, None, "Camera")


def test_one_content_with_different_boxes_is_set_aside(tmp_path):
    voc_folder(tmp_path, {"a": [CAT], "b": [voc_object("cat", 1, 2, 3, 4)], "c": [CAT]})
    picture(tmp_path / "JPEGImages" / "b.jpg", like=tmp_path / "JPEGImages" / "a.jpg")
    data = read_boxes(tmp_path)
    assert [*boxes_of(data)] == ["c"]
    assert data.identical == (("JPEGImages/a.jpg", "JPEGImages/b.jpg"),)
    assert reasons(data) == {
        f"JPEGImages/{one}.jpg": f"is the same picture as JPEGImages/{other}.jpg, with other boxes: keep the right ones"
        for one, other in ("ab", "ba")
    }


def test_a_copy_with_the_same_boxes_is_used_once_where_it_is_not_trained_on(tmp_path):
    dog = voc_object("dog", 1, 2, 3, 4)
    voc_folder(tmp_path, {"a": [CAT, dog], "b": [dog, CAT], "c": [CAT]})
    picture(tmp_path / "JPEGImages" / "b.jpg", like=tmp_path / "JPEGImages" / "a.jpg")
    text(tmp_path / "ImageSets/Main/train.txt", "a\nc\n")
    text(tmp_path / "ImageSets/Main/test.txt", "b\n")
    data = read_boxes(tmp_path)
    assert reasons(data) == {"JPEGImages/a.jpg": "is a copy of JPEGImages/b.jpg"}
    assert [each.picture.name for each in data.parts["test"]] == ["JPEGImages/b.jpg"]


def test_pictures_that_cannot_be_read_are_set_aside(tmp_path):
    voc_folder(tmp_path, {"a": [CAT], "b": [CAT], "c": [CAT]})
    (tmp_path / "JPEGImages" / "b.jpg").write_bytes(b"")
    (tmp_path / "JPEGImages" / "c.jpg").write_bytes(b"<html>")
    assert reasons(read_boxes(tmp_path)) == {
        "JPEGImages/b.jpg": "is empty (0 bytes)",
        "JPEGImages/c.jpg": "is a web page, not a picture: save the picture itself",
    }


def test_pictures_without_a_part_are_set_aside_where_others_have_one(tmp_path):
    yolo(tmp_path, {"train/a": "0 0.5 0.5 0.5 0.5\n", "b": "0 0.5 0.5 0.5 0.5\n"})
    data = read_boxes(tmp_path)
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 1}
    assert reasons(data) == {"images/b.jpg": "is in no part, and others are in train, val or test"}


# No box at all


@pytest.mark.parametrize(
    ("make", "looked", "line"),
    [
        (lambda root: yolo(root, {"a": ""}), "labels/a.txt", "class x y width height"),
        (lambda root: coco(root, ["a.jpg"], []), "_annotations.coco.json", '"bbox": [left, top, width, height]'),
        (lambda root: voc_folder(root, {"a": []}), "Annotations/a.xml", "<bndbox><xmin>10</xmin>"),
    ],
    ids=["YOLO", "COCO", "Pascal VOC"],
)
def test_no_box_at_all_is_an_error_that_says_what_was_looked_for(tmp_path, make, looked, line):
    with pytest.raises(DataError) as error:
        read_boxes(make(tmp_path))
    said = str(error.value)
    assert said.startswith(f"there is no box that can be used in {tmp_path} (looked ")
    assert looked in said
    assert line in said


def test_no_usable_box_names_the_first_that_is_not(tmp_path):
    with pytest.raises(DataError, match=r"being a box without area \(Annotations/a\.xml, object 1\)"):
        read_one(tmp_path, voc_object("cat", 1, 1, 1, 1))
