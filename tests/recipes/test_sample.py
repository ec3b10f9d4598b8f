"""`sample` writes what the pages use, all of it or nothing."""

import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.data import sample_files
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.sources import open_data_set
from eyespot.errors import CannotWrite, OptionError


def files_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_shapes_are_what_the_readme_types(tmp_path):
    said = eyespot.sample("shapes", tmp_path / "new place")
    data_set = open_data_set(tmp_path / "new place" / "photos")
    assert Counter(each.label for each in data_set.pictures) == dict.fromkeys(("circle", "square", "triangle"), 80)
    assert [(re.split(r"[\\/]", each.folder)[-1], each.pictures) for each in said.folders] == [
        ("photos", 240),
        ("more", 30),
        ("new", 3),
        ("cells", 24),
        ("scenes", 60),
    ]
    folders = {path.split("/")[0] for path in files_below(tmp_path / "new place")}
    assert folders == {"photos", "more", "new", "cells", "scenes"}


def test_shapes_are_the_same_every_time(tmp_path):
    for name in ("a", "b"):
        eyespot.sample("shapes", tmp_path / name)
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")


def test_the_boxes_lie_around_the_shapes(tmp_path):
    eyespot.sample("shapes", tmp_path)
    found = read_boxes(tmp_path / "cells")
    assert {part: len(pictures) for part, pictures in found.parts.items()} == {"train": 12, "val": 6, "test": 6}
    picture = np.asarray(Image.open(tmp_path / "cells/images/train/1.png")).astype(int)  # a square: all of one color
    label, x, y, width, height = map(float, (tmp_path / "cells/labels/train/1.txt").read_text().split())
    columns = slice(round((x - width / 2) * 160), round((x + width / 2) * 160) + 1)
    rows = slice(round((y - height / 2) * 120), round((y + height / 2) * 120) + 1)
    assert label == 1
    assert np.ptp(picture[rows, columns], axis=(0, 1)).max() == 0


def test_digits_are_the_embedded_sample(tmp_path):
    eyespot.sample("digits", tmp_path)
    written, embedded = open_data_set(tmp_path / "digits"), open_data_set("digits")
    assert [(each.name, each.label, each.read()) for each in written.pictures] == [
        (each.name, each.label, each.data) for each in sorted(embedded.pictures, key=lambda each: each.name)
    ]


def test_nothing_that_is_there_is_replaced(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "mine.txt").write_text("mine")
    with pytest.raises(CannotWrite, match=r"more exists already, and nothing is replaced: give another folder"):
        eyespot.sample("shapes", tmp_path)
    assert list(files_below(tmp_path)) == ["more/mine.txt"]


def test_what_was_stopped_leaves_nothing(tmp_path, monkeypatch):
    def stopped():
        yield "photos/circle/000.jpg", b"x"
        raise KeyboardInterrupt

    monkeypatch.setattr(sample_files, "shapes", stopped)
    with pytest.raises(KeyboardInterrupt):
        eyespot.sample("shapes", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_sample_is_a_sentence(tmp_path):
    with pytest.raises(OptionError, match=r"there is no sample 'shape': did you mean 'shapes'\?"):
        eyespot.sample("shape", tmp_path)
