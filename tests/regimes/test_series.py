"""Pictures that belong together are found before the split, stay on one side of it, and count once."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from painted import turned, write

import eyespot
from eyespot.errors import DataError, MissingExtra
from eyespot.evaluate.metrics import wilson
from eyespot.progress import silent
from eyespot.regimes import series
from eyespot.regimes.choice import Choice
from eyespot.regimes.fitted import SMALLEST_TEST
from eyespot.runs.options import train_options

EACH, COPIES = 14, 2


@pytest.fixture(scope="module")
def bursts(tmp_path_factory) -> Path:
    """Fourteen things of each kind, three pictures of each."""
    folder = tmp_path_factory.mktemp("series") / "bursts"
    write(folder, each=EACH, copies=COPIES)
    return folder


@pytest.fixture(scope="module")
def result(bursts, warm_cache, tmp_path_factory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return eyespot.train(bursts, out=tmp_path_factory.mktemp("runs"), name="run", mirror="no")


def parts_of_things(run: str) -> dict[str, set[str]]:
    """The parts in which pictures of each thing are."""
    found = defaultdict(set)
    with Path(run, "split.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["picture"].split("-")[0].removesuffix(".png")].add(row["part"])
    return found


def test_every_series_is_found_and_none_besides(result):
    assert (result.series.series, result.series.pictures) == (2 * EACH, 2 * EACH * (COPIES + 1))
    assert (result.series.largest, result.series.cut) == (COPIES + 1, 0)


def test_series_make_the_interval_as_wide_as_that_of_one_picture_each(result):
    assert result.out_of_fold.n == 2 * EACH * (COPIES + 1)
    right = result.out_of_fold.accuracy * 2 * EACH
    assert result.out_of_fold.low == pytest.approx(wilson(right, 2 * EACH).low)


def test_folds_that_tear_them_apart_are_told_beside(result):
    assert result.series.torn.n == result.series.together.n == 2 * EACH * (COPIES + 1)
    assert result.series.torn.high - result.series.torn.low < result.series.together.high - result.series.together.low


def test_a_second_run_computes_nothing_and_is_the_same(bursts, result, tmp_path, shared_cache):
    again = eyespot.train(bursts, out=tmp_path, name="run", mirror="no")
    assert again.views_computed == 0
    different = {"run", "bundle", "report", "better", "seconds", "views_computed"}
    assert again.model_dump(exclude=different) == result.model_dump(exclude=different)


def test_no_series_is_torn_apart_by_the_split(tmp_path, shared_cache):
    write(tmp_path / "many", each=36, copies=COPIES)
    result = eyespot.train(tmp_path / "many", out=tmp_path, mirror="no")
    assert all(len(parts) == 1 for parts in parts_of_things(result.run).values())
    off = eyespot.train(tmp_path / "many", out=tmp_path, mirror="no", group="off")
    assert off.series.series == 0
    assert any(len(parts) > 1 for parts in parts_of_things(off.run).values())


def test_many_test_pictures_of_few_things_are_a_small_test(tmp_path, shared_cache):
    """Their interval would be that of the things; and the model learns from all of them."""
    assert 0.15 * 2 * 36 < SMALLEST_TEST <= 0.15 * 2 * 36 * (COPIES + 1)
    write(tmp_path / "many", each=36, copies=COPIES)
    result = eyespot.train(tmp_path / "many", out=tmp_path, mirror="no")
    assert result.test is None
    assert result.out_of_fold.n == 2 * 36 * (COPIES + 1)
    assert "pictures that differ, series of them counted as one, too few" in result.out_of_fold_reason


def test_a_split_that_folders_give_stays_and_what_it_shares_is_counted(tmp_path, shared_cache):
    for part, first, each in (("train", 0, 12), ("val", 20, 4), ("test", 30, 15)):
        write(tmp_path / "given" / part, each=each, first=first)
    turned("red", 0, 3).save(tmp_path / "given" / "test" / "red" / "near.png")
    result = eyespot.train(tmp_path / "given", out=tmp_path)
    assert (result.series.series, result.series.shared, result.test.n) == (1, 1, 31)
    assert result.series.apart.n == 30
    report = Path(result.report).read_text("utf-8")
    assert "1 test picture has a near-copy in train" in report


def test_groups_of_a_file_stay_together_with_the_series(tmp_path, shared_cache):
    write(tmp_path / "people", each=20)
    names = [f"{kind}/{number:02}.png" for kind in ("blue", "red") for number in range(20)]
    file = tmp_path / "people.csv"
    file.write_text("picture,group\n" + "".join(f"{name},{number % 10}\n" for number, name in enumerate(names)))
    result = eyespot.train(tmp_path / "people", out=tmp_path, group=file)
    assert (result.series.series, result.series.pictures, result.series.named) == (10, 40, 40)


def test_copies_bring_the_groups_together_that_the_file_puts_them_in(tmp_path, shared_cache):
    """Ann's last picture is a copy of Ben's first: as one of the two is set aside, it stands for both."""
    write(tmp_path / "people", each=12)
    blue = tmp_path / "people" / "blue"
    (blue / "11.png").write_bytes((blue / "06.png").read_bytes())
    file = tmp_path / "people.csv"
    rows = [f"blue/{number:02}.png,{'ben' if 6 <= number < 11 else 'ann'}" for number in range(12)]
    file.write_text("\n".join(["picture,group", *rows]))
    result = eyespot.train(tmp_path / "people", out=tmp_path, group=file)
    assert (result.series.series, result.series.pictures) == (1, 11)
    assert any("puts identical files into several groups" in note for note in result.notes)
    assert not any("not in the data" in note for note in result.notes)


def test_cross_validation_that_has_to_tear_the_groups_apart_says_so(tmp_path, shared_cache):
    write(tmp_path / "people", each=12)
    file = tmp_path / "people.csv"
    rows = [f"{kind}/{number:02}.png,{kind}" for kind in ("blue", "red") for number in range(12)]
    file.write_text("\n".join(["picture,group", *rows]))
    result = eyespot.train(tmp_path / "people", out=tmp_path, group=file)
    assert (result.series.folds_tear, result.series.together) == (True, None)
    assert any("its figure is too good" in note for note in result.notes)
    for part in ("val", "test"):
        said = f"{part} has no picture of 'blue' and 'red': their series are too few to come to every part"
        assert any(note.startswith(said) for note in result.notes)
    assert "every split and fold" not in Path(result.report).read_text("utf-8")


def test_a_group_file_of_other_data_stops_before_anything_is_computed(tmp_path, shared_cache, monkeypatch):
    write(tmp_path / "people", each=3)
    (tmp_path / "other.csv").write_text("picture,group\ncat.jpg,ada\n")
    monkeypatch.setattr("eyespot.reporting.classification.fit", None)
    with pytest.raises(DataError, match="names no picture of the data"):
        eyespot.train(tmp_path / "people", out=tmp_path, group=tmp_path / "other.csv")


def test_small_images_have_no_signature(monkeypatch):
    monkeypatch.setattr(series, "default_signer", lambda job, levels: "signer")

    class Asked:
        class options:
            imgsz = own = None

    def choice(network: str) -> Choice:
        return Choice(network, "scratch", climbs=False, reason="", gray=False)

    assert series.signer_for_scratch(choice("lenet5"), Asked) is None
    assert series.signer_for_scratch(choice("alexnet"), Asked) == "signer"


@pytest.mark.parametrize(
    ("size", "file", "group", "is_signed"),
    [
        (None, None, "auto", True),
        (96, None, "auto", True),
        (64, None, "auto", False),
        (320, None, "auto", False),
        (None, Path("own.pt"), "auto", False),
        (None, None, "off", False),
    ],
)
def test_only_what_the_thresholds_were_measured_with_gives_signatures(size, file, group, is_signed):
    backbone = replace(series.DEFAULT, size=size, file=file)

    class Trunk:
        preprocess = backbone.own_preprocess

        def signed(self):
            return "signed"

    assert (series.with_signer(Trunk(), backbone, train_options(group=group)) == "signed") == is_signed


def test_without_the_default_network_series_are_not_looked_for(monkeypatch, tmp_path):
    def missing(*_: object) -> None:
        raise MissingExtra("the first use of a network on this machine", extra="train")

    monkeypatch.setattr(type(series.DEFAULT), "trunk", missing)

    class Job:
        cache_folder, precision, progress = tmp_path, "fp32", staticmethod(silent)

        class options:
            group = "auto"

    assert series.default_signer(Job) is None


def test_a_picture_that_cannot_be_read_is_set_aside_and_tears_nothing(tmp_path, shared_cache):
    write(tmp_path / "broken", each=5, copies=1)
    (tmp_path / "broken" / "red" / "none.jpg").write_bytes(b"\xff\xd8\xff no picture")
    result = eyespot.train(tmp_path / "broken", out=tmp_path)
    assert [each.picture for each in result.set_aside] == ["red/none.jpg"]
    assert result.series.series == 10
