"""`add`: pictures come to a run, what it was tested on is tested again, and what got worse is said."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image
from rewritten import vouched

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.cli.main import main
from eyespot.errors import BundleError, DataError, OptionError
from eyespot.runs.pictures import pictures_of_run


@pytest.fixture
def photos(split_photos, tmp_path) -> Path:
    """23 pictures of each of three classes; of the run that follows, 24 in all train, 12 validate and 33 test."""
    return Path(shutil.copytree(split_photos, tmp_path / "photos"))


@pytest.fixture
def first(split_run, photos, tmp_path, shared_cache) -> Any:
    """That run, in a place of its own, on pictures in a place of their own."""
    run = Path(shutil.copytree(split_run.run, tmp_path / "runs/train/photos"))
    args = json.loads((run / "args.json").read_text("utf-8"))
    (run / "args.json").write_text(json.dumps({**args, "data": str(photos)}), "utf-8")
    return split_run.model_copy(update={"run": str(run), "bundle": str(run / "bundle")})


def rows(run: str, name: str = "split.csv") -> list[dict[str, str]]:
    with Path(run, name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain(folder: Path, count: int) -> None:
    """Pictures of nothing, a class that no run knows yet."""
    folder.mkdir(parents=True)
    for shade in range(count):
        Image.new("RGB", (64, 48), (10 * shade, 9, 80)).save(folder / f"{shade}.png")


def part_of(run: str) -> dict[str, str]:
    return {row["content_hash"]: row["part"] for row in rows(run)}


def test_old_pictures_keep_their_parts_and_a_new_folder_is_a_new_class(first, photos, draw, tmp_path):
    draw(tmp_path / "new", 6, first=300, kinds=("square",))
    plain(tmp_path / "new/nothing", 6)
    shutil.copy(photos / "test/square/200.png", tmp_path / "new/square/copy.png")
    second = eyespot.add(first.run, tmp_path / "new")
    assert Path(second.run) == Path(first.run).with_name("photos-2")
    assert second.classes == ("circle", "nothing", "square", "triangle")
    old, now = part_of(first.run), part_of(second.run)
    assert {content: part for content, part in now.items() if content in old} == old
    new = [part for content, part in now.items() if content not in old]
    assert (len(new), {*new}) == (12, {"train", "val", "test"})
    assert [(each.picture, each.reason) for each in second.set_aside] == [
        ("new/square/copy.png", "is a copy of test/square/200.png")
    ]
    assert (
        "13 pictures of new are read beside those of photos, with the new class 'nothing'; copies count once"
        in second.notes
    )
    before = second.regression.before
    assert (before.accuracy, before.n) == (first.test.accuracy, first.test.n)
    assert [(each.name, each.n) for each in second.regression.classes] == [
        ("circle", 11),
        ("square", 11),
        ("triangle", 11),
    ]
    assert not second.regression.is_worse
    assert second.notes[0].startswith(f"on the 33 pictures that {first.run} was tested on, ")
    assert json.loads(Path(second.run, "result.json").read_text("utf-8"))["regression"]["run"] == first.run
    assert "was tested on" in Path(second.run, "report.html").read_text("utf-8")


def test_a_run_that_has_grown_can_grow_on_be_replayed_and_be_looked_into(first, photos, draw, tmp_path):
    for number in (1, 2):
        draw(tmp_path / f"new{number}", 2, first=100 * number + 20)
    second = eyespot.add(first.run, tmp_path / "new1")
    third = eyespot.add(second.run, tmp_path / "new2")
    assert [Path(each.run).name for each in (first, second, third)] == ["photos", "photos-2", "photos-3"]
    assert third.pictures.used == 69 + 6 + 6
    assert part_of(second.run).items() <= part_of(third.run).items()
    manifest = read_bundle(third.run).manifest
    again = pictures_of_run(third.run, manifest, data=None, parts=("train",))
    assert (len(again.hashed), again.missing) == (manifest.pictures.count("train"), 0)
    moved = shutil.copytree(photos, tmp_path / "moved")
    again = pictures_of_run(third.run, manifest, data=moved, parts=("train",))
    assert again.missing == 0  # what came to them is found where it was
    shutil.rmtree(tmp_path / "new1")
    few = pictures_of_run(third.run, manifest, data=moved, parts=("train",))
    assert len(few.hashed) < len(again.hashed)
    draw(tmp_path / "new1", 2, first=120)
    both = eyespot.compare(third.run, second.run, split="all")
    held_out = manifest.pictures.count("val") + manifest.pictures.count("test")
    assert (both.pictures, both.left_out) == (held_out, manifest.pictures.count("train"))
    replay = eyespot.train(replay=third.run, out=tmp_path / "again")
    assert read_bundle(replay.run).manifest.graph_sha256 == manifest.graph_sha256


def test_what_got_worse_is_said_and_ends_with_three_where_it_must_not(first, photos, draw, tmp_path):
    """The new pictures teach the wrong thing: squares in the folder of circles, far more than there were."""
    draw(tmp_path / "drawn", 60, first=500, kinds=("square",))
    shutil.copytree(tmp_path / "drawn/square", tmp_path / "new/circle")
    draw(tmp_path / "new", 1, first=900, kinds=("square",))
    moved = shutil.move(photos, tmp_path / "moved")
    arguments = ["add", first.run, str(tmp_path / "new"), "--data", moved, "--quiet"]
    said = CliRunner().invoke(main, [*arguments, "--strict", "--json"])
    assert said.exit_code == 3, said.output
    found = json.loads(said.stdout)["regression"]
    assert (found["worse"], [each["name"] for each in found["classes"] if each["worse"]]) == (True, ["square"])
    assert found["after"]["accuracy"] - found["before"]["accuracy"] == pytest.approx(found["difference"]["value"])
    assert found["difference"]["value"] < -0.2
    said = CliRunner().invoke(main, [*arguments, "--name", "grown"])
    assert (said.exit_code, "it got worse in 'square'" in said.stdout) == (0, True)
    assert (Path(first.run).with_name("grown") / "report.html").is_file()
    assert (Path(first.run) / "report.html").is_file()


def test_a_run_that_held_nothing_out_is_compared_with_nothing(first, draw, tmp_path):
    file = Path(first.bundle, "manifest.json")
    manifest = json.loads(file.read_text("utf-8"))
    changed = {**manifest, "pictures": {**manifest["pictures"], "val": "", "test": ""}}
    file.write_text(json.dumps(vouched(changed)), "utf-8")
    Path(first.run, "predictions.csv").unlink()
    draw(tmp_path / "new", 2, first=300)
    said = CliRunner().invoke(main, ["add", first.run, str(tmp_path / "new"), "--strict", "--quiet"])
    assert (said.exit_code, said.stderr) == (
        3,
        "eyespot: nothing could be compared, so --strict does not take the new model for as good\n",
    )
    second = eyespot.add(first.run, tmp_path / "new")
    assert second.regression is None
    assert f"no picture was tested here that {first.run} was tested on: nothing is compared" in second.notes
    assert f"{first.run} held no pictures out, so the parts are drawn anew" in second.notes


def test_a_damaged_run_is_refused_before_anything_is_trained(first, draw, tmp_path):
    draw(tmp_path / "new", 2, first=300)
    Path(first.run, "predictions.csv").write_text("picture,part\n", "utf-8")
    with pytest.raises(DataError, match=r"predictions.csv has no column 'answer'"):
        eyespot.add(first.run, tmp_path / "new")
    assert not Path(first.run).with_name("photos-2").exists()


def test_what_is_no_run_to_add_to_is_refused(first, tmp_path):
    with pytest.raises(BundleError, match="there is no model at"):
        eyespot.add(tmp_path / "gone", tmp_path)
    with pytest.raises(OptionError, match=r"cannot be added to: there is no args\.json"):
        eyespot.add(first.bundle, tmp_path)
