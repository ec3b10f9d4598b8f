"""Parts of pictures with boxes: what a folder gives stays, each class comes into every part, versions stay together."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from boxed_folders import picture, text, voc, voc_folder, voc_object

from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedDataSet
from eyespot.data.boxes.splitting import series_of, split_boxes
from eyespot.data.groups import Links

CAT, DOG = voc_object("cat", 10, 20, 40, 50), voc_object("dog", 1, 2, 30, 40)


def names(data: BoxedDataSet) -> dict[str, set[str]]:
    return {part: {each.picture.name.split("/")[-1] for each in pictures} for part, pictures in data.parts.items()}


@pytest.fixture
def pets(tmp_path) -> BoxedDataSet:
    """40 pictures of cats, 10 of which show dogs as well; without parts."""
    return read_boxes(voc_folder(tmp_path / "pets", {f"{at:02}": [CAT, DOG] if at < 10 else [CAT] for at in range(40)}))


def test_a_folder_without_parts_is_split_into_three(pets):
    data = split_boxes(pets, seed=0)
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 28, "val": 6, "test": 6}
    assert all(each.picture.part == part for part, pictures in data.parts.items() for each in pictures)
    assert {each.content for each in data.pictures} == {each.content for each in pets.pictures}
    for part, pictures in data.parts.items():
        assert sum(1 in each.boxes.labels for each in pictures) == {"train": 6, "val": 2, "test": 2}[part]
    assert data.notes == (
        "classes with fewer than 10 boxes to train on can hardly be learned: 'dog' 6; draw more of them",
    )


def test_the_split_depends_on_content_and_seed_only(pets, tmp_path):
    assert names(split_boxes(pets, seed=0)) == names(split_boxes(pets, seed=0)) != names(split_boxes(pets, seed=1))
    moved = tmp_path / "moved"
    shutil.copytree(tmp_path / "pets", moved)
    for at, path in enumerate(sorted((moved / "JPEGImages").iterdir(), reverse=True)):
        path.rename(path.with_name(f"new-{at}.jpg"))
        annotation = moved / "Annotations" / f"{path.stem}.xml"
        annotation.rename(annotation.with_name(f"new-{at}.xml"))
    parts = {each.content: each.picture.part for each in split_boxes(read_boxes(moved), seed=0).pictures}
    assert parts == {each.content: each.picture.part for each in split_boxes(pets, seed=0).pictures}


def test_a_missing_val_is_cut_from_train_and_the_test_stays(tmp_path):
    voc_folder(tmp_path, {f"{at:02}": [CAT] for at in range(24)})
    text(tmp_path / "ImageSets/Main/train.txt", "".join(f"{at:02}\n" for at in range(20)))
    text(tmp_path / "ImageSets/Main/test.txt", "".join(f"{at:02}\n" for at in range(20, 24)))
    data = split_boxes(read_boxes(tmp_path), seed=0)
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 17, "val": 3, "test": 4}
    assert names(data)["test"] == {f"{at}.jpg" for at in range(20, 24)}


def test_parts_that_a_folder_gives_stay(tmp_path):
    voc_folder(tmp_path, {"a": [CAT], "b": [CAT]})
    text(tmp_path / "ImageSets/Main/train.txt", "a\n")
    text(tmp_path / "ImageSets/Main/val.txt", "b\n")
    read = read_boxes(tmp_path)
    assert names(split_boxes(read, seed=0)) == names(read) == {"train": {"a.jpg"}, "val": {"b.jpg"}}


def test_versions_of_one_picture_are_never_in_two_parts(tmp_path):
    for at in range(20):
        for version in range(3):
            stem = f"{at}_jpg.rf.{version}{'0123456789abcdef' * 2}"
            picture(tmp_path / f"{stem}.jpg")
            voc(tmp_path / f"{stem}.xml", CAT)
    found = names(split_boxes(read_boxes(tmp_path), seed=0))
    sources = {part: {name.partition("_")[0] for name in each} for part, each in found.items()}
    assert {part: len(each) for part, each in sources.items()} == {"train": 14, "val": 3, "test": 3}
    assert len(set.union(*sources.values())) == 20


def linked(data: BoxedDataSet, *pairs: tuple[str, str]) -> Links:
    """Links between pictures of these names, without folders and endings."""
    contents = sorted(each.content for each in data.pictures)
    row = {each.picture.name.split("/")[-1].split(".")[0]: contents.index(each.content) for each in data.pictures}
    first, second = (np.array([row[pair[at]] for pair in pairs]) for at in (0, 1))
    return Links(first, second, np.ones(len(pairs), np.float32))


def test_pictures_that_are_linked_are_never_in_two_parts(pets):
    pairs = [(f"{at:02}", f"{at + 1:02}") for at in range(0, 40, 2)]
    torn = split_boxes(pets, seed=0)
    whole = split_boxes(pets, seed=0, series=series_of(pets, linked(pets, *pairs)))

    def cut(data: BoxedDataSet) -> int:
        part_of = {name: part for part, found in names(data).items() for name in found}
        return sum(part_of[f"{one}.jpg"] != part_of[f"{other}.jpg"] for one, other in pairs)

    assert cut(torn) > 0 == cut(whole)
    assert {part: len(pictures) for part, pictures in whole.parts.items()} == {"train": 28, "val": 6, "test": 6}


def test_versions_and_links_make_one_series(tmp_path):
    for stem in ("a", "b"):
        for version in "01":
            picture(tmp_path / f"{stem}_jpg.rf.{version * 32}.jpg")
            voc(tmp_path / f"{stem}_jpg.rf.{version * 32}.xml", CAT)
    picture(tmp_path / "c.jpg")
    voc(tmp_path / "c.xml", CAT)
    data = read_boxes(tmp_path)
    assert (len(series_of(data, Links.none())), series_of(data, Links.none()).largest) == (2, 2)
    content_of = {each.picture.name: each.content for each in data.pictures}
    contents = sorted(content_of.values())
    rows = [np.array([contents.index(content_of[f"{name}.jpg"])]) for name in (f"b_jpg.rf.{'1' * 32}", "c")]
    joined = series_of(data, Links(*rows, np.full(1, np.inf, np.float32)))
    assert (len(joined), joined.largest) == (2, 3)


def test_a_class_without_boxes_to_measure_on_is_named(tmp_path):
    voc_folder(tmp_path, {"a": [CAT, DOG], "b": [CAT]})
    text(tmp_path / "ImageSets/Main/train.txt", "a\n")
    text(tmp_path / "ImageSets/Main/val.txt", "b\n")
    assert split_boxes(read_boxes(tmp_path), seed=0).notes == (
        "classes with fewer than 10 boxes to train on can hardly be learned: 'cat' 1 and 'dog' 1; draw more of them",
        "not measured on val, where there is no box of it: the average precision of 'dog'",
    )
