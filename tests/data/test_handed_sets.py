"""Labelled pictures in hand: pairs, tables, data sets of torch and Hugging Face are one DataSet, the same each time."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from eyespot.data.data_set import DataSet
from eyespot.data.handed_sets import in_hand, open_given
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.errors import DataError, EyespotError, NoPictures

RANDOM = np.random.default_rng(0)
ARRAYS = RANDOM.integers(0, 256, (4, 9, 8, 3), dtype=np.uint8)
PICTURES = [Image.fromarray(each) for each in ARRAYS]
LABELS = ["cat", "dog", "cat", "dog"]
NUMBERS = [0, 1, 0, 1]


class Column(list):
    """A column of a data frame, which has no truth of its own."""

    def __bool__(self):
        raise ValueError("ambiguous")


class Frame:
    """What eyespot looks at of a data frame of pandas or polars."""

    def __init__(self, **columns):
        self._columns, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return Column(self._columns[name])

    def __len__(self):
        return len(next(iter(self._columns.values())))


class Torch:
    """A data set of torch, as torchvision's are."""

    classes = ("cat", "dog")

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class Image_:
    def __init__(self, *, decode=True):
        self.decode = decode


class ClassLabel:
    names = ("cat", "dog")


Image_.__name__ = "Image"


class HuggingFace:
    """What eyespot looks at of a data set of Hugging Face: features, columns, files undecoded on request."""

    def __init__(self, decode=True):
        self.features = {"id": object(), "photo": Image_(decode=decode), "kind": ClassLabel()}
        self.column_names = list(self.features)

    def cast_column(self, name, feature):
        return HuggingFace(decode=feature.decode)

    def __getitem__(self, name):
        if name == "photo":
            assert not self.features["photo"].decode
            return [{"bytes": png(each), "path": None} for each in PICTURES]
        return NUMBERS if name == "kind" else [1, 2, 3, 4]

    def __len__(self):
        return 4


