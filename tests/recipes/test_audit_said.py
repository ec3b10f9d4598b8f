"""What `audit` says of data that are split, small, deep, contradictory or vanishing, and that what it prints runs."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
    (folder / "test" / "blue" / "same.png").write_bytes((folder / "train" / "red" / "01.png").read_bytes())
    return folder


@pytest.fixture(scope="module")
def result(pictures, warm_cache, tmp_path_factory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return eyespot.audit(pictures, out=tmp_path_factory.mktemp("audits"))


def said(result: Any) -> dict[str, str]:
    return dict(result.lines())


def rows(result: Any) -> list[dict[str, str]]:
    with Path(result.list).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def page_of(result: Any) -> str:
    return Path(result.report).read_text("utf-8")


def test_copies_are_counted_and_that_of_most_bytes_is_kept(result):
    assert said(result)["Saved twice"] == "4 pictures are copies of others, with other bytes"
    saved_twice = {row["picture"]: row["why"] for row in rows(result) if row["why"].startswith("saved twice")}
    assert {*saved_twice.values()} == {"saved twice: train/red/again-90.jpg is the same picture"}
    [found] = result.saved_twice
    assert {*saved_twice} == {*found.pictures[1:]}
    assert {*found.pictures[1:]} == {"train/red/00.png", *(f"train/red/again-{number}.jpg" for number in QUALITIES[1:])}
    assert len(rows(result)) == result.listed


def test_the_same_bytes_in_two_classes_are_said_listed_shown_and_judge_nothing(result):
    [found] = result.contradictory
    assert sorted(zip(found.pictures, found.classes, strict=True)) == [
        ("test/blue/same.png", "blue"),
        ("train/red/01.png", "red"),
    ]
    assert said(result)["Two classes"].startswith("1 picture stands in several classes with the same bytes: test/blue/")
    [row] = [row for row in rows(result) if "the same bytes" in row["why"]]
    assert (row["class"], row["likelier_class"], row["do"]) == ("blue and red", "", "")
    page = page_of(result)
    assert all(f'alt="{name}"' in page for name in found.pictures)
    assert result.pictures == 2 * (EACH + 4) + len(QUALITIES)  # without the two files, and with the one turned
    assert not any("01.png" in each.picture for each in (*result.doubtful, *result.odd, *result.poor))


def test_series_across_parts_that_are_given_are_said(result):
    assert (result.parts, result.torn, len(result.series)) == (("train", "test"), 1, 2)
    assert said(result)["Series"].endswith("; 1 lies across your train and test: what is tested there is nearly known")
    assert "training keeps each series on one side" not in page_of(result)


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
