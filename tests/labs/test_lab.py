"""`eyespot lab`: experiments as a person meets them, on a made-up lab that takes no time."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import eyespot
from eyespot import labs
from eyespot.cli.main import main
from eyespot.errors import DataError, NetworkError, NoPictures, OptionError, Stopped
from eyespot.labs import catalogue
from eyespot.labs.bench import drawn
from eyespot.labs.definition import ACCURACY
from eyespot.labs.pictures import read_pictures
from eyespot.progress import silent

SOURCE = """
import time

from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import untold

LAB = Lab(
    chapter="padding",
    question=Both("Is b more?", "b 更大吗？"),
    claim=Both("b is more", "b 更大"),
    guesses=(Both("yes", "是"), Both("no", "不是")),
    rule=Both("It is so if b is more.", "如果 b 更大，就是这样。"),
    grid={"size": (1, 2), "arm": ("a", "b")},
    measures={"value": Both("a value", "数值")},
)
DONE = []


def trial(bench, *, size, arm):
    DONE.append((bench.seed, size, arm))
    if len(DONE) in STOP_AT:
        raise KeyboardInterrupt
    while SLOW and time.monotonic() < bench.deadline + 9:
        bench.tick()
    return {"value": size + (arm == "b") - 0.01 * bench.seed * (arm == "a")}


STOP_AT, SLOW = (), False


def verdict(gain):
    found = gain("value", "b", over="a", size=2)
    return Verdict("so", Both("By {a}.", "相差 {a}。").filled(a=found), 1) if found.up else untold(found)
"""


FEW = "few"
"""Two classes with twelve pictures each."""


def draw_few(folder, *, each=12):
    random = np.random.default_rng(0)
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            levels = random.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / label / f"{number}.png")


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A lab called made-up, as the only file that a new lab needs."""
    (tmp_path / "more_labs").mkdir()
    (tmp_path / "more_labs" / "made_up.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(labs, "__path__", [*labs.__path__, str(tmp_path / "more_labs")])
    monkeypatch.chdir(tmp_path)
    draw_few(tmp_path / FEW)
    catalogue.names.cache_clear()
    yield sys.modules.get("eyespot.labs.made_up") or __import__("eyespot.labs.made_up", fromlist=["LAB"])
    catalogue.names.cache_clear()
    sys.modules.pop("eyespot.labs.made_up")
    del labs.made_up


def table(result):
    return list(csv.DictReader(io.StringIO(Path(result.table).read_text("utf-8"))))


def test_a_new_lab_is_a_file(made_up):
    result = eyespot.lab("made-up", FEW, seeds=3, guess=1, lang="en")
    assert (result.answer, result.right_guess, result.seeds) == ("so", 1, (0, 1, 2))
    assert [row["value"] for row in table(result)[:4]] == ["1.0", "2.0", "2.0", "3.0"]
    assert list(table(result)[0]) == ["seed", "size", "arm", "value"]  # and nothing that is another in every run
    assert len(Path(result.table).with_name("seconds.csv").read_text("utf-8").splitlines()) == 13
    assert len(table(result)) == 12
    assert result.code.endswith("made_up.py")
    assert "made-up" in catalogue.names()


def test_the_report_says_all_of_it_in_either_language(made_up):
    for language, words in (
        ("en", ("Is b more?", "It is so", "You said: no.")),
        ("zh", ("b 更大吗？", "是这样", "你猜的是")),
    ):
        result = eyespot.lab("made-up", FEW, seeds=3, guess=2, lang=language, out=language)
        page = Path(result.report).read_text("utf-8")
        assert all(each in page for each in (*words, result.verdict, result.rule)), language
        assert "<script" not in page
        assert "https:" not in page


def test_a_second_run_goes_on_and_computes_nothing_twice(made_up):
    eyespot.lab("made-up", FEW, seeds=2)
    result = eyespot.lab("made-up", FEW, seeds=3)
    assert len(made_up.DONE) == 12
    assert list(table(result)[0]) == ["seed", "size", "arm", "value"]
    assert result.folder == "runs/lab/made-up"
    other = eyespot.lab("made-up", FEW, seeds=2, effort=0.5)
    assert other.folder == "runs/lab/made-up-2"


def test_a_folder_that_holds_something_else_is_left_alone(made_up, tmp_path):
    (tmp_path / "runs" / "lab" / "made-up").mkdir(parents=True)
    (tmp_path / "runs" / "lab" / "made-up" / "letter.txt").write_text("mine")
    assert eyespot.lab("made-up", FEW, seeds=1).folder == "runs/lab/made-up-2"
    assert [each.name for each in (tmp_path / "runs" / "lab" / "made-up").iterdir()] == ["letter.txt"]


def test_what_is_refused_leaves_no_folder(made_up, tmp_path):
    def refused(bench, **cell):
        raise NetworkError("it has no such layer")

    with mock.patch.object(made_up, "trial", refused), pytest.raises(NetworkError):
        eyespot.lab("made-up", FEW)
    assert list((tmp_path / "runs" / "lab").iterdir()) == []


def test_a_model_may_be_a_path_and_nobodys_home_is_no_traceback(made_up, monkeypatch):
    monkeypatch.setattr(made_up, "LAB", replace(made_up.LAB, takes_model=True))
    result = eyespot.lab("made-up", FEW, seeds=1, model=Path("lenet5"), out="~nobody-at-all")
    assert result.folder == "~nobody-at-all/lab/made-up"


def test_a_damaged_row_is_done_again(made_up):
    path = Path(eyespot.lab("made-up", FEW, seeds=2).table)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:3], lines[3].replace("2.0", "two"), *lines[4:]]), encoding="utf-8")
    assert len(table(eyespot.lab("made-up", FEW, seeds=2))) == 8
    assert len(made_up.DONE) == 9


