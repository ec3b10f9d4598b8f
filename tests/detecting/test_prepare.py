"""From a folder of boxes to what can be trained on: what its pictures say decides, and what was asked is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from boxed_folders import voc, voc_object
from PIL import Image

from eyespot.detecting.prepare import prepare_boxes
from eyespot.errors import DataError
from eyespot.runs.options import train_options


@pytest.fixture
def deep(tmp_path) -> Path:
    """Pictures of 12 bits in 16, with a box each."""
    random, folder = np.random.default_rng(0), tmp_path / "deep"
    folder.mkdir()
    for at in range(12):
        pixels = random.integers(0, 4096, (60, 80)).astype(np.uint16)
        Image.fromarray(pixels).save(folder / f"{at:02}.png")
        voc(folder / f"{at:02}.xml", voc_object("cell", 10, 20, 40, 50))
    return folder


def test_the_range_of_deep_pictures_is_that_of_their_numbers(deep):
    prepared = prepare_boxes(deep, train_options())
    assert prepared.levels is not None
    low, high = prepared.levels.integers
    assert 0 <= low < 50
    assert 4050 < high < 4096
    assert any("more than 8 bits" in note for note in prepared.notes)


def test_a_group_file_is_read_before_anything_is_computed(deep, tmp_path):
    (tmp_path / "people.csv").write_text("picture,group\n00.png,ada\n01.png,ada\n")
    prepared = prepare_boxes(deep, train_options(group=str(tmp_path / "people.csv")))
    assert [*prepared.named.values()] == [("ada",), ("ada",)]
    for ending in ("png", "xml"):
        (deep / f"copy.{ending}").write_bytes((deep / f"02.{ending}").read_bytes())
    (tmp_path / "people.csv").write_text("picture,group\n00.png,ada\n02.png,ada\ncopy.png,ben\n")
    prepared = prepare_boxes(deep, train_options(group=str(tmp_path / "people.csv")))
    assert sorted(map(sorted, prepared.named.values())) == [["ada"], ["ada", "ben"]]
    assert not any("not in the data" in note for note in prepared.notes)
    (tmp_path / "other.csv").write_text("picture,group\ncat.jpg,ada\n")
    with pytest.raises(DataError, match="names no picture of the data"):
        prepare_boxes(deep, train_options(group=str(tmp_path / "other.csv")))
