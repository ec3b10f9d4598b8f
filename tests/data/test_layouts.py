"""Layouts: made-up listings of folders as people have them, what is read in each, and what is asked."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyespot.data.layouts import read
from eyespot.data.listing import Listing, Placed, Reading
from eyespot.data.part_names import part_of, parts_among
from eyespot.data.read_as import LAYOUTS
from eyespot.errors import DataError, NoPictures, UnclearFolders


def listing(*files: str) -> Listing:
    """`cat/3` stands for three pictures in the folder cat, `labels.csv` for a file."""
    pictures: Counter[tuple[str, ...]] = Counter()
    names, others = [], []
    for file in files:
        *folders, last = file.split("/")
        if last.isdecimal():
            pictures[tuple(folders)] += int(last)
        elif last.endswith(".jpg"):
            pictures[tuple(folders)] += 1
            names.append(file)
        else:
            others.append(file)
    return Listing(pictures, others, names)


def reading(*files: str, layout: str = "auto") -> Reading:
    return read(listing(*files), root="photos", layout=layout)


def placed(found: Reading, *files: str) -> dict[str, str]:
    """Part and class of each folder of pictures: `train cat`, `cat` where there are no parts, `-` for what has none."""
    places = {"/".join(folder): found.place(folder) for folder in listing(*files).pictures}
    return {
        name: " ".join(filter(None, (place.part, place.label))) if isinstance(place, Placed) else "-"
        for name, place in places.items()
    }


CLASSES = ("cat/3", "dog/3")


def both(*folders: str) -> list[str]:
    return [f"{folder}/{each}" for folder in folders for each in CLASSES]


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        (CLASSES, {"cat": "cat", "dog": "dog"}),
        (["9", *CLASSES], {"": "-", "cat": "cat", "dog": "dog"}),
        (["cat/3", "cat/garden/2", "dog/2024/3"], {"cat": "cat", "cat/garden": "cat", "dog/2024": "dog"}),
        # a class may be called like a part
        (["test/3", "control/3"], {"test": "test", "control": "control"}),
        (["train/3", "car/3", "bus/3"], {"train": "train", "car": "car", "bus": "bus"}),
        (["test1/3", "test2/3", "none/3"], {"test1": "test1", "test2": "test2", "none": "none"}),
        (["dev/a/3", "ops/b/3"], {"dev/a": "dev", "ops/b": "ops"}),
        (["train station/3", "test tube/3"], {"train station": "train station", "test tube": "test tube"}),
        (["mask/3", "no_mask/3"], {"mask": "mask", "no_mask": "no_mask"}),
        (["images/3", "drawings/3"], {"images": "images", "drawings": "drawings"}),
        # parts
        (["train/a/3", "train/b/3", "test/a/3"], {"train/a": "train a", "train/b": "train b", "test/a": "test a"}),
        (["train/cat/3", "train/dog/3", "val/cat/2", "extra/cat/1", "1"], {
            "train/cat": "train cat", "train/dog": "train dog", "val/cat": "val cat", "extra/cat": "-", "": "-",
        }),
        (["train/a/3", "train/b/3", "train/2", "test/5"], {
            "train/a": "train a", "train/b": "train b", "train": "-", "test": "-",
        }),
        # the zip in the zip
        (["photos/photos/cat/3", "photos/photos/dog/3"], {"photos/photos/cat": "cat", "photos/photos/dog": "dog"}),
        (["2", "photos/cat/3", "photos/dog/3"], {"": "-", "photos/cat": "cat", "photos/dog": "dog"}),
        (["data/train/a/3", "data/train/b/3", "data/val/a/3"], {
            "data/train/a": "train a", "data/train/b": "train b", "data/val/a": "val a",
        }),
        (["seg_train/seg_train/a/3", "seg_train/seg_train/b/3", "seg_test/seg_test/a/3", "seg_pred/seg_pred/9"], {
            "seg_train/seg_train/a": "train a", "seg_train/seg_train/b": "train b", "seg_test/seg_test/a": "test a",
            "seg_pred/seg_pred": "-",
        }),
        # parts in classes
        (["cat/train/3", "cat/test/3", "dog/train/3", "dog/test/3"], {
            "cat/train": "train cat", "cat/test": "test cat", "dog/train": "train dog", "dog/test": "test dog",
        }),
        # class folders with boxes beside them
        (["images/cat/3", "images/dog/3", "annotations/cat/1.xml"], {"images/cat": "cat", "images/dog": "dog"}),
        (["images/cat/3", "images/dog/3", "masks/cat/3"], {"images/cat": "cat", "images/dog": "dog", "masks/cat": "-"}),
        # two levels
        (["animals/cat/3", "animals/dog/3", "plants/rose/3"], {
            "animals/cat": "animals", "animals/dog": "animals", "plants/rose": "plants",
        }),
    ],
)  # fmt: skip
def test_folders_are_read_as_people_mean_them(files, classes):
    assert placed(reading(*files), *files) == classes


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Training", "Testing"),
        ("TRAIN", "Validation"),
        ("train_set", "test-set"),
        ("TrainSet", "holdout"),
        ("training_images", "test1"),
        ("0_train", "1_dev"),
        ("train set", "eval"),
        ("Trainingsdaten", "Testdaten"),
        ("entraînement", "essai"),
        ("entrenamiento", "prueba"),
        ("训练集", "测试集"),
        ("flowers-train", "flowers-valid"),
    ],
)
def test_parts_are_known_by_the_words_that_people_use_and_said(train, test):
    files = both(train, test)
    found = reading(*files)
    part = "val" if test in ("Validation", "1_dev", "eval", "holdout", "flowers-valid") else "test"
    assert placed(found, *files) == {
        f"{train}/cat": "train cat",
        f"{train}/dog": "train dog",
        f"{test}/cat": f"{part} cat",
        f"{test}/dog": f"{part} dog",
    }
    said = f"{train} is train"
    assert any(said in note for note in found.notes) == ((train, test) != ("TRAIN", "Validation"))


@pytest.mark.parametrize(
    "name",
    ["contest", "greatest", "trains", "setter", "image", "images", "set", "", "7", "trainer", "set" * 99 + "test"],
)
def test_other_words_are_no_parts(name):
    assert part_of(name) is None


def test_a_word_that_several_names_share_tells_nothing():
    assert parts_among(["seg_train", "seg_test", "seg_pred"]) == {"seg_train": "train", "seg_test": "test"}
    assert parts_among(["train station", "bus station"]) == {}


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (["photos/cat/3", "photos/dog/3"], "all pictures lie in photos/, which is read"),
        (["train/a/3", "train/b/3", "test/1"], "the folder 'test' holds 1 picture and no class folders: it is left"),
        ([*both("train", "test"), "extra/4"], "extra/ is left out beside train/, val/ and test/"),
        (["cat/train/3", "cat/val/3", "dog/train/3"], "inside of each class folder: train is train and val is val"),
        (["images/cat/3", "images/dog/3", "labels/1.txt"], "the folders in images/; labels/ beside it is not read"),
        (["cat/1.jpg", "cat/1_mask.jpg", "dog/1.jpg", "dog/1_mask.jpg"], "such as cat/1_mask.jpg are learned like all"),
        (["animals/cat/3", "animals/dog/3", "plants/rose/3"], "the classes are animals and plants; the folders in them "
         "(cat, dog and rose) are no classes of their own: --layout any/class makes these the classes"),
    ],
)  # fmt: skip
def test_what_was_found_out_is_said(files, note):
    assert note in "\n".join(reading(*files).notes)


def test_what_needs_no_word_has_none():
    for files in (CLASSES, both("train", "val", "test"), ["cat/3", "cat/a/2", "dog/a/3"]):
        assert reading(*files).notes == ()


@pytest.mark.parametrize(
    ("files", "asked"),
    [
        (["trian/a/3", "trian/b/3", "val/a/3"], "trian/ and val/ hold the same folders .*; give trian the name"),
        (["train/a/3", "train/b/3", "test/x/3"], r"test/ holds none of the folders in train/ \(a and b\)"),
        (["train/steam/3", "train/electric/3", "car/3"], "train/ may be the part, or a class like car"),
        (["cat/3", "dog/3", "test/cat/3", "test/dog/3"], r"test/ holds folders that lie beside it, too \(cat"),
        (["train/9", "test/9", "samples/3"], "test/ and train/ are called like parts, but hold no class folders"),
        (["cat/train/3", "cat/test/3", "dog/3"], "cat/ holds test and train, which are called like parts"),
        (["alice/cat/3", "alice/dog/3", "bob/cat/3", "bob/dog/3"], "each of alice and bob holds the folders cat"),
        (["fold1/a/3", "fold1/b/3", "fold2/a/3", "fold2/b/3", "fold2/c/3"], "each of fold1 and fold2 holds"),
        (["set (1)/set (1)/train/a/3", "set (1)/set (1)/train/b/3", "test/test/9"], r"set \(1\)/ holds .* \(train\)"),
        (["cat/3", "dog/3", "flowers/cat/3", "flowers/dog/3"], r"flowers/ holds folders of pictures \(cat and dog\)"),
        (["data/cat/3", "data/dog/3", "docs/1"], "data/ holds folders of pictures .* and lies beside docs/"),
    ],
)  # fmt: skip
def test_what_can_be_meant_in_two_ways_is_asked_and_answered_by_an_option(files, asked):
    with pytest.raises(UnclearFolders, match=f"photos can be read in two ways: .*{asked}") as caught:
        reading(*files)
    assert "--layout class" in str(caught.value)
    top = {file.split("/")[0] for file in files if "/" in file}
    assert set(placed(reading(*files, layout="class"), *files).values()) == top


def test_the_layout_that_a_person_names_is_read():
    files = ["alice/cat/3", "alice/dog/3", "bob/cat/3", "1"]
    assert set(placed(reading(*files, layout="any/class"), *files).values()) == {"cat", "dog", "-"}
    files = ["cat/train/3", "cat/test/3", "dog/3"]
    assert placed(reading(*files, layout="class/part"), *files) == {
        "cat/train": "train cat",
        "cat/test": "test cat",
        "dog": "-",
    }
    files = ["train/a/3", "train/b/3", "test/x/3"]
    assert set(placed(reading(*files, layout="part/class"), *files).values()) == {"train a", "train b", "test x"}


@pytest.mark.parametrize("layout", ["part/class", "class/part", "any/class"])
def test_a_layout_that_is_not_there_is_refused(layout):
    with pytest.raises(NoPictures, match="photos holds no "):
        reading(*CLASSES, layout=layout)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "photos holds no pictures"),
        (["3", "readme.txt"], "photos holds 3 pictures but no class folders; a data set is"),
        (["3", "labels.csv"], r"no class folders \(photos/labels.csv lies there, too: give its name"),
        (["images/3", "a.csv", "labels.csv"], r"photos/images holds .* \(photos/labels.csv lies there, too"),
        (["train/train/cat.1.jpg", "train/train/cat.2.jpg", "train/train/dog.1.jpg", "train/train/dog.2.jpg",
          "test1/test1/9"], "'test1' and 'train', but no train/ .*their names begin with cat and dog"),
        (["3", "_annotations.coco.json"], r"1 file beside them, as _annotations.coco.json, may hold boxes"),
        (["1.xml", "1.jpg"], "may hold boxes, in no format that is read"),
        (["images/3"], "photos/images holds 3 pictures but no class folders"),
        (["photos/3"], "photos/photos holds 3 pictures but no class folders"),
        (["cat_1.jpg", "cat_2.jpg", "dog.1.jpg", "dog.2.jpg"], "their names begin with cat and dog: if these are the"),
        (["train/9", "test/9", "train.csv"], "'test' and 'train', but no train/ with class .*photos/train.csv"),
        (["test/a/3", "val/a/3"], "'test' and 'val', but no train/ with class folders"),
        (["images/9", "annotations/trimaps/9"], "pictures in images/ and, it seems, their boxes, .* in annotations/"),
        (["JPEGImages/9", "Annotations/1.xml", "ImageSets/Main/a.txt"], "JPEGImages/ and, .* Annotations/ and ImageS"),
        (["images/train/9", "images/val/9", "labels/train/1.txt"], "photos holds pictures in images/ and, .* labels/"),
        (["train/images/9", "train/labels/1.txt", "valid/images/9"], "photos/train holds pictures in images/"),
        (["images/a_1.jpg", "images/a_2.jpg", "images/b_1.jpg", "images/b_2.jpg", "masks/4"], "begin with a and b"),
    ],
)  # fmt: skip
def test_without_class_folders_a_sentence_says_what_is_there_and_what_to_do(files, sentence):
    with pytest.raises(NoPictures, match=sentence):
        reading(*files)


FOLDERS = st.sampled_from(["train", "Test", "val", "cat", "dog", "images", "masks", "photos", "a", "b"])


@given(
    st.dictionaries(st.lists(FOLDERS, max_size=4).map(tuple), st.integers(1, 40), max_size=8),
    st.lists(st.lists(FOLDERS, max_size=3).map(lambda names: "/".join([*names, "x.csv"])), max_size=2),
    st.sampled_from(LAYOUTS),
)
def test_any_listing_is_read_or_refused_in_a_sentence_and_every_folder_has_a_place_or_reason(pictures, others, layout):
    refusal, found = "photos", None
    try:
        found = read(Listing(pictures, others, []), root="photos", layout=layout)
    except DataError as error:
        refusal = str(error)
    assert refusal.startswith("photos")
    assert len(refusal) < 700
    if found is None:
        return
    places = {folder: found.place(folder) for folder in pictures}
    assert any(isinstance(place, Placed) for place in places.values())
    for folder, place in places.items():
        assert place if isinstance(place, str) else place.label in folder
    if found.layout in ("part/class", "class/part"):
        assert any(isinstance(place, Placed) and place.part == "train" for place in places.values())


def test_notes_and_questions_on_thousands_of_folders_stay_short():
    many = [f"{kind}/{number:04}/3" for kind in ("a", "b") for number in range(2000)]
    with pytest.raises(UnclearFolders) as caught:
        reading(*many)
    assert "and 1995 more" in str(caught.value)
    assert len(str(caught.value)) < 500