def test_ctrl_c_after_a_round_leaves_a_verdict_and_a_table(made_up):
    made_up.STOP_AT = (10,)
    result = eyespot.lab("made-up", FEW, seeds=5, lang="en")
    assert (result.ended, result.seeds, result.answer) == ("ctrl-c", (0, 1), "so")
    assert "you stopped it after 2 of 5 seeds" in result.notes
    assert len(table(result)) == 9


def test_ctrl_c_before_the_first_round_is_a_sentence(made_up):
    made_up.STOP_AT = (1, 3)
    with pytest.raises(Stopped, match=r"nothing yet$"):
        eyespot.lab("made-up", FEW)
    with pytest.raises(Stopped, match=r"first round.*table\.csv has what was measured"):
        eyespot.lab("made-up", FEW)


def test_the_time_is_kept_even_if_the_first_round_does_not_fit(made_up):
    made_up.SLOW = True
    began = time.monotonic()
    result = eyespot.lab("made-up", FEW, time=5, lang="en")
    assert (result.ended, result.answer, result.cells) == ("time", "cannot be told", ())
    assert time.monotonic() - began < 6
    assert "no seed" in result.verdict or "before the first seed" in result.verdict


def test_one_seed_tells_nothing(made_up):
    assert eyespot.lab("made-up", FEW, seeds=1).answer == "cannot be told"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "made-pu"}, "did you mean 'made-up'"),
        ({"guess": 3}, "from 1 to 2, not 3: 1 yes, 2 no"),
        ({"seeds": 0}, "from 1 to 1000, not 0"),
        ({"seeds": "5"}, "whole number, not '5'"),
        ({"time": float("nan")}, "at least 5 s"),
        ({"seed": -1}, "not -1"),
        ({"time": "soon"}, "a time such as 30s"),
        ({"time": "1s"}, "at least 5 s"),
        ({"lang": "fr"}, "en, zh"),
        ({"model": "lenet5"}, "leave the option model out"),
        ({"seedz": 3}, "did you mean 'seed'"),
    ],
)
def test_what_cannot_be_meant_is_said(made_up, options, words):
    with pytest.raises(OptionError, match=words):
        eyespot.lab(**{"name": "made-up", "data": FEW, **options})


