"""Boxes in COCO's format: ids with gaps, files as people have them, and what is listed and is not there."""

from __future__ import annotations

import json

import pytest
from boxed_folders import SIZE, annotation, arrays_fit, boxes_of, coco, picture, reasons, text

from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.errors import DataError

BOX = (10, 20, 30, 20)
CORNERS = (10, 20, 40, 40)


def content(*names: str) -> str:
    """A file that lists pictures, each with one box."""
    return json.dumps(
        {
            "images": [{"id": at, "file_name": name, "width": 80, "height": 60} for at, name in enumerate(names)],
            "annotations": [annotation(at, at, 1, BOX) for at, _ in enumerate(names)],
            "categories": [{"id": 1, "name": "cat"}],
        }
    )


def test_ids_may_have_gaps_and_classes_go_by_name(tmp_path):
    data = read_boxes(
        coco(
            tmp_path,
            ["a.jpg", "b.jpg"],
            [annotation(9, 40, 90, BOX), annotation(12, 7, 3, (0, 0, 1.5, 2))],
            images=[
                {"id": 40, "file_name": "a.jpg", "width": 80, "height": 60},
                {"id": 7, "file_name": "b.jpg", "width": 80, "height": 60},
            ],
            categories=[{"id": 90, "name": "dog"}, {"id": 3, "name": " cat"}],
        )
    )
    assert (data.format, data.classes, [*data.parts]) == ("COCO", ("cat", "dog"), ["all"])
    assert boxes_of(data) == {"a": [("dog", *CORNERS)], "b": [("cat", 0, 0, 1.5, 2)]}
    assert arrays_fit(data)
    assert (data.notes, data.set_aside) == ((), ())


def test_roboflow_has_a_file_in_each_part(tmp_path):
    for folder in ("train", "valid", "test"):
        picture(tmp_path / folder / "a.jpg")
        text(tmp_path / folder / "_annotations.coco.json", content("a.jpg"))
    assert find_boxes(tmp_path) == "COCO"
    data = read_boxes(tmp_path)
    assert {part: [each.picture.name for each in pictures] for part, pictures in data.parts.items()} == {
        "train": ["train/a.jpg"],
        "val": ["valid/a.jpg"],
        "test": ["test/a.jpg"],
    }


@pytest.mark.parametrize(
    ("train", "val", "prefix"),
    [
        ("train2017", "val2017", ""),
        ("images/train2017", "images/val2017", ""),
        ("train", "val", "train/"),
        ("all", "all", ""),
    ],
)
def test_files_of_instances_name_their_parts(tmp_path, train, val, prefix):
    for folder, name in ((train, "a.jpg"), (val, "b.jpg")):
        picture(tmp_path / folder / name)
    text(tmp_path / "annotations" / "instances_train2017.json", content(f"{prefix}a.jpg"))
    text(tmp_path / "annotations" / "instances_val2017.json", content("b.jpg"))
    text(tmp_path / "annotations" / "captions_train2017.json", "{}")
    data = read_boxes(tmp_path)
    assert {part: [each.picture.name for each in pictures] for part, pictures in data.parts.items()} == {
        "train": [f"{train}/a.jpg"],
        "val": [f"{val}/b.jpg"],
    }
    assert data.set_aside == ()


def test_of_pictures_of_one_name_the_one_of_the_part_is_meant(tmp_path):
    for folder in ("train2017", "val2017"):
        picture(tmp_path / folder / "a.jpg")
        text(tmp_path / "annotations" / f"instances_{folder}.json", content("a.jpg"))
    data = read_boxes(tmp_path)
    assert [each.picture.name for each in data.parts["val"]] == ["val2017/a.jpg"]


def test_an_unknown_image_or_category_leaves_the_box_out(tmp_path):
    said = [annotation(1, 1, 1, BOX), annotation(2, 99, 1, BOX), annotation(3, 1, 77, BOX), annotation(4, 1, 1, [1, 2])]
    data = read_boxes(coco(tmp_path, ["a.jpg"], said))
    assert boxes_of(data) == {"a": [("cat", *CORNERS)]}
    assert data.notes == (
        "left out: 1 box of an image that is not listed (_annotations.coco.json, annotation 2)",
        "left out: 1 box of a category that is not listed (_annotations.coco.json, annotation 3)",
        'left out: 1 box without a "bbox" of four numbers (_annotations.coco.json, annotation 4)',
    )


def test_listed_without_boxes_is_without_objects_and_not_listed_is_set_aside(tmp_path):
    coco(tmp_path, ["a.jpg", "b.jpg"], [annotation(1, 1, 1, BOX)])
    picture(tmp_path / "c.jpg")
    data = read_boxes(tmp_path)
    assert boxes_of(data) == {"a": [("cat", *CORNERS)], "b": []}
    assert reasons(data) == {"c.jpg": "is not listed in _annotations.coco.json"}


