"""Tables of pictures: CSVs as Python's csv module writes them, metadata.jsonl as Hugging Face has it, and odd ones."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from eyespot.data import csv_lines, table_rows, tables
from eyespot.data.copies import hash_pictures, without_copies
from eyespot.data.data_set import DataSet
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import list_pictures, open_data_set, open_pictures
from eyespot.errors import DataError, NoPictures


def draw(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (shade, shade // 2, 9)).save(path, format="PNG")
    return path


@pytest.fixture
def photos(tmp_path) -> Path:
    """Four pictures in a folder, two of them deeper."""
    for shade, name in enumerate(("1.png", "2.png", "deep/3.png", "deep/4.png")):
        draw(tmp_path / "photos" / name, 50 * shade)
    return tmp_path / "photos"


def write_csv(path: Path, *rows: list[str], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


def write_lines(path: Path, *lines: object) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def found(data_set: DataSet) -> dict[str, tuple[str | None, str | None]]:
    return {each.name: (each.label, each.part) for each in data_set.pictures}


def reasons(data_set: DataSet) -> dict[str, str]:
    assert len({each.picture for each in data_set.set_aside}) == len(data_set.set_aside)
    return {each.picture: each.reason for each in data_set.set_aside}


HEADER = ["image_path", "label"]
CAT, DOG = ["1.png", "cat"], ["deep/3.png", "dog"]


# CSV


def test_a_csv_gives_each_picture_its_class(photos):
    table = write_csv(photos / "labels.csv", HEADER, CAT, DOG, ["2.png", "cat"])
    data_set = open_data_set(table)
    assert data_set.name == "labels"
    assert found(data_set) == {"1.png": ("cat", None), "deep/3.png": ("dog", None), "2.png": ("cat", None)}
    assert data_set.classes == ("cat", "dog")
    assert [each.read() for each in data_set.pictures] == [
        (photos / name).read_bytes() for name in ("1.png", "deep/3.png", "2.png")
    ]
    assert (data_set.set_aside, data_set.notes, data_set.mirror_changes_meaning) == ((), (), False)


def test_a_split_says_which_pictures_train_and_which_test(photos):
    table = write_csv(
        photos / "labels.csv",
        ["Label ", "notes", " SPLIT", "image_path"],
        ["cat", "x", "train", "1.png"],
        ["cat", "", "Validation", "2.png"],
        ["dog", "", " train", "deep/3.png"],
        ["dog", "", "test", "deep/4.png"],
    )
    assert found(open_data_set(table)) == {
        "1.png": ("cat", "train"),
        "2.png": ("cat", "val"),
        "deep/3.png": ("dog", "train"),
        "deep/4.png": ("dog", "test"),
    }
    assert open_data_set(table).notes == (
        "class 'dog' has no pictures in val: nothing can be said of it there",
        "class 'cat' has no pictures in test: nothing can be said of it there",
    )


def test_an_empty_split_column_is_as_none(photos):
    table = write_csv(photos / "labels.csv", [*HEADER, "split"], [*CAT, ""], [*DOG, " "])
    assert {each.part for each in open_data_set(table).pictures} == {None}


def test_names_with_commas_quotes_line_ends_and_letters_of_any_language_are_read_as_csv_writes_them(tmp_path):
    names = ["a,b.png", 'a"b.png', "猫 1.png", "é.png"]
    for name in names:
        draw(tmp_path / name)
    table = write_csv(tmp_path / "t.csv", HEADER, *([name, "Кошка, большая"] for name in names), encoding="utf-8-sig")
    assert found(open_data_set(table)) == {name: ("Кошка, большая", None) for name in names}


def test_a_class_of_two_spellings_of_one_letter_is_one_and_blanks_around_it_are_nothing(photos):
    table = write_csv(photos / "t.csv", HEADER, ["1.png", "caf\u00e9"], ["2.png", " cafe\u0301 "])
    assert open_data_set(table).classes == ("caf\u00e9",)


def test_numbers_are_classes_in_numeric_order(photos):
    table = write_csv(photos / "t.csv", HEADER, ["1.png", "10"], ["2.png", "9"])
    assert open_data_set(table).classes == ("9", "10")


def test_classes_that_differ_in_case_only_are_two_and_noted(photos):
    table = write_csv(photos / "t.csv", HEADER, ["1.png", "A"], ["2.png", "a"])
    data_set = open_data_set(table)
    assert data_set.classes == ("A", "a")
    assert data_set.notes == (
        "the classes 'A' and 'a' differ in upper and lower case only: they are learned as different classes",
    )


def test_paths_of_windows_are_read_everywhere(photos):
    table = write_csv(photos / "t.csv", HEADER, ["deep\\3.png", "dog"], ["./deep/../1.png", "cat"])
    assert found(open_data_set(table)) == {"deep/3.png": ("dog", None), "1.png": ("cat", None)}


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [
        (["", "cat"], "t.csv, line 3", "names no picture in image_path or file_name"),
        (["gone.png", "cat"], "gone.png (t.csv, line 3)", "does not exist"),
        (["deep", "cat"], "deep (t.csv, line 3)", "is not an ordinary file"),
        (["../outside.png", "cat"], "../outside.png (t.csv, line 3)", "lies outside the folder"),
        (["deep/../../outside.png", "cat"], "deep/../../outside.png (t.csv, line 3)", "lies outside the folder"),
        (["..\\outside.png", "cat"], "..\\outside.png (t.csv, line 3)", "lies outside the folder"),
        (["/etc/passwd", "cat"], "/etc/passwd (t.csv, line 3)", "is an absolute path"),
        (["C:\\1.png", "cat"], "C:\\1.png (t.csv, line 3)", "is an absolute path"),
        (["a\0b.png", "cat"], "a\\x00b.png (t.csv, line 3)", "does not exist"),
        (["\x1b[2Jgone.png", "cat"], "\\x1b[2Jgone.png (t.csv, line 3)", "does not exist"),
        (["x" * 5000, "cat"], f"{'x' * 1000}... (t.csv, line 3)", "does not exist"),
        (["1.png"], "t.csv, line 3", "has 1 fields, and the first line has 2"),
        (["1.png", "cat", "x"], "t.csv, line 3", "has 3 fields, and the first line has 2"),
        (["1.png", ""], "1.png", "has no label"),
        (["1.png", " "], "1.png", "has no label"),
        (["1.png", "c" * 256], "1.png", "has a label of 256 letters, more than the 255"),
        (["1.png", "9" * 5000], "1.png", "has a label of 5000 letters"),
    ],
)
def test_a_row_that_names_no_usable_picture_is_set_aside_with_its_line(photos, row, name, reason):
    draw(photos.parent / "outside.png")
    data_set = open_data_set(write_csv(photos / "t.csv", HEADER, DOG, row))
    assert list(found(data_set)) == ["deep/3.png"]
    ((set_aside, said),) = reasons(data_set).items()
    assert set_aside == name
    assert said.startswith(reason)


@pytest.mark.parametrize(
    ("split", "reason"),
    [
        ("later", "has the split 'later', which is none of train, val, valid, validation, test"),
        ("", "has no split, and others have one"),
    ],
)
def test_a_row_whose_split_is_unknown_or_missing_is_set_aside(photos, split, reason):
    table = write_csv(photos / "t.csv", [*HEADER, "split"], [*DOG, "train"], [*CAT, split])
    data_set = open_data_set(table)
    assert found(data_set) == {"deep/3.png": ("dog", "train")}
    assert list(reasons(data_set).values()) == [reason]


def test_a_class_that_train_lacks_is_set_aside(photos):
    table = write_csv(photos / "t.csv", [*HEADER, "split"], [*DOG, "train"], [*CAT, "test"])
    assert reasons(open_data_set(table)) == {
        "1.png": "its class 'cat' has no pictures in train: add some there, or name it as there"
    }


def test_a_test_part_alone_keeps_all_its_classes(photos):
    table = write_csv(photos / "t.csv", [*HEADER, "split"], [*DOG, "test"], [*CAT, "test"])
    assert open_data_set(table).classes == ("cat", "dog")


def judged(data_set: DataSet) -> tuple[dict[str, str | None], dict[str, str]]:
    hashed, _ = hash_pictures(data_set.pictures, threads=1)
    kept, copies = without_copies(hashed)
    return {each.picture.name: each.picture.part for each in kept}, {each.picture: each.reason for each in copies}


def test_a_picture_that_stands_there_twice_is_a_copy(photos):
    kept, copies = judged(open_data_set(write_csv(photos / "t.csv", HEADER, CAT, DOG, CAT, ["./1.png", "cat"])))
    assert list(kept) == ["1.png", "deep/3.png"]
    assert copies == {"1.png (t.csv, line 4)": "is a copy of 1.png", "1.png (t.csv, line 5)": "is a copy of 1.png"}


def test_a_picture_that_stands_in_two_classes_is_in_none(photos):
    kept, copies = judged(open_data_set(write_csv(photos / "t.csv", HEADER, CAT, DOG, ["1.png", "dog"])))
    assert list(kept) == ["deep/3.png"]
    assert set(copies) == {"1.png", "1.png (t.csv, line 4)"}
    assert set(copies.values()) == {"the same picture has two labels, 'cat' and 'dog': keep one"}


def test_a_picture_that_stands_in_two_parts_tests_and_does_not_train(photos):
    rows = [[*CAT, "train"], [*CAT, "test"], ["2.png", "cat", "train"]]
    kept, copies = judged(open_data_set(write_csv(photos / "t.csv", [*HEADER, "split"], *rows)))
    assert kept == {"1.png (t.csv, line 3)": "test", "2.png": "train"}
    assert list(copies) == ["1.png"]


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (["where", "label"], "'where', 'label'"),
        (["where;label"], "'where', 'label'"),
        (["image_path", "file_name", "label"], "'image_path', 'file_name', 'label'"),
        (["image_path", "label", "label"], "'image_path', 'label', 'label'"),
        (["1.png", "cat"], "'1.png', 'cat'"),
    ],
)
def test_a_csv_without_its_columns_is_refused_with_those_it_has(photos, header, shown):
    table = write_csv(photos / "t.csv", header, CAT)
    with pytest.raises(DataError, match=rf"the columns of .*t\.csv are {shown}.*a CSV names pictures in the columns"):
        open_data_set(table)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "are none"),
        (b"\n", "are none"),
        (b"image_path,label\n", "holds no picture that can be used; a CSV"),
        (
            b"image_path,label\ngone.png,cat\n",
            r"holds no picture that can be used: gone\.png \(t\.csv, line 2\) does not",
        ),
        (b"image_path\n1.png\n", "gives no picture a label: its columns are 'image_path': --label-column"),
        (b"image_path,label\n1.png,\n", "gives no picture a label; a CSV"),
        (b"image_path,label\n1.png,caf\xe9\n", "is not UTF-8 text .byte 0xe9"),
        ("image_path,label\n1.png,cat\n".encode("utf-16")[:-1], "is not UTF-16-LE text"),
        (b'image_path,label\n1.png,"cat\n2.png,dog\n', "is not a CSV .*is there a quote that does not end"),
        (b'image_path,label\n1.png,"' + b"x" * 200_000, "is not a CSV .*is there a quote that does not end"),
    ],
)
def test_a_csv_that_cannot_be_used_is_one_sentence(photos, content, sentence):
    (photos / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        open_data_set(photos / "t.csv")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_csv_that_may_not_be_read_is_one_sentence(photos):
    write_csv(photos / "t.csv", HEADER, CAT).chmod(0)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        open_data_set(photos / "t.csv")


def test_a_csv_that_does_not_exist_is_refused_with_one_that_does(photos):
    write_csv(photos / "labels.csv", HEADER, CAT)
    with pytest.raises(NoPictures, match=r"there is no file '.*lables\.csv'.*did you mean '.*labels\.csv'"):
        open_data_set(photos / "lables.csv")


def test_predict_and_embed_take_a_csv_without_labels(photos):
    table = write_csv(photos / "t.csv", ["image_path"], ["1.png"], ["deep/3.png"], ["gone.png"])
    pictures, set_aside = list_pictures([table])
    assert [each.name for each in pictures] == [f"{photos}/1.png", f"{photos}/deep/3.png"]
    assert [each.picture for each in set_aside] == [f"{photos}/gone.png (t.csv, line 4)"]
    assert [each.name for each in open_pictures(table).pictures] == [each.name for each in pictures]


# Tables as other programs write them


@pytest.mark.parametrize(
    "text",
    [
        "image_path,label,\n1.png,cat,\ndeep/3.png,dog,,\n",
        "image_path,label,,\n1.png,cat\ndeep/3.png,dog,,\n,,,\n",
        "image_path;label\n1.png;cat\ndeep/3.png;dog\n",
        "sep=;\nimage_path;label\n1.png;cat\ndeep/3.png;dog\n",
        "image_path\tlabel\n1.png\tcat\ndeep\\3.png\tdog\n",
        "image_path|label\r\n1.png|cat\r\ndeep/3.png|dog\r\n",
        "image_path,label\n1.png,cat\n,\n,\ndeep/3.png,dog\n",
        'label,"image_path"\rcat,"1.png"\rdog,"deep/3.png"\r',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
def test_every_comma_and_encoding_of_spreadsheets_is_read(photos, text, encoding, name):
    (photos / name).write_bytes(text.encode(encoding))
    data_set = open_data_set(photos / name)
    assert found(data_set) == {"1.png": ("cat", None), "deep/3.png": ("dog", None)}
    assert (data_set.set_aside, data_set.notes) == ((), ())


def test_lines_are_counted_with_that_of_the_separator(photos):
    (photos / "t.csv").write_text("sep=;\nimage_path;label\n1.png;cat\ngone.png;dog\n")
    assert list(reasons(open_data_set(photos / "t.csv"))) == ["gone.png (t.csv, line 4)"]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (["path", "class"], [CAT, DOG]),
        (["File Name", "Category"], [CAT, DOG]),
        (["filepaths", "labels"], [CAT, DOG]),
        (["label", "image"], [CAT[::-1], DOG[::-1]]),
        (["id", "species"], [CAT, DOG]),
        (["image_id", "filename", "class_id", "class"], [["7", *CAT[:1], "0", "cat"], ["8", *DOG[:1], "1", "dog"]]),
    ],
)
def test_columns_are_known_by_the_names_that_people_use(photos, header, rows):
    assert found(open_data_set(write_csv(photos / "t.csv", header, *rows))) == {
        "1.png": ("cat", None),
        "deep/3.png": ("dog", None),
    }


def test_a_person_names_columns_that_are_not_known(photos):
    table = write_csv(
        photos / "t.csv", ["Foto", "Was", "Teil"], [*CAT, "train"], [*DOG, "train"], ["2.png", "cat", "dev"]
    )
    with pytest.raises(DataError, match=r"'Foto', 'Was', 'Teil', .*--image-column"):
        open_data_set(table)
    with pytest.raises(DataError, match=r"'Foto', 'Was', 'Teil': --label-column names that of the classes"):
        open_data_set(table, ReadAs(image_column="Foto"))
    how = ReadAs(image_column="foto", label_column="Was", split_column="Teil")
    assert found(open_data_set(table, how)) == {
        "1.png": ("cat", "train"),
        "deep/3.png": ("dog", "train"),
        "2.png": ("cat", "val"),
    }
    with pytest.raises(DataError, match="has no column 'Wer': there are 'Foto', 'Was', 'Teil'; --label-column"):
        open_data_set(table, ReadAs(image_column="Foto", label_column="Wer"))


@pytest.mark.parametrize(
    ("header", "option"),
    [(["file", "path", "label"], "--image-column"), (["path", "class", "category"], "--label-column")],
)
def test_of_two_columns_that_may_be_meant_the_person_is_asked_which(photos, header, option):
    with pytest.raises(DataError, match=f"say which with {option}"):
        open_data_set(write_csv(photos / "t.csv", header, ["1.png", "1.png", "x"]))


def test_predict_asks_for_no_classes(photos):
    table = write_csv(photos / "t.csv", ["path", "class", "category"], ["1.png", "a", "b"])
    assert len(list_pictures([table])[0]) == 1


def test_a_column_that_may_hold_parts_is_one_where_all_its_values_are(photos):
    table = write_csv(photos / "t.csv", ["path", "label", "data set"], [*CAT, "train"], [*DOG, "train"])
    assert {each.part for each in open_data_set(table).pictures} == {"train"}
    table = write_csv(photos / "t.csv", ["path", "label", "data set"], [*CAT, "train"], [*DOG, "flickr"])
    assert {each.part for each in open_data_set(table).pictures} == {None}


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["1.0", "0.0"], ("0", "1")),
        (["10.", "9"], ("9", "10")),
        (["1.0", "1.5"], ("1.0", "1.5")),
        (["v1.0", "1.0"], ("1.0", "v1.0")),
    ],
)
def test_whole_numbers_that_were_written_as_floats_are_whole(photos, labels, classes):
    table = write_csv(photos / "t.csv", HEADER, ["1.png", labels[0]], ["2.png", labels[1]])
    assert open_data_set(table).classes == classes


def test_a_table_may_leave_out_the_ending_or_the_folder_where_that_is_clear(tmp_path):
    for shade, name in enumerate(
        ("train/1.jpg", "train/2.jpg", "test/2.jpg", "train/4.jpg", "train/4.png", "test/1.txt")
    ):
        draw(tmp_path / name, 30 * shade)
    table = write_csv(tmp_path / "train.csv", ["id", "label"], ["1", "cat"], ["2", "dog"], ["4", "dog"], ["5", "dog"])
    data_set = open_data_set(table)
    assert found(data_set) == {"train/1.jpg": ("cat", None), "train/2.jpg": ("dog", None)}
    assert data_set.notes == (
        "the table leaves out the folder or the ending of 2 pictures: 1 is train/1.jpg and 1 more",
    )
    assert reasons(data_set) == {
        "4 (train.csv, line 4)": "may be train/4.jpg or train/4.png: write which",
        "5 (train.csv, line 5)": "does not exist",
    }


def test_a_table_with_trailing_commas_is_read(faults, tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes((faults / "csv_trailing/extra_trailing.csv").read_bytes())
    for number, name in enumerate(f"{kind}{number}" for kind in ("circle", "square") for number in range(8)):
        draw(tmp_path / f"p/{name}.png", number)
    assert open_data_set(table).classes == ("circle", "square")
    assert len(open_data_set(table).pictures) == 16


# Limits


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image_path,label\n" + "x" * 600, "has a line of more than 500 letters"),
        ("image_path,label\n" + '"a\n",' * 200, "has a line of more than 500 letters"),
        ("image_path,label" + ",x" * 60, "has 62 columns, and at most 50 are read"),
        ("image_path,label\n" + "gone.png,x\n" * 20, "more than 9 lines of .* The last one is line 11"),
        ("image_path,label\n" + "1.png,x\n" * 20, "more than 9 lines of .* The last one is line 12"),
    ],
)
def test_a_table_that_would_fill_the_memory_is_refused(photos, monkeypatch, text, sentence):
    homes = {"LONGEST_LINE": csv_lines, "MOST_COLUMNS": table_rows, "MOST_UNUSED": tables}
    for name, most in (("LONGEST_LINE", 500), ("MOST_COLUMNS", 50), ("MOST_UNUSED", 9)):
        monkeypatch.setattr(homes[name], name, most)
    (photos / "t.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        open_data_set(photos / "t.csv")


def test_a_table_of_ten_gigabytes_of_nothing_is_refused_after_its_first_line(photos):
    with (photos / "t.csv").open("wb") as file:
        file.write(b"image_path,label\n")
        file.truncate(10 * 2**30)
    with pytest.raises(DataError, match="has a line of more than 1048576 letters"):
        open_data_set(photos / "t.csv")


def test_lines_of_json_with_ever_new_keys_are_refused(photos, monkeypatch):
    monkeypatch.setattr(table_rows, "MOST_COLUMNS", 50)
    lines = [{"file_name": "1.png", f"key{number}": 1} for number in range(60)]
    with pytest.raises(DataError, match="has 51 columns, and at most 50 are read"):
        open_data_set(write_lines(photos / "t.jsonl", *lines))


# metadata.jsonl


LINES = ({"file_name": "1.png", "label": "cat"}, {"file_name": "deep/3.png", "label": "dog"})


def test_a_folder_with_metadata_is_what_its_lines_say(photos):
    write_lines(photos / "metadata.jsonl", *LINES)
    data_set = open_data_set(photos)
    assert data_set.name == "photos"
    assert found(data_set) == {"1.png": ("cat", None), "deep/3.png": ("dog", None)}
    assert reasons(data_set) == {
        "2.png": "stands in no line of metadata.jsonl",
        "deep/4.png": "stands in no line of metadata.jsonl",
    }


def test_metadata_goes_before_class_folders(photos):
    write_lines(photos / "metadata.jsonl", *LINES)
    draw(photos / "bird/1.png")
    assert open_data_set(photos).classes == ("cat", "dog")


def test_metadata_as_csv_is_read_too(photos):
    write_csv(photos / "metadata.csv", ["file_name", "label"], CAT, DOG)
    assert found(open_data_set(photos)) == {"1.png": ("cat", None), "deep/3.png": ("dog", None)}


def test_metadata_in_the_folders_of_the_parts_gives_the_parts(tmp_path):
    for shade, name in enumerate(("train/1.png", "train/2.png", "validation/1.png", "test/1.png", "test/odd.png")):
        draw(tmp_path / name, 40 * shade)
    write_lines(
        tmp_path / "train/metadata.jsonl", {"file_name": "1.png", "label": 0}, {"file_name": "2.png", "label": 1}
    )
    write_lines(tmp_path / "validation/metadata.jsonl", {"file_name": "1.png", "label": 0, "split": "test"})
    write_lines(tmp_path / "test/metadata.jsonl", {"file_name": "1.png", "label": 1}, {"file_name": "2.png"})
    data_set = open_data_set(tmp_path)
    assert found(data_set) == {
        "train/1.png": ("0", "train"),
        "train/2.png": ("1", "train"),
        "validation/1.png": ("0", "val"),
        "test/1.png": ("1", "test"),
    }
    assert set(reasons(data_set)) == {"test/odd.png", "2.png (test/metadata.jsonl, line 2)"}


def test_a_split_in_a_line_is_the_part(photos):
    lines = [line | {"split": part} for line, part in zip(LINES, ("train", "train"), strict=True)]
    write_lines(photos / "metadata.jsonl", *lines, {"file_name": "2.png", "label": "cat", "split": "validation"})
    assert {each.part for each in open_data_set(photos).pictures} == {"train", "val"}


@pytest.mark.parametrize(
    ("label", "name"), [(3, "3"), (-1, "-1"), (True, "true"), ("a", "a"), (10**30, "1" + "0" * 30)]
)
def test_texts_whole_numbers_and_truth_values_are_classes(photos, label, name):
    write_lines(photos / "metadata.jsonl", {"file_name": "1.png", "label": label})
    assert open_data_set(photos).classes == (name,)


def test_a_number_of_very_many_digits_is_no_class(photos):
    write_lines(photos / "metadata.jsonl", *LINES, '{"file_name": "2.png", "label": ' + "9" * 5000 + "}")
    assert reasons(open_data_set(photos))["2.png"].startswith("has a label of 5000 letters")


@pytest.mark.parametrize("label", [None, "", "  ", 0.5, float("inf"), [], {"a": 1}])
def test_other_labels_are_none(photos, label):
    write_lines(photos / "metadata.jsonl", *LINES, {"file_name": "2.png", "label": label})
    assert reasons(open_data_set(photos))["2.png"] == "has no label, which is a text or a whole number"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "is not a JSON object"),
        ('"2.png"', "is not a JSON object"),
        ("3", "is not a JSON object"),
        ("null", "is not a JSON object"),
        ('{"file_name": "2.png"', "is not JSON"),
        ("file_name,label", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "names no picture"),
        ('{"file_name": 2, "label": "cat"}', "names no picture"),
        ('{"file_name": "", "label": "cat"}', "names no picture"),
        ('{"file_name": "2.png", "label": "cat", "split": 3}', "has the split '3', which is none of"),
        ('{"file_name": "../2.png", "label": "cat"}', "lies outside the folder"),
        ('{"file_name": "gone.png", "label": "cat"}', "does not exist"),
        ('{"file_name": "\\ud800.png", "label": "cat"}', "does not exist"),
    ],
)
def test_a_line_that_names_no_picture_is_set_aside_with_its_number(photos, line, reason):
    write_lines(photos / "metadata.jsonl", LINES[0], "", line, LINES[1])
    data_set = open_data_set(photos)
    assert list(found(data_set)) == ["1.png", "deep/3.png"]
    ((name, said),) = [(name, said) for name, said in reasons(data_set).items() if "line 3" in name]
    assert said.startswith(reason)
    name.encode()


def test_metadata_without_any_label_is_refused_with_what_is_needed(photos):
    write_lines(photos / "metadata.jsonl", {"file_name": "1.png", "text": "a cat"})
    with pytest.raises(DataError, match=r"gives no picture a label.*a metadata\.jsonl by the keys file_name, label"):
        open_data_set(photos)
    assert len(open_pictures(photos).pictures) == 4


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\0", b"{}"])
def test_metadata_that_names_nothing_is_one_sentence(photos, content):
    (photos / "metadata.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=r"holds no picture that can be used|is not UTF-16-LE text"):
        open_data_set(photos)


def test_a_jsonl_of_any_name_is_read_like_a_csv(photos):
    assert len(open_data_set(write_lines(photos / "mine.jsonl", *LINES)).pictures) == 2


def test_predict_reads_all_pictures_of_a_folder_with_metadata(photos):
    write_lines(photos / "metadata.jsonl", *LINES)
    assert len(list_pictures([photos])[0]) == 4