def test_too_few_pictures_are_said(made_up, tmp_path):
    with pytest.raises(NoPictures):
        eyespot.lab("made-up", tmp_path / "nowhere")
    draw_few(tmp_path / "fewer", each=3)
    with pytest.raises(DataError, match="at least 4 pictures"):
        eyespot.lab("made-up", "fewer")
    (tmp_path / "fewer" / "a" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken\.png"):
        eyespot.lab("made-up", "fewer")


def test_a_slow_first_setting_does_not_stop_the_lab(made_up, monkeypatch):
    """What it did once for all rounds says nothing of how long a round takes."""
    quick = made_up.trial
    slow = lambda bench, **cell: time.sleep(0.5 * (len(made_up.DONE) % 4 == 0)) or quick(bench, **cell)  # noqa: E731
    monkeypatch.setattr(made_up, "trial", slow)
    assert eyespot.lab("made-up", FEW, time=5, lang="en").ended == ""


def test_another_first_seed_shares_out_the_pictures_anew(made_up):
    first = eyespot.lab("made-up", FEW, seeds=5)
    for number, seed in enumerate((3, 5), 2):
        other = eyespot.lab("made-up", FEW, seeds=5, seed=seed)
        assert (first.folder, other.folder) == ("runs/lab/made-up", f"runs/lab/made-up-{number}")
        assert other.seeds == tuple(range(seed, seed + 5))


def test_the_command_in_the_report_does_it_again(made_up):
    page = Path(eyespot.lab("made-up", FEW, seeds=2, seed=5, lang="zh").report).read_text("utf-8")
    assert "eyespot lab made-up few --seeds=2 --seed=5 --lang=zh" in page


def test_few_test_pictures_are_a_note_where_they_are_counted(made_up, monkeypatch):
    assert not any("were tested" in note for note in eyespot.lab("made-up", FEW, seeds=1, lang="en").notes)
    monkeypatch.setattr(made_up, "LAB", replace(made_up.LAB, measures={"value": ACCURACY}))
    result = eyespot.lab("made-up", FEW, seeds=1, lang="en")
    assert result.test_pictures == 5  # a fifth of 24
    assert "only 5 pictures were tested" in result.notes[0]


def test_nothing_can_be_told_with_fewer_pictures_than_the_rule_speaks_of(made_up, monkeypatch):
    monkeypatch.setattr(made_up, "LAB", replace(made_up.LAB, needs=30))
    result = eyespot.lab("made-up", FEW, seeds=3, lang="en")
    assert result.answer == "cannot be told"
    assert "30 training pictures of a class, and there are 9" in result.verdict


def test_five_seeds_test_every_picture_once(made_up, tmp_path):
    pictures = read_pictures(tmp_path / FEW, side=8, progress=silent)
    tests = [drawn(pictures, seed=seed, first=3)[1].rows.tolist() for seed in range(8, 13)]
    assert sorted(row for rows in tests for row in rows) == list(range(24))
    assert tests != [drawn(pictures, seed=seed)[1].rows.tolist() for seed in range(5)]


def test_on_the_command_line(made_up):
    said = CliRunner().invoke(main, ["lab", "made-up", FEW, "--seeds", "3", "--guess", "2", "--lang", "en"])
    assert said.exit_code == 0
    for words in (
        "Question    Is b more?",
        "size  arm",
        "Verdict     It is so: By 1.01",
        "You said    no. The experiment says",
    ):
        assert words in said.stdout
    as_json = CliRunner().invoke(main, ["lab", "made-up", FEW, "--seeds", "3", "--json", "--lang", "zh"])
    assert json.loads(as_json.stdout)["verdict"].startswith("相差 1.01")


def test_after_ctrl_c_the_command_says_so_by_its_status(made_up):
    made_up.STOP_AT = (6,)
    said = CliRunner().invoke(main, ["lab", "made-up", FEW])
    assert said.exit_code == 130
    assert "Verdict" in said.stdout
