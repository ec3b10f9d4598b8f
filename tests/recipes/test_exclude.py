"""`train --exclude`: what a person decided on single pictures is done, counted, and undone by deleting a line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.cli.main import main
from eyespot.data.copies import content_hash
from eyespot.data.decisions import COLUMNS
from eyespot.data.groups import Series
from eyespot.errors import DataError, OptionError
from eyespot.evaluate.paired import paired
from eyespot.evaluate.trust import Gain, ListGain
from eyespot.progress import silent
from eyespot.regimes.frozen import as_found
from eyespot.regimes.prepare import Prepared, prepare
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options
from eyespot.runs.pictures import pictures_of_run
from eyespot.runs.tables import write_csv


@pytest.fixture
def photos(split_photos, tmp_path) -> Path:
    """23 pictures of each class, not split."""
    for part in ("train", "val", "test"):
        shutil.copytree(split_photos / part, tmp_path / "photos", dirs_exist_ok=True)
    return tmp_path / "photos"


def listed(path: Path, folder: Path, done: dict[str, str]) -> Path:
    """A list with something in `do` for pictures of a folder."""
    rows = [(content_hash((folder / name).read_bytes()), name, "", "looks odd", "", do) for name, do in done.items()]
    write_csv(path, COLUMNS, rows)
    return path


def prepared(photos: Path, **options: object) -> Prepared:
    return prepare(photos, seed=0, progress=silent, changes=train_options(**options).changes)


def parts(found: Prepared) -> dict[str, str | None]:
    return {each.content: each.picture.part for each in found.hashed}


def test_a_run_follows_the_list_and_says_so_everywhere(photos, tmp_path, shared_cache):
    done = {"circle/000.png": "x", "square/001.png": "triangle", "square/002.png": ""}
    path = listed(tmp_path / "exclude.csv", photos, done)
    result = eyespot.train(photos, exclude=path, out=tmp_path / "runs")
    run = Path(result.run)
    assert [(each.picture, each.reason) for each in result.set_aside] == [
        ("circle/000.png", "was left out by you: looks odd")
    ]
    assert f"1 picture has the class that {path} says: square/001.png is 'triangle'" in result.notes
    exclusion = read_bundle(run).manifest.data.exclusion
    assert exclusion == result.exclusion
    assert (exclusion.left_out, exclusion.relabelled) == (1, 1)
    assert "1 file left out, 1 picture of another class" in (run / "report.html").read_text("utf-8")
    split = (run / "split.csv").read_text("utf-8")
    assert "square/001.png,triangle," in split
    assert "circle/000.png" not in split
    assert "circle/000.png,,,,,,was left out by you: looks odd" in (run / "predictions.csv").read_text("utf-8")
    again = pictures_of_run(run, read_bundle(run).manifest, data=None, parts=("train", "val", "test"))
    assert {each.picture.label for each in again.hashed if each.picture.name == "square/001.png"} <= {"triangle"}
    replay = eyespot.train(replay=run, out=tmp_path / "again")
    assert read_bundle(replay.run).manifest.graph_sha256 == read_bundle(run).manifest.graph_sha256
    listed(path, photos, {**done, "square/002.png": "x"})
    with pytest.raises(DataError, match="a list of decisions was"):
        eyespot.train(replay=run, out=tmp_path / "again")


def test_without_a_list_the_manifest_does_not_speak_of_one(split_run):
    assert "exclusion" not in json.loads(Path(split_run.bundle, "manifest.json").read_text("utf-8"))["data"]
    assert split_run.exclusion is None


def test_pictures_keep_their_parts_when_others_are_left_out_or_of_another_class(photos, tmp_path):
    """So that what is tested with the list was tested without it."""
    before = prepared(photos)
    names = [each.picture.name for each in before.hashed if each.picture.label != "triangle"]
    done = dict.fromkeys(names[::3], "x") | dict.fromkeys(names[1::3], "triangle")
    path = listed(tmp_path / "list.csv", photos, done)
    after = prepared(photos, exclude=path)
    assert len(after.hashed) == len(before.hashed) - len(names[::3])
    assert sum(each.picture.label == "triangle" for each in after.hashed) == 23 + len(names[1::3])
    assert parts(after) | {each.content: each.picture.part for each in after.left_out} == parts(before)


def test_it_is_said_where_the_pictures_to_test_on_are_no_longer_those_of_the_folders(photos, tmp_path):
    tested = [each.picture.name for each in prepared(photos).part("test")]
    first, second, third = (next(name for name in tested if name.startswith(kind)) for kind in ("c", "s", "t"))
    path = listed(tmp_path / "list.csv", photos, {first: "x", second: "x", third: "circle"})
    [note] = prepared(photos, exclude=path).notes_on_list
    assert note.startswith("of the pictures to test on, your list leaves out 2 and gives 1 another class: the figures")
    trained = prepared(photos).part("train")[0].picture.name
    path = listed(tmp_path / "list.csv", photos, {trained: "x"})
    assert list(prepared(photos, exclude=path).notes_on_list) == []


def test_what_the_list_is_worth_is_the_difference_to_a_run_without_it(split_photos, tmp_path, shared_cache):
    """Five of eight circles to train on lie among the squares, and one to test on."""
    folder = Path(shutil.copytree(split_photos, tmp_path / "photos"))
    wrong = [f"train/square/wrong-{number}.png" for number in range(5)]
    for number, name in enumerate(wrong):
        shutil.move(folder / f"train/circle/{number:03}.png", folder / name)
    shutil.move(folder / "test/circle/200.png", folder / "test/square/wrong.png")
    done = {**dict.fromkeys(wrong[:2], "x"), **dict.fromkeys(wrong[2:], "circle"), "test/triangle/200.png": "x"}
    path = listed(tmp_path / "list.csv", folder, {**done, "test/square/wrong.png": "circle"})
    before, after = (
        eyespot.train(folder, out=tmp_path / "runs", group="off", **given) for given in ({}, {"exclude": path})
    )
    assert before.list_gain is None
    tested = sorted((folder / "test").rglob("*.png"))
    answers = [[each.predictions[0].class_ for each in eyespot.predict(run.run, tested)] for run in (before, after)]
    labels = {"folders": [each.parent.name for each in tested]}
    labels["list"] = ["circle" if each.name == "wrong.png" else each.parent.name for each in tested]
    kept = [each.relative_to(folder).as_posix() != "test/triangle/200.png" for each in tested]

    def expected(whose: str, which: list[bool]) -> Gain:
        old, new = (np.array(said)[which] == np.array(labels[whose])[which] for said in answers)
        return Gain(n=sum(which), difference=paired(old, new).gain)

    assert after.list_gain == ListGain(judged=expected("list", kept), as_found=expected("folders", [True] * 33))
    assert after.list_gain.judged.difference.low > 0
    assert f"{after.list_gain}".capitalize() in Path(after.report).read_text("utf-8")
    assert json.loads(Path(after.run, "result.json").read_text("utf-8"))["list_gain"]["judged"]["n"] == 32
    said = CliRunner().invoke(main, ["train", "--replay", after.run, "--out", str(tmp_path / "again"), "--quiet"])
    assert f"List        {after.list_gain}\n" in said.stdout


def test_without_the_list_every_picture_is_what_it_was_in_the_folders(photos, tmp_path):
    """But for what lies in two folders: nobody could have used it."""
    shutil.copy(photos / "circle/000.png", photos / "square/copy.png")
    before = prepared(photos)
    names = [each.picture.name for each in before.hashed if each.picture.label != "triangle"]
    done = dict.fromkeys(names[::3], "x") | dict.fromkeys(names[1::3], "triangle") | {"square/copy.png": "circle"}
    found = prepared(photos, exclude=listed(tmp_path / "list.csv", photos, done))
    assert len(found.as_found.hashed) == len(before.hashed) == 68
    assert {each.content: each.picture.label for each in found.as_found.hashed} == {
        each.content: each.picture.label for each in before.hashed
    }
    assert parts(found.as_found).items() <= (parts(found) | parts(replace(found, hashed=found.left_out))).items()
    assert found.as_found.left_out == []
    path = listed(tmp_path / "list.csv", photos, {names[0]: "", names[1]: names[1].partition("/")[0]})
    assert (before.as_found, prepared(photos, exclude=path).as_found) == (None, None)


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_a_second_head_is_fitted_only_where_no_time_was_given(photos, tmp_path, seconds):
    path = listed(tmp_path / "list.csv", photos, {"circle/000.png": "x"})
    options = train_options(exclude=path, time=seconds)
    job = Job(options, RunFolder(options), None, tmp_path, "fp32", silent, Clock(seconds))
    assert (as_found(prepared(photos, exclude=path), None, job) is None) == (seconds is not None)
    assert as_found(prepared(photos), None, job) is None


def test_a_picture_that_is_left_out_still_belongs_to_its_series_without_the_list(photos, tmp_path):
    path = listed(tmp_path / "list.csv", photos, {"circle/000.png": "x"})
    found = prepared(photos, exclude=path)
    [gone], other = found.left_out, found.hashed[0]
    joined = found.with_series(Series({gone.content: gone.content, other.content: gone.content}), seed=0)
    assert (len(joined.series), len(joined.as_found.series)) == (0, 1)
    whole = joined.as_found
    assert len({each.picture.part for each in whole.hashed if each.content in (gone.content, other.content)}) == 1
    assert len(set(whole.group(whole.hashed))) == len(whole.hashed) - 1


def test_moving_and_renaming_files_changes_nothing(photos, tmp_path):
    path = listed(tmp_path / "list.csv", photos, {"circle/000.png": "x", "square/001.png": "triangle"})
    before = prepared(photos, exclude=path)
    shutil.move(photos / "circle/000.png", photos / "circle/moved.png")
    shutil.move(photos / "square/001.png", photos / "square/moved.png")
    after = prepared(photos, exclude=path)
    assert after.fingerprint == before.fingerprint
    assert [each.picture for each in after.set_aside] == ["circle/moved.png"]


def test_the_fingerprint_is_of_what_was_decided_and_not_of_the_file(photos, tmp_path):
    path = listed(tmp_path / "list.csv", photos, {"circle/000.png": "x", "square/001.png": "triangle"})
    decided = prepared(photos, exclude=path).fingerprint
    listed(path, photos, {"square/001.png": "triangle", "square/002.png": "", "circle/000.png": "x"})
    assert prepared(photos, exclude=path).fingerprint == decided
    listed(path, photos, {"circle/000.png": "x"})
    without_file = prepared(photos, exclude=path)
    (photos / "circle/000.png").unlink()
    assert prepared(photos).fingerprint not in (decided, without_file.fingerprint)


def test_two_files_of_one_content_in_two_classes_are_settled_by_a_class(photos, tmp_path):
    shutil.copy(photos / "circle/000.png", photos / "square/copy.png")
    assert len(prepared(photos).hashed) == 68
    path = listed(tmp_path / "list.csv", photos, {"square/copy.png": "circle"})
    found = prepared(photos, exclude=path)
    assert len(found.hashed) == 69
    assert [each.reason for each in found.set_aside] == ["is a copy of circle/000.png"]


def test_more_than_half_of_a_class_needs_a_word(photos, tmp_path):
    names = [path.name for path in sorted((photos / "circle").iterdir())]
    path = listed(tmp_path / "list.csv", photos, {f"circle/{name}": "x" for name in names[:12]})
    said = CliRunner().invoke(main, ["train", str(photos), "--exclude", str(path), "--out", str(tmp_path / "runs")])
    assert said.exit_code == 2
    assert said.stderr == (
        f"eyespot: {path} leaves out 12 of the 23 pictures of 'circle', more than half: if that is meant, give the "
        "option yes (--yes), else look at its column do\n"
    )
    assert len(prepared(photos, exclude=path, yes=True).hashed) == 57


def test_a_detector_has_no_use_for_a_list(boxed_photos, tmp_path):
    with pytest.raises(OptionError, match="which has no use for the option exclude"):
        eyespot.train(boxed_photos, exclude=tmp_path / "list.csv", out=tmp_path)
