"""`convert boxes`: what it returns and says, and what it refuses before anything is written."""

from __future__ import annotations

import json

import pytest
from boxed_folders import annotation, boxes_of, coco, yolo
from click.testing import CliRunner

import eyespot
from eyespot.cli.main import main
from eyespot.data.boxes.reading import read_boxes
from eyespot.errors import CannotWrite, NoPictures, OptionError


@pytest.fixture
def pets(tmp_path):
    return yolo(tmp_path / "pets", {"train/a": "0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0 0.5\n", "val/b": "1 0.5 0.5 0.1 0.1\n"})


def test_the_folder_holds_the_same_boxes_in_the_other_format(pets, tmp_path):
    made = eyespot.convert_boxes(pets, to="voc", out=tmp_path / "new" / "voc")
    assert (made.out, made.read, made.written) == (str(tmp_path / "new" / "voc"), "YOLO", "Pascal VOC")
    assert (made.classes, made.pictures, made.boxes) == (("cat", "dog"), {"train": 1, "val": 1}, 2)
    assert made.notes == ("left out: 1 box without area (labels/train/a.txt, line 2)",)
    written = read_boxes(tmp_path / "new" / "voc")
    assert boxes_of(written) == boxes_of(read_boxes(pets))
    assert written.format == "Pascal VOC"


def test_the_command_says_what_it_did(pets, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["convert", "boxes", str(pets), "--to", "coco", "--out", str(out)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Read        2 pictures with 2 boxes of 2 classes, YOLO",
        "Note        left out: 1 box without area (labels/train/a.txt, line 2)",
        f"Wrote       {out}: COCO, train 1 and val 1",
    ]


def test_the_command_prints_json(tmp_path):
    coco(
        tmp_path / "pets", ["a.jpg"], [annotation(1, 1, 1, (1, 2, 3, 4), iscrowd=1), annotation(2, 1, 2, (1, 2, 3, 4))]
    )
    arguments = ["convert", "boxes", str(tmp_path / "pets"), "--to", "yolo", "--out", str(tmp_path / "out"), "--json"]
    said = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert said.pop("seconds") >= 0
    assert said == {
        "out": str(tmp_path / "out"),
        "read": "COCO",
        "written": "YOLO",
        "classes": ["cat", "dog"],
        "pictures": {"all": 1},
        "boxes": 2,
        "set_aside": [],
        "notes": ["left out: 1 box around crowds (COCO's iscrowd), which YOLO cannot hold"],
    }


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"to": "yollo"}, OptionError, "the option to cannot be 'yollo': did you mean 'yolo'?"),
        ({"to": "x"}, OptionError, "there are yolo, coco, voc"),
        ({"out": "pets"}, OptionError, "which is in the folder that is read"),
        ({"out": "pets/images/out"}, OptionError, "which is in the folder that is read"),
        ({"out": "full"}, CannotWrite, "full is there and not empty: choose another folder"),
        ({"data": "empty"}, NoPictures, "there are no boxes in empty: looked for a data.yaml"),
        ({"data": "nowhere"}, NoPictures, "there is no folder 'nowhere'"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(pets, tmp_path, monkeypatch, options, kind, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full" / "x").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(kind) as error:
        eyespot.convert_boxes(options.pop("data", "pets"), **{"to": "coco", "out": "out", **options})
    assert said in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before
