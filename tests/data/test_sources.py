"""Sources: what a person's folder may look like, and that nothing of it is changed or passed over in silence."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from eyespot.data import sources
from eyespot.data.data_set import DataSet, sort_classes
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.read_as import refuse_for_boxes
from eyespot.data.sources import list_pictures, open_data_set
from eyespot.errors import DataError, NoPictures, OptionError

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")
bytes_names_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps names that are not UTF-8")


def picture(path: Path, shade: int = 0) -> Path:
    """A small picture; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (shade, shade // 2, 9)).save(path, format="PNG")
    return path


def two_classes(root: Path) -> Path:
    for shade, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")):
        picture(root / name, shade)
    return root


def link(where: Path, target: str | Path, *, folder: bool = False) -> Path:
    try:
        where.symlink_to(target, target_is_directory=folder)
    except OSError:
        pytest.skip("this system lets nobody make symbolic links")
    return where


def is_case_sensitive(folder: Path) -> bool:
    probe = folder / "Probe"
    probe.touch()
    sensitive = not (folder / "pROBE").exists()
    probe.unlink()
    return sensitive


def names(data_set: DataSet) -> list[str]:
    return [each.name for each in data_set.pictures]


def reasons(data_set: DataSet) -> dict[str, str]:
    assert len({each.picture for each in data_set.set_aside}) == len(data_set.set_aside)
    return {each.picture: each.reason for each in data_set.set_aside}


def labels(data_set: DataSet) -> dict[str, int]:
    return dict(Counter(str(each.label) for each in data_set.pictures))


def snapshot(root: Path) -> dict[str, object]:
    state: dict[str, object] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            state[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_size, content)
    return state


# Classes


def test_each_sub_folder_is_a_class_and_its_pictures_come_in_order_of_their_names(tmp_path):
    data_set = open_data_set(two_classes(tmp_path / "photos"))
    assert names(data_set) == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    assert [each.label for each in data_set.pictures] == ["cat", "cat", "dog", "dog"]
    assert {each.part for each in data_set.pictures} == {None}
    assert data_set.classes == ("cat", "dog")
    assert data_set.name == "photos"
    assert (data_set.set_aside, data_set.notes) == ((), ())
    assert all(each.read() == each.path.read_bytes() for each in data_set.pictures)


def test_a_relative_path_and_a_path_as_text_are_the_same_data_set(tmp_path, monkeypatch):
    two_classes(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    assert names(open_data_set("photos")) == names(open_data_set(tmp_path / "photos"))
    monkeypatch.chdir(tmp_path / "photos")
    assert open_data_set(".").name == "photos"


def test_pictures_in_nested_folders_belong_to_the_class_at_the_top(tmp_path):
    picture(tmp_path / "cat/2024/summer/a.png")
    picture(tmp_path / "cat/b.png")
    picture(tmp_path / "dog/2024/a.png")
    data_set = open_data_set(tmp_path)
    assert {each.name: each.label for each in data_set.pictures} == {
        "cat/b.png": "cat",
        "cat/2024/summer/a.png": "cat",
        "dog/2024/a.png": "dog",
    }


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["10", "9", "2"], ("2", "9", "10")),
        (["b", "10", "9"], ("10", "9", "b")),
        (["01", "1", "0"], ("0", "01", "1")),
        (["b", "a", "b"], ("a", "b")),
        ([], ()),
    ],
)
def test_classes_are_in_numeric_order_where_all_are_numbers_else_alphabetic(given, ordered):
    assert sort_classes(given) == ordered


def test_numeric_class_folders_are_in_numeric_order(tmp_path):
    for number in (0, 2, 10, 9):
        picture(tmp_path / f"{number}/a.png", number)
    assert open_data_set(tmp_path).classes == ("0", "2", "9", "10")


