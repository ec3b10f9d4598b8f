"""Lists that say several labels of a picture: which are recognised, what they say, and each odd case."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from eyespot.data.copies import hash_pictures
from eyespot.data.label_documents import Document, may_be_labels
from eyespot.data.read_as import ReadAs
from eyespot.data.several_labels import find_labels, open_labels
from eyespot.data.split import split
from eyespot.errors import DataError, NoPictures

SAID = {"0.png": ("cat", "dog"), "1.png": ("dog",), "2.png": (), "3.png": ("cat",)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(SAID):
        Image.new("RGB", (8, 8), (60 * number, 0, 0)).save(tmp_path / name)
    return tmp_path


def labels_of(path: Path, how: ReadAs = ReadAs()) -> dict:  # noqa: B008
    found = find_labels(path, how)
    return {} if found is None else {each.name: each.labels for each in open_labels(found).pictures}


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def flags(folder: Path, yes: str, no: str, name: str = "t.csv", head: str = "file_name,cat,dog") -> Path:
    rows = [f"{each},{yes if 'cat' in said else no},{yes if 'dog' in said else no}" for each, said in SAID.items()]
    return written(folder, name, "\n".join([head, *rows]))


@pytest.mark.parametrize("separator", ["|", ";", " | "])
def test_several_in_a_cell(folder, separator):
    rows = [f"{name},{separator.join(said)}" for name, said in SAID.items()]
    assert labels_of(written(folder, "t.csv", "\n".join(["image_path,labels", *rows]))) == SAID


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("true", "False"), ("1.0", "0.0"), ("1", "-1")])
def test_a_column_of_0_and_1_for_each(folder, yes, no):
    assert labels_of(flags(folder, yes, no)) == SAID


def coco() -> dict:
    return {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(SAID)],
        "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}],
        "annotations": [
            {"image_id": number, "category_id": {"cat": 7, "dog": 9}[label]}
            for number, said in enumerate(SAID.values())
            for label in said
        ],
    }


@pytest.mark.parametrize(
    "content",
    [
        coco(),
        [{"file_name": name, "labels": list(said)} for name, said in SAID.items()],
        {"images": [{"file_name": name, "tags": list(said)} for name, said in SAID.items()]},
        {name: list(said) for name, said in SAID.items()},
        [{"image": name, "attributes": {k: int(k in said) for k in ("cat", "dog")}} for name, said in SAID.items()],
    ],
)
def test_json(folder, content):
    path = written(folder, "labels.json", json.dumps(content))
    assert labels_of(path) == labels_of(folder) == SAID


def test_lines_of_json_and_metadata(folder):
    lines = [json.dumps({"file_name": name, "labels": said}) for name, said in SAID.items()]
    written(folder, "metadata.jsonl", "\n".join(lines))
    assert labels_of(folder) == SAID


@pytest.mark.parametrize("kind", ["lists", "flags", "numbers"])
def test_parquet(folder, kind):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    images = [{"bytes": (folder / name).read_bytes(), "path": name} for name in SAID]
    columns = {
        "lists": {"labels": [list(said) for said in SAID.values()]},
        "flags": {label: [int(label in said) for said in SAID.values()] for label in ("cat", "dog")},
        "numbers": {"labels": [[("cat", "dog").index(label) for label in said] for said in SAID.values()]},
    }[kind]
    table = pa.table({"image": images, **columns})
    if kind == "numbers":
        features = {"labels": {"feature": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, folder / "t.parquet")
    assert labels_of(folder / "t.parquet") == SAID


def test_one_class_each_is_no_list_of_labels(folder):
    table = written(folder, "t.csv", "image_path,label\n0.png,cat\n1.png,dog\n")
    assert find_labels(table) is None
    assert find_labels(written(folder, "u.csv", "image_path,label,new,old\n0.png,cat,1,0\n1.png,dog,0,0\n")) is None
    assert find_labels(folder) is None
    found = find_labels(table, expected=True)
    assert found is not None
    assert [each.labels for each in open_labels(found).pictures] == [("cat",), ("dog",)]


def test_boxes_are_no_labels(folder):
    content = coco()
    content["annotations"][0]["bbox"] = [0, 0, 4, 4]
    written(folder, "labels.json", json.dumps(content))
    assert find_labels(folder) is None
    with pytest.raises(DataError, match="has boxes: name the folder that it lies in"):
        labels_of(folder / "labels.json")


@pytest.mark.parametrize("above", ["", "train/"])
def test_files_beside_class_folders_list_nothing(folder, above):
    for name in ("cat", "dog"):
        (folder / above / name).mkdir(parents=True)
    written(folder, "splits.json", json.dumps({"train": ["cat/1.jpg"], "test": ["dog/2.jpg"]}))
    written(folder, "notes.parquet", "none")
    assert find_labels(folder) is None


def test_what_was_read_is_said(folder):
    found = find_labels(flags(folder, "1", "0"))
    assert found is not None
    [note] = open_labels(found).notes
    how = "labels are read from a column of 0 and 1 for each of 2 labels"
    assert note == f"{how}: 2 labels per picture at most, 1 picture without any"


def test_another_value_in_a_column_of_labels(folder):
    lines = ["file_name,cat,dog", *(f"{name},1,{number % 2}" for number, name in enumerate([*SAID] * 5))]
    path = written(folder, "t.csv", "\n".join(lines).replace("3.png,1,1", "3.png,1,2", 1))
    with pytest.raises(
        DataError, match=r"column 'dog' of .* has the value '2' in line 5, and a label's column holds 0"
    ):
        find_labels(path)


def test_columns_can_be_named(folder):
    path = flags(folder, "1", "0", head="file_name,cat,dog")
    assert labels_of(path, ReadAs(label_column="dog,cat")) == SAID
    with pytest.raises(DataError, match="no column 'fox'"):
        find_labels(path, ReadAs(label_column="dog,fox"))
    with pytest.raises(DataError, match="no column 'fox'"):
        find_labels(path, ReadAs(label_column="fox"))


def test_a_row_without_a_value_is_set_aside(folder):
    found = find_labels(written(folder, "t.csv", "file_name,cat,dog\n0.png,1,0\n1.png,,1\n2.png,0,1\n"))
    assert found is not None
    [left] = open_labels(found).set_aside
    assert (left.picture, left.reason) == (
        "1.png (t.csv, line 3)",
        "has no value in the column 'cat', which holds 0 or 1",
    )


def test_a_label_that_train_has_not_is_set_aside(folder):
    rows = "image_path,labels,split\n0.png,cat|dog,train\n1.png,fox,test\n3.png,cat,test\n"
    found = find_labels(written(folder, "t.csv", rows))
    assert found is not None
    data_set = open_labels(found)
    assert data_set.classes == ("cat", "dog")
    assert [each.reason for each in data_set.set_aside] == [
        "its label 'fox' stands at no picture in train: add some there, or name it as there"
    ]


def test_nothing_that_can_be_used(folder):
    found = find_labels(written(folder, "t.csv", "image_path,labels\nnone.png,a|b\n"))
    assert found is not None
    with pytest.raises(NoPictures, match=r"no picture with labels that can be used: none.png .* does not exist"):
        open_labels(found)


def test_an_unknown_category(folder):
    content = coco()
    content["annotations"][0]["category_id"] = 5
    path = written(folder, "labels.json", json.dumps(content))
    with pytest.raises(DataError, match=r"annotation 1 of .* has the category_id '5', which is not in \"categories\""):
        labels_of(path)
    with pytest.raises(DataError, match="is not JSON"):
        labels_of(written(folder, "x.json", "{"))
    with pytest.raises(DataError, match="says no labels of pictures"):
        labels_of(written(folder, "y.json", '{"a": 1}'))


def test_every_label_comes_to_every_part(tmp_path):
    lines = ["image_path,labels"]
    for number in range(60):
        Image.new("RGB", (8, 8), (number * 4, number, 0)).save(tmp_path / f"{number}.png")
        labels = [name for name, every in (("a", 2), ("b", 3), ("c", 7), ("rare", 15)) if number % every == 0]
        lines.append(f"{number}.png,{'|'.join(labels)}")
    found = find_labels(written(tmp_path, "t.csv", "\n".join(lines)))
    assert found is not None
    hashed, _ = hash_pictures(open_labels(found).pictures, threads=1)
    for seed in range(5):
        parts = {part: [] for part in ("train", "val", "test")}
        for each in split(hashed, seed=seed):
            parts[each.picture.part] += [each.picture.labels]
        for part, members in parts.items():
            assert {label for labels in members for label in labels} == {"a", "b", "c", "rare"}, part
        assert 6 <= len(parts["test"]) <= 12


def left_of(path: Path) -> dict:
    found = find_labels(path)
    assert found is not None
    return {each.picture: each.reason for each in open_labels(found).set_aside}


def test_another_value_in_the_table_of_another_part_is_no_no(folder, tmp_path_factory):
    parts = tmp_path_factory.mktemp("parts")
    for part in ("train", "test"):
        shutil.copytree(folder, parts / part)
    folder = parts
    flags(folder, "1", "0", "train/metadata.csv")
    flags(folder, "yes", "no", "test/metadata.csv")
    left = left_of(folder)
    assert len(left) == 4
    assert left["0.png (test/metadata.csv, line 2)"] == (
        "has the value 'yes' in the column 'cat', where 1 says yes and 0 says no"
    )
    flags(folder, "1", "-1", "test/metadata.csv")
    assert left_of(folder)["1.png (test/metadata.csv, line 3)"].startswith("has the value '-1' in the column 'cat'")


def test_another_value_or_none_in_a_later_shard(folder):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    image = [{"bytes": (folder / name).read_bytes(), "path": name} for name in SAID]
    for name in SAID:
        (folder / name).unlink()
    for shard, values in (("train-0", [1, 0, 0, 1]), ("test-0", [2, -1, None, 1])):
        table = pa.table({"image": image, "cat": values, "dog": [0, 1, 0, 1]})
        pq.write_table(table, folder / f"{shard}.parquet")
    assert left_of(folder) == {
        "0.png (test-0.parquet, row 0)": "has the value '2' in the column 'cat', where 1 says yes and 0 says no",
        "1.png (test-0.parquet, row 1)": "has the value '-1' in the column 'cat', where 1 says yes and 0 says no",
        "2.png (test-0.parquet, row 2)": "has no value in the column 'cat', which holds 0 or 1",
    }


UNSAID = "has no labels that can be read"


@pytest.mark.parametrize("name", ["labels.json", "metadata.jsonl"])
def test_what_says_nothing_of_labels_is_not_without_labels(folder, name):
    entries = [{"file_name": each, "labels": list(said)} for each, said in SAID.items()]
    entries[0]["labels"] = None
    del entries[1]["labels"]
    lines = "\n".join(map(json.dumps, entries)) if name.endswith("l") else json.dumps(entries)
    path = written(folder, name, lines)
    where = folder if name.endswith("l") else path
    assert left_of(where) == {f"{each}.png ({name}, line {each + 1})": UNSAID for each in (0, 1)}
    assert labels_of(where) == {"2.png": (), "3.png": ("cat",)}


def test_attributes_that_are_neither_yes_nor_no(folder):
    entries = [{"image": each, "attributes": {k: k in said for k in ("cat", "dog")}} for each, said in SAID.items()]
    entries[0]["attributes"]["cat"] = "perhaps"
    entries[1]["attributes"]["dog"] = None
    entries[2]["attributes"] = {}
    path = written(folder, "labels.json", json.dumps(entries))
    assert left_of(path) == {
        "0.png (labels.json, line 1)": "has the value 'perhaps' in the column 'cat', where 1 says yes and 0 says no",
        "1.png (labels.json, line 2)": "has no value in the column 'dog', which holds 0 or 1",
    }
    assert labels_of(path) == {"2.png": (), "3.png": ("cat",)}
    minus = [{"image": each, "attributes": {"cat": 1 if "cat" in said else -1}} for each, said in SAID.items()]
    assert labels_of(written(folder, "labels.json", json.dumps(minus)))["1.png"] == ()


def test_annotations_of_no_image_are_counted(folder):
    content = coco()
    content["annotations"] += [{"image_id": "x", "category_id": 7}, {"category_id": 9}]
    path = written(folder, "labels.json", json.dumps(content))
    found = find_labels(path)
    assert found is not None
    [note] = [each for each in open_labels(found).notes if "annotation" in each]
    assert note == (
        f"2 annotations of {path} belong to no image that it lists, and are left out: the first is annotation 5, with "
        "the image_id 'x'"
    )
    assert labels_of(path) == SAID


@pytest.mark.parametrize("cell", ["cat|", "|", "|cat", " cat ; ", "||cat"])
def test_a_class_with_a_stray_separator_is_a_slip(folder, cell):
    table = written(folder, "t.csv", f"image_path,label\n0.png,dog\n1.png,{cell}\n2.png,cat\n")
    with pytest.raises(
        DataError, match=r"^line 3 of .*t\.csv has the class .*: several labels are written as cat\|dog"
    ):
        find_labels(table, ReadAs())


def test_a_label_of_too_many_letters_and_a_cell_without_labels_are_set_aside(folder):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    images = [{"bytes": (folder / name).read_bytes(), "path": name} for name in SAID]
    pq.write_table(
        pa.table({"image": images, "labels": [["cat", "dog"], ["c" * 256], None, ["cat"]]}), folder / "t.parquet"
    )
    found = find_labels(folder / "t.parquet")
    assert found is not None
    data_set = open_labels(found)
    assert [each.labels for each in data_set.pictures] == [("cat", "dog"), ("cat",)]
    assert {each.reason for each in data_set.set_aside} == {
        "has a label of 256 letters, more than the 255 that are read",
        "has no labels that can be read",
    }


def test_an_empty_document_says_no_labels_and_a_huge_one_is_refused(folder, monkeypatch):
    assert not may_be_labels(written(folder, "empty.json", ""))
    assert not may_be_labels(folder / "gone.json")
    assert find_labels(folder) is None
    path = written(folder, "labels.json", json.dumps(coco()))
    monkeypatch.setattr("eyespot.data.label_documents.MOST_JSON", path.stat().st_size - 1)
    with pytest.raises(DataError, match=r"labels\.json has more than the \d+ MB that are read of such a file"):
        labels_of(path)
    path.unlink()
    with pytest.raises(DataError, match=r"labels\.json cannot be read: No such file or directory"):
        Document(path, ReadAs()).rows()


def test_a_parquet_file_of_pictures_alone_says_no_labels(folder):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"image": [{"bytes": (folder / name).read_bytes(), "path": name} for name in SAID]})
    pq.write_table(table, folder / "t.parquet")
    assert find_labels(folder / "t.parquet") is None
