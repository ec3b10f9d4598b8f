"""Which format lies in a folder is told quickly and by what is there; class folders hold no boxes."""

from __future__ import annotations

import pytest
from boxed_folders import annotation, boxes_of, coco, picture, text, voc, voc_folder, voc_object, yolo

from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.errors import DataError, NoPictures

CAT = voc_object("cat", 10, 20, 40, 50)
ONE = "0 0.5 0.5 0.5 0.5\n"
BOX = annotation(1, 1, 1, (1, 2, 3, 4))


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cat/1.jpg": "", "dog/1.jpg": ""},
        {"train/cat/1.jpg": "", "train/dog/1.jpg": "", "test/cat/1.jpg": ""},
        {"cat/1.jpg": "", "dog/1.jpg": "", "config.yaml": "model: resnet\n", "README.txt": "names: a"},
        {"cat/1.jpg": "", "dog/1.jpg": "", "notes.xml": "<notes/>", "package.json": "{}"},
        {"a.jpg": "", "metadata.jsonl": '{"file_name": "a.jpg", "label": "a"}'},
        {"images/a.jpg": "", "masks/a.png": "", "annotations/a.png": ""},
        {"images/a.jpg": "", "labels/a.png": "", "train/images/a.jpg": "", "train/labels/a.png": ""},
        {"images/cat/a.jpg": "", "images/dog/a.jpg": "", "annotations/a.json": '{"a.jpg": "cat"}'},
    ],
    ids=["empty", "classes", "parts", "yaml", "xml and json", "list", "masks", "masks as labels", "other json"],
)
def test_where_there_are_no_boxes_none_are_found(tmp_path, files):
    for name, content in files.items():
        (text if content else lambda path, _: picture(path))(tmp_path / name, content)
    assert find_boxes(tmp_path) is None
    with pytest.raises(NoPictures) as error:
        read_boxes(tmp_path)
    said = str(error.value)
    assert said.startswith(f"there are no boxes in {tmp_path}: looked for a data.yaml")
    assert "class x y width height" in said


def test_what_is_no_folder_has_no_boxes(tmp_path):
    assert find_boxes(tmp_path / "nowhere") is None
    assert find_boxes(text(tmp_path / "a.txt", "a")) is None
    with pytest.raises(NoPictures, match="there is no folder"):
        read_boxes(tmp_path / "nowhere")


@pytest.mark.parametrize("place", ["annotations/xmls", "Annotations/train", "annotations"])
def test_xml_may_lie_deeper_than_its_pictures(tmp_path, place):
    picture(tmp_path / "images" / "a.jpg")
    voc(tmp_path / place / "a.xml", CAT)
    assert find_boxes(tmp_path) == "Pascal VOC"
    assert boxes_of(read_boxes(tmp_path)) == {"a": [("cat", 10, 20, 40, 50)]}


def test_a_json_in_annotations_may_have_any_name(tmp_path):
    coco(tmp_path, ["a.jpg"], [BOX])
    (tmp_path / "annotations").mkdir()
    (tmp_path / "_annotations.coco.json").rename(tmp_path / "annotations" / "train.json")
    assert find_boxes(tmp_path) == "COCO"
    assert [*read_boxes(tmp_path).parts] == ["train"]


@pytest.mark.parametrize("place", ["", "train/", "train"])
def test_texts_in_labels_are_known_without_a_yaml(tmp_path, place):
    """In labels/, in train/labels/, and in labels/train/."""
    inner, outer = (f"{place}/", "") if place == "train" else ("", place)
    picture(tmp_path / f"{outer}images/{inner}a.jpg")
    text(tmp_path / f"{outer}labels/{inner}a.txt", ONE)
    assert find_boxes(tmp_path) == "YOLO"


@pytest.mark.parametrize("inner", ["pets", "VOCdevkit/VOC2007"])
def test_a_folder_that_alone_lies_in_it_is_gone_into(tmp_path, inner):
    voc_folder(tmp_path / inner, {"a": [CAT]})
    assert find_boxes(tmp_path) == "Pascal VOC"
    data = read_boxes(tmp_path)
    assert boxes_of(data) == {"a": [("cat", 10, 20, 40, 50)]}
    assert data.notes == (f"all boxes lie in {inner}/, which is read",)


def test_of_several_formats_one_is_read_and_the_others_are_named(tmp_path):
    yolo(tmp_path, {"a": ONE})
    coco(tmp_path, [], [BOX], images=[{"id": 1, "file_name": "a.jpg"}])
    assert find_boxes(tmp_path) == "YOLO"
    assert read_boxes(tmp_path).notes == ("boxes lie there as YOLO and as COCO: those of YOLO are read",)


@pytest.mark.parametrize("make", [lambda root: yolo(root, {"a": ONE}), lambda root: voc_folder(root, {"a": [CAT]})])
def test_boxes_without_pictures_are_said(tmp_path, make):
    make(tmp_path)
    for path in tmp_path.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(NoPictures, match=r"holds files of boxes .*, and no pictures beside them"):
        read_boxes(tmp_path)


def test_a_damaged_yaml_is_known_and_said_with_its_line(tmp_path):
    yolo(tmp_path, {"a": ONE}, yaml="nc: 1\nnames: [cat\n")
    assert find_boxes(tmp_path) == "YOLO"
    with pytest.raises(
        DataError, match=r"data\.yaml has a value of names in line 2 that is not understood: there is no \]"
    ):
        read_boxes(tmp_path)


def test_a_yaml_without_names_beside_labels_is_said(tmp_path):
    yolo(tmp_path, {"a": ONE}, yaml="&train: images\nnc: 1\n")
    assert find_boxes(tmp_path) == "YOLO"
    with pytest.raises(DataError, match=r"data\.yaml names no classes"):
        read_boxes(tmp_path)


def test_what_eyespot_wrote_there_is_passed_over(tmp_path):
    voc_folder(tmp_path, {"a": [CAT]})
    run = tmp_path / "runs" / "train" / "pets"
    picture(run / "x.jpg")
    text(run / "args.json", '{"command": "train", "fingerprint": "0"}')
    data = read_boxes(tmp_path)
    assert (len(data.pictures), data.set_aside) == (1, ())
    assert data.notes == ("passed over what eyespot wrote itself: runs/train/pets",)


def test_a_yaml_leads_nowhere_outside_its_folder(tmp_path):
    yolo(tmp_path / "other", {"b": ONE})
    yolo(tmp_path / "pets", {"a": ONE}, yaml=f"path: {tmp_path}/other\ntrain: images\nnames: [cat]\n")
    assert [*boxes_of(read_boxes(tmp_path / "pets"))] == ["a"]
    text(tmp_path / "pets" / "data.yaml", "train: ../other/images\nnames: [cat]\n")
    with pytest.raises(DataError, match="no such folder with pictures"):
        read_boxes(tmp_path / "pets")