def test_listed_pictures_that_are_not_there_are_named(tmp_path):
    images = [
        {"id": at, "file_name": name, "width": 80, "height": 60}
        for at, name in enumerate(["a.jpg", "no.jpg", "../../etc/no.png"])
    ]
    data = read_boxes(coco(tmp_path, ["a.jpg"], [annotation(1, 0, 1, BOX)], images=images))
    assert reasons(data) == {
        name: "is listed in _annotations.coco.json, and there is no such picture"
        for name in ("no.jpg", "../../etc/no.png")
    }


def test_accents_may_be_spelled_in_two_ways(tmp_path):
    images = [{"id": 1, "file_name": "caf\u00e9.jpg"}]
    data = read_boxes(coco(tmp_path, ["cafe\u0301.jpg"], [annotation(1, 1, 1, BOX)], images=images))
    assert (len(data.pictures), data.set_aside) == (1, ())


def test_images_that_share_an_id_are_set_aside(tmp_path):
    images = [{"id": at, "file_name": name} for at, name in ((1, "a.jpg"), (1, "b.jpg"), (2, "c.jpg"))]
    data = read_boxes(
        coco(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], [annotation(1, 1, 1, BOX), annotation(2, 2, 1, BOX)], images=images)
    )
    assert [*boxes_of(data)] == ["c"]
    assert all("shares its id 1 with another image" in reasons(data)[name] for name in ("a.jpg", "b.jpg"))


def test_crowds_are_ignored_and_marked(tmp_path):
    said = [
        annotation(1, 1, 1, BOX, iscrowd=1),
        annotation(2, 1, 1, BOX, iscrowd=0),
        annotation(3, 1, 2, BOX, ignore=1),
    ]
    (each,) = read_boxes(coco(tmp_path, ["a.jpg"], said)).pictures
    assert each.boxes.labels.tolist() == [0, 0, 1]
    assert each.boxes.ignored.tolist() == [True, False, True]
    assert each.boxes.crowd.tolist() == [True, False, False]


def test_a_category_that_stands_over_the_others_is_no_class(tmp_path):
    categories = [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "pets"},
        {"id": 2, "name": "dog", "supercategory": "pets"},
    ]
    data = read_boxes(coco(tmp_path, ["a.jpg"], [annotation(1, 1, 1, BOX)], categories=categories))
    assert data.classes == ("cat", "dog")


def test_boxes_of_five_numbers_are_oriented(tmp_path):
    with pytest.raises(DataError, match="annotation 1 holds oriented boxes"):
        read_boxes(coco(tmp_path, ["a.jpg"], [annotation(1, 1, 1, (*BOX, 30))]))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"images": []}', 'has no list "annotations"'),
        ('{"images": 1}', 'has no list "images"'),
    ],
    ids=["cut off", "deep", "list", "lists missing", "no list"],
)
def test_files_that_are_none_are_an_error(tmp_path, written, said):
    text(coco(tmp_path, ["a.jpg"], []) / "_annotations.coco.json", written)
    with pytest.raises(DataError, match=f"_annotations.coco.json {said}"):
        read_boxes(tmp_path)


def test_odd_values_are_no_boxes_and_no_crash(tmp_path):
    odd: list[object] = [None, [], {}, "x", True, 1e400, "9" * 5000, -1]
    said = [
        *(annotation(1, value, 1, BOX) for value in odd),
        *(annotation(2, 1, value, BOX) for value in odd),
        *(annotation(3, 1, 1, (value, 2, 3, 4)) for value in odd if value != -1),
        *({"image_id": 1, "category_id": 1, "bbox": value} for value in odd),
        annotation(4, 1, 1, BOX),
    ]
    images = [{"id": 1, "file_name": "a.jpg"}, *({"id": value, "file_name": value} for value in odd if value != -1)]
    categories = [{"id": 1, "name": "cat"}, *({"id": value, "name": value} for value in odd if value != "9" * 5000)]
    data = read_boxes(coco(tmp_path, ["a.jpg"], said, images=images, categories=categories))
    assert ("cat", *CORNERS) in boxes_of(data)["a"]
    assert all(0 <= value <= max(SIZE) for each in boxes_of(data)["a"] for value in each[1:])


def test_of_pictures_of_one_name_the_one_in_a_folder_called_like_the_part_is_meant(tmp_path):
    for folder in ("training", "validation"):
        picture(tmp_path / folder / "a.jpg")
    text(tmp_path / "annotations" / "instances_val2017.json", content("a.jpg"))
    data = read_boxes(tmp_path)
    assert [each.picture.name for each in data.pictures] == ["validation/a.jpg"]
