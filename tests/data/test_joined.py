"""Several data sets as one, and the parts of what comes later."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.joined import join, open_joined, split_joined
from eyespot.data.read_as import ReadAs
from eyespot.data.split import split
from eyespot.records import Part, SetAside


def data_set(name: str, *names: str) -> DataSet:
    pictures = tuple(Picture(each, label=each.partition("/")[0]) for each in names)
    classes = tuple(sorted({str(each.label) for each in pictures}))
    return DataSet(name, pictures, classes, (SetAside(picture="x.txt", reason="is no picture"),), (f"of {name}",))


def hashed(label: str, numbers: range, part: Part | None = None) -> list[Hashed]:
    return [
        Hashed(Picture(f"{label}/{n}", label=label, part=part), content_hash(f"{label} {n}".encode())) for n in numbers
    ]


def parts(pictures: list[Hashed]) -> dict[str, Part | None]:
    return {each.content: each.picture.part for each in pictures}


def test_what_comes_to_a_folder_has_its_own_name_before_its_pictures():
    found = join(data_set("photos", "cat/1", "dog/1"), data_set("new", "cat/1", "hat/1"))
    assert found.name == "photos"
    assert [(each.name, each.label) for each in found.pictures] == [
        ("cat/1", "cat"),
        ("dog/1", "dog"),
        ("new/cat/1", "cat"),
        ("new/hat/1", "hat"),
    ]
    assert found.classes == ("cat", "dog", "hat")
    assert [each.picture for each in found.set_aside] == ["x.txt", "new/x.txt"]
    assert found.notes == (
        "of photos",
        "of new",
        "2 pictures of new are read beside those of photos, with the new class 'hat'; copies count once",
    )


def test_a_name_that_a_class_has_already_is_told_apart():
    found = join(join(data_set("photos", "new/1", "dog/1"), data_set("new", "dog/1")), data_set("NEW", "dog/1"))
    assert [each.name for each in found.pictures] == ["new/1", "dog/1", "new-2/dog/1", "NEW-3/dog/1"]


def test_classes_that_differ_in_case_are_said():
    assert join(data_set("a", "Cat/1"), data_set("b", "cat/1")).notes[-1].startswith("the classes 'Cat' and 'cat'")


def test_folders_are_read_each_in_its_own_layout(tmp_path, draw):
    draw(tmp_path / "photos" / "train", 1)
    draw(tmp_path / "photos" / "test", 1, first=9)
    draw(tmp_path / "new", 2, first=20, kinds=("circle",))
    found = open_joined(tmp_path / "photos", ReadAs(layout="part/class"), more=(tmp_path / "new", Path("digits")))
    assert Counter(each.part for each in found.pictures) == {"train": 3, "test": 3, None: 2 + 1797}
    assert len(found.classes) == 13


@pytest.mark.parametrize("seed", [0, 1])
def test_without_parts_or_with_all_it_is_the_ordinary_split(seed):
    for pictures in (hashed("cat", range(30)), hashed("cat", range(9), "train") + hashed("cat", range(9, 12), "test")):
        assert parts(split_joined(pictures, seed=seed)) == parts(split(pictures, seed=seed))


def test_pictures_keep_their_parts_and_new_ones_get_those_that_there_are():
    old = hashed("cat", range(60), "train") + hashed("cat", range(60, 80), "val") + hashed("cat", range(80, 99), "test")
    new = hashed("cat", range(100, 140))
    found = split_joined([*new, *old], seed=0)
    assert [each.content for each in found] == [each.content for each in (*new, *old)]
    assert parts(found) == {**parts(old), **parts(split(new, seed=0))}
    assert Counter(parts(found[: len(new)]).values()) == {"train": 28, "val": 6, "test": 6}


def test_where_nothing_is_tested_nothing_new_is():
    old = hashed("cat", range(60), "train") + hashed("cat", range(60, 80), "val")
    found = split_joined([*old, *hashed("cat", range(100, 140))], seed=0)
    assert Counter(parts(found[80:]).values()) == {"train": 34, "val": 6}


def test_a_missing_val_is_cut_from_old_and_new():
    old = hashed("cat", range(60), "train") + hashed("cat", range(60, 80), "test")
    found = split_joined([*old, *hashed("cat", range(100, 140))], seed=0)
    assert Counter(parts(found[:80]).values()) == {"train": 51, "val": 9, "test": 20}
    assert Counter(parts(found[80:]).values()) == {"train": 28, "val": 6, "test": 6}


def test_a_new_picture_comes_to_what_it_belongs_to():
    """A near-copy of what is tested is tested, too; of several parts that which is read last claims it."""
    old = hashed("cat", range(60), "train") + hashed("cat", range(60, 70), "val") + hashed("cat", range(70, 80), "test")
    new = hashed("cat", range(100, 120))
    series = {new[0].content: "a", old[75].content: "a", old[3].content: "a"}
    series |= {new[1].content: "b", old[5].content: "b"}
    series |= {each.content: "c" for each in new[2:9]}
    for seed in range(5):
        found = parts(split_joined([*old, *new], seed=seed, group_of=series))
        assert {content: part for content, part in found.items() if content in parts(old)} == parts(old)
        assert (found[new[0].content], found[new[1].content]) == ("test", "train")
        assert len({found[each.content] for each in new[2:9]}) == 1