@pytest.mark.parametrize("name", ["my cat", "Кошка", "猫", "🐈‍⬛", "a'b\"c", "50%", "-rf", "c#", "eleven;drop"])
def test_spaces_signs_and_letters_of_any_language_are_kept_in_names(tmp_path, name):
    if os.name == "nt" and set(name) & set('"'):
        pytest.skip("Windows has no such names")
    picture(tmp_path / "data" / name / f"{name} 1.png")
    picture(tmp_path / "data" / "other" / "1.png")
    data_set = open_data_set(tmp_path / "data")
    assert labels(data_set) == {name: 1, "other": 1}
    assert f"{name}/{name} 1.png" in names(data_set)
    assert data_set.notes == ()


def test_composed_and_decomposed_spellings_are_one_class(tmp_path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    picture(tmp_path / "train" / composed / "1.png")
    picture(tmp_path / "val" / decomposed / "2.png")
    data_set = open_data_set(tmp_path)
    assert data_set.classes == (composed,)
    assert (len(data_set.pictures), data_set.notes) == (2, ())


@bytes_names_only
def test_names_that_are_not_utf8_are_read_and_written_so_that_anything_can_hold_them(tmp_path):
    root = os.fsencode(tmp_path) + b"/d\xe9j\xe0"
    content = picture(tmp_path / "x.png").read_bytes()
    for name in (b"caf\xe9", b"tea"):
        os.makedirs(os.path.join(root, name))
        Path(os.fsdecode(os.path.join(root, name, b"\xff.png"))).write_bytes(content)
    Path(os.fsdecode(os.path.join(root, b"tea", b"note.\xfftxt"))).write_bytes(b"text")
    data_set = open_data_set(os.fsdecode(root))
    assert labels(data_set) == {r"caf\xe9": 1, "tea": 1}
    assert names(data_set) == [r"caf\xe9/\xff.png", r"tea/\xff.png"]
    assert reasons(data_set) == {r"tea/note.\xfftxt": r"is not a picture file (.\xfftxt)"}
    assert data_set.notes == ()
    assert data_set.name == r"d\xe9j\xe0"
    assert all(each.read() == content for each in data_set.pictures)


@bytes_names_only
def test_an_empty_folder_whose_name_is_not_utf8_is_named_so_that_anything_can_hold_it(tmp_path):
    two_classes(tmp_path)
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")
    (note,) = open_data_set(tmp_path).notes
    assert r"\xff" in note
    note.encode()


@bytes_names_only
def test_an_error_about_a_path_that_is_not_utf8_can_be_written_anywhere(tmp_path):
    with pytest.raises(NoPictures) as caught:
        open_data_set(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    str(caught.value).encode()
    os.mkdir(os.fsencode(tmp_path) + b"/\xfe")
    with pytest.raises(NoPictures) as caught:
        open_data_set(os.fsdecode(os.fsencode(tmp_path) + b"/\xfe"))
    str(caught.value).encode()


def test_two_class_folders_that_differ_in_case_only_are_refused_by_name(tmp_path):
    if not is_case_sensitive(tmp_path):
        pytest.skip("this file system takes both names for one folder")
    picture(tmp_path / "Cat/1.png")
    picture(tmp_path / "cat/1.png")
    with pytest.raises(DataError, match=r"'Cat' and 'cat' differ in upper and lower case only.*rename"):
        open_data_set(tmp_path)


# What is left out


def test_hidden_and_system_files_and_folders_are_passed_over(tmp_path):
    two_classes(tmp_path)
    for name in ("cat/Thumbs.db", "cat/desktop.ini", "cat/.DS_Store", ".gitignore", "dog/._1.png"):
        (tmp_path / name).write_bytes(b"x")
    for name in (".git/a.png", "cat/.trash/a.png", "__MACOSX/a.png", "@eaDir/a.png", "$RECYCLE.BIN/a.png"):
        picture(tmp_path / name)
    data_set = open_data_set(tmp_path)
    assert labels(data_set) == {"cat": 2, "dog": 2}
    assert (data_set.set_aside, data_set.notes) == ((), ())


def test_files_that_are_no_pictures_by_their_ending_are_set_aside_with_it(tmp_path):
    two_classes(tmp_path)
    for name in ("cat/notes.txt", "cat/README", "dog/1.svg", "labels.csv", "dog/1.png.part"):
        (tmp_path / name).write_text("x")
    assert reasons(open_data_set(tmp_path)) == {
        "cat/notes.txt": "is not a picture file (.txt)",
        "cat/README": "is not a picture file (no suffix)",
        "dog/1.svg": "is not a picture file (.svg)",
        "labels.csv": "is not a picture file (.csv)",
        "dog/1.png.part": "is not a picture file (.part)",
    }


@pytest.mark.parametrize("suffix", [*sorted(PICTURE_SUFFIXES), ".JPG", ".Png"])
def test_every_ending_that_is_read_is_taken_in_any_case(tmp_path, suffix):
    two_classes(tmp_path)
    picture(tmp_path / f"cat/other{suffix}")
    assert f"cat/other{suffix}" in names(open_data_set(tmp_path))


def test_every_file_is_used_or_named(tmp_path):
    two_classes(tmp_path)
    picture(tmp_path / "top.png")
    (tmp_path / "dog/readme.md").write_text("x")
    link(tmp_path / "dog/gone.png", "nowhere.png")
    link(tmp_path / "dog/again", tmp_path / "cat", folder=True)
    data_set = open_data_set(tmp_path)
    paths = [path for path in tmp_path.rglob("*") if path.is_symlink() or path.is_file()]
    files = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert {*names(data_set), *reasons(data_set)} == files


def test_an_empty_class_folder_is_noted_and_is_no_class(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "bird").mkdir()
    data_set = open_data_set(tmp_path)
    assert data_set.classes == ("cat", "dog")
    assert data_set.notes == ("the folder 'bird' holds no pictures: it is left out",)


def test_a_class_with_one_picture_is_a_class(tmp_path):
    two_classes(tmp_path)
    picture(tmp_path / "bird/1.png")
    assert labels(open_data_set(tmp_path)) == {"bird": 1, "cat": 2, "dog": 2}


def test_pictures_beside_the_class_folders_are_set_aside(tmp_path):
    two_classes(tmp_path)
    picture(tmp_path / "top.png")
    data_set = open_data_set(tmp_path)
    assert reasons(data_set) == {"top.png": "lies outside any class folder"}
    assert labels(data_set) == {"cat": 2, "dog": 2}


def test_pictures_without_any_class_folder_are_refused_with_the_layout_that_is_expected(tmp_path):
    for name, held in (("1.png", "1 picture"), ("2.png", "2 pictures")):
        picture(tmp_path / name)
        with pytest.raises(
            NoPictures, match=rf"holds {held} but no class folders.*one sub-folder of pictures per class"
        ):
            open_data_set(tmp_path)


@pytest.mark.parametrize("made", [[], ["cat", "dog"], ["train/cat"], ["train/cat", "val/cat"], [".hidden"]])
def test_a_folder_without_pictures_is_refused(tmp_path, made):
    for name in made:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(NoPictures, match=r"holds? no pictures.*a data set is a folder"):
        open_data_set(tmp_path)


def test_where_every_file_was_set_aside_the_error_says_so(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/a.cr2").write_bytes(b"x")
    (tmp_path / "cat/b.cr2").write_bytes(b"x")
    with pytest.raises(NoPictures, match=r"2 files that are not read.*cat/a\.cr2 is not a picture file \(\.cr2\)"):
        open_data_set(tmp_path)
    (tmp_path / "cat/b.cr2").unlink()
    with pytest.raises(NoPictures, match="1 file that is not read"):
        open_data_set(tmp_path)


# Links, and what cannot be read


def test_a_link_to_a_picture_is_a_picture(tmp_path):
    root = two_classes(tmp_path / "data")
    outside = picture(tmp_path / "elsewhere.png", 77)
    link(root / "cat/linked.png", outside)
    data_set = open_data_set(root)
    (found,) = [each for each in data_set.pictures if each.name == "cat/linked.png"]
    assert found.read() == outside.read_bytes()
    assert data_set.set_aside == ()


def test_a_link_to_a_folder_elsewhere_is_read_like_a_folder(tmp_path):
    root = two_classes(tmp_path / "data")
    picture(tmp_path / "birds/1.png", 77)
    picture(tmp_path / "more/1.png", 78)
    link(root / "bird", tmp_path / "birds", folder=True)
    link(root / "cat/more", tmp_path / "more", folder=True)
    data_set = open_data_set(root)
    assert labels(data_set) == {"bird": 1, "cat": 3, "dog": 2}
    assert (data_set.set_aside, data_set.notes) == ((), ())


def test_a_linked_class_folder_in_train_makes_a_split_data_set(tmp_path):
    picture(tmp_path / "cats/1.png")
    (tmp_path / "data/train").mkdir(parents=True)
    link(tmp_path / "data/train/cat", tmp_path / "cats", folder=True)
    assert {each.part for each in open_data_set(tmp_path / "data").pictures} == {"train"}


def test_a_link_that_goes_nowhere_is_set_aside(tmp_path):
    two_classes(tmp_path)
    link(tmp_path / "cat/gone.png", "nowhere.png")
    link(tmp_path / "dog/self.png", "self.png")
    reason = "is a link to a file that does not exist"
    assert reasons(open_data_set(tmp_path)) == {"cat/gone.png": reason, "dog/self.png": reason}


def test_a_link_back_to_a_folder_above_ends_and_is_named(tmp_path):
    two_classes(tmp_path)
    link(tmp_path / "cat/loop", "..", folder=True)
    link(tmp_path / "dog/loop", ".", folder=True)
    data_set = open_data_set(tmp_path)
    assert labels(data_set) == {"cat": 2, "dog": 2}
    assert set(reasons(data_set)) == {"cat/loop", "dog/loop"}


def test_a_link_to_a_folder_above_the_data_set_does_not_bring_in_what_lies_beside_it(tmp_path):
    root = two_classes(tmp_path / "outer/data")
    picture(tmp_path / "outer/other/1.png", 99)
    link(root / "cat/up", tmp_path / "outer", folder=True)
    data_set = open_data_set(root)
    assert labels(data_set) == {"cat": 2, "dog": 2}
    assert "cat/up" in reasons(data_set)


@pytest.mark.parametrize("name", ["aaa", "cat/aaa", "zzz", "dog/zzz"])
def test_a_link_to_a_folder_of_the_data_set_never_takes_its_pictures_away(tmp_path, name):
    two_classes(tmp_path)
    link(tmp_path / name, tmp_path / ("cat" if name.startswith("dog") else "dog"), folder=True)
    data_set = open_data_set(tmp_path)
    assert labels(data_set) == {"cat": 2, "dog": 2}
    assert reasons(data_set) == {name: "is a link to a folder that is read already, or that holds the data set"}
    assert data_set.classes == ("cat", "dog")


def test_two_links_to_one_folder_are_read_once(tmp_path):
    root = two_classes(tmp_path / "data")
    picture(tmp_path / "birds/1.png", 77)
    link(root / "bird", tmp_path / "birds", folder=True)
    link(root / "parrot", tmp_path / "birds", folder=True)
    data_set = open_data_set(root)
    assert labels(data_set) == {"bird": 1, "cat": 2, "dog": 2}
    assert set(reasons(data_set)) == {"parrot"}


@posix_only
def test_what_is_no_ordinary_file_is_set_aside_unopened(tmp_path):
    two_classes(tmp_path)
    os.mkfifo(tmp_path / "cat/pipe.png")
    assert reasons(open_data_set(tmp_path)) == {"cat/pipe.png": "is not an ordinary file"}


@pytest.fixture
def locked(monkeypatch):
    """Makes folders unreadable, for root too."""
    closed: set[str] = set()
    scandir, listdir = os.scandir, os.listdir

    def refuse(path):
        if os.path.basename(path) in closed:
            raise PermissionError(13, "Permission denied", str(path))

    def checked(real):
        def call(path="."):
            refuse(path)
            return real(path)

        return call

    monkeypatch.setattr(os, "scandir", checked(scandir))
    monkeypatch.setattr(os, "listdir", checked(listdir))
    return closed


def test_a_class_folder_that_cannot_be_read_is_set_aside_with_the_reason(tmp_path, locked):
    two_classes(tmp_path)
    picture(tmp_path / "secret/1.png")
    picture(tmp_path / "cat/deep/1.png")
    locked |= {"secret", "deep"}
    data_set = open_data_set(tmp_path)
    assert reasons(data_set) == {
        "secret": "is a folder that cannot be read: Permission denied",
        "cat/deep": "is a folder that cannot be read: Permission denied",
    }
    assert labels(data_set) == {"cat": 2, "dog": 2}
    (note,) = [each for each in data_set.notes if "secret" in each]
    assert note.startswith("the folder 'secret' cannot be read, so the model learns nothing of what is there")


def test_a_data_set_that_cannot_be_read_is_refused_in_a_sentence(tmp_path, locked):
    two_classes(tmp_path / "photos")
    locked.add("photos")
    with pytest.raises(DataError, match=r"photos.*cannot be read.*Permission denied"):
        open_data_set(tmp_path / "photos")


# Parts


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("train", "val", "test"), ("train", "val", "test")),
        (("Train", "VALID", "Test"), ("train", "val", "test")),
        (("TRAIN", "Validation", "TEST"), ("train", "val", "test")),
        (("train", "test", "test"), ("train", "test", "test")),
    ],
)
def test_parts_are_known_by_their_folders_in_any_case(tmp_path, folders, parts):
    expected = {}
    for number, (folder, part) in enumerate(zip(folders, parts, strict=True)):
        for label in ("cat", "dog"):
            picture(tmp_path / folder / label / f"{number}.png", number)
            expected[f"{folder}/{label}/{number}.png"] = (part, label)
    data_set = open_data_set(tmp_path)
    assert {each.name: (each.part, each.label) for each in data_set.pictures} == expected
    assert (data_set.set_aside, data_set.notes) == ((), ())


