"""Boxes written in one format and read again are the same boxes, in all six directions."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from boxed_folders import annotation, boxes_of, coco, picture, text, voc, voc_folder, voc_object

from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.data.boxes.records import BoxedDataSet, Format
from eyespot.data.boxes.writing import FORMATS, write_boxes
from eyespot.errors import CannotWrite

DIRECTIONS = [*permutations(FORMATS.values(), 2)]
EXACT = 1e-9
"""Pixels."""


def assert_same(one: BoxedDataSet, other: BoxedDataSet, *, flags: bool = True) -> None:
    """The same boxes of the same classes in the same order, on the same pictures in the same parts."""
    assert [*one.parts] == [*other.parts]
    for part in one.parts:
        found = {each.content: each for each in other.parts[part]}
        assert len(found) == len(one.parts[part])
        for each in one.parts[part]:
            twin = found[each.content]
            assert (twin.width, twin.height) == (each.width, each.height)
            assert [other.classes[at] for at in twin.boxes.labels] == [one.classes[at] for at in each.boxes.labels]
            assert np.abs(twin.boxes.xyxy - each.boxes.xyxy).max(initial=0) <= EXACT
            if flags:
                assert (twin.boxes.ignored == each.boxes.ignored).all()


@pytest.fixture
def pets(tmp_path) -> BoxedDataSet:
    """Boxes at thirds of pixels, up to the edges; names that are hard to write; a turned picture; one without boxes."""
    root = tmp_path / "pets"
    box = voc_object('c&amp;at: "1" #\'\u732b', 1 / 3, 2 / 7, 79.123456789012345, 60)
    voc_folder(root, {"a": [box, voc_object("[dog], {no}", 0, 0, 1e-3, 60)], "b c": [], "d": [box]})
    picture(root / "JPEGImages" / "e.jpg", orientation=8)
    voc(root / "Annotations" / "e.xml", voc_object("-", 3, 1, 70, 11))
    picture(root / "JPEGImages" / "f.png")
    voc(root / "Annotations" / "f.xml", voc_object("no", 3, 1, 70, 11.1))
    for part, stems in (("train", "a\nb c\n"), ("val", "d\n"), ("test", "e\nf\n")):
        text(root / "ImageSets" / "Main" / f"{part}.txt", stems)
    return read_boxes(root)


@pytest.mark.parametrize(("first", "second"), DIRECTIONS)
def test_a_round_trip_is_exact(pets, tmp_path, first: Format, second: Format):
    assert pets.pictures[3].height == 80  # upright
    assert write_boxes(pets, tmp_path / "first", format=first) == ()
    one = read_boxes(tmp_path / "first")
    assert_same(pets, one)
    write_boxes(one, tmp_path / "second", format=second)
    two = read_boxes(tmp_path / "second")
    assert (find_boxes(tmp_path / "second"), two.set_aside, two.notes) == (second, (), ())
    assert_same(pets, two)
    write_boxes(two, tmp_path / "back", format=first)
    assert_same(one, read_boxes(tmp_path / "back"))


def test_other_readers_of_yaml_find_the_same_names_and_folders(pets, tmp_path):
    yaml = pytest.importorskip("yaml")
    write_boxes(pets, tmp_path / "out", format="YOLO")
    said = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text(encoding="utf-8"))
    assert said == {
        **{part: f"images/{part}" for part in ("train", "val", "test")},
        "names": dict(enumerate(pets.classes)),
    }


@pytest.mark.parametrize(("first", "second"), DIRECTIONS)
def test_a_round_trip_of_real_pictures_is_exact(real_data, tmp_path, first: Format, second: Format):
    cells = read_boxes(real_data / "bccd")
    write_boxes(cells, tmp_path / "first", format=first)
    write_boxes(read_boxes(tmp_path / "first"), tmp_path / "second", format=second)
    again = read_boxes(tmp_path / "second")
    assert again.classes == cells.classes
    assert_same(cells, again)


@pytest.mark.parametrize("format", FORMATS.values())
def test_without_parts_there_are_none_afterwards(tmp_path, format):
    data = read_boxes(voc_folder(tmp_path / "pets", {"a": [voc_object("cat", 1, 2, 3, 4)]}))
    write_boxes(data, tmp_path / "out", format=format)
    again = read_boxes(tmp_path / "out")
    assert_same(data, again)
    assert [*again.parts] == ["all"]


@pytest.fixture
def crowded(tmp_path) -> BoxedDataSet:
    said = [
        annotation(1, 1, 1, (1, 2, 3, 4)),
        annotation(2, 1, 1, (5, 6, 7, 8), iscrowd=1),
        annotation(3, 1, 1, (9, 9, 9, 9), ignore=1),
    ]
    return read_boxes(coco(tmp_path / "crowded", ["a.jpg"], said))


def test_coco_holds_crowds_and_difficult_boxes(crowded, tmp_path):
    assert write_boxes(crowded, tmp_path / "out", format="COCO") == ()
    (each,) = read_boxes(tmp_path / "out").pictures
    assert (each.boxes.ignored.tolist(), each.boxes.crowd.tolist()) == ([False, True, True], [False, True, False])


def test_what_a_format_cannot_hold_is_said(crowded, tmp_path):
    assert write_boxes(crowded, tmp_path / "voc", format="Pascal VOC") == (
        "now marked as difficult: 1 box around crowds, which Pascal VOC cannot say",
        "not in any file of Pascal VOC, which only names the classes of boxes: 'dog', without a box",
    )
    (each,) = read_boxes(tmp_path / "voc").pictures
    assert (each.boxes.ignored.tolist(), each.boxes.crowd.tolist()) == ([False, True, True], [False] * 3)
    assert write_boxes(crowded, tmp_path / "yolo", format="YOLO") == (
        "left out: 1 box around crowds (COCO's iscrowd), which YOLO cannot hold",
        "now like all others: 1 box marked as difficult, which YOLO cannot say",
    )
    data = read_boxes(tmp_path / "yolo")
    assert boxes_of(data) == {"a": [("cat", 1, 2, 4, 6), ("cat", 9, 9, 18, 18)]}
    assert data.classes == ("cat", "dog")


@pytest.mark.parametrize("format", FORMATS.values())
def test_pictures_of_one_name_stay_apart_and_none_is_moved(tmp_path, format):
    places = [tmp_path / "pets" / part / name for part in ("train", "valid") for name in ("a.jpg", "a.png", "A.jpg")]
    said = {}
    for path in places:
        picture(path)
        said[path] = path.read_bytes()
    for part in ("train", "valid"):
        coco(
            tmp_path / "pets" / part,
            [],
            [annotation(at, at, 1, (at, 1, 2, 3)) for at in range(3)],
            images=[{"id": at, "file_name": name} for at, name in enumerate(("a.jpg", "a.png", "A.jpg"))],
        )
    data = read_boxes(tmp_path / "pets")
    assert len(data.pictures) == 6
    write_boxes(data, tmp_path / "out", format=format)
    assert_same(data, read_boxes(tmp_path / "out"))
    assert {path: path.read_bytes() for path in places} == said


def test_where_files_cannot_be_linked_they_are_copied(pets, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    write_boxes(pets, tmp_path / "out", format="YOLO")
    assert_same(pets, read_boxes(tmp_path / "out"))


def test_a_folder_that_holds_something_is_refused_and_an_empty_one_taken(pets, tmp_path):
    (tmp_path / "out").mkdir()
    write_boxes(pets, tmp_path / "out", format="YOLO")
    before = sorted((tmp_path / "out").rglob("*"))
    for place in (tmp_path / "out", tmp_path / "out" / "data.yaml"):
        with pytest.raises(CannotWrite, match=f"{place} is there and not empty: choose another folder"):
            write_boxes(pets, place, format="COCO")
    assert sorted((tmp_path / "out").rglob("*")) == before


def test_what_fails_leaves_nothing(pets, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.link", fail)
    monkeypatch.setattr("shutil.copyfile", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CannotWrite, match=r"out cannot be written .No space left on device"):
        write_boxes(pets, tmp_path / "out", format="YOLO")
    assert sorted(tmp_path.iterdir()) == before


def test_pictures_that_are_no_files_are_written_as_the_bytes_they_are(pets, tmp_path):
    in_hand = {
        part: tuple(
            replace(each, picture=replace(each.picture, path=None, data=each.picture.read())) for each in pictures
        )
        for part, pictures in pets.parts.items()
    }
    write_boxes(replace(pets, parts=in_hand), tmp_path / "out", format="COCO")
    assert_same(pets, read_boxes(tmp_path / "out"))
