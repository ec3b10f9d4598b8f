"""What fuzzing found: small descriptions of data that took much of whoever believed them, or could not be quoted."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from fuzz.packed import unfolding
from fuzz.tables import put_pictures

from eyespot.data import table_rows
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.yolo_names import MOST_STEPS
from eyespot.data.group_file import read_groups
from eyespot.data.several_labels import find_labels
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError
from eyespot.names import MOST_LETTERS, brief

MIB = 2**20


def yolo(folder: Path, **files: str) -> Path:
    put_pictures(folder, ("images/a.png", "images/b.png"))
    (folder / "labels").mkdir()
    for name, text in {"labels/a.txt": "5 .5 .5 .2 .2\n", "labels/b.txt": "0 .5 .5 .2 .2\n", **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_names_that_are_none_are_said(tmp_path):
    with pytest.raises(DataError, match=r"classes\.txt names no classes"):
        read_boxes(yolo(tmp_path, **{"classes.txt": "\n\n"}))


def test_a_large_number_of_a_class_makes_no_list_of_all_before_it(tmp_path):
    folder = yolo(tmp_path, **{"data.yaml": "names: {0: cat, 999999999: dog}\n"})
    with pytest.raises(DataError, match=r"has the class number 5, .* for the numbers 0 and 999999999"):
        read_boxes(folder)


def test_a_path_of_a_million_folders_is_no_path(tmp_path):
    assert MOST_STEPS < 1000
    folder = yolo(tmp_path, **{"data.yaml": f"train: {'x/' * 500_000}images\nnames: [a, b, c, d, e, f]\n"})
    with pytest.raises(DataError, match=r"train on lie in x/x/[x/]*\.\.\., and .* has no such folder") as error:
        read_boxes(folder)
    assert len(str(error.value)) < 500


def test_short_lines_below_a_wide_one_take_no_memory(tmp_path, monkeypatch):
    path = tmp_path / "t.jsonl"
    wide = json.dumps({"image_path": "a.png", "label": "cat", **{f"k{number}": 1 for number in range(500)}})
    path.write_text(wide + "\n" + '{"image_path":"b.png"}\n' * 300, encoding="utf-8")
    assert find_labels(path) is None
    monkeypatch.setattr(table_rows, "MOST_ABSENT", 100_000)
    with pytest.raises(DataError, match=r"has 502 keys in all, and most of its lines have few of them"):
        find_labels(path)


@pytest.mark.parametrize("number", range(5))
def test_texts_of_a_parquet_file_are_held_once(tmp_path, number):
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    path.write_bytes(unfolding()[number])
    tracemalloc.start()
    found = find_labels(path)
    assert tracemalloc.get_traced_memory()[1] < 60 * MIB
    tracemalloc.stop()
    assert (found is None) == (number < 2)


def test_a_long_cell_is_quoted_by_its_beginning(tmp_path):
    assert brief("a" * MOST_LETTERS) == "a" * MOST_LETTERS
    assert brief("\x1b" + "a" * MOST_LETTERS).startswith("\\x1baaa")
    groups = tmp_path / "groups.csv"
    groups.write_text(f"picture,group\na.png,{'x' * 5000}\na.png,{'y' * 5000}\n", encoding="utf-8")
    with pytest.raises(DataError, match="into two groups") as error:
        read_groups(groups)
    assert len(str(error.value)) < 500
    table = tmp_path / "t.csv"
    table.write_text(f"{'x' * 5000},{'y' * 5000}\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="none is known to name the pictures") as error:
        open_data_set(table)
    assert len(str(error.value)) < 1000