def test_a_class_that_train_lacks_is_set_aside_with_the_reason(tmp_path):
    two_classes(tmp_path / "train")
    picture(tmp_path / "val/cat/3.png")
    picture(tmp_path / "val/dog/3.png")
    picture(tmp_path / "val/bird/3.png")
    data_set = open_data_set(tmp_path)
    assert data_set.classes == ("cat", "dog")
    ((name, reason),) = reasons(data_set).items()
    assert name == "val/bird/3.png"
    assert "'bird' has no pictures in train:" in reason


def test_a_class_that_val_or_test_lacks_is_noted(tmp_path):
    two_classes(tmp_path / "train")
    picture(tmp_path / "val/cat/3.png")
    picture(tmp_path / "test/dog/3.png")
    assert open_data_set(tmp_path).notes == (
        "class 'dog' has no pictures in val: nothing can be said of it there",
        "class 'cat' has no pictures in test: nothing can be said of it there",
    )


def test_an_empty_part_and_an_empty_class_in_a_part_are_noted(tmp_path):
    two_classes(tmp_path / "train")
    picture(tmp_path / "test/cat/3.png")
    picture(tmp_path / "test/dog/3.png")
    (tmp_path / "val").mkdir()
    (tmp_path / "train/bird").mkdir()
    assert open_data_set(tmp_path).notes == ("the folders 'val' and 'train/bird' hold no pictures: they are left out",)


