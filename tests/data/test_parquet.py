"""Parquet files that pyarrow writes: Hugging Face's layout, and every other one has its sentence."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from eyespot.data.data_set import DataSet
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import list_pictures, open_data_set, open_pictures
from eyespot.errors import DataError, MissingExtra, NoPictures

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
NAMES = {b"huggingface": json.dumps({"info": {"features": {"label": {"names": ["cat", "dog"]}}}}).encode()}


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), (shade, 7, 9)).save(file, "PNG")
    return file.getvalue()


def image(shade: int, path: str | None = None) -> dict[str, Any]:
    return {"bytes": png(shade), "path": path}


def write(
    path: Path,
    images: list[Any],
    labels: list[Any] | None,
    *,
    kind: Any = None,
    image_kind: Any = IMAGE,
    metadata: dict[bytes, bytes] | None = None,
    **options: Any,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"image": pa.array(images, image_kind)}
    if labels is not None:
        columns["label"] = pa.array(labels, kind or pa.int64())
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path, **options)
    return path


def found(data_set: DataSet) -> list[tuple[str, str | None, str | None]]:
    return [(each.name, each.label, each.part) for each in data_set.pictures]


def reasons(data_set: DataSet) -> dict[str, str]:
    return {each.picture: each.reason for each in data_set.set_aside}


def test_each_row_is_a_picture_with_the_name_of_its_class(tmp_path):
    shades = [10, 20, 30]
    rows = [image(10, "a/1.png"), image(20), image(30, "a/1.png")]
    path = write(tmp_path / "pets.parquet", rows, [1, 0, 1], metadata=NAMES)
    data_set = open_data_set(path)
    assert data_set.name == "pets"
    assert data_set.classes == ("cat", "dog")
    assert found(data_set) == [
        ("a/1.png", "dog", None),
        ("pets.parquet, row 1", "cat", None),
        ("a/1.png (pets.parquet, row 2)", "dog", None),
    ]
    assert [each.read() for each in data_set.pictures] == [png(shade) for shade in shades]
    assert data_set.set_aside == ()


def test_pictures_of_several_row_groups_and_batches_come_in_order(tmp_path):
    rows = [{"bytes": str(number).encode(), "path": None} for number in range(2500)]
    path = write(tmp_path / "p.parquet", rows, [number % 3 for number in range(2500)], row_group_size=700)
    assert [each.read() for each in open_data_set(path).pictures] == [row["bytes"] for row in rows]


def test_cifar_10_agrees_with_pyarrow(real_data):
    data_set = open_data_set(real_data / "cifar10")
    assert data_set.classes == (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    assert Counter(each.part for each in data_set.pictures) == {"train": 50_000, "test": 10_000}
    assert len({each.name for each in data_set.pictures}) == 60_000
    assert data_set.set_aside == ()
    test = [each for each in data_set.pictures if each.part == "test"]
    table = pq.read_table(real_data / "cifar10/test-00000-of-00001.parquet")
    assert [each.read() for each in test] == table["image"].combine_chunks().field("bytes").to_pylist()
    for each in data_set.pictures[::499]:  # the paths in these files name the class, too
        assert each.name.split("/")[1] == each.label


@pytest.mark.parametrize("place", ["", "data/"])
def test_the_names_of_a_folders_files_say_the_part(tmp_path, place):
    write(tmp_path / f"{place}train-00000-of-00002.parquet", [image(1)], [0], metadata=NAMES)
    write(tmp_path / f"{place}train-00001-of-00002.parquet", [image(2)], [1], metadata=NAMES)
    write(tmp_path / f"{place}validation.parquet", [image(3)], [1], metadata=NAMES)
    write(tmp_path / f"{place}test-00000-of-00001.parquet", [image(4)], [0], metadata=NAMES)
    (tmp_path / "README.md").write_text("x")
    data_set = open_data_set(tmp_path)
    assert {(each.label, each.part) for each in data_set.pictures} == {
        ("cat", "train"),
        ("dog", "train"),
        ("dog", "val"),
        ("cat", "test"),
    }
    assert reasons(data_set) == {"README.md": "is not a picture file (.md)"}


def test_files_whose_names_say_no_part_are_split_later(tmp_path):
    write(tmp_path / "0000.parquet", [image(1)], ["a"], kind=pa.string())
    write(tmp_path / "trainings.parquet", [image(2)], ["b"], kind=pa.string())
    assert {each.part for each in open_data_set(tmp_path).pictures} == {None}


def test_a_file_that_names_no_part_beside_some_that_do_is_set_aside_whole(tmp_path):
    write(tmp_path / "train-0.parquet", [image(1), image(2)], [0, 1])
    write(tmp_path / "unsupervised-0.parquet", [image(3), image(4)], [0, 1])
    data_set = open_data_set(tmp_path)
    assert len(data_set.pictures) == 2
    assert reasons(data_set) == {
        "unsupervised-0.parquet": "has a name that begins with none of train, val, valid, validation, test"
    }


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")
def test_a_pipe_or_a_folder_that_is_called_like_a_parquet_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.parquet")
    with pytest.raises(NoPictures, match=r"a\.parquet is not an ordinary file"):
        open_data_set(tmp_path)
    write(tmp_path / "b.parquet", [image(1), image(2)], [0, 1])
    assert reasons(open_data_set(tmp_path)) == {"a.parquet": "is not an ordinary file"}


def test_one_file_is_a_data_set_without_parts_whatever_its_name(tmp_path):
    path = write(tmp_path / "train-0.parquet", [image(1), image(2)], [0, 1])
    assert {each.part for each in open_data_set(path).pictures} == {None}


def test_class_folders_beside_a_parquet_file_are_read_as_class_folders(tmp_path):
    write(tmp_path / "features.parquet", [image(1)], [0])
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(png(3))
    assert open_data_set(tmp_path).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("kind", "labels", "metadata", "classes"),
    [
        (pa.int8(), [10, 9], None, ("9", "10")),
        (pa.uint64(), [0, 2**60], None, ("0", str(2**60))),
        (pa.string(), ["b", "a"], None, ("a", "b")),
        (pa.float64(), [1.0, 0.0], None, ("0", "1")),
        (pa.float32(), [1.0, 0.0], NAMES, ("cat", "dog")),
        (pa.string(), ["b", "a"], NAMES, ("a", "b")),
        (pa.large_string(), ["b", "a"], None, ("a", "b")),
        (pa.bool_(), [True, False], None, ("false", "true")),
        (pa.dictionary(pa.int32(), pa.string()), ["b", "a"], None, ("a", "b")),
        (pa.int64(), [0, 1], {b"huggingface": b"{"}, ("0", "1")),
        (pa.int64(), [0, 1], {b"huggingface": b"[" * 100_000}, ("0", "1")),
        (pa.int64(), [0, 1], {b"huggingface": b"[]"}, ("0", "1")),
        (pa.int64(), [0, 1], {b"huggingface": b'{"info": {"features": {"label": {"names": [1, 2]}}}}'}, ("0", "1")),
    ],
)
def test_labels_of_any_kind_that_names_things_are_classes(tmp_path, kind, labels, metadata, classes):
    path = write(tmp_path / "p.parquet", [image(1), image(2)], labels, kind=kind, metadata=metadata)
    assert open_data_set(path).classes == classes


@pytest.mark.parametrize(
    ("columns", "classes"),
    [
        ({"image": [image(1), image(2)], "labels": [0, 1]}, ("0", "1")),
        ({"img": [image(1), image(2)], "class": ["a", "b"]}, ("a", "b")),
        ({"bild": [png(1), png(2)], "kategorie": [1.0, 2.0]}, ("1", "2")),
        ({"id": [1, 2], "content": [png(1), png(2)], "label_text": ["a", "b"]}, ("a", "b")),
    ],
)
def test_columns_are_known_by_their_usual_names_and_by_what_they_hold(tmp_path, columns, classes):
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    assert open_data_set(tmp_path / "p.parquet").classes == classes


def test_columns_that_are_not_known_are_named_by_the_person(tmp_path):
    columns = {"front": [png(1), png(2)], "back": [png(3), png(4)], "fine": [0, 1], "coarse": [1, 0]}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    with pytest.raises(DataError, match="--image-column names one of front and back"):
        open_data_set(tmp_path / "p.parquet")
    with pytest.raises(DataError, match=r"gives no picture a label: .*coarse .*--label-column"):
        open_data_set(tmp_path / "p.parquet", ReadAs(image_column="back"))
    data_set = open_data_set(tmp_path / "p.parquet", ReadAs(image_column="back", label_column="coarse"))
    assert [(each.read(), each.label) for each in data_set.pictures] == [(png(3), "1"), (png(4), "0")]


@pytest.mark.parametrize(
    "names",
    [
        ("mnist/train-0.parquet", "mnist/test-0.parquet"),
        ("train/0.parquet", "test/0.parquet"),
        ("default/train/0000.parquet", "default/test/0000.parquet"),
        ("data/Training-0.parquet", "data/Testing-0.parquet"),
    ],
)
def test_files_are_found_in_any_folder_and_the_folder_may_be_the_part(tmp_path, names):
    for shade, name in enumerate(names):
        write(tmp_path / name, [image(10 * shade), image(10 * shade + 1)], [0, 1])
    assert [each.part for each in open_data_set(tmp_path).pictures] == ["test", "test", "train", "train"]


def test_a_picture_beside_the_files_is_named_and_they_are_read(tmp_path):
    write(tmp_path / "data/train-0.parquet", [image(1), image(2)], [0, 1])
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/logo.png").write_bytes(png(3))
    for data_set in (open_data_set(tmp_path), open_pictures(tmp_path)):
        assert len(data_set.pictures) == 2
        assert reasons(data_set) == {"assets/logo.png": "lies beside Parquet files, which are read instead"}


def test_files_of_two_data_sets_are_asked_about(tmp_path):
    for name in ("mnist", "fashion"):
        write(tmp_path / name / "train-0.parquet", [image(1), image(2)], [0, 1])
    with pytest.raises(DataError, match="holds Parquet files in fashion and mnist: name one"):
        open_data_set(tmp_path)


@pytest.mark.parametrize("name", ["float.parquet", "labels.parquet", "pq3"])
def test_files_that_gave_no_picture_a_label_are_read(faults, name):
    assert open_data_set(faults / "parquet_labels" / name).classes == ("0", "1")


@pytest.mark.parametrize("label", [None, -1, 2])
def test_a_row_without_a_class_is_set_aside(tmp_path, label):
    path = write(tmp_path / "p.parquet", [image(1), image(2)], [1, label], metadata=NAMES)
    data_set = open_data_set(path)
    assert data_set.classes == ("dog",)
    assert reasons(data_set) == {"p.parquet, row 1": "has no label, which is a text or a whole number"}


@pytest.mark.parametrize("empty", [None, {"bytes": None, "path": "1.png"}])
def test_a_row_without_a_picture_is_set_aside(tmp_path, empty):
    path = write(tmp_path / "p.parquet", [image(1), empty, image(2)], [0, 1, 1])
    data_set = open_data_set(path)
    assert len(data_set.pictures) == 2
    ((name, reason),) = reasons(data_set).items()
    assert name.endswith("row 1)" if empty else "row 1")
    assert reason == "holds no picture"


def test_predict_and_embed_need_no_labels(tmp_path):
    path = write(tmp_path / "p.parquet", [image(1), image(2)], None)
    pictures, _ = list_pictures([path])
    assert [each.name for each in pictures] == [f"{path}, row 0", f"{path}, row 1"]
    assert len(open_pictures(path).pictures) == 2
    with pytest.raises(DataError, match=r"gives no picture a label.*a Parquet file holds them in the columns image"):
        open_data_set(path)


@pytest.mark.parametrize("labels", [[0.5, float("nan")], [["a"], ["b"]]])
def test_labels_that_name_nothing_are_refused(tmp_path, labels):
    kind = pa.float64() if isinstance(labels[0], float) else pa.list_(pa.string())
    path = write(tmp_path / "p.parquet", [image(1), image(2)], labels, kind=kind)
    with pytest.raises(DataError, match="gives no picture a label"):
        open_data_set(path)


def test_no_rows_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no picture that can be used"):
        open_data_set(write(tmp_path / "p.parquet", [], []))


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({"label": [1]}, r"label \(int64\)"),
        ({"image": ["1.png"], "label": [1]}, r"image \(string\), label \(int64\)"),
        ({"image": [{"path": "1.png"}]}, r"image \(struct<path: string>\)"),
        ({"image": [{"bytes": "text"}]}, r"image \(struct<bytes: string>\)"),
        ({}, "none"),
    ],
)
def test_a_file_without_pictures_in_its_columns_is_refused_with_those_it_has(tmp_path, columns, shown):
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    with pytest.raises(DataError, match=rf"the columns of .*p\.parquet are {shown}, and an image of bytes"):
        open_data_set(tmp_path / "p.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 100, b"PAR1" + b"\xff" * 50 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused_with_pyarrows_words(tmp_path, content):
    (tmp_path / "p.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"p\.parquet cannot be read as Parquet: ."):
        open_data_set(tmp_path / "p.parquet")


def test_every_cut_of_a_file_is_one_sentence(tmp_path):
    whole = write(tmp_path / "p.parquet", [image(1), image(2)], [0, 1], metadata=NAMES).read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "p.parquet").write_bytes(whole[:length])
        with pytest.raises(DataError, match="cannot be read as Parquet"):
            open_data_set(tmp_path / "p.parquet")


def test_changed_bytes_are_read_or_refused_in_a_sentence(tmp_path):
    whole = write(tmp_path / "p.parquet", [image(1), image(2)], [0, 1], metadata=NAMES).read_bytes()
    for position in range(0, len(whole), 3):
        changed = whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
        (tmp_path / "p.parquet").write_bytes(changed)
        with contextlib.suppress(DataError):
            open_data_set(tmp_path / "p.parquet")


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "p.parquet", [image(1)], [0])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"p\.parquet needs the extra `parquet`.*pip install 'eyespot\[parquet\]'"):
        open_data_set(path)


def test_names_that_command_a_terminal_are_shown_not_obeyed(tmp_path):
    path = write(tmp_path / "p.parquet", [image(1, "\x1b[2J.png")], ["\x1b[2J"], kind=pa.string())
    assert found(open_data_set(path)) == [("\\x1b[2J.png", "\\x1b[2J", None)]
