"""What `audit` says of data that are split, small, deep, contradictory or vanishing, and that what it prints runs."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audits import audited, rows
from click.testing import CliRunner
from painted import painted, turned, write
from PIL import Image

import eyespot
from eyespot.cli.main import main
from eyespot.errors import DataError
from eyespot.recipes import audit as recipe

EACH = 12
QUALITIES = (90, 80, 70, 60)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Split already: one picture saved five times, one from two sides in both parts, and one in both classes."""
    folder = tmp_path_factory.mktemp("said") / "split"
    write(folder / "train", each=EACH)
    write(folder / "test", each=4, first=50)
    for quality in QUALITIES:
        painted("red", 0).save(folder / "train" / "red" / f"again-{quality}.jpg", quality=quality)
    turned("red", 3, 7).save(folder / "test" / "red" / "near.png")
    for name, copy in (("red/01.png", "blue/same.png"), ("red/02.png", "red/twin.png")):
        (folder / "test" / copy).write_bytes((folder / "train" / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def result(pictures, warm_cache, tmp_path_factory) -> Any:
    return audited(pictures, cache=warm_cache, out=tmp_path_factory.mktemp("audits"))


def said(result: Any) -> dict[str, str]:
    return dict(result.lines())


def page_of(result: Any) -> str:
    return Path(result.report).read_text("utf-8")


def test_copies_are_counted_and_that_of_most_bytes_is_kept(result):
    assert said(result)["Saved twice"] == "4 pictures are copies of others, with other bytes"
    saved_twice = {row["picture"]: row["why"] for row in rows(result.list) if row["why"].startswith("saved twice")}
    assert {*saved_twice.values()} == {"saved twice: train/red/again-90.jpg is the same picture"}
    [found] = result.saved_twice
    assert {*saved_twice} == {*found.pictures[1:]}
    assert {*found.pictures[1:]} == {"train/red/00.png", *(f"train/red/again-{number}.jpg" for number in QUALITIES[1:])}
    assert len(rows(result.list)) == result.listed


def test_the_same_bytes_in_two_classes_are_said_listed_shown_and_judge_nothing(result):
    [found] = result.contradictory
    assert sorted(zip(found.pictures, found.classes, strict=True)) == [
        ("test/blue/same.png", "blue"),
        ("train/red/01.png", "red"),
    ]
    assert said(result)["Two classes"].startswith("1 picture stands in several classes with the same bytes: test/blue/")
    [row] = [row for row in rows(result.list) if "the same bytes" in row["why"]]
    assert (row["class"], row["likelier_class"], row["do"]) == ("blue and red", "", "")
    page = page_of(result)
    assert all(f'alt="{name}"' in page for name in found.pictures)
    assert result.pictures == 2 * (EACH + 4) + len(QUALITIES)  # without the two files, and with the one turned
    assert not any("01.png" in each.picture for each in (*result.doubtful, *result.odd, *result.poor))


def test_series_across_parts_that_are_given_are_said(result):
    assert (result.parts, result.torn, len(result.series)) == (("train", "test"), 1, 2)
    assert said(result)["Series"].endswith("; 1 lies across your train and test: what is tested there is nearly known")
    assert said(result)["Series"].startswith("2 series, 7 pictures in all, that show the same")
    assert "training keeps each series on one side" not in page_of(result)


def test_what_is_read_adds_up_to_the_files_and_each_that_is_not_used_is_named(pictures, result):
    files = sum(path.is_file() for path in pictures.rglob("*"))
    read = [int(number) for number in re.findall(r"(\d+) (?:picture|identical|file)", said(result)["Read"])]
    assert read == [result.pictures, 1, 2]
    assert sum(read) == files
    assert {each.picture: each.reason for each in result.set_aside} == {
        "train/red/02.png": "is a copy of test/red/twin.png",
        **dict.fromkeys(
            ("train/red/01.png", "test/blue/same.png"),
            "the same picture has two labels, 'blue' and 'red': keep one",
        ),
    }
    assert "No file was set aside" not in page_of(result)


def test_the_same_bytes_in_two_parts_are_said(result):
    [note] = [note for note in result.notes if "with the same bytes" in note]
    assert note == (
        "1 picture lies in several of train and test with the same bytes: test/red/twin.png with train/red/02.png; "
        "train uses each once, where it lies in test, or else in val"
    )


def test_pictures_that_nobody_can_judge_are_an_error_that_names_them(tmp_path, shared_cache):
    for kind in ("blue", "red"):
        (tmp_path / "both" / kind).mkdir(parents=True)
        painted("red", 0).save(tmp_path / "both" / kind / "0.png")
    with pytest.raises(DataError, match=r"with the same bytes, such as blue/0\.png and red/0"):
        eyespot.audit(tmp_path / "both", out=tmp_path / "runs")


@pytest.mark.parametrize("large", [0, EACH])
def test_small_pictures_are_not_compared_and_it_is_said(tmp_path, shared_cache, large):
    folder = tmp_path / "sizes"
    for kind in ("blue", "red"):
        (folder / kind).mkdir(parents=True)
        for number in range(EACH):
            small = painted(kind, number).resize((95, 40 + number % 2))
            small.save(folder / kind / f"small-{number}.png")
            small.save(folder / kind / f"small-{number}.webp", lossless=True)
    if large:
        write(folder, each=large)
        painted("red", 0).save(folder / "red" / "again.jpg", quality=60)
    found = eyespot.audit(folder, out=tmp_path)
    assert found.small == 4 * EACH
    assert said(found)["Small"].startswith(f"{4 * EACH} pictures are too small to be compared")
    assert [each.pictures for each in found.saved_twice] == ([("red/again.jpg", "red/00.png")] if large else [])
    assert len(found.series) == len(found.saved_twice)


def test_the_command_that_is_printed_next_reads_the_data_alike(tmp_path, shared_cache):
    table = tmp_path / "a table.csv"
    lines = [["Bild", "der Fund"]]
    for kind in ("blue", "red"):
        for number in range(EACH):
            painted(kind, number).save(tmp_path / f"{kind}{number}.png")
            lines.append([f"{kind}{number}.png", kind])
    painted("red", 0).save(tmp_path / "again.jpg", quality=60)
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([*lines, ["again.jpg", "red"]])
    found = eyespot.audit(table, image_column="Bild", label_column="der Fund", out=tmp_path)
    assert found.reading == {"image_column": "Bild", "label_column": "der Fund"}
    [(command, _)] = found.next_commands
    assert "--image-column Bild --label-column 'der Fund' --exclude " in command
    printed = CliRunner().invoke(main, [*shlex.split(command)[1:], "--out", str(tmp_path / "runs"), "--quiet"])
    assert printed.exit_code == 0, printed.output


def test_a_picture_that_vanishes_meanwhile_is_set_aside(tmp_path, shared_cache, monkeypatch):
    write(tmp_path / "going", each=EACH, first=300)  # which no other audit has kept
    gone = tmp_path / "going" / "blue" / "303.png"
    see = recipe.show

    def show(*args: Any) -> Any:
        gone.unlink()
        return see(*args)

    monkeypatch.setattr(recipe, "show", show)
    found = eyespot.audit(tmp_path / "going", out=tmp_path)
    assert found.pictures == 2 * EACH - 1
    assert [(each.picture, each.reason) for each in found.set_aside] == [
        ("blue/303.png", "cannot be read: No such file or directory")
    ]


def test_deep_pictures_are_drawn(tmp_path, shared_cache):
    for number in range(EACH):
        pixels = np.asarray(painted("red", number).convert("L"), np.uint16) * 11 + 900
        for name, level in ((f"{number}.png", 1), (f"{number}-again.png", 9)):
            (tmp_path / "deep").mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "deep" / name, compress_level=level)
    found = eyespot.audit(tmp_path / "deep", out=tmp_path)
    assert len(found.saved_twice) == EACH
    page = page_of(found)
    assert all(f'alt="{name}"' in page for name in found.saved_twice[0].pictures)


def test_a_class_of_which_nothing_can_be_read_is_no_class(tmp_path, shared_cache):
    write(tmp_path / "torn", ("red",), each=24)
    painted("red", 0).save(tmp_path / "torn" / "red" / "again.jpg", quality=60)
    (tmp_path / "torn" / "blue").mkdir()
    for number in range(2):
        (tmp_path / "torn" / "blue" / f"{number}.jpg").write_bytes(b"\xff\xd8 no picture %d" % number)
    found = eyespot.audit(tmp_path / "torn", out=tmp_path)
    assert (found.classes, found.doubtful) == (("red",), ())
    assert said(found)["Labels"] == "labels are not judged: there is one class only, 'red', that has pictures"
    assert found.listed
    assert "another class" not in found.on_list + page_of(found)
    assert not found.next_commands


def test_a_class_of_one_picture_is_not_judged_and_it_is_said_once(tmp_path, shared_cache):
    write(tmp_path / "lone", each=EACH)
    (tmp_path / "lone" / "black").mkdir()
    painted("red", 90).save(tmp_path / "lone" / "black" / "only.png")
    found = eyespot.audit(tmp_path / "lone", out=tmp_path)
    assert found.too_few == ("black",)
    assert not any(each.class_ == "black" for each in found.doubtful)
    words = [words for _, words in found.lines() if "not judged" in words]
    assert words == ["those of 'black' are not judged: fewer than five of their pictures show different things"]


def test_pictures_of_no_files_are_not_told_by_their_files(tmp_path, shared_cache):
    found = eyespot.audit("digits", out=tmp_path)
    assert (found.by_files, found.chance, found.warnings) == (None, None, ())
    assert "By its file alone" not in page_of(found)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"blue": "val", "red": "test"}, "there are pictures for val and test, and none for train"),
        ({"blue": "test", "red": "train"}, "two classes are needed, and there is one"),
        ({"blue": "", "red": ""}, "there are 2 pictures of 2 classes to train on, and at least 3"),
    ],
)
def test_what_train_would_refuse_is_said_and_no_command_printed(tmp_path, shared_cache, parts, why):
    table = tmp_path / "table.csv"
    lines = []
    for kind, part in parts.items():
        for number in range(EACH if part else 1):
            painted(kind, number).save(tmp_path / f"{kind}{number}.png")
            lines.append(f"{kind}{number}.png,{kind}{part and ','}{part}\n")
    table.write_text("image_path,label" + ",split" * any(parts.values()) + "\n" + "".join(lines))
    found = eyespot.audit(table, out=tmp_path)
    assert why in found.untrainable
    assert why in page_of(found)
    assert not found.next_commands
    with pytest.raises(DataError):
        eyespot.train(table, out=tmp_path)


def test_the_list_is_to_be_filled_in_before_the_next_command(result):
    [words] = result.next_words
    assert words.startswith("fill in the column do of exclude.csv, then eyespot train ")
    assert "what you write into the column do" in page_of(result)


def test_why_nothing_is_said_of_more_pictures(result):
    assert "More" not in said(result)
    many = result.model_copy(update={"pictures": 301})
    assert said(many)["More"] == "too few to say: 300 pictures are needed, and those of a series count for few"