def png(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


TORCH = Torch(list(zip(PICTURES, NUMBERS, strict=True)))
WAYS = {
    "pictures, labels": (PICTURES, LABELS),
    "an array, an array": (ARRAYS, np.array(LABELS)),
    "an array, a tensor of numbers": (ARRAYS, torch.tensor(NUMBERS)),
    "iterators": (iter(PICTURES), iter(LABELS)),
    "a list of pairs": list(zip(PICTURES, LABELS, strict=True)),
    "a table": Frame(picture=PICTURES, label=LABELS),
    "a table of other names": Frame(number=[1, 2, 3, 4], seen=PICTURES, label=LABELS),
    "a table of two columns": Frame(seen=list(ARRAYS), what=LABELS),
    "a mapping": {"image": PICTURES, "label": LABELS},
    "torch": TORCH,
    "torch, tensors": Torch(
        [(torch.tensor(a).permute(2, 0, 1) / 255, n) for a, n in zip(ARRAYS, NUMBERS, strict=True)]
    ),
    "torch, a subset": torch.utils.data.Subset(TORCH, [0, 1, 2, 3]),
    "torch, a chain": torch.utils.data.ConcatDataset([torch.utils.data.Subset(TORCH, [0, 1])] * 1 + [TORCH.items[2:]]),
    "torch, mappings": [{"image": p, "label": n} for p, n in zip(PICTURES, LABELS, strict=True)],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_pictures_are_the_same_data_set_whatever_they_came_as(way):
    found = in_hand(WAYS[way], AS_IT_IS)
    names = ("0", "1") if "numbers" in way else ("cat", "dog")
    assert found.classes == names
    assert [each.label for each in found.pictures] == [names[number] for number in NUMBERS]
    pairs = in_hand((PICTURES, LABELS), AS_IT_IS)
    assert [each.read() for each in found.pictures] == [each.read() for each in pairs.pictures]
    assert len({each.name for each in found.pictures}) == 4


def test_hugging_face_keeps_the_files_as_they_are():
    found = in_hand(HuggingFace(), AS_IT_IS)
    assert [each.read() for each in found.pictures] == [png(each) for each in PICTURES]
    assert [each.label for each in found.pictures] == LABELS


def test_parts_have_their_names():
    found = in_hand({"train": HuggingFace(), "test": (PICTURES[:2], LABELS[:2])}, AS_IT_IS)
    assert [each.part for each in found.pictures] == ["train"] * 4 + ["test"] * 2
    assert found.pictures[4].name == "test/00000"


def test_a_table_names_files_and_parts(split_photos):
    paths = [split_photos / "test" / kind / "203.png" for kind in ("circle", "square")]
    table = Frame(
        file=[*paths, paths[0], "nowhere.png", None], label=[*"abacd"], split=["train", "train", "test", *"xx"]
    )
    found = in_hand(table, AS_IT_IS)
    assert [each.path for each in found.pictures] == [*paths, paths[0]]
    assert [each.part for each in found.pictures] == ["train", "train", "test"]
    assert found.pictures[2].name == f"{paths[0]} (pictures[2])"
    assert [each.reason[:13] for each in found.set_aside] == ["has the split"] * 2


def test_columns_may_be_said():
    table = Frame(a=PICTURES, b=PICTURES[::-1], c=LABELS, d=NUMBERS)
    found = in_hand(table, ReadAs(image_column="b", label_column="d"))
    assert [each.label for each in found.pictures] == ["0", "1", "0", "1"]
    assert found.pictures[0].read() == in_hand((PICTURES, LABELS), AS_IT_IS).pictures[3].read()


def test_what_has_no_label_is_set_aside():
    found = in_hand((PICTURES, ["cat", None, float("nan"), "dog"]), AS_IT_IS)
    assert [each.label for each in found.pictures] == ["cat", "dog"]
    assert {each.reason for each in found.set_aside} == {"has no label, which is a text or a whole number"}
    assert len(in_hand(Torch([(PICTURES[0], 1), (PICTURES[1], 0), (PICTURES[2], -1)]), AS_IT_IS).pictures) == 2


def test_a_path_and_a_data_set_stay_as_they_are(split_photos):
    assert in_hand(split_photos, AS_IT_IS) is split_photos
    given = DataSet("own", ())
    assert in_hand(given, AS_IT_IS) is given
    assert open_given("digits", AS_IT_IS).name == "digits"


class TwoOfOneName(Frame):
    """As a data frame of pandas may be."""

    def __init__(self, **columns):
        super().__init__(**columns)
        self.columns.append(self.columns[-1])


class Twice(Torch):
    classes = ("cat", "cat")


WRONG = [
    (None, "labelled pictures cannot be None: give a folder"),
    (5, "labelled pictures cannot be 5 (an int)"),
    (ARRAYS, "labelled pictures cannot be a ndarray"),
    (PICTURES[0], "labelled pictures cannot be an Image"),
    ([], "there are no pictures in what was given (a list)"),
    (([], []), "there are no pictures in what was given (a tuple)"),
    ({}, "the columns of the table are none"),
    (PICTURES, "item 0 is an Image, and a pair of picture and label was expected"),
    ((PICTURES, LABELS[:3]), "there are 4 pictures and 3 labels: give one label for each picture"),
    ((PICTURES, 5), "labels cannot be 5 (an int)"),
    ((PICTURES, "cat"), "labels cannot be a str"),
    ((PICTURES, np.eye(4)), "labels has the shape (4, 4): give one for each picture, (N,), as labels.argmax"),
    ((np.zeros((4, 64)), LABELS), "pictures has the shape (4, 64), one picture of numbers: there is 1 picture and"),
    ((PICTURES, [float("nan")] * 4), "gives no picture a label"),
    (([PICTURES[0], 5], ["a", "b"]), "pictures[1] is 5 (an int)"),
    (([ARRAYS[0] * 1.5, ARRAYS[1]], ["a", "b"]), "pictures[0] holds floats"),
    (Twice([(PICTURES[0], 0)]), "names two of its classes 'cat'"),
    (Torch([(PICTURES[0], 7)]), "pictures[0] has the label 7, and the data set names 2 classes, from 0 to 1"),
    (torch.utils.data.DataLoader(TORCH), "give its data set, loader.dataset"),
    (Frame(a=PICTURES, b=PICTURES), "the columns of the table are 'a', 'b', and none is known to hold the pictures"),
    (Frame(image=PICTURES, a=LABELS, b=LABELS), "say which does with label_column"),
    (Frame(image=PICTURES, label=LABELS[:2]), "the column 'image' has 4 rows, and 'label' has 2"),
    (TwoOfOneName(image=PICTURES, label=LABELS), "two columns of the table are called 'label': rename one"),
    ({"train": "photos"}, "the part 'train' is a str, not pictures with labels"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be_learned_from_is_said_in_one_sentence(given, said):
    with pytest.raises(EyespotError, match=re.escape(said)) as raised:
        in_hand(given, AS_IT_IS)
    assert isinstance(raised.value, DataError | NoPictures)
    assert "\n" not in str(raised.value)


def test_of_columns_with_any_names_the_one_that_holds_files_is_that_of_the_pictures():
    held = [{"bytes": png(each), "path": f"{number}.png"} for number, each in enumerate(PICTURES)]
    found = in_hand(Frame(scan=held, label=LABELS), AS_IT_IS)
    assert [each.label for each in found.pictures] == LABELS
    assert [each.read() for each in found.pictures] == [png(each) for each in PICTURES]
