"""Folders on disk as people have them: what eyespot wrote, tables beside, any depth, and words that stay few."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from eyespot.data.copies import notes_on_counts
from eyespot.data.data_set import DataSet
from eyespot.data.read_as import ReadAs, read_as
from eyespot.data.sources import list_pictures, open_data_set, open_pictures
from eyespot.errors import DataError, NoPictures, OptionError, UnclearFolders


def draw(root: Path, *names: str) -> Path:
    """The folder, with a picture of another shade for each name."""
    for shade, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (shade, 7, 9)).save(root / name, "PNG")
    return root


def classes(root: Path, *folders: str) -> Path:
    """Two classes of two pictures in each folder."""
    return draw(
        root, *(f"{folder}/{each}/{number}.png" for folder in folders for each in ("a", "b") for number in "12")
    )


def labels(data_set: DataSet) -> dict[tuple[str | None, str | None], int]:
    return dict(Counter((each.part, each.label) for each in data_set.pictures))


def reasons(data_set: DataSet) -> dict[str, str]:
    return {each.picture: each.reason for each in data_set.set_aside}


BOTH = {(None, "a"): 2, (None, "b"): 2}
ARGS = json.dumps({"command": "train", "fingerprint": "0"}, indent=2)


# What eyespot wrote itself


@pytest.mark.parametrize("name", ["runs/train/photos", "a/experiment 3", "deployed", "old/results/mine"])
@pytest.mark.parametrize("kind", ["run", "failed run", "bundle"])
def test_own_runs_and_models_are_passed_over_whatever_they_are_called_and_said(tmp_path, name, kind):
    run = classes(tmp_path, ".") / name
    draw(run, "confusion_matrix.png", "bundle/x.png", "checkpoints/1/y.png")
    for file in ("manifest.json", "model.onnx") if kind == "bundle" else ("args.json",):
        (run / file).write_text(ARGS)
    if kind == "run":
        (run / "report.html").write_text("x")
    data_set = open_data_set(tmp_path)
    assert labels(data_set) == BOTH
    assert data_set.notes == (f"passed over what eyespot wrote itself: {name}",)
    assert data_set.set_aside == ()
    found, left = list_pictures([tmp_path])
    assert len(found) == 4
    assert [each.picture for each in left] == [f"{tmp_path}/{name}"]


def test_what_is_left_of_a_run_is_passed_over_too(tmp_path):
    draw(classes(tmp_path, "."), "runs/train/photos/confusion_matrix.png")
    (tmp_path / "runs/train/photos/bundle").mkdir()
    for file in ("manifest.json", "model.onnx"):
        (tmp_path / "runs/train/photos/bundle" / file).write_text("x")
    assert labels(open_data_set(tmp_path)) == BOTH


def test_many_runs_are_one_note(tmp_path):
    classes(tmp_path, ".")
    for number in range(30):
        draw(tmp_path, f"runs/train/photos-{number}/1.png")
        (tmp_path / f"runs/train/photos-{number}/args.json").write_text(ARGS)
    (note,) = open_data_set(tmp_path).notes
    assert note.endswith("and 25 more")


def test_somebody_elses_files_of_these_names_hide_nothing(tmp_path):
    classes(tmp_path, ".")
    for name in ("args.json", "manifest.json"):
        (tmp_path / "a" / name).write_text("{}")
    assert labels(open_data_set(tmp_path)) == BOTH


def test_a_run_given_as_pictures_is_called_what_it_is(tmp_path):
    draw(tmp_path, "confusion_matrix.png")
    (tmp_path / "args.json").write_text(ARGS)
    with pytest.raises(NoPictures, match="is a run or a model of eyespot"):
        open_data_set(tmp_path)


def test_what_train_writes_into_its_own_folder_is_passed_over(split_run, tmp_path):
    link = classes(tmp_path / "photos", ".") / "runs"
    try:
        link.symlink_to(Path(split_run.run).parents[1], target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make symbolic links")
    data_set = open_data_set(tmp_path / "photos")
    assert labels(data_set) == BOTH
    assert "passed over what eyespot wrote itself" in data_set.notes[0]


# Wrappers, tables beside, and all that is not used


def test_a_zip_in_a_zip_is_gone_into_and_what_lies_around_is_named(tmp_path):
    classes(tmp_path, "photos/photos")
    draw(tmp_path, "__MACOSX/photos/._1.png", "logo.png")
    (tmp_path / "photos/README.md").write_text("x")
    data_set = open_data_set(tmp_path)
    assert labels(data_set) == BOTH
    assert data_set.notes == ("all pictures lie in photos/photos/, which is read",)
    assert reasons(data_set) == {
        "logo.png": "lies outside photos/photos/, which is read",
        "photos/README.md": "is not a picture file (.md)",
    }


def test_a_table_in_a_folder_that_alone_lies_there_is_read(tmp_path):
    draw(tmp_path, "photos/1.png", "photos/2.png")
    lines = [json.dumps({"file_name": f"{number}.png", "label": number}) for number in (1, 2)]
    (tmp_path / "photos/metadata.jsonl").write_text("\n".join(lines))
    assert labels(open_data_set(tmp_path)) == {(None, "1"): 1, (None, "2"): 1}
    assert open_data_set(tmp_path).notes == ("all pictures lie in photos/, which is read",)


def test_a_table_beside_class_folders_is_said_with_how_to_read_it(tmp_path):
    classes(tmp_path, ".")
    (tmp_path / "labels.csv").write_text("image_path,label\na/1.png,x\nb/1.png,y\n")
    (tmp_path / "a/notes.csv").write_text("x")
    (note,) = open_data_set(tmp_path).notes
    assert note == (
        "labels.csv lies beside the class folders, which are read: give "
        f"{tmp_path}/labels.csv to learn what it lists instead"
    )
    assert labels(open_data_set(tmp_path / "labels.csv")) == {(None, "x"): 1, (None, "y"): 1}


def test_a_flat_test_folder_is_left_out_and_counted(tmp_path):
    classes(tmp_path, "train")
    draw(tmp_path, *(f"test/{number}.png" for number in range(40)))
    data_set = open_data_set(tmp_path)
    assert labels(data_set) == {("train", "a"): 2, ("train", "b"): 2}
    assert data_set.notes == (
        "the folder 'test' holds 40 pictures and no class folders: it is left out, predict answers for it",
    )
    assert len(data_set.set_aside) == 40


def test_notes_are_counted_however_many_classes_there_are(tmp_path):
    for number in range(100):
        (tmp_path / f"empty{number}").mkdir()
    classes(tmp_path, "train", "val")
    draw(tmp_path, *(f"train/c{number}/1.png" for number in range(60)))
    notes = open_data_set(tmp_path).notes
    assert len(notes) == 2
    assert all(len(note) < 200 for note in notes)
    assert "and 95 more hold no pictures" in notes[0]
    assert "and 55 more have no pictures in val" in notes[1]
    counts = dict.fromkeys(map(str, range(200)), 1) | dict.fromkeys(map(str, range(300, 500)), 0)
    assert [len(note) < 250 for note in notes_on_counts(counts)] == [True, True]


# What a person says


def test_folders_that_are_unclear_are_read_as_the_person_says(tmp_path):
    classes(tmp_path, "alice", "bob")
    with pytest.raises(UnclearFolders, match="--layout any/class"):
        open_data_set(tmp_path)
    assert labels(open_data_set(tmp_path, ReadAs(layout="any/class"))) == {(None, "a"): 4, (None, "b"): 4}
    assert labels(open_data_set(tmp_path, ReadAs(layout="class"))) == {(None, "alice"): 4, (None, "bob"): 4}


@pytest.mark.parametrize("given", [{"layout": "flat"}, {"image_colum": "x"}])
def test_what_is_no_way_to_read_is_refused_with_those_that_are(given):
    with pytest.raises(OptionError, match="there are"):
        read_as(**given)


# Pictures of any depth


def test_embed_takes_pictures_of_any_depth_with_the_classes_that_there_are(tmp_path):
    draw(tmp_path, "1.png", "2023/2.png", "2023/deep/3.png")
    found = open_pictures(tmp_path)
    assert {each.name: each.label for each in found.pictures} == {
        "1.png": None,
        "2023/2.png": "2023",
        "2023/deep/3.png": "2023",
    }


def test_embed_of_a_layout_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(NoPictures, match="holds no folders of pictures in a/ and b/"):
        open_pictures(classes(tmp_path, "."), ReadAs(layout="any/class"))


@pytest.mark.parametrize("names", [["1.png"], ["images/1.png", "masks/1.png"], ["train/1.png", "test/1.png"]])
def test_embed_asks_for_no_classes(tmp_path, names):
    assert [each.label for each in open_pictures(draw(tmp_path, *names)).pictures] == [None] * len(names)


def test_embed_of_unclear_folders_has_no_classes_and_says_why(tmp_path):
    found = open_pictures(classes(tmp_path, "alice", "bob"))
    assert {each.label for each in found.pictures} == {None}
    assert "no picture has a class: " in found.notes[0]
    assert "can be read in two ways" in found.notes[0]


# The folders on which eyespot once failed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("training_testing/Train_Test", {("train", "circle"): 8, ("test", "circle"): 8}),
        ("training_testing/fruits", {("train", "square"): 8, ("test", "square"): 8}),
        ("training_testing/traintest_spaces", {("train", "triangle"): 8, ("test", "triangle"): 8}),
        ("wrapper_folder/images_wrap", {(None, "circle"): 15}),
        ("wrapper_folder/zipdbl", {(None, "circle"): 15}),
        ("wrapper_folder/with_train_val", {("train", "a"): 3, ("val", "b"): 2}),
        ("flat_test/w7", {("train", "a"): 3, ("train", "b"): 3}),
    ],
)
def test_folders_that_were_read_otherwise_than_meant_are_read_and_said(faults, name, expected):
    data_set = open_data_set(faults / name)
    assert expected.items() <= labels(data_set).items()
    assert data_set.notes


@pytest.mark.parametrize("name", ["training_testing/typo_trian", "images_annotations/pets"])
def test_folders_that_were_guessed_are_asked_about(faults, name):
    with pytest.raises(DataError, match="--layout class"):
        open_data_set(faults / name)


def test_all_of_a_mixed_folder_is_embedded(faults):
    assert len(open_pictures(faults / "embed_mixed_depth/mixflat").pictures) == 11
