"""Pictures that keep the parts that a run gave them, in a folder that has changed since."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from eyespot.progress import silent
from eyespot.records import SetAside
from eyespot.regimes.prepare import Prepared, prepare
from eyespot.runs.options import train_options


@pytest.fixture
def photos(split_photos, tmp_path) -> Path:
    """The pictures of `split_run` in class folders without parts, and ten more of each class."""
    for part in ("train", "val", "test"):
        shutil.copytree(split_photos / part, tmp_path / "photos", dirs_exist_ok=True)
    return tmp_path / "photos"


def prepared(photos: Path, run: str) -> Prepared:
    return prepare(photos, seed=0, progress=silent, changes=train_options(parts_of=run).changes)


def test_what_a_run_knew_keeps_its_part_and_the_rest_is_split(photos, split_photos, split_run, draw):
    draw(photos, 10, first=300)
    found = prepared(photos, split_run.run)
    part_of = {each.picture.name: each.picture.part for each in found.hashed}
    old = {
        path.relative_to(split_photos / part).as_posix(): part
        for part in ("train", "val", "test")
        for path in (split_photos / part).rglob("*.png")
    }
    assert len(old) == 69
    assert old.items() <= part_of.items()
    assert Counter(part for name, part in part_of.items() if name not in old) == {"train": 18, "val": 6, "test": 6}
    assert (found.notes, found.was_split) == ([], True)


def test_what_a_run_was_tested_on_and_is_gone_is_counted(photos, split_run):
    for number in (200, 201):
        (photos / f"circle/{number}.png").unlink()
    notes = prepared(photos, split_run.run).notes
    assert notes == [f"2 pictures that {split_run.run} was tested on are not there any more"]


def test_what_a_run_was_tested_on_and_is_set_aside_now_is_not_said_to_be_gone(photos, split_run):
    shutil.copy(photos / "circle/200.png", photos / "square/same.png")
    notes = prepared(photos, split_run.run).notes
    assert notes == [f"1 picture that {split_run.run} was tested on is set aside now: see why under Set aside"]


def test_a_run_decides_against_the_folders(photos, split_run, tmp_path):
    """Somebody has moved pictures that were tested on to those to train on."""
    shutil.move(photos, tmp_path / "other/train")
    for name in ("circle", "square", "triangle"):
        (tmp_path / "other/test" / name).mkdir(parents=True)
        shutil.move(tmp_path / "other/train" / name / "000.png", tmp_path / "other/test" / name / "000.png")
    found = prepared(tmp_path / "other", split_run.run)
    assert Counter(each.picture.part for each in found.hashed) == {"train": 24, "val": 12, "test": 33}


def test_what_cannot_be_read_and_is_left_out_is_set_aside_once(photos, split_run):
    found = prepared(photos, split_run.run)
    first, second = (each.picture.name for each in found.hashed[:2])
    unread = [SetAside(picture=name, reason="is cut off") for name in ("left out.png", second, first)]
    less = found.without(unread)
    assert [each.picture for each in less.set_aside] == [first, second]
    assert less.hashed == found.hashed[2:]
