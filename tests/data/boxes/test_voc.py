"""Boxes in Pascal VOC's format: parts in ImageSets, files beside pictures, and what belongs together."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest
from boxed_folders import arrays_fit, boxes_of, picture, reasons, text, voc, voc_folder, voc_object

from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.errors import DataError

CAT = voc_object("cat", 10, 20, 40, 50)
CAT_BOX = ("cat", 10, 20, 40, 50)


def parts(data) -> dict[str, list[str]]:
    return {part: [each.picture.name.split("/")[-1] for each in pictures] for part, pictures in data.parts.items()}


def test_the_cells_are_read_as_they_are(real_data):
    folder = real_data / "bccd"
    assert find_boxes(folder) == "Pascal VOC"
    data = read_boxes(folder)
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 205, "val": 87, "test": 72}
    assert data.classes == ("Platelets", "RBC", "WBC")
    counts = Counter(data.classes[label] for each in data.pictures for label in each.boxes.labels)
    found = Counter(
        each.findtext("name")
        for path in (folder / "Annotations").glob("*.xml")
        for each in ElementTree.parse(path).iter("object")
    )
    assert counts == found - Counter({"RBC": 2})
    assert data.notes == (
        "left out: 2 boxes without area (Annotations/BloodImage_00338.xml, object 13 and "
        "Annotations/BloodImage_00343.xml, object 4)",
    )
    assert arrays_fit(data)


def test_parts_are_those_of_the_image_sets(tmp_path):
    voc_folder(tmp_path, {name: [CAT] for name in "abcd"})
    for part, names in (("train", "a\nno\n"), ("val", "b 1\n"), ("test", "c\n"), ("cat_train", "d\n")):
        text(tmp_path / "ImageSets" / "Main" / f"{part}.txt", names)
    data = read_boxes(tmp_path)
    assert parts(data) == {"train": ["a.jpg"], "val": ["b.jpg"], "test": ["c.jpg"]}
    assert reasons(data) == {
        "no": "is listed in ImageSets/Main/train.txt, and there is no such picture",
        "JPEGImages/d.jpg": "stands in none of the texts in ImageSets/Main/",
    }


def test_accents_may_be_spelled_in_two_ways(tmp_path):
    voc_folder(tmp_path, {"cafe\u0301": [CAT], "b": [CAT]})
    text(tmp_path / "ImageSets/Main/train.txt", "caf\u00e9\nb\n")
    assert (len(read_boxes(tmp_path).parts["train"]), read_boxes(tmp_path).set_aside) == (2, ())


def test_without_a_train_text_trainval_is_train(tmp_path):
    voc_folder(tmp_path, {name: [CAT] for name in "ab"})
    text(tmp_path / "ImageSets/Main/trainval.txt", "a\n")
    text(tmp_path / "ImageSets/Main/test.txt", "b\n")
    assert parts(read_boxes(tmp_path)) == {"train": ["a.jpg"], "test": ["b.jpg"]}


def test_what_is_listed_in_two_parts_is_not_trained_on(tmp_path):
    voc_folder(tmp_path, {name: [CAT] for name in "ab"})
    text(tmp_path / "ImageSets/Main/train.txt", "a\nb\n")
    text(tmp_path / "ImageSets/Main/test.txt", "b\n")
    data = read_boxes(tmp_path)
    assert parts(data) == {"train": ["a.jpg"], "test": ["b.jpg"]}
    assert data.notes == ("listed in two parts, and used only to test or validate: b",)


@pytest.mark.parametrize("folders", [("", ""), ("train", "valid")])
def test_files_may_lie_beside_pictures(tmp_path, folders):
    for name, folder in zip("ab", folders, strict=True):
        picture(tmp_path / folder / f"{name}.jpg")
        voc(tmp_path / folder / f"{name}.xml", CAT)
    assert find_boxes(tmp_path) == "Pascal VOC"
    data = read_boxes(tmp_path)
    assert [*data.parts] == (["train", "val"] if folders[0] else ["all"])
    assert boxes_of(data) == {"a": [CAT_BOX], "b": [CAT_BOX]}


def test_masks_of_the_same_names_are_no_pictures(tmp_path):
    voc_folder(tmp_path, {"a": [CAT]})
    picture(tmp_path / "SegmentationClass" / "a.png")
    data = read_boxes(tmp_path)
    assert (parts(data), data.set_aside) == ({"all": ["a.jpg"]}, ())


def test_difficult_objects_are_ignored(tmp_path):
    hard = voc_object("cat", 1, 1, 5, 5, more="<difficult>1</difficult>")
    (each,) = read_boxes(voc_folder(tmp_path, {"a": [hard, CAT]})).pictures
    assert each.boxes.ignored.tolist() == [True, False]
    assert each.boxes.crowd.tolist() == [False, False]


def test_parts_of_an_object_are_no_objects(tmp_path):
    head = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    data = read_boxes(voc_folder(tmp_path, {"a": [voc_object("cat", 10, 20, 40, 50, more=head)]}))
    assert boxes_of(data) == {"a": [CAT_BOX]}


def test_pictures_without_a_file_and_files_without_a_picture_are_set_aside(tmp_path):
    voc_folder(tmp_path, {"a": [CAT], "b": []})
    picture(tmp_path / "JPEGImages" / "c.jpg")
    voc(tmp_path / "Annotations" / "d.xml", CAT)
    data = read_boxes(tmp_path)
    assert boxes_of(data) == {"a": [CAT_BOX], "b": []}
    assert reasons(data) == {
        "JPEGImages/c.jpg": "has no file of boxes: Annotations/c.xml was looked for",
        "Annotations/d.xml": "holds boxes, and there is no picture of that name",
    }


def test_a_file_that_may_belong_to_two_pictures_is_set_aside(tmp_path):
    voc_folder(tmp_path, {"a": [CAT], "b": [CAT]})
    picture(tmp_path / "JPEGImages" / "b.png")
    said = reasons(read_boxes(tmp_path))
    assert said["Annotations/b.xml"] == "may belong to JPEGImages/b.jpg and JPEGImages/b.png: rename one of them"


def test_an_object_without_name_or_box_is_left_out(tmp_path):
    data = read_boxes(
        voc_folder(tmp_path, {"a": [CAT, "<object><name>cat</name></object>", voc_object(" ", 1, 1, 2, 2)]})
    )
    assert boxes_of(data) == {"a": [CAT_BOX]}
    assert data.notes == (
        "left out: 2 boxes without <name> or <bndbox> (Annotations/a.xml, object 2 and Annotations/a.xml, object 3)",
    )


@pytest.mark.parametrize(
    "more",
    ["<robndbox><cx>1</cx></robndbox>", "<bndbox><angle>0.3</angle><xmin>1</xmin></bndbox>"],
    ids=["roLabelImg", "angle"],
)
def test_oriented_boxes_are_an_error(tmp_path, more):
    with pytest.raises(DataError, match=r"Annotations/a\.xml, object 1 holds oriented boxes"):
        read_boxes(voc_folder(tmp_path, {"a": [f"<object><name>cat</name>{more}</object>"]}))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<annotation>", "is not XML"),
        ("<html/>", "holds <html>, not the <annotation> of Pascal VOC"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "declares a document type, which is not read"),
    ],
)
def test_files_that_are_none_set_their_picture_aside(tmp_path, written, said):
    voc_folder(tmp_path, {"a": [CAT], "b": [CAT]})
    text(tmp_path / "Annotations" / "b.xml", written)
    data = read_boxes(tmp_path)
    assert [*boxes_of(data)] == ["a"]
    assert reasons(data)["JPEGImages/b.jpg"].startswith(f"has boxes in Annotations/b.xml, which {said}")