def test_what_lies_beside_the_parts_and_the_classes_is_set_aside(tmp_path):
    two_classes(tmp_path / "train")
    picture(tmp_path / "train/loose.png")
    picture(tmp_path / "extra/cat/1.png")
    picture(tmp_path / "top.png")
    outside = "lies outside train/, val/ and test/"
    assert reasons(open_data_set(tmp_path)) == {
        "train/loose.png": "lies outside any class folder",
        "extra/cat/1.png": outside,
        "top.png": outside,
    }


def test_a_class_that_is_called_train_is_a_class_among_others(tmp_path):
    for label in ("train", "car", "bus"):
        picture(tmp_path / label / "1.png")
    data_set = open_data_set(tmp_path)
    assert data_set.classes == ("bus", "car", "train")
    assert {each.part for each in data_set.pictures} == {None}


def test_a_train_folder_without_pictures_is_refused_though_val_has_some(tmp_path):
    (tmp_path / "train/cat").mkdir(parents=True)
    picture(tmp_path / "val/cat/1.png")
    with pytest.raises(NoPictures, match="no train/ with class folders"):
        open_data_set(tmp_path)


def test_parts_that_hold_pictures_and_no_class_folders_are_not_taken_for_classes(tmp_path):
    for part in ("train", "val", "test"):
        picture(tmp_path / part / "1.png")
    with pytest.raises(NoPictures, match=r"'test', 'train' and 'val'.*class folders"):
        open_data_set(tmp_path)


