"""`audit` finds what was planted, touches nothing, and its list is followed by `train`."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from audits import audited, rows
from painted import KINDS, painted, turned, write
from PIL import Image

import eyespot
from eyespot.data.copies import content_hash
from eyespot.errors import DataError
from eyespot.names import as_folder_name

EACH = 16


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Two classes with one picture saved twice, one in both classes, one label that is wrong, and one black picture."""
    folder = tmp_path_factory.mktemp("audit") / "paint"
    write(folder, each=EACH)
    painted("red", 0).save(folder / "red" / "again.jpg", quality=60)
    (folder / "red" / "same.png").write_bytes((folder / "red" / "01.png").read_bytes())
    painted("red", 99).save(folder / "blue" / "wrong.png")
    Image.new("RGB", (160, 160)).save(folder / "blue" / "black.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="module")
def result(pictures, warm_cache, tmp_path_factory) -> Any:
    return audited(pictures, cache=warm_cache, out=tmp_path_factory.mktemp("audits"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_was_planted_is_found(result):
    assert (result.pictures, result.classes) == (2 * EACH + 3, KINDS)
    assert [sorted(each) for each in result.identical] == [["red/01.png", "red/same.png"]]
    assert [sorted(each.pictures) for each in result.saved_twice] == [["red/00.png", "red/again.jpg"]]
    assert result.saved_twice[0].classes == ("red", "red")
    assert ["red/00.png", "red/again.jpg"] in [sorted(each) for each in result.series]
    assert result.doubtful[0].picture == "blue/wrong.png"
    assert (result.doubtful[0].class_, result.doubtful[0].likelier) == ("blue", "red")
    assert [each.picture for each in result.poor] == ["blue/black.png"]
    assert [(each.picture, each.reason) for each in result.set_aside] == [
        ("notes.txt", "is not a picture file (.txt)"),
        ("red/same.png", "is a copy of red/01.png"),
    ]
    assert result.more is None  # from so few pictures nothing can be expected
    assert not result.unjudged


def test_the_list_names_each_picture_once_and_decides_nothing(result):
    listed = rows(result.list)
    assert len(listed) == result.listed == len({row["content_hash"] for row in listed})
    assert {row["do"] for row in listed} == {""}
    [wrong] = [row for row in listed if row["picture"] == "blue/wrong.png"]
    assert (wrong["class"], wrong["likelier_class"]) == ("blue", "red")


def test_the_page_shows_them_and_runs_nothing(result):
    page = Path(result.report).read_text("utf-8")
    assert "<script" not in page
    assert "default-src 'none'" in page
    for picture in ("red/again.jpg", "blue/wrong.png", "blue/black.png"):
        assert f'alt="{picture}"' in page
    assert len(page) < 2_000_000


def test_everything_is_there_as_json(result):
    said = json.loads((Path(result.report).parent / "audit.json").read_text("utf-8"))
    assert said == json.loads(json.dumps(result.model_dump(mode="json", by_alias=True)))
    assert {"class", "picture"} <= said["doubtful"][0].keys()


def test_nothing_of_the_data_is_touched_and_a_filled_list_stays(pictures, result, tmp_path, shared_cache):
    before = contents(pictures)
    first = eyespot.audit(pictures, out=tmp_path)
    Path(first.list).write_text("mine")
    second = eyespot.audit(pictures, out=tmp_path)
    assert contents(pictures) == before
    assert Path(first.list).read_text() == "mine"
    assert Path(second.list).parent.name == "paint-2"
    assert [note for note in second.notes if str(first.list) in note]
    different = {"report", "list", "seconds", "notes"}
    assert second.model_dump(exclude=different) == result.model_dump(exclude=different)


def test_what_an_earlier_list_decided_goes_on_to_the_next_ones(pictures, tmp_path, shared_cache):
    first = eyespot.audit(pictures, out=tmp_path)
    listed = rows(first.list)
    hashes = {row["picture"]: row["content_hash"] for row in listed}
    new = next(f"red/{number:02}.png" for number in range(EACH) if f"red/{number:02}.png" not in hashes)
    other = {**listed[0], "picture": new, "content_hash": content_hash((pictures / new).read_bytes())}
    gone = {**listed[0], "picture": "red/gone.png", "content_hash": "0" * 32, "do": "x"}
    decided = {"blue/wrong.png": "red", new: "x"}
    with Path(first.list).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, listed[0].keys())
        table.writeheader()
        table.writerows({**row, "do": decided.get(row["picture"], row["do"])} for row in (*listed, other, gone))
    for attempt in range(3):
        if attempt == 2:
            shutil.rmtree(Path(first.list).parent)  # the new audit takes its name
        found = eyespot.audit(pictures, out=tmp_path)
        assert {row["picture"]: row["do"] for row in rows(found.list) if row["do"]} == decided
        assert len(rows(found.list)) == found.listed == len(hashes) + 1
        assert {*found.decided} == {*decided}
        assert found.on_list.startswith("it has your 2 decisions of an earlier list; ")
        assert found.next_words[0].startswith("look at the column do of exclude.csv, then ")


def test_train_follows_the_list(pictures, result, tmp_path, shared_cache):
    listed = rows(result.list)
    for row in listed:
        row["do"] = {"blue/wrong.png": "red", "red/again.jpg": "x", "red/00.png": "x"}.get(row["picture"], "")
    path = tmp_path / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, listed[0].keys())
        table.writeheader()
        table.writerows(listed)
    trained = eyespot.train(pictures, exclude=path, out=tmp_path)
    assert sum("was left out by you" in each.reason for each in trained.set_aside) == 1
    assert any("blue/wrong.png is 'red'" in note for note in trained.notes)


@pytest.mark.parametrize(("layout", "why"), [("flat", "no folder or list gives"), ("one", "there is one class only")])
def test_without_classes_all_but_the_labels_is_judged(pictures, tmp_path, shared_cache, layout, why):
    folder = tmp_path / "photos"
    folder.mkdir()
    target = folder if layout == "flat" else folder / "red"
    target.mkdir(exist_ok=True)
    for path in (pictures / "red").iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    found = eyespot.audit(folder, out=tmp_path)
    assert len(found.saved_twice) == 1
    assert why in found.unjudged
    assert (found.doubtful, found.more, found.by_files) == ((), None, None)
    assert not found.next_commands


def test_few_pictures_say_nothing_of_labels(tmp_path, shared_cache):
    write(tmp_path / "few", each=1)
    found = eyespot.audit(tmp_path / "few", out=tmp_path)
    assert "2 pictures are too few" in found.unjudged
    assert (found.doubtful, found.odd, found.series) == ((), (), ())


def test_one_picture_is_no_error(tmp_path, shared_cache):
    (tmp_path / "one").mkdir()
    painted("red", 0).save(tmp_path / "one" / "0.png")
    assert eyespot.audit(tmp_path / "one", out=tmp_path).pictures == 1


def test_no_picture_is_one_sentence_and_leaves_no_folder(tmp_path, shared_cache):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(DataError, match=r"broken\.jpg is not a picture"):
        eyespot.audit(tmp_path / "none", out=tmp_path / "runs")
    assert not list((tmp_path / "runs" / "audit").iterdir())


def test_a_name_that_is_no_folders_is_made_one():
    assert as_folder_name('a/b:c*"') == "a_b_c__"
    assert as_folder_name(" . ") == "run"


def test_one_thing_from_two_sides_is_a_series_and_not_the_same_picture(tmp_path, shared_cache):
    write(tmp_path / "turned", ("red",), each=24)
    turned("red", 3, 7).save(tmp_path / "turned" / "red" / "near.png")
    found = eyespot.audit(tmp_path / "turned", out=tmp_path)
    assert [sorted(each) for each in found.series] == [["red/03.png", "red/near.png"]]
    assert not found.saved_twice


def test_pictures_outside_the_class_folders_are_set_aside(tmp_path, shared_cache):
    write(tmp_path / "stray", each=2)
    painted("red", 9).save(tmp_path / "stray" / "none.png")
    found = eyespot.audit(tmp_path / "stray", out=tmp_path)
    assert found.pictures == 4
    assert [(each.picture, each.reason) for each in found.set_aside] == [("none.png", "has no class")]