def test_val_and_test_without_train_are_not_taken_for_classes(tmp_path):
    for part in ("val", "test"):
        for label in ("cat", "dog"):
            picture(tmp_path / part / label / "1.png")
    with pytest.raises(NoPictures, match=r"'test' and 'val'.*train"):
        open_data_set(tmp_path)


# Paths that are no data set


def test_a_path_that_does_not_exist_is_refused_with_the_nearest_name(tmp_path, monkeypatch):
    two_classes(tmp_path / "photos")
    with pytest.raises(NoPictures, match=r"there is no folder .*phtos.*did you mean .*photos"):
        open_data_set(tmp_path / "phtos")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoPictures, match=r"did you mean 'photos'\?"):
        open_data_set("PHOTOS")


def test_a_file_is_not_offered_where_a_folder_is_wanted(tmp_path):
    (tmp_path / "photos.7z").write_bytes(b"x")
    with pytest.raises(NoPictures) as caught:
        open_data_set(tmp_path / "photos")
    assert "did you mean" not in str(caught.value)


def test_a_misspelt_sample_is_offered_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoPictures, match=r"did you mean 'digits'\?"):
        open_data_set("digit")


@pytest.mark.parametrize("where", ["", "nowhere/at/all", "~nobody-of-this-name/photos"])
def test_a_path_that_cannot_be_is_refused_in_a_sentence(tmp_path, monkeypatch, where):
    two_classes(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoPictures, match="there is no folder"):
        open_data_set(where)


def test_a_file_is_refused_where_a_folder_is_expected(tmp_path):
    with pytest.raises(DataError, match=r"1\.png is a file that lists no pictures; a data set is a folder"):
        open_data_set(picture(tmp_path / "1.png"))


@pytest.mark.parametrize(
    ("name", "what_to_do"),
    [("t.xlsx", "save the table as CSV"), ("photos.7z", "unpack it"), ("coco.json", "perhaps boxes")],
)
def test_a_file_that_can_be_made_readable_is_refused_with_how(tmp_path, name, what_to_do):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=f"is a file that lists no pictures.*{what_to_do}"):
        open_data_set(tmp_path / name)


def test_a_real_folder_called_digits_wins_over_the_sample_and_says_so(tmp_path, monkeypatch):
    two_classes(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    data_set = open_data_set("digits")
    assert data_set.classes == ("cat", "dog")
    assert data_set.notes == ("the folder `digits` was read; the embedded sample of that name was not",)
    assert open_data_set(tmp_path / "digits").notes == ()


def test_a_file_called_digits_is_not_passed_over_for_the_sample(tmp_path, monkeypatch):
    (tmp_path / "digits").write_text("x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="digits is a file"):
        open_data_set("digits")


# Nothing is changed


def test_nothing_of_the_users_is_changed(tmp_path):
    root = two_classes(tmp_path / "train")
    picture(tmp_path / "val/cat/9.png")
    (root / "cat/Thumbs.db").write_bytes(b"x")
    (root / "empty").mkdir()
    (root / "cat/note.txt").write_text("x")
    os.utime(root / "cat/1.png", ns=(10**18, 10**18))
    before = snapshot(tmp_path)
    data_set = open_data_set(tmp_path)
    for each in data_set.pictures:
        each.read()
    list_pictures([tmp_path])
    assert snapshot(tmp_path) == before


# Pictures to predict


def test_pictures_to_predict_are_named_as_they_were_given(tmp_path, monkeypatch):
    two_classes(tmp_path / "in")
    picture(tmp_path / "one.png")
    monkeypatch.chdir(tmp_path)
    found, set_aside = list_pictures(["one.png", "in/", "./in/dog"])
    assert [each.name for each in found] == [
        "one.png",
        *(f"in/{name}" for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")),
        "./in/dog/1.png",
        "./in/dog/2.png",
    ]
    assert set_aside == ()
    assert all(each.label is None and each.part is None for each in found)


def test_a_file_named_by_the_user_is_tried_whatever_its_ending(tmp_path):
    odd = tmp_path / "picture"
    odd.write_bytes(picture(tmp_path / "a.png").read_bytes())
    ((found,), _) = list_pictures([odd])
    assert found.path == odd


def test_what_a_folder_to_predict_leaves_out_is_named(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "cat/a.txt").write_text("x")
    _, set_aside = list_pictures([tmp_path])
    assert [each.reason for each in set_aside] == ["is not a picture file (.txt)"]


def test_an_unknown_picture_is_refused_with_the_nearest_name(tmp_path):
    picture(tmp_path / "kitten.png")
    with pytest.raises(NoPictures, match=r"no picture or folder .*did you mean .*kitten\.png"):
        list_pictures([tmp_path / "kiten.png"])


def test_an_empty_folder_to_predict_is_refused_by_name_from_any_iterable(tmp_path):
    (tmp_path / "void").mkdir()
    with pytest.raises(NoPictures, match="void"):
        list_pictures(path for path in [tmp_path / "void"])


@pytest.mark.parametrize("where", ["nothing", "~nobody_of_that_name/nothing"])
def test_odd_paths_raise_only_our_own_errors(tmp_path, monkeypatch, where):
    def fail(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources.Path, "iterdir", fail)
    with pytest.raises(NoPictures, match=f"no folder '{where}'"):
        open_data_set(where)


@pytest.mark.parametrize("where", [".", "./photos", "photos/", "../{}/photos"])
def test_names_do_not_depend_on_how_the_folder_is_given(tmp_path, monkeypatch, where):
    photos = tmp_path / "photos"
    for name in ("cat/1.png", "cat/deep/2.png", "dog/3.png", "dog/notes.txt"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).touch()
    (photos / "bird").mkdir()
    monkeypatch.chdir(photos if where == "." else tmp_path)
    found = open_data_set(where.format(tmp_path.name))
    assert [picture.name for picture in found.pictures] == ["cat/1.png", "cat/deep/2.png", "dog/3.png"]
    assert [each.picture for each in found.set_aside] == ["dog/notes.txt"]
    assert found.notes == ("the folder 'bird' holds no pictures: it is left out",)


def test_pictures_of_a_folder_that_is_not_there_are_refused_with_its_name(tmp_path):
    two_classes(tmp_path / "photos")
    with pytest.raises(NoPictures, match=r"there is no folder '.*phtos' .*did you mean '.*photos'\?"):
        sources.open_pictures(tmp_path / "phtos")


def test_an_option_for_classes_is_refused_for_a_detector_by_its_name():
    refuse_for_boxes({"layout": "auto", "label_column": None}, "runs/boxes")
    with pytest.raises(OptionError, match="the option label_column is for models that name classes, and runs/boxes is"):
        refuse_for_boxes({"layout": "auto", "label_column": "kind"}, "runs/boxes")
